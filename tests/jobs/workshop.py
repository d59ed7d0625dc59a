"""Open a workshop of jobs over a test's database, with a real clock and kinds of the test's own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from polyvalent.accounts.bootstrap import bootstrap
from polyvalent.db import Database, open_database
from polyvalent.db.key_file import KeyFile, open_key_file
from polyvalent.jobs import sql
from polyvalent.jobs.bell import Bell
from polyvalent.jobs.kind import Kind, Kinds
from polyvalent.jobs.model import Job, JobState, Owner
from polyvalent.jobs.submit import Request, submit
from polyvalent.jobs.work import Workshop

OWNER = Owner(organization_id=1, account_id=1, user_id=1)


def now_utc() -> datetime:
    return datetime.now(UTC)


def pass_by(point: str) -> None:
    pass


@asynccontextmanager
async def open_workshop(
    url: str,
    keys_path: Path,
    kinds: Iterable[Kind] = (),
    *,
    at_once: int = 4,
    kept_for: timedelta = timedelta(days=30),
    mark: Callable[[str], None] = pass_by,
) -> AsyncIterator[Workshop]:
    database = await open_database(url)
    try:
        keys = open_key_file(keys_path, now=now_utc(), random=os.urandom)
        await bootstrap(database, keys, now=now_utc(), random=os.urandom)
        yield Workshop(
            database=database,
            keys=keys,
            kinds=Kinds(kinds),
            bell=Bell(),
            at_once=at_once,
            kept_for=kept_for,
            now=now_utc,
            clock=monotonic,
            random=os.urandom,
            mark=mark,
        )
    finally:
        await database.close()


async def ask(
    workshop: Workshop,
    kind: str,
    *,
    spec: dict[str, Any] | None = None,
    due_at: datetime | None = None,
    key: str | None = None,
    partition: str | None = None,
    queue: str = "bulk",
) -> int:
    async with workshop.database.transaction() as connection:
        job_id = await submit(
            connection,
            workshop.keys,
            Request(
                kind=kind,
                owner=OWNER,
                spec=spec or {},
                due_at=due_at or now_utc(),
                queue=queue,  # type: ignore[arg-type]
                key=key,
                partition=partition,
            ),
            now=now_utc(),
            random=os.urandom,
        )
    workshop.bell.ring()
    return job_id


async def look(database: Database, keys: KeyFile, job_id: int) -> Job:
    async with database.reading() as connection:
        found = await sql.find_job(connection, keys, job_id)
    assert found is not None
    return found


async def until(condition: Callable[[], Awaitable[bool]], *, within_s: float = 20.0) -> None:
    ends_s = monotonic() + within_s
    while not await condition():
        assert monotonic() < ends_s, "it did not come about in time"
        await asyncio.sleep(0.05)


async def until_ended(workshop: Workshop, job_id: int, *, within_s: float = 20.0) -> Job:
    async def ended() -> bool:
        return (await look(workshop.database, workshop.keys, job_id)).state.is_end

    await until(ended, within_s=within_s)
    return await look(workshop.database, workshop.keys, job_id)


async def until_state(workshop: Workshop, job_id: int, state: JobState) -> Job:
    async def there() -> bool:
        return (await look(workshop.database, workshop.keys, job_id)).state is state

    await until(there)
    return await look(workshop.database, workshop.keys, job_id)
