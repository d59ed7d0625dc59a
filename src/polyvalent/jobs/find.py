"""Look at jobs: one, many."""

from __future__ import annotations

from collections.abc import Sequence

from polyvalent.db import Connection
from polyvalent.db.key_file import KeyFile
from polyvalent.errors import NotFound
from polyvalent.jobs import sql
from polyvalent.jobs.model import Job, JobState


async def find_job(
    connection: Connection, keys: KeyFile, job_id: int, *, organization_id: int
) -> Job:
    """Find a job of an organization; raises NotFound."""
    found = await sql.find_job(connection, keys, job_id)
    if found is None or found.owner.organization_id != organization_id:
        raise NotFound(f"There is no job {job_id}. GET /jobs?kind=all lists them.")
    return found


async def list_jobs(
    connection: Connection,
    keys: KeyFile,
    *,
    organization_id: int,
    kinds: Sequence[str] = (),
    states: Sequence[JobState] = (),
    before_id: int | None = None,
    limit: int = 200,
) -> tuple[Job, ...]:
    """List the jobs of an organization, the newest first; `before_id` continues a list."""
    return await sql.list_jobs(
        connection,
        keys,
        organization_id=organization_id,
        kinds=kinds,
        states=states,
        before_id=before_id,
        limit=limit,
    )
