"""Make a worker of an open platform."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from time import monotonic

from polyvalent.api.inside import Inside
from polyvalent.api.platform import Platform
from polyvalent.jobs.work import Workshop, working
from polyvalent.worker import make_kinds


def working_on(platform: Platform, *, lazily: bool) -> AbstractAsyncContextManager[None]:
    """Work on the jobs of a platform while the block runs; see `jobs.work.working`."""
    ports = platform.ports
    workshop = Workshop(
        database=ports.database,
        keys=ports.keys,
        kinds=make_kinds(
            platform.access,
            call_api=Inside(platform),
            bulk_path=platform.settings.bulk_path,
            deliveries=platform.deliveries,
            event_work=platform.event_work,
        ),
        bell=platform.bell,
        at_once=platform.settings.jobs_at_once,
        kept_for=timedelta(days=platform.settings.jobs_days),
        now=ports.now,
        clock=monotonic,
        random=ports.random,
        mark=ports.mark,
    )
    return working(workshop, lazily=lazily)
