"""Run a turn of a job on this worker, and say what becomes of the job after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from traceback import format_tb
from typing import Any

import structlog

from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.errors import CallerError, PolyvalentError, VendorBusy
from polyvalent.jobs import sql
from polyvalent.jobs.kind import Kind, Kinds
from polyvalent.jobs.model import Done, GiveUp, Job, JobState, Outcome, Queue, Superseded
from polyvalent.jobs.turn import Turn
from polyvalent.vault import Random

JOB_ENDED = "job.ended"
JOB_FAILED = "job.failed"
JOB_BROKE = "job.broke"

PAUSE_FIRST_S = 1.0
PAUSE_MAX_S = 300.0
BUSY_PAUSE_S = 5.0  # where a store does not say for how long
FRAMES_SHOWN = 12
_DEFECT = "polyvalent failed at this; that is a defect of ours. The operator's log has the cause."
_log = structlog.get_logger("polyvalent.jobs")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Hold what turns are run with; `crowded` are the queues in which others wait."""

    database: Database
    keys: KeyFile
    kinds: Kinds
    now: Callable[[], datetime] = field(repr=False)
    clock: Callable[[], float] = field(repr=False)
    random: Random = field(repr=False)
    chance: Callable[[], float] = field(repr=False)  # from 0 to 1
    mark: Callable[[str], None] = field(repr=False)
    crowded: Callable[[], frozenset[Queue]] = field(repr=False)
    closing: Callable[[], bool] = field(repr=False)


async def run_turn(desk: Desk, job_id: int, run: int) -> None:
    """
    Run a job from its last checkpoint until it ends, waits, or makes room for others.

    Nothing happens if it is not to be done any more. What goes wrong is noted with the job; only
    the database's own failures are raised, and the engine's run then counts as lost.
    """
    async with desk.database.transaction() as connection:
        if desk.closing():
            await sql.take_back(connection, job_id, run=run, now=desk.now())
            return
        job = await sql.begin(connection, desk.keys, job_id, run=run, now=desk.now())
    if job is None:
        return
    desk.mark("job.begun")
    kind = desk.kinds.get(job.kind)
    if kind is None:
        # An older or newer worker knows it; here it would be lost.
        await _wait(desk, job, due_at=desk.now() + timedelta(seconds=PAUSE_MAX_S))
        return
    try:
        outcome = await _handle(desk, job, kind)
    except Superseded:
        return
    except asyncio.CancelledError:
        # This worker ends: the job goes on elsewhere, or here after the restart.
        await asyncio.shield(_wait(desk, job, due_at=desk.now()))
        raise
    except GiveUp as error:
        await _end(desk, job, kind, state=JobState.FAILED, error=error.message)
    except VendorBusy as error:
        pause_s = next((float(v) for n, v in error.headers if n == "Retry-After"), BUSY_PAUSE_S)
        await _wait(desk, job, due_at=desk.now() + timedelta(seconds=pause_s))
    except Exception as error:  # noqa: BLE001  # the edge of a job: a defect must be told, too
        await _retry(desk, job, kind, error)
    else:
        if isinstance(outcome, Done):
            await _end(desk, job, kind, state=JobState.DONE, error=None)
        else:
            await _wait(desk, job, due_at=outcome.due_at or desk.now())
    desk.mark("job.settled")


async def _handle(desk: Desk, job: Job, kind: Kind) -> Outcome:
    turn = Turn(
        job=job,
        keys=desk.keys,
        random=desk.random,
        now=desk.now,
        clock=desk.clock,
        mark=desk.mark,
        others_wait=lambda: job.queue in desk.crowded(),
        closing=desk.closing,
    )
    return await kind.handle(turn)


async def _wait(desk: Desk, job: Job, *, due_at: datetime) -> None:
    async with desk.database.transaction() as connection:
        await sql.let_wait(connection, job, due_at=due_at, now=desk.now())


async def _retry(desk: Desk, job: Job, kind: Kind, error: Exception) -> None:
    # Read anew: what was saved since the turn began has set the attempts back to none.
    async with desk.database.reading() as connection:
        found = await sql.find_job(connection, desk.keys, job.id)
    if found is None or found.fence != job.fence:
        return
    attempts = found.attempts + 1
    message = error.message if isinstance(error, PolyvalentError) else _DEFECT
    # What was asked for will not be right the next time either; a job that never ends goes on.
    hopeless = isinstance(error, CallerError) and kind.attempts_max is not None
    note = _log.warning if isinstance(error, PolyvalentError) else _log.error
    note(
        JOB_BROKE,
        job=job.id,
        kind=job.kind,
        attempts=attempts,
        error=type(error).__qualname__,
        **({} if isinstance(error, PolyvalentError) else _trace(error)),
    )
    if hopeless or (kind.attempts_max is not None and attempts >= kind.attempts_max):
        await _end(desk, job, kind, state=JobState.FAILED, error=message)
        return
    due_at = desk.now() + timedelta(seconds=pause_s(attempts, chance=desk.chance()))
    async with desk.database.transaction() as connection:
        await sql.let_wait(
            connection, job, due_at=due_at, now=desk.now(), attempts=attempts, error=message
        )


async def _end(desk: Desk, job: Job, kind: Kind, *, state: JobState, error: str | None) -> None:
    async with desk.database.transaction() as connection:
        ended = await sql.end(connection, desk.keys, job, state=state, error=error, now=desk.now())
        if ended is None or not ended.state.is_end:
            return
        await kind.ended(connection, ended)
    told = {"job": job.id, "kind": job.kind, "instance": job.instance_id}
    if state is JobState.FAILED:
        _log.warning(JOB_FAILED, **told)
    else:
        _log.info(JOB_ENDED, **told)


def pause_s(attempts: int, *, chance: float) -> float:
    """
    Return how long to wait after so many failures in a row: about 1, 2, 4 seconds … 5 minutes.

    `chance`, from 0 to 1, keeps jobs that failed together from coming back together.
    """
    longest = min(PAUSE_MAX_S, PAUSE_FIRST_S * 2.0 ** min(attempts - 1, 20))
    return longest * (0.5 + chance / 2)


def _trace(error: Exception) -> dict[str, Any]:
    # Source lines without values, which may be secrets.
    return {"frames": "".join(format_tb(error.__traceback__, limit=-FRAMES_SHOWN))}
