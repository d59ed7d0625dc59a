"""
Lead the workers: hand jobs that are due to the engine, and take over what dead workers held.

Every worker holds a lease that it renews; one of them holds the leader's as well and does this
for all. A worker that is stopped for longer than its lease lives is taken for dead: its jobs are
handed on, and when it wakes it can save nothing of them any more.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from polyvalent.db.lease import find_holders, give_lease_back, renew_lease, take_lease
from polyvalent.jobs import sql
from polyvalent.jobs.engine import Engine
from polyvalent.jobs.forget.sql import delete_ended
from polyvalent.jobs.run import Desk
from polyvalent.jobs.scheduled_call import KIND

JOBS_TAKEN_OVER = "jobs.taken_over"
JOBS_LOST = "jobs.lost"
JOBS_DROPPED = "jobs.dropped"
JOBS_FORGOTTEN = "jobs.forgotten"

LEADER = "jobs/leader"
_WORKER = "jobs/worker/"
DISPATCHED_MAX = 200  # a round
# Time for a run to arrive in the engine's books before it counts as lost.
LOST_AFTER = timedelta(seconds=10)
REAP_EVERY_S = 2.0
OWN_EVERY_S = 5.0
FORGET_EVERY_S = 600.0
BOOKS_KEPT = timedelta(hours=1)
FORGOTTEN_MAX = 500  # jobs a round
# Schedules are their owner's, ended or not.
KEPT_KINDS = (KIND,)
# A job that has waited longer than this for a worker makes the others yield.
CROWDED_AFTER = timedelta(seconds=0.5)
_log = structlog.get_logger("polyvalent.jobs")


@dataclass(kw_only=True)
class Leadership:
    """Hold what one worker knows of the lead; `leads` may be wrong for a moment, never for two."""

    desk: Desk
    engine: Engine
    worker: str
    at_work: AbstractSet[str]  # the runs that are at work here
    kept_for: timedelta  # after their end
    leads: bool = False
    _dropped: frozenset[str] = field(default=frozenset(), init=False)
    _own_due_s: float = field(default=0.0, init=False)
    _leases_due_s: float = field(default=0.0, init=False)
    _reap_due_s: float = field(default=0.0, init=False)
    _forget_due_s: float = field(default=0.0, init=False)

    async def round(self) -> bool:
        """Do what is to be done now; say whether there may be more of it at once."""
        now_s = self.desk.clock()
        if now_s >= self._leases_due_s:
            await self.hold()
            self._leases_due_s = now_s + 1.0
        if now_s >= self._own_due_s:
            self._own_due_s = now_s + OWN_EVERY_S
            await self._find_dropped()
        if not self.leads:
            return False
        dispatched = await self._dispatch()
        if now_s >= self._reap_due_s:
            self._reap_due_s = now_s + REAP_EVERY_S
            await self._take_over()
            await self._find_lost()
        if now_s >= self._forget_due_s:
            self._forget_due_s = now_s + FORGET_EVERY_S
            await self.engine.forget(before_iso=(self.desk.now() - BOOKS_KEPT).isoformat())
            if await self._forget() == FORGOTTEN_MAX:
                self._forget_due_s = now_s  # there may be more
        return dispatched >= DISPATCHED_MAX

    async def resign(self) -> None:
        """Give the leases back, so that nobody waits for them to end."""
        now = self.desk.now()
        async with self.desk.database.transaction() as connection:
            for name in (LEADER, _WORKER + self.worker):
                await give_lease_back(connection, name, holder=self.worker, now=now)

    async def hold(self) -> None:
        """Renew the lease of this worker, and the leader's if it is free or its own."""
        now, own = self.desk.now(), _WORKER + self.worker
        async with self.desk.database.transaction() as connection:
            if not await renew_lease(connection, own, holder=self.worker, now=now):
                await take_lease(connection, own, holder=self.worker, now=now)
            if not (
                self.leads and await renew_lease(connection, LEADER, holder=self.worker, now=now)
            ):
                self.leads = await take_lease(connection, LEADER, holder=self.worker, now=now)

    async def _dispatch(self) -> int:
        async with self.desk.database.reading() as connection:
            due = await sql.list_due(connection, now=self.desk.now(), limit=DISPATCHED_MAX)
        if not due:
            return 0
        # First the engine, then our note: if this process dies between them, the next leader
        # hands the same run over again, which changes nothing.
        await self.engine.enqueue((job, job.run + 1) for job in due)
        self.desk.mark("jobs.enqueued")
        async with self.desk.database.transaction() as connection:
            await sql.mark_queued(
                connection, ((job.id, job.run + 1) for job in due), now=self.desk.now()
            )
        return len(due)

    async def _forget(self) -> int:
        async with self.desk.database.transaction() as connection:
            count = await delete_ended(
                connection,
                before=self.desk.now() - self.kept_for,
                but=KEPT_KINDS,
                limit=FORGOTTEN_MAX,
            )
        if count:
            _log.info(JOBS_FORGOTTEN, jobs=count)
        return count

    async def _find_dropped(self) -> None:
        # Runs that ended here while the books could not be reached: they would count as at work
        # for as long as this worker lives. Seen twice, so that none is taken in its first moment.
        held = await self.engine.list_held()
        own = [item for item in held if item.worker == self.worker]
        idle = frozenset(item.run_id for item in own) - self.at_work
        again = [item for item in own if item.run_id in idle & self._dropped]
        self._dropped = idle
        if again:
            await self.engine.hand_on(again)
            _log.warning(JOBS_DROPPED, runs=[item.run_id for item in again])

    async def _take_over(self) -> None:
        held = await self.engine.list_held()
        if not held:
            return
        async with self.desk.database.reading() as connection:
            living = await find_holders(connection, prefix=_WORKER, now=self.desk.now())
        orphans = [item for item in held if item.worker not in living]
        if orphans:
            await self.engine.hand_on(orphans)
            _log.warning(
                JOBS_TAKEN_OVER,
                runs=len(orphans),
                workers=sorted({item.worker for item in orphans}),
            )

    async def _find_lost(self) -> None:
        now = self.desk.now()
        async with self.desk.database.reading() as connection:
            known = await sql.list_with_engine(
                connection, since=now - LOST_AFTER, limit=DISPATCHED_MAX
            )
        lost = await self.engine.find_lost(known)
        if lost:
            async with self.desk.database.transaction() as connection:
                for job_id, run in lost:
                    await sql.take_back(connection, job_id, run=run, now=now)
            _log.warning(JOBS_LOST, jobs=[job_id for job_id, _ in lost])
