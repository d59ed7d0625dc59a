"""
Make a call to our own API by a schedule, as the one who asked for it.

The time that is next is saved before a call is made, with a key by which the API recognizes the
call: a worker that is killed in between makes it once more, and a write is not done twice. Times
that nobody worked at are made up for once, or left out, as the job says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from polyvalent.db import Database
from polyvalent.exchange import Headers
from polyvalent.jobs.cron import read_schedule
from polyvalent.jobs.kind import Kind
from polyvalent.jobs.model import Again, Done, Job, Outcome
from polyvalent.jobs.turn import Turn

KIND = "call"
# Of a job's spec: whether it was asked for with user secret and element token alone.
ELEMENT_ALONE = "elementAlone"
# A call that is later than this has missed its time.
LATE_AFTER = timedelta(seconds=60)
RUNS_KEPT = 20
Missed: TypeAlias = Literal["once", "skip"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduledCall:
    """Say what to call, and in whose name: the path is below the API's base path."""

    job: Job
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = field(repr=False)
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Called:
    """Tell how a call was answered; `message` is the API's refusal."""

    status: int
    request_id: str
    message: str | None = None


# Makes a call to our own API as the owner of the job; never raises for a refusal.
CallApi: TypeAlias = Callable[[ScheduledCall], Awaitable[Called]]


def call_kind(database: Database, call_api: CallApi) -> Kind:
    """Make the kind of jobs that call the API by a schedule."""

    async def handle(turn: Turn) -> Outcome:
        return await _handle(turn, database, call_api)

    # A refusal is an outcome, not a failure: the next time may be better.
    return Kind(name=KIND, handle=handle, attempts_max=None)


async def _handle(turn: Turn, database: Database, call_api: CallApi) -> Outcome:
    spec, state = turn.job.spec, dict(turn.checkpoint or {})
    schedule = read_schedule(spec["cron"], zone=spec["zone"])
    planned_at = datetime.fromisoformat(state.get("plannedAt") or turn.job.due_at.isoformat())
    if planned_at > turn.now():
        return Again(planned_at)
    if turn.now() - planned_at <= LATE_AFTER or spec["missed"] == "once":
        state["plannedAt"] = planned_at.isoformat()
        async with database.transaction() as connection:
            await turn.save(connection, checkpoint=state)
        turn.mark("call.planned")
        began_at = turn.now()
        called = await call_api(_make_call(turn.job, planned_at))
        turn.mark("call.made")
        run = {
            "plannedDate": planned_at.isoformat(),
            "startedDate": began_at.isoformat(),
            "finishedDate": turn.now().isoformat(),
            "status": called.status,
            "requestId": called.request_id,
            **({"message": called.message} if called.message else {}),
        }
        state["runs"] = [run, *state.get("runs", [])][:RUNS_KEPT]
    next_at = schedule.next_after(turn.now())
    state["plannedAt"] = None if next_at is None else next_at.isoformat()
    async with database.transaction() as connection:
        await turn.save(connection, checkpoint=state, progress={"next": state["plannedAt"]})
    return Done() if next_at is None else Again(next_at)


def _make_call(job: Job, planned_at: datetime) -> ScheduledCall:
    spec: dict[str, Any] = job.spec
    headers = [(name, value) for name, value in spec["headers"] if not _is_ours(name)]
    # The same planned time has the same key, however often it is tried.
    headers.append(("Idempotency-Key", f"job-{job.id}-{planned_at:%Y%m%dT%H%M%S}"))
    return ScheduledCall(
        job=job,
        method=spec["method"],
        path=spec["path"],
        query=tuple((name, value) for name, value in spec["query"]),
        headers=tuple(headers),
        body=spec["body"].encode(),
    )


def _is_ours(name: str) -> bool:
    return name.lower() in ("authorization", "elements-schedule-request", "idempotency-key", "host")
