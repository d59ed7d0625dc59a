"""Look at bulk jobs: one, many, what failed in one, what one has proven."""

from __future__ import annotations

from typing import Any

from polyvalent.bulk import sql
from polyvalent.bulk.model import BulkJob, BulkStatus
from polyvalent.bulk.receipt import is_intact
from polyvalent.errors import Conflict, NotFound
from polyvalent.instances.model import Instance
from polyvalent.instances.ports import Ports

LARGEST_PAGE = 1000


async def find_job(ports: Ports, instance: Instance, bulk_id: int) -> BulkJob:
    """Find a bulk job of an instance; raises NotFound, also for one of another instance."""
    async with ports.database.reading() as connection:
        found = await sql.find_bulk_job(
            connection,
            ports.keys,
            bulk_id=bulk_id,
            organization_id=instance.organization_id,
            instance_id=instance.id,
        )
    if found is None:
        raise NotFound(f"This instance has no bulk job {bulk_id}. GET /bulk/jobs lists them.")
    return found


async def list_jobs(
    ports: Ports, instance: Instance, *, before: int | None, limit: int
) -> tuple[BulkJob, ...]:
    """List the bulk jobs of an instance, the newest first."""
    async with ports.database.reading() as connection:
        return await sql.list_bulk_jobs(
            connection,
            ports.keys,
            organization_id=instance.organization_id,
            instance_id=instance.id,
            before=before,
            limit=limit,
        )


async def list_errors(
    ports: Ports, bulk: BulkJob, *, after: int, limit: int
) -> tuple[tuple[int, dict[str, Any]], ...]:
    """List what failed in a bulk job behind an id, each with its id."""
    async with ports.database.reading() as connection:
        return await sql.list_errors(connection, ports.keys, bulk.id, after=after, limit=limit)


async def show_receipt(ports: Ports, bulk: BulkJob, *, with_pages: bool) -> dict[str, Any]:
    """
    Show the receipt of a finished download, and whether it is as it was made.

    `with_pages` adds the fingerprint of each page that was read. Raises Conflict while the job
    works, NotFound for one that ended without.
    """
    if not bulk.status.is_end:
        raise Conflict(
            f"Bulk job {bulk.id} is {bulk.status}: its receipt is there once it is COMPLETED."
        )
    if bulk.receipt is None or bulk.status is not BulkStatus.COMPLETED:
        raise NotFound(f"Bulk job {bulk.id} is {bulk.status} and has no receipt.")
    shown = {**bulk.receipt, "intact": is_intact(ports.keys.ring(), bulk.receipt)}
    if with_pages:
        async with ports.database.reading() as connection:
            parts = await sql.list_parts(
                connection, bulk.id, file=bulk.object_name, format_="jsonl"
            )
        shown["pageFingerprints"] = [told for part in parts for told in part.pages]
    return shown
