"""Hold every statement of jobs, one function each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import orjson
from sqlalchemy import (
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)

from polyvalent.db import Connection, next_id
from polyvalent.db.key_file import KeyFile
from polyvalent.db.schema import Timestamp, sealed_context
from polyvalent.db.schema_jobs import job
from polyvalent.jobs.model import Job, JobState, Owner, Queue
from polyvalent.vault import KeyRing, Random, open_sealed, seal

WITH_ENGINE = (JobState.QUEUED, JobState.RUNNING)
ENDS = tuple(state for state in JobState if state.is_end)


async def insert_job(
    connection: Connection,
    keys: KeyFile,
    *,
    owner: Owner,
    instance_id: int | None,
    kind: str,
    key: str | None,
    queue: Queue,
    partition: str,
    spec: Mapping[str, Any],
    due_at: datetime,
    now: datetime,
    random: Random,
) -> int:
    """Insert a waiting job and return its id; an empty partition means its own."""
    job_id = await next_id(connection, job)
    ring = keys.ring()
    await connection.execute(
        insert(job).values(
            id=job_id,
            organization_id=owner.organization_id,
            account_id=owner.account_id,
            user_id=owner.user_id,
            instance_id=instance_id,
            kind=kind,
            key=key,
            queue=queue,
            partition=partition or f"job/{job_id}",
            state=JobState.WAITING,
            due_at=due_at,
            run=0,
            fence=0,
            attempts=0,
            spec_sealed=_seal(ring, "spec_sealed", job_id, spec, random),
            progress="{}",
            created_at=now,
            updated_at=now,
        )
    )
    return job_id


async def find_job(connection: Connection, keys: KeyFile, job_id: int) -> Job | None:
    """Find a job by its id."""
    row = (await connection.execute(select(job).where(job.c.id == job_id))).first()
    return None if row is None else _read(keys.ring(), row)


async def find_by_key(connection: Connection, key: str) -> tuple[int, JobState, datetime] | None:
    """Find the id, state and time of the job with a key."""
    query = select(job.c.id, job.c.state, job.c.due_at).where(job.c.key == key)
    row = (await connection.execute(query)).first()
    return None if row is None else (row.id, JobState(row.state), row.due_at)


async def list_jobs(
    connection: Connection,
    keys: KeyFile,
    *,
    organization_id: int,
    kinds: Sequence[str] = (),
    states: Sequence[JobState] = (),
    before_id: int | None = None,
    limit: int,
) -> tuple[Job, ...]:
    """List the jobs of an organization, the newest first."""
    query = select(job).where(job.c.organization_id == organization_id)
    if kinds:
        query = query.where(job.c.kind.in_(kinds))
    if states:
        query = query.where(job.c.state.in_(states))
    if before_id is not None:
        query = query.where(job.c.id < before_id)
    rows = await connection.execute(query.order_by(job.c.id.desc()).limit(limit))
    ring = keys.ring()
    return tuple(_read(ring, row) for row in rows)


async def list_due(connection: Connection, *, now: datetime, limit: int) -> tuple[Job, ...]:
    """List waiting jobs whose time has come, the longest waiting first; unopened."""
    query = (
        select(job)
        .where(job.c.state == JobState.WAITING, job.c.due_at <= now)
        .order_by(job.c.due_at, job.c.id)
        .limit(limit)
    )
    return tuple(_read(None, row) for row in await connection.execute(query))


async def mark_queued(
    connection: Connection, runs: Iterable[tuple[int, int]], *, now: datetime
) -> None:
    """Note that jobs are with the engine, as these runs; those that have begun stay as they are."""
    for job_id, run in runs:
        await connection.execute(
            update(job)
            .where(job.c.id == job_id, job.c.state == JobState.WAITING, job.c.run == run - 1)
            .values(state=JobState.QUEUED, run=run, updated_at=now)
        )


async def list_with_engine(
    connection: Connection, *, since: datetime, limit: int
) -> tuple[tuple[int, int], ...]:
    """List ids and runs of the jobs that the engine has had for some time."""
    query = (
        select(job.c.id, job.c.run)
        .where(job.c.state.in_(WITH_ENGINE), job.c.updated_at <= since)
        .order_by(job.c.updated_at)
        .limit(limit)
    )
    return tuple((row.id, row.run) for row in await connection.execute(query))


async def take_back(connection: Connection, job_id: int, *, run: int, now: datetime) -> bool:
    """Let a job wait again that the engine has lost; whoever still works on it cannot save."""
    result = await connection.execute(
        update(job)
        .where(job.c.id == job_id, job.c.run == run, job.c.state.in_(WITH_ENGINE))
        .values(state=JobState.WAITING, due_at=now, fence=job.c.fence + 1, updated_at=now)
    )
    return result.rowcount == 1


async def begin(
    connection: Connection, keys: KeyFile, job_id: int, *, run: int, now: datetime
) -> Job | None:
    """Begin a turn: the job is this caller's alone from now on. None if it is not to be done."""
    handed_over = and_(job.c.state.in_(WITH_ENGINE), job.c.run == run)
    # The engine was quicker than the note that it has the job.
    unnoted = and_(job.c.state == JobState.WAITING, job.c.run == run - 1)
    query = (
        update(job)
        .where(job.c.id == job_id, or_(handed_over, unnoted))
        .values(
            state=JobState.RUNNING,
            run=run,
            fence=job.c.fence + 1,
            woken_at=None,
            updated_at=now,
            started_at=func.coalesce(job.c.started_at, now),
        )
        .returning(job)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else _read(keys.ring(), row)


async def save(
    connection: Connection,
    keys: KeyFile,
    held: Job,
    *,
    checkpoint: Any,
    progress: Mapping[str, Any] | None,
    now: datetime,
    random: Random,
) -> bool:
    """Save where a job is; False if it is not the holder's any more."""
    values: dict[str, Any] = {
        "checkpoint_sealed": _seal(keys.ring(), "checkpoint_sealed", held.id, checkpoint, random),
        "attempts": 0,
        "error": None,
        "updated_at": now,
    }
    if progress is not None:
        values["progress"] = orjson.dumps(progress).decode()
    return await _update_held(connection, held, values)


async def let_wait(
    connection: Connection,
    held: Job,
    *,
    due_at: datetime,
    now: datetime,
    attempts: int | None = None,
    error: str | None = None,
) -> bool:
    """Let a job wait for its next turn; False if it is not the holder's any more."""
    values: dict[str, Any] = {
        "state": JobState.WAITING,
        "due_at": case((job.c.woken_at < due_at, job.c.woken_at), else_=literal(due_at, Timestamp)),
        "woken_at": None,
        "updated_at": now,
    }
    if attempts is not None:
        values |= {"attempts": attempts, "error": error}
    return await _update_held(connection, held, values)


async def end(
    connection: Connection,
    keys: KeyFile,
    held: Job,
    *,
    state: JobState,
    error: str | None,
    now: datetime,
) -> Job | None:
    """
    End a job and return it as it is then; None if it is not the holder's any more.

    One that is done and was woken meanwhile waits for another turn instead.
    """
    woken = and_(job.c.woken_at.is_not(None), literal(state is JobState.DONE))
    query = (
        update(job)
        .where(*_held(held))
        .values(
            state=case((woken, JobState.WAITING.value), else_=state.value),
            due_at=case((woken, job.c.woken_at), else_=job.c.due_at),
            finished_at=case((woken, null()), else_=literal(now, Timestamp)),
            woken_at=None,
            error=error,
            updated_at=now,
        )
        .returning(job)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else _read(keys.ring(), row)


async def cancel(connection: Connection, job_id: int, *, now: datetime) -> bool:
    """Cancel a job that has not ended; False if there is none."""
    result = await connection.execute(
        update(job)
        .where(job.c.id == job_id, job.c.state.not_in(ENDS))
        .values(state=JobState.CANCELLED, fence=job.c.fence + 1, finished_at=now, updated_at=now)
    )
    return result.rowcount == 1


async def wake(connection: Connection, job_id: int, *, due_at: datetime, now: datetime) -> bool:
    """
    Bring a waiting job forward, or let one that is at work have another turn then.

    False if there is none, or it waits for no longer anyway.
    """
    waiting = await connection.execute(
        update(job)
        .where(job.c.id == job_id, job.c.state == JobState.WAITING, job.c.due_at > due_at)
        .values(due_at=due_at, updated_at=now)
    )
    if waiting.rowcount:
        return True
    at_work = await connection.execute(
        update(job)
        .where(
            job.c.id == job_id,
            job.c.state.in_(WITH_ENGINE),
            or_(job.c.woken_at.is_(None), job.c.woken_at > due_at),
        )
        .values(woken_at=due_at)
    )
    return at_work.rowcount == 1


async def revive(connection: Connection, job_id: int, *, due_at: datetime, now: datetime) -> bool:
    """Let a job that has ended begin once more behind its checkpoint; False if it has not ended."""
    result = await connection.execute(
        update(job)
        .where(job.c.id == job_id, job.c.state.in_(ENDS))
        .values(
            state=JobState.WAITING,
            due_at=due_at,
            woken_at=None,
            attempts=0,
            error=None,
            finished_at=None,
            updated_at=now,
        )
    )
    return result.rowcount == 1


async def find_crowded(connection: Connection, *, before: datetime) -> frozenset[Queue]:
    """Return the queues in which a job has been with the engine since then and has not begun."""
    query = (
        select(job.c.queue)
        .where(job.c.state == JobState.QUEUED, job.c.updated_at <= before)
        .distinct()
    )
    return frozenset(cast("Queue", row.queue) for row in await connection.execute(query))


async def has_work(connection: Connection) -> bool:
    """Say whether there is any job that has not ended."""
    query = select(exists(select(job.c.id).where(job.c.state.not_in(ENDS))))
    return bool((await connection.execute(query)).scalar_one())


async def delete_job(connection: Connection, job_id: int) -> bool:
    """Delete a job; whoever works on it cannot save any more."""
    return (await connection.execute(delete(job).where(job.c.id == job_id))).rowcount == 1


async def _update_held(connection: Connection, held: Job, values: Mapping[str, Any]) -> bool:
    result = await connection.execute(update(job).where(*_held(held)).values(**values))
    return result.rowcount == 1


def _held(held: Job) -> tuple[Any, ...]:
    return (job.c.id == held.id, job.c.fence == held.fence, job.c.state == JobState.RUNNING)


def _seal(ring: KeyRing, column: str, job_id: int, value: Any, random: Random) -> str:
    context = sealed_context(job.c[column], {"id": job_id})
    return seal(ring, orjson.dumps(value).decode(), context=context, random=random)


def _open(ring: KeyRing | None, column: str, row: Any) -> Any:
    sealed = getattr(row, column)
    if ring is None or sealed is None:
        return None
    context = sealed_context(job.c[column], {"id": row.id})
    return orjson.loads(open_sealed(ring, sealed, context=context))


def _read(ring: KeyRing | None, row: Any) -> Job:
    return Job(
        id=row.id,
        owner=Owner(
            organization_id=row.organization_id, account_id=row.account_id, user_id=row.user_id
        ),
        instance_id=row.instance_id,
        kind=row.kind,
        key=row.key,
        queue=cast("Queue", row.queue),
        partition=row.partition,
        state=JobState(row.state),
        due_at=row.due_at,
        run=row.run,
        fence=row.fence,
        attempts=row.attempts,
        spec=_open(ring, "spec_sealed", row) or {},
        checkpoint=_open(ring, "checkpoint_sealed", row),
        progress=orjson.loads(row.progress),
        error=row.error,
        created_at=row.created_at,
        updated_at=row.updated_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
