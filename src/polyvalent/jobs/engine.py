"""
Stand between the jobs and the engine of durable work, DBOS Transact; nobody else knows it.

What it does for us: queues that all workers share, limits of how much is at work at once, each
queued run on exactly one worker, and the public calls by which a dead worker's runs are handed on.
A run is one workflow, `7.3` the third run of job 7; what it does is recorded by us, not by steps.

Source: dbos 3.4, `_queue.py` and `_sys_db.py` as installed, 2026-11; docs/decisions/0018.
"""
# ruff: noqa: PLC0415  # it takes 30 MB and half a second to import: only workers do

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from polyvalent.db import Database
from polyvalent.db.job_engine import SCHEMA, open_job_engine
from polyvalent.errors import Unavailable
from polyvalent.jobs.model import QUEUES, Job, Queue

# Told explicitly, so that the runs of an older polyvalent are done by a newer one.
VERSION = "1"
POLL_S = 0.25
# Its own lines, with stacks, tell of its own affairs; ours tell of jobs.
LOGGED = logging.CRITICAL
_RUN = "polyvalent.run"
_QUEUE = "polyvalent.{}"
_LISTED_MAX = 10_000
_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Held:
    """Say which worker the engine gave a run to."""

    run_id: str
    worker: str
    queue: str


def run_id(job_id: int, run: int) -> str:
    """Name a run: 7, 3 → "7.3"."""
    return f"{job_id}.{run}"


def read_run_id(text: str) -> tuple[int, int]:
    """Read the name of a run: "7.3" → (7, 3)."""
    job_id, _, run = text.partition(".")
    return int(job_id), int(run)


class Engine:
    """
    Hold the launched engine of this process; there can be one.

    `perform` is called with job id and run, on the event loop that launched it; what it raises
    ends in the engine's books alone. Its calls wait for a database and run in threads; once it is
    launched they raise Unavailable where that does not answer.
    """

    def __init__(
        self,
        database: Database,
        *,
        worker: str,
        at_once: dict[Queue, int],
        perform: Callable[[int, int], Coroutine[Any, Any, None]],
    ) -> None:
        self._database = database
        self._worker = worker
        self._at_once = at_once
        self._perform = perform

    async def launch(self) -> None:
        """
        Begin to take runs.

        Raises Misconfigured (see `open_job_engine`). Effects: makes the engine's tables.
        """
        await asyncio.to_thread(self._launch, asyncio.get_running_loop())

    def _launch(self, loop: asyncio.AbstractEventLoop) -> None:
        from dbos import DBOS, DBOSConfig

        logging.getLogger("dbos").setLevel(LOGGED)
        engine = open_job_engine(self._database)
        config: DBOSConfig = {
            "name": "polyvalent",
            "system_database_url": engine.url.render_as_string(hide_password=False),
            "system_database_engine": engine,
            "dbos_system_schema": SCHEMA,
            "application_version": VERSION,
            "executor_id": self._worker,
            "max_executor_threads": sum(self._at_once.values()) + 2,
            "use_listen_notify": False,
            "log_level": logging.getLevelName(LOGGED),
            "notification_listener_polling_interval_sec": 1.0,
            "scheduler_polling_interval_sec": 3600.0,
        }
        DBOS(config=config)

        @DBOS.workflow(name=_RUN)
        def perform(job_id: int, run: int) -> None:
            # The engine's thread waits; the work itself is done where everything else is.
            asyncio.run_coroutine_threadsafe(self._perform(job_id, run), loop).result()

        self._function = perform
        self._engine = engine
        DBOS.launch()
        for queue in QUEUES:
            DBOS.register_queue(
                _QUEUE.format(queue),
                worker_concurrency=self._at_once[queue],
                partition_concurrency=1,
                polling_interval_sec=POLL_S,
                on_conflict="always_update",
            )

    async def enqueue(self, jobs: Iterable[tuple[Job, int]]) -> None:
        """Queue runs of jobs; one that is queued already stays as it is."""
        todo = list(jobs)
        if todo:
            await _ask(self._enqueue, todo)

    def _enqueue(self, jobs: list[tuple[Job, int]]) -> None:
        from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

        for job, run in jobs:
            with (
                SetWorkflowID(run_id(job.id, run)),
                SetEnqueueOptions(queue_partition_key=job.partition),
            ):
                DBOS.enqueue_workflow(_QUEUE.format(job.queue), self._function, job.id, run)

    async def list_held(self) -> tuple[Held, ...]:
        """List the runs that workers have begun and not ended."""
        return await _ask(self._list_held)

    def _list_held(self) -> tuple[Held, ...]:
        from dbos import DBOS

        found = DBOS.list_workflows(
            status="PENDING", name=_RUN, load_input=False, load_output=False, limit=_LISTED_MAX
        )
        return tuple(
            Held(
                run_id=item.workflow_id, worker=item.executor_id or "", queue=item.queue_name or ""
            )
            for item in found
        )

    async def hand_on(self, runs: Iterable[Held]) -> None:
        """Queue the runs of dead workers again, for others; by one process at a time."""
        by_queue: dict[str, list[str]] = {}
        for held in runs:
            by_queue.setdefault(held.queue, []).append(held.run_id)
        for queue, ids in by_queue.items():
            await _ask(self._hand_on, ids, queue)

    def _hand_on(self, ids: list[str], queue: str) -> None:
        from dbos import DBOS

        DBOS.resume_workflows(ids, queue_name=queue or None)

    async def find_lost(self, runs: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        """Return those runs that the engine neither has queued nor at work."""
        todo = list(runs)
        return await _ask(self._find_lost, todo) if todo else ()

    def _find_lost(self, runs: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        from dbos import DBOS

        found = DBOS.list_workflows(
            workflow_ids=[run_id(*item) for item in runs],
            status=["ENQUEUED", "PENDING", "DELAYED"],
            load_input=False,
            load_output=False,
        )
        there = {item.workflow_id for item in found}
        return tuple(item for item in runs if run_id(*item) not in there)

    async def forget(self, *, before_iso: str) -> int:
        """Delete what the books hold of runs that ended before a moment; return how many."""
        return await _ask(self._forget, before_iso)

    def _forget(self, before_iso: str) -> int:
        from dbos import DBOS

        found = DBOS.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
            completed_before=before_iso,
            load_input=False,
            load_output=False,
            limit=1000,
        )
        if found:
            DBOS.delete_workflows([item.workflow_id for item in found])
        return len(found)

    async def close(self, *, within_s: float) -> None:
        """Take no more runs, and wait for those at work, but no longer than so many seconds."""
        await asyncio.to_thread(self._close, within_s)

    def _close(self, within_s: float) -> None:
        from dbos import DBOS

        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=int(within_s))
        self._engine.dispose()


async def _ask(act: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Ask the engine in a thread; whatever keeps it from its books may be over in a moment."""
    try:
        return await asyncio.to_thread(act, *args, **kwargs)
    except Exception as error:  # the edge of a library with errors of its own
        raise Unavailable("The engine of durable work cannot reach its books.") from error
