"""
Keep the book of writes: whose turn it is in a store, what is about to be created, what is done.

One writer of an organization is at work in a store at a time, whatever instance or process it
belongs to. Before a row is created its identity is noted, and taken off once it is known what
became of it: an entry that is there already tells of a writer that was killed, or could not find
out.
"""

from __future__ import annotations

import asyncio
import random as chance
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from polyvalent.db import Connection as DatabaseConnection
from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.db.lease import LEASE_S, give_lease_back, renew_lease, take_lease
from polyvalent.errors import Unavailable, VendorBusy
from polyvalent.hub import sql
from polyvalent.instances.model import Connection
from polyvalent.instances.ports import Ports

# Between two questions for a turn that a writer of another process has; the longer the less
# often. Well below the time for which `take_lease` remembers who is next.
FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.25
HOLDER_BYTES = 8


@dataclass(kw_only=True, slots=True)
class Turn:
    """
    Hold a writer's turn.

    `doubtful`: the same row was to be created before, and what became of that is not known.
    `settled`, set by the writer: it is known what became of this one.
    """

    doubtful: bool = False
    settled: bool = False


@dataclass(kw_only=True, slots=True)
class _Queue:
    # The writers of this process in one store.
    free: asyncio.Semaphore
    slots: list[int]
    users: int = 0


@dataclass(kw_only=True)
class Ledger:
    """
    Hold the book of one process.

    `writers` is how many may be at work in one store at a time, in all processes together, and
    `patience_s` how long one waits for its turn.
    """

    database: Database
    keys: KeyFile
    now: Callable[[], datetime] = field(repr=False)
    random: Callable[[int], bytes] = field(repr=False)
    mark: Callable[[str], None] = field(repr=False)
    holder: str
    writers: int
    patience_s: float
    _queues: dict[str, _Queue] = field(default_factory=dict, repr=False)

    @asynccontextmanager
    async def turn(self, connection: Connection, *, identity: str | None) -> AsyncIterator[Turn]:
        """
        Wait for a turn in the connection's store, and note what is about to be created.

        `identity` tells the new row from others; None where nothing is created, or nothing tells.
        Raises VendorBusy if no turn comes in time; then nothing was sent.
        """
        # Nobody waits for what another organization does in a place that it calls its store.
        store = (connection.configuration.get("base.url") or "").rstrip("/")
        store = f"{connection.organization_id} {store}"
        queue = self._queues.get(store)
        if queue is None:
            queue = self._queues[store] = _Queue(
                free=asyncio.Semaphore(self.writers), slots=list(range(self.writers))
            )
        queue.users += 1
        try:
            async with self._slot(queue) as (slot, ends_at_s):
                name = f"write/{sha256(store.encode()).hexdigest()[:32]}/{slot}"
                turn = await self._begin(connection, name, identity=identity, ends_at_s=ends_at_s)
                try:
                    async with self.renewing(name, holder=self.holder):
                        yield turn
                finally:
                    await self._end(connection, name, identity=identity, turn=turn)
        finally:
            queue.users -= 1
            if not queue.users:
                self._queues.pop(store, None)

    @asynccontextmanager
    async def renewing(self, name: str, *, holder: str) -> AsyncIterator[None]:
        """Renew a lease again and again while the block runs."""
        task = asyncio.create_task(self._renew(name, holder=holder))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @asynccontextmanager
    async def _slot(self, queue: _Queue) -> AsyncIterator[tuple[int, float]]:
        ends_at_s = asyncio.get_running_loop().time() + self.patience_s
        try:
            async with asyncio.timeout(self.patience_s):
                await queue.free.acquire()
        except TimeoutError:
            raise _busy() from None
        slot = queue.slots.pop()
        try:
            yield slot, ends_at_s
        finally:
            queue.slots.append(slot)
            queue.free.release()

    async def _begin(
        self, connection: Connection, name: str, *, identity: str | None, ends_at_s: float
    ) -> Turn:
        pause_s = FIRST_PAUSE_S
        while True:
            async with self.database.transaction() as transaction:
                if await take_lease(transaction, name, holder=self.holder, now=self.now()):
                    doubtful = identity is not None and await sql.open_intent(
                        transaction,
                        self.keys,
                        random=self.random,
                        instance_id=connection.instance_id,
                        identity=identity,
                        now=self.now(),
                    )
                    return Turn(doubtful=doubtful)
            if asyncio.get_running_loop().time() + pause_s > ends_at_s:
                await self._try(self._giving_back(name))
                raise _busy()
            spread = chance.random()  # noqa: S311  # keeps processes from asking in step
            await asyncio.sleep(pause_s * (0.5 + spread / 2))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _end(
        self, connection: Connection, name: str, *, identity: str | None, turn: Turn
    ) -> None:
        async def end(transaction: DatabaseConnection) -> None:
            if identity is not None and turn.settled:
                await sql.close_intent(
                    transaction,
                    self.keys,
                    instance_id=connection.instance_id,
                    identity=identity,
                )
            await give_lease_back(transaction, name, holder=self.holder, now=self.now())

        await self._try(end)

    def _giving_back(self, name: str) -> Callable[[DatabaseConnection], Awaitable[None]]:
        async def give_back(transaction: DatabaseConnection) -> None:
            await give_lease_back(transaction, name, holder=self.holder, now=self.now())

        return give_back

    async def _renew(self, name: str, *, holder: str) -> None:
        async def renew(transaction: DatabaseConnection) -> None:
            await renew_lease(transaction, name, holder=holder, now=self.now())

        while True:
            await asyncio.sleep(LEASE_S / 3)
            await self._try(renew)

    async def _try(self, work: Callable[[DatabaseConnection], Awaitable[None]]) -> None:
        # What is left undone here mends itself: leases end, and an open entry is looked after.
        # It must not turn a write that was done into an error.
        with suppress(Unavailable):
            async with self.database.transaction() as transaction:
                await work(transaction)


def open_ledger(ports: Ports, *, writers: int) -> Ledger:
    """Open the book of a process."""
    return Ledger(
        database=ports.database,
        keys=ports.keys,
        now=ports.now,
        random=ports.random,
        mark=ports.mark,
        holder=ports.random(HOLDER_BYTES).hex(),
        writers=writers,
        patience_s=ports.deadline_s,
    )


def _busy() -> VendorBusy:
    return VendorBusy(
        "Other writes to this store are still at work, so this one was not begun. One writer at "
        "a time is let into a store (setting POLYVALENT_WRITERS_PER_STORE).",
        retry_after_s=2,
    )
