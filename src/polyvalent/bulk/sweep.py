"""Delete what is kept no longer: files after three days, jobs after a month, files of nobody."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from polyvalent.bulk import sql
from polyvalent.bulk.work import SWEEP, BulkWork
from polyvalent.db import Connection
from polyvalent.instances.ports import Ports
from polyvalent.jobs.model import Again, Outcome, Owner
from polyvalent.jobs.submit import Request, submit
from polyvalent.jobs.turn import Turn

EVERY = timedelta(hours=1)
# A file that no row names may be one that a worker is about to name.
ORPHAN_AFTER = timedelta(hours=6)
# Jobs and their receipts outlive their files.
FORGET_AFTER = timedelta(days=30)
_AT_ONCE = 100
_ABANDONED = "The user who started it was deleted, and the work with them."


async def sweep(work: BulkWork, turn: Turn) -> Outcome:
    """Delete what is kept no longer, and come again in an hour. Effects: deletes rows and files."""
    ports, now = work.access.ports, turn.now()
    while True:
        async with ports.database.transaction() as connection:
            await turn.save(connection)
            found = await sql.forget_files(
                connection, now=now, again_at=now + timedelta(days=1), limit=_AT_ONCE
            )
        if found < _AT_ONCE:
            break
    async with ports.database.transaction() as connection:
        await turn.save(connection)
        await sql.fail_abandoned(connection, message=_ABANDONED, now=now)
        await sql.delete_old(connection, before=now - FORGET_AFTER)
    turn.mark("bulk.swept")
    # Rows first, files after: what has no row is nobody's, whenever this breaks off.
    async with ports.database.reading() as connection:
        real = await sql.list_part_names(connection)
    await asyncio.to_thread(_remove_orphans, work, real, now - ORPHAN_AFTER)
    return Again(now + EVERY)


async def submit_sweep(
    connection: Connection, ports: Ports, owner: Owner, *, now: datetime
) -> None:
    """See to it that there is a sweep to come; there is only ever one."""
    wanted = Request(
        kind=SWEEP, owner=owner, spec={}, due_at=now + EVERY, queue="swift", key="bulk/sweep"
    )
    await submit(connection, ports.keys, wanted, now=now, random=ports.random)


def _remove_orphans(work: BulkWork, real: frozenset[str], before: datetime) -> None:
    for name in work.folder.list_older(before.timestamp()):
        if name not in real:
            work.folder.remove(name)
