"""Forget jobs that ended long ago, but for those that somebody still refers to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, exists, select

from polyvalent.db import Connection
from polyvalent.db.schema_bulk import bulk_job
from polyvalent.db.schema_jobs import job
from polyvalent.jobs.sql import ENDS


async def delete_ended(
    connection: Connection, *, before: datetime, but: Sequence[str], limit: int
) -> int:
    """
    Delete jobs that ended before a moment, and return how many; `but` these kinds.

    Those with a key stay, since they may be begun again behind their checkpoint, and so do those
    that a bulk job names.
    """
    named = exists(select(bulk_job.c.id).where(bulk_job.c.job_id == job.c.id))
    old = (
        select(job.c.id)
        # What has ended was due before; this finds it by the index.
        .where(job.c.state.in_(ENDS), job.c.due_at < before, job.c.finished_at < before)
        .where(job.c.key.is_(None), job.c.kind.not_in(but), ~named)
        .limit(limit)
    )
    found = [row.id for row in await connection.execute(old)]
    # One that was begun again meanwhile is found not to have ended.
    result = await connection.execute(delete(job).where(job.c.id.in_(found), job.c.state.in_(ENDS)))
    return result.rowcount
