"""Begin a bulk job: its row, its files, the job that does its work, and a sweep to come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from polyvalent.bulk import sql
from polyvalent.bulk.model import Direction, NewBulkJob, Part
from polyvalent.bulk.sweep import submit_sweep
from polyvalent.bulk.work import DOWNLOAD, UPLOAD
from polyvalent.db import Connection
from polyvalent.instances.ports import Ports
from polyvalent.jobs.model import Owner
from polyvalent.jobs.submit import Request, submit

Note: TypeAlias = Callable[[Connection, int], Awaitable[None]]
_KINDS: Final[dict[Direction, str]] = {"DOWNLOAD": DOWNLOAD, "UPLOAD": UPLOAD}


async def note_nothing(_connection: Connection, _bulk_id: int) -> None:
    """Let a new job pass unnoted."""


async def submit_bulk(
    ports: Ports,
    new: NewBulkJob,
    *,
    owner: Owner,
    parts: Sequence[Part] = (),
    note: Note = note_nothing,
) -> int:
    """
    Begin a bulk job and return its number; `parts` are files that there are already.

    `note` is called with the number in the same transaction.
    Raises NotFound if the instance was deleted meanwhile. Effects: all of it is there, or nothing.
    """
    now = new.created_at
    async with ports.database.transaction() as connection:
        bulk_id = await sql.insert_bulk_job(connection, ports.keys, new, random=ports.random)
        if parts:
            await sql.insert_parts(connection, bulk_id, parts)
        wanted = Request(
            kind=_KINDS[new.direction],
            owner=owner,
            instance_id=new.instance_id,
            spec={"bulk": bulk_id},
            due_at=now,
            queue="bulk",
        )
        job_id = await submit(connection, ports.keys, wanted, now=now, random=ports.random)
        await sql.change_bulk_job(connection, bulk_id, {"job_id": job_id})
        await submit_sweep(connection, ports, owner, now=now)
        await note(connection, bulk_id)
    return bulk_id
