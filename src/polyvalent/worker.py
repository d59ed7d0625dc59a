"""Join the kinds of jobs to what does them."""

from __future__ import annotations

from pathlib import Path

from polyvalent.bulk.kinds import bulk_kinds
from polyvalent.bulk.part import Folder
from polyvalent.bulk.work import BulkWork
from polyvalent.events.kinds import event_kinds
from polyvalent.events.work import EventWork
from polyvalent.hub.access import HubAccess
from polyvalent.jobs.kind import Kinds
from polyvalent.jobs.scheduled_call import CallApi, call_kind
from polyvalent.notifications.delivery.attempt import DeliveryWork
from polyvalent.notifications.delivery.deliver import deliver_kind, sweep_kind


def make_kinds(
    access: HubAccess,
    *,
    call_api: CallApi,
    bulk_path: Path,
    deliveries: DeliveryWork,
    event_work: EventWork,
) -> Kinds:
    """
    Return every kind of job that this version knows.

    `call_api` is the way to our own API, `bulk_path` where the rows of bulk jobs are kept.
    """
    folder = Folder(path=bulk_path, random=access.ports.random)
    return Kinds(
        (
            call_kind(access.ports.database, call_api),
            deliver_kind(deliveries),
            sweep_kind(deliveries),
            *event_kinds(event_work),
            *bulk_kinds(BulkWork(access=access, folder=folder)),
        )
    )
