"""Start a download, and take one back."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from polyvalent.bulk import sql
from polyvalent.bulk.ask import Wish, read_format
from polyvalent.bulk.callback import submit_callback
from polyvalent.bulk.model import RETENTION_DAYS, BulkJob, BulkStatus, NewBulkJob
from polyvalent.bulk.plan import make_read_plan
from polyvalent.bulk.submit import Note, note_nothing, submit_bulk
from polyvalent.bulk.work import refuse_disabled
from polyvalent.hub.access import HubAccess, Opened
from polyvalent.jobs.model import Owner
from polyvalent.jobs.submit import cancel


async def start_download(
    access: HubAccess, opened: Opened, wish: Wish, *, owner: Owner, note: Note = note_nothing
) -> int:
    """
    Start a download and return the number of its bulk job.

    `note` is called with the number in the same transaction.
    Raises BadRequest for what the instance's objects do not have, Forbidden for a disabled
    instance, NotFound if it was deleted meanwhile. Effects: a bulk job, and the job that does its
    work, in one transaction.
    """
    refuse_disabled(opened)
    asked, ports = wish.asked, access.ports
    # Everything that can be refused is refused now, not when somebody comes for the result.
    make_read_plan(
        access, opened, msgspec.structs.replace(asked, begin=asked.begin or asked.last_run)
    )
    configured = opened.connection.configuration.get("bulk.query.download_format")
    now = ports.now()
    new = NewBulkJob(
        organization_id=owner.organization_id,
        instance_id=opened.instance.id,
        element_key=opened.element.key,
        direction="DOWNLOAD",
        object_name=asked.object,
        file_format=wish.file_format or read_format(configured) or "jsonl",
        asked=asked,
        created_at=now,
        expires_at=now + timedelta(days=RETENTION_DAYS),
    )
    return await submit_bulk(ports, new, owner=owner, note=note)


async def cancel_bulk(access: HubAccess, bulk: BulkJob, *, owner: Owner) -> bool:
    """
    Cancel a bulk job that still goes on; False if it has ended.

    Effects: what it has read so far stays to be fetched until it expires.
    """
    ports = access.ports
    now = ports.now()
    async with ports.database.transaction() as connection:
        if bulk.job_id is not None:
            await cancel(connection, bulk.job_id, now=now)
        values = {
            "status": BulkStatus.CANCELLED,
            "completed_at": now,
            "expires_at": now + timedelta(days=RETENTION_DAYS),
        }
        ended = await sql.change_bulk_job(connection, bulk.id, values, unless_ended=True)
        if ended:
            await submit_callback(connection, ports, bulk, owner, now=now)
    return ended
