"""Hold what the jobs of events work with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from polyvalent.hub.access import HubAccess

POLL: Final = "poll"
SWEEP: Final = "events.sweep"


@dataclass(frozen=True, kw_only=True)
class EventWork:
    """Hold the way to instances, how often all is read, and how long events are kept."""

    access: HubAccess
    reconcile_every: timedelta
    kept_for: timedelta
