"""Make this process a worker: take its share of the jobs until it is told to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.errors import PolyvalentError, Unavailable
from polyvalent.jobs import sql
from polyvalent.jobs.bell import Bell
from polyvalent.jobs.engine import Engine, run_id
from polyvalent.jobs.kind import Kinds
from polyvalent.jobs.lead import CROWDED_AFTER, Leadership
from polyvalent.jobs.model import Queue
from polyvalent.jobs.run import Desk, run_turn
from polyvalent.vault import Random

WORKER_STARTED = "worker.started"
WORKER_ENDED = "worker.ended"
WORKER_WITHOUT = "worker.without_database"

ROUND_S = 0.3
IDLE_ROUND_S = 1.0  # while no job has ever been wanted, and while somebody else leads
RETRY_S = 1.0
# Turns end at their next save; what takes longer is handed back unfinished.
GRACE_S = 10.0
WORKER_ID_BYTES = 6
_log = structlog.get_logger("polyvalent.jobs")


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """
    Hold what a worker works with.

    `clock` counts seconds and never goes back; `mark` is called at named points.
    """

    database: Database
    keys: KeyFile
    kinds: Kinds
    bell: Bell
    at_once: int  # long jobs; of short ones twice as many
    kept_for: timedelta  # jobs, after their end
    now: Callable[[], datetime] = field(repr=False)
    clock: Callable[[], float] = field(repr=False)
    random: Random = field(repr=False)
    mark: Callable[[str], None] = field(repr=False)


@dataclass(kw_only=True)
class _State:
    closing: bool = False
    crowded: frozenset[Queue] = frozenset()
    turns: set[asyncio.Task[Any]] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    silent: bool = False  # the database does not answer, and that has been said


@asynccontextmanager
async def working(workshop: Workshop, *, lazily: bool = False) -> AsyncIterator[None]:
    """
    Work in the background while the block runs; hand back at its end what is not finished.

    `lazily` starts the engine only once there is a job, so that a server that has none stays as
    small and quick as it is. Raises Misconfigured where the engine cannot run; a database that
    does not answer is waited for.
    """
    worker = f"worker-{workshop.random(WORKER_ID_BYTES).hex()}"
    state = _State()
    loop_task = asyncio.create_task(_work(workshop, worker, state, lazily=lazily))
    body = asyncio.current_task()

    def pass_on(task: asyncio.Task[None]) -> None:
        # A worker that cannot work must not look like one that has nothing to do.
        if not task.cancelled() and task.exception() is not None and body is not None:
            body.cancel()

    loop_task.add_done_callback(pass_on)
    try:
        yield
    except asyncio.CancelledError:
        if loop_task.done() and not loop_task.cancelled() and (error := loop_task.exception()):
            raise error from None
        raise
    finally:
        state.closing = True
        workshop.bell.ring()
        with suppress(asyncio.CancelledError, Exception):
            await loop_task


async def _work(workshop: Workshop, worker: str, state: _State, *, lazily: bool) -> None:
    if lazily and not await _wait_for_work(workshop, state):
        return
    desk = _desk(workshop, state)

    async def perform(job_id: int, run: int) -> None:
        task = asyncio.current_task()
        assert task is not None  # a coroutine that runs has one
        name = run_id(job_id, run)
        state.turns.add(task)
        state.runs.add(name)
        try:
            await run_turn(desk, job_id, run)
            workshop.bell.ring()
        finally:
            state.turns.discard(task)
            state.runs.discard(name)

    engine = Engine(
        workshop.database,
        worker=worker,
        at_once={"bulk": workshop.at_once, "swift": 2 * workshop.at_once},
        perform=perform,
    )
    leadership = Leadership(
        desk=desk,
        engine=engine,
        worker=worker,
        at_work=state.runs,
        kept_for=workshop.kept_for,
    )
    # The lease first: a worker that takes runs without one would be taken for dead.
    await _insist(leadership.hold, state)
    await engine.launch()
    _log.info(WORKER_STARTED, worker=worker, at_once=workshop.at_once)
    try:
        while not state.closing:
            try:
                more = await leadership.round()
                state.crowded = await _find_crowded(workshop)
                state.silent = False
            except Unavailable as error:
                _complain(state, error)
                more = False
            if not more:
                await workshop.bell.wait(for_s=ROUND_S if leadership.leads else IDLE_ROUND_S)
    finally:
        await _close(state, engine, leadership)
        _log.info(WORKER_ENDED, worker=worker)


def _desk(workshop: Workshop, state: _State) -> Desk:
    return Desk(
        database=workshop.database,
        keys=workshop.keys,
        kinds=workshop.kinds,
        now=workshop.now,
        clock=workshop.clock,
        random=workshop.random,
        chance=lambda: int.from_bytes(workshop.random(2)) / 65535,
        mark=workshop.mark,
        crowded=lambda: state.crowded,
        closing=lambda: state.closing,
    )


async def _wait_for_work(workshop: Workshop, state: _State) -> bool:
    while not state.closing:
        with suppress(Unavailable):
            async with workshop.database.reading() as connection:
                if await sql.has_work(connection):
                    return True
        await workshop.bell.wait(for_s=IDLE_ROUND_S)
    return False


async def _insist(act: Callable[[], Awaitable[None]], state: _State) -> None:
    while not state.closing:
        try:
            await act()
        except Unavailable as error:
            _complain(state, error)
            await asyncio.sleep(RETRY_S)
        else:
            return


def _complain(state: _State, error: Unavailable) -> None:
    if not state.silent:
        _log.warning(WORKER_WITHOUT, reason=error.message)
    state.silent = True


async def _find_crowded(workshop: Workshop) -> frozenset[Queue]:
    async with workshop.database.reading() as connection:
        return await sql.find_crowded(connection, before=workshop.now() - CROWDED_AFTER)


async def _close(state: _State, engine: Engine, leadership: Leadership) -> None:
    state.closing = True
    turns = set(state.turns)
    if turns:
        await asyncio.wait(turns, timeout=GRACE_S)
    for task in set(state.turns):
        task.cancel()
    if state.turns:
        await asyncio.wait(set(state.turns), timeout=GRACE_S)
    await engine.close(within_s=0)
    with suppress(PolyvalentError):
        await leadership.resign()
