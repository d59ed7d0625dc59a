"""A worker that dies, or was thought dead, costs no job anything; real processes, real signals."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from polyvalent.jobs.model import Job, JobState
from polyvalent.jobs.work import Workshop
from tests.crash.kill import points_of
from tests.jobs.workshop import ask, look, open_workshop, until, until_ended

TAKEN_OVER_WITHIN_S = 30
ROOT = Path(__file__).resolve().parents[2]


class Hall:
    """Start worker processes over one database, and end them all."""

    def __init__(self, url: str, keys: Path, shop: Workshop) -> None:
        self.url, self.keys, self.shop = url, keys, shop
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, point: str = "", blow: str = "SIGKILL") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.jobs.worker_process", self.url, str(self.keys)]
        process = subprocess.Popen([*command, point, blow], cwd=ROOT, stdout=subprocess.PIPE)
        self.processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    async def worker_of(self, job_id: int, *, other_than: int = 0) -> int:
        """Return the process that saved last, once it is another."""

        async def saved() -> bool:
            job = await look(self.shop.database, self.shop.keys, job_id)
            return job.progress.get("pid", other_than) != other_than

        await until(saved, within_s=TAKEN_OVER_WITHIN_S)
        job = await look(self.shop.database, self.shop.keys, job_id)
        return int(job.progress["pid"])

    def process(self, pid: int) -> subprocess.Popen[bytes]:
        return next(item for item in self.processes if item.pid == pid)


@asynccontextmanager
async def open_hall(url: str, keys: Path) -> AsyncIterator[Hall]:
    async with open_workshop(url, keys) as shop:
        hall = Hall(url, keys, shop)
        try:
            yield hall
        finally:
            for process in hall.processes:
                process.kill()
                process.wait()
                assert process.stdout is not None
                process.stdout.close()


def numbers(job: Job) -> list[int]:
    return [number for number, _ in job.checkpoint]


async def test_another_worker_takes_over_from_one_that_was_killed(
    database_url: str, tmp_path: Path
):
    async with open_hall(database_url, tmp_path / "keys.json") as hall:
        hall.start()
        hall.start()
        job_id = await ask(hall.shop, "count", spec={"to": 300})
        first = await hall.worker_of(job_id)
        hall.process(first).send_signal(signal.SIGKILL)
        second = await hall.worker_of(job_id, other_than=first)
        job = await until_ended(hall.shop, job_id, within_s=60)

    assert job.state is JobState.DONE
    assert numbers(job) == list(range(300))
    assert {pid for _, pid in job.checkpoint} == {first, second}


async def test_a_worker_that_wakes_up_saves_nothing_over_its_successor(
    database_url: str, tmp_path: Path
):
    # Stopped in the middle of a transaction; on SQLite, whose one lock would then keep everybody
    # out for as long as the process sleeps, between two of them.
    point = "count.saved" if database_url.startswith("postgresql") else "count.counted"
    async with open_hall(database_url, tmp_path / "keys.json") as hall:
        first = hall.start(point, "SIGSTOP")
        job_id = await ask(hall.shop, "count", spec={"to": 100})
        await until_stopped(first)
        hall.start()
        second = await hall.worker_of(job_id, other_than=first.pid)
        first.send_signal(signal.SIGCONT)
        job = await until_ended(hall.shop, job_id, within_s=60)

    assert job.state is JobState.DONE
    assert numbers(job) == list(range(100))
    savers = [pid for _, pid in job.checkpoint]
    assert {first.pid, second} == set(savers)
    assert savers == sorted(savers, key=[first.pid, second].index)  # never back to the first


async def until_stopped(process: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(60):
        _, status = await asyncio.to_thread(os.waitpid, process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)


POINTS = ("job.begun", "job.settled", "jobs.enqueued", "count.saved")
# Of a scheduled call; tests/features/test_scheduled_calls.py shows what a kill there means.
ELSEWHERE = {"call.planned", "call.made"}


def test_every_point_that_jobs_name_is_killed_at():
    named = points_of(ROOT / "src" / "polyvalent" / "jobs")
    assert named == {*POINTS, *ELSEWHERE} - {"count.saved"}


@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_at_any_point_loses_and_doubles_nothing(
    sqlite_template: Path, tmp_path: Path, point: str
):
    # SQLite alone, since each waits for a lease to end; the takeovers above are on both.
    shutil.copyfile(sqlite_template, tmp_path / "polyvalent.db")
    url = f"sqlite:///{tmp_path / 'polyvalent.db'}"
    async with open_hall(url, tmp_path / "keys.json") as hall:
        job_id = await ask(hall.shop, "count", spec={"to": 6, "yields": True})
        doomed = hall.start(point)
        doomed.wait(timeout=60)
        assert doomed.returncode == -signal.SIGKILL
        hall.start()
        job = await until_ended(hall.shop, job_id, within_s=60)

    assert job.state is JobState.DONE
    assert numbers(job) == list(range(6))


async def test_a_worker_that_is_asked_to_stop_hands_its_work_back_at_once(
    database_url: str, tmp_path: Path
):
    async with open_hall(database_url, tmp_path / "keys.json") as hall:
        hall.start()
        job_id = await ask(hall.shop, "count", spec={"to": 200})
        first = await hall.worker_of(job_id)
        hall.process(first).send_signal(signal.SIGTERM)
        assert hall.process(first).wait(timeout=20) == 0
        job = await look(hall.shop.database, hall.shop.keys, job_id)
        assert job.state is JobState.WAITING
        hall.start()
        job = await until_ended(hall.shop, job_id, within_s=60)

    assert numbers(job) == list(range(200))
