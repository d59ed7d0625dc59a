"""Change what became of jobs: let a failed one go on, take one away."""

from __future__ import annotations

from datetime import datetime

from polyvalent.db import Connection
from polyvalent.jobs import sql
from polyvalent.jobs.model import Job


async def retry_job(connection: Connection, job: Job, *, now: datetime) -> bool:
    """Let a job that has ended go on behind what it saved last; False if it has not ended."""
    return await sql.revive(connection, job.id, due_at=now, now=now)


async def delete_job(connection: Connection, job: Job) -> bool:
    """Delete a job, whatever it is at; a turn at work can save nothing any more."""
    return await sql.delete_job(connection, job.id)
