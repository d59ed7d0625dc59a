"""Jobs that have ended are forgotten in the end, but for those that somebody still refers to."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from polyvalent.db import Connection
from polyvalent.db.schema_jobs import job
from polyvalent.jobs.kind import Kind
from polyvalent.jobs.model import Again, Done, JobState, Outcome
from polyvalent.jobs.scheduled_call import KIND
from polyvalent.jobs.turn import Turn
from polyvalent.jobs.work import Workshop, working
from tests.jobs.workshop import ask, now_utc, open_workshop, until, until_ended

DAY = timedelta(days=1)


async def handle(_: Turn) -> Outcome:
    return Done()


async def wait(turn: Turn) -> Outcome:
    return Again(turn.now() + DAY)


async def known(shop: Workshop) -> set[int]:
    async with shop.database.reading() as connection:
        return {row.id for row in await connection.execute(select(job.c.id))}


async def grow_old(connection: Connection, job_id: int, *, ended_at: datetime) -> None:
    values = {"due_at": ended_at, "finished_at": ended_at, "updated_at": ended_at}
    await connection.execute(update(job).where(job.c.id == job_id).values(**values))


async def test_the_leader_forgets_jobs_that_ended_long_ago(database_url: str, tmp_path: Path):
    kinds = [Kind(name="work", handle=handle), Kind(name=KIND, handle=handle)]
    kinds.append(Kind(name="wait", handle=wait))
    async with open_workshop(database_url, tmp_path / "keys.json", kinds, kept_for=DAY) as shop:
        old, fresh, schedule = (
            await ask(shop, "work"),
            await ask(shop, "work"),
            await ask(shop, KIND),
        )
        keyed, waiting = await ask(shop, "work", key="one"), await ask(shop, "wait")
        async with working(shop):
            for job_id in (old, fresh, schedule, keyed):
                assert (await until_ended(shop, job_id)).state is JobState.DONE
        async with shop.database.transaction() as connection:
            for job_id in (old, schedule, keyed):
                await grow_old(connection, job_id, ended_at=now_utc() - 2 * DAY)
            values = {"due_at": now_utc() - 2 * DAY, "finished_at": None}
            await connection.execute(update(job).where(job.c.id == waiting).values(**values))

        async def gone() -> bool:
            return old not in await known(shop)

        async with working(shop):
            await until(gone)

        assert await known(shop) == {fresh, schedule, keyed, waiting}
