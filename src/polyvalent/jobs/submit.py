"""Ask for work: add a job, bring one forward, take one back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from polyvalent.db import Connection, lock
from polyvalent.db.key_file import KeyFile
from polyvalent.db.owner import instance_there
from polyvalent.jobs import sql
from polyvalent.jobs.model import Owner, Queue
from polyvalent.vault import Random


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """
    Say what is wanted.

    `key` names what there may be only one of, such as "poll/7". Jobs of one instance in one queue
    are done one after the other, those of another `partition` beside them; jobs without an
    instance only wait for themselves.
    """

    kind: str
    owner: Owner
    spec: Mapping[str, Any] = field(repr=False)
    due_at: datetime
    queue: Queue
    instance_id: int | None = None
    key: str | None = None
    partition: str | None = None


async def submit(
    connection: Connection, keys: KeyFile, request: Request, *, now: datetime, random: Random
) -> int:
    """
    Add a job in the caller's transaction, so that it is there exactly if the rest is; its id.

    A job with the same key that there is already is brought forward instead, and begun again if it
    had ended; its own spec stays. Raises NotFound if the instance is gone.
    """
    if request.key is not None:
        await lock(connection, f"job/{request.key}")
        found = await sql.find_by_key(connection, request.key)
        if found is not None:
            job_id, state, _ = found
            again = sql.revive if state.is_end else sql.wake
            await again(connection, job_id, due_at=request.due_at, now=now)
            return job_id
    if request.partition is not None:
        partition = request.partition
    else:
        partition = "" if request.instance_id is None else f"instance/{request.instance_id}"
    with instance_there(request.instance_id or 0):
        return await sql.insert_job(
            connection,
            keys,
            owner=request.owner,
            instance_id=request.instance_id,
            kind=request.kind,
            key=request.key,
            queue=request.queue,
            partition=partition,
            spec=request.spec,
            due_at=request.due_at,
            now=now,
            random=random,
        )


async def wake(connection: Connection, job_id: int, *, due_at: datetime, now: datetime) -> bool:
    """
    Bring a waiting job forward; one that is at work has another turn then.

    False if there is none, or it waits for no longer anyway.
    """
    return await sql.wake(connection, job_id, due_at=due_at, now=now)


async def cancel(connection: Connection, job_id: int, *, now: datetime) -> bool:
    """
    Cancel a job in the caller's transaction; False if it has ended or never was.

    A turn of it that is at work notices at its next save, and saves nothing any more.
    """
    return await sql.cancel(connection, job_id, now=now)


async def remove_by_key(connection: Connection, key: str) -> bool:
    """Take away the job with a key, whatever it is at; False if there is none."""
    found = await sql.find_by_key(connection, key)
    return found is not None and await sql.delete_job(connection, found[0])
