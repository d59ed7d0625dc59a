"""Join the kinds of jobs to what does them."""

from __future__ import annotations

from polyvalent.hub.access import HubAccess
from polyvalent.jobs.kind import Kind, Kinds


def make_kinds(access: HubAccess) -> Kinds:
    """Return every kind of job that this version knows."""
    kinds: tuple[Kind, ...] = ()
    del access
    return Kinds(kinds)
