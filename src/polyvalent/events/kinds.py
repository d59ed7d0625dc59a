"""Name the kinds of jobs that events need, each with what does it."""

from __future__ import annotations

from functools import partial

from polyvalent.events.poll import poll
from polyvalent.events.sweep import sweep_events
from polyvalent.events.work import POLL, SWEEP, EventWork
from polyvalent.jobs.kind import Kind


def event_kinds(work: EventWork) -> tuple[Kind, ...]:
    """Return the kinds of jobs of events; none of them ever gives up."""
    return (
        Kind(name=POLL, handle=partial(poll, work), attempts_max=None),
        Kind(name=SWEEP, handle=partial(sweep_events, work), attempts_max=None),
    )
