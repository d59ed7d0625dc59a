"""
Keep the calls of an instance within its budget, which all processes share.

A process takes a share of half a second's calls from the database and spends it without asking
again, so that a busy instance costs two short transactions a second and not one a call. A large
share's successor is taken while the last quarter of it is spent, so that no call waits for the
database. What was taken is kept until it is spent: altogether an instance makes at most its rate,
the burst of one second, and two shares for each process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from polyvalent.db import Database
from polyvalent.db.allowance import hold_calls, take_share
from polyvalent.db.questions import Questions
from polyvalent.errors import PolyvalentError, VendorBusy
from polyvalent.instances.model import Connection

SHARE_S = 0.5
BURST_S = 1.0
# The configuration key by which an instance has a budget of its own, where its element declares it.
RATE_KEY = "calls.per.second"
Pause = Callable[[float], Awaitable[None]]


# Of shares of fewer calls none is taken ahead: those calls have to wait anyway.
LEAST_AHEAD = 20


@dataclass(kw_only=True, slots=True)
class _Share:
    left: int = 0
    begins_at: datetime | None = None
    ahead_at: int = 0  # when so many calls are left the next share is taken
    next: tuple[int, datetime] | None = None  # its calls, and from when on they may be made
    ahead: asyncio.Task[None] | None = None
    holds: int = 0  # how often the store asked to wait


class Budget:
    """
    Let calls of instances pass at their rate.

    `per_second` is the rate of instances whose element names none. `pause` waits.
    """

    def __init__(
        self,
        database: Database,
        *,
        per_second: float,
        now: Callable[[], datetime],
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._database = database
        self._per_second = per_second
        self._now = now
        self._pause = pause
        self._shares: dict[int, _Share] = {}
        self._questions = Questions()

    async def take(self, connection: Connection, *, within_s: float) -> None:
        """
        Wait until the instance may make one more call.

        Raises VendorBusy if that is later than `within_s`. Effects: now and then a row is written.
        """
        share = self._shares.get(connection.instance_id)
        if share is None:
            share = self._shares.setdefault(connection.instance_id, _Share())
        if share.left > 0 and share.begins_at is None:
            share.left -= 1
            if share.left < share.ahead_at and share.next is None and share.ahead is None:
                share.ahead = asyncio.create_task(self._fill_ahead(share, connection))
            return
        while share.left == 0:
            # Of many calls one takes the share, and not all of them may find some of it left.
            await self._questions.ask(
                connection.instance_id, partial(self._refill, share, connection)
            )
        wait_s = self._wait_s(share)
        if wait_s > within_s:
            raise VendorBusy(
                "This instance has used up the calls that it may make to its store for now. "
                "Nothing was sent.",
                retry_after_s=wait_s,
            )
        share.left -= 1
        if wait_s > 0:
            await self._pause(wait_s)

    async def hold(self, connection: Connection, *, for_s: float) -> None:
        """Let no call of the instance pass for some seconds, as its store asked."""
        share = self._shares.setdefault(connection.instance_id, _Share())
        share.left, share.next = 0, None
        share.holds += 1
        until = self._now() + timedelta(seconds=for_s)
        async with self._database.transaction() as transaction:
            await hold_calls(transaction, connection.instance_id, until=until)

    def rate_of(self, connection: Connection) -> float:
        """Return the calls per second of an instance: its own, its element's, or everybody's."""
        own = _read_rate(connection.configuration.get(RATE_KEY))
        limits = connection.element.limits
        named = limits.calls_per_second if limits is not None else 0.0
        return own or named or self._per_second

    async def _refill(self, share: _Share, connection: Connection) -> None:
        share.left, share.begins_at = share.next or await self._take_share(connection)
        share.next = None
        share.ahead_at = share.left // 4 if share.left >= LEAST_AHEAD else 0

    async def _fill_ahead(self, share: _Share, connection: Connection) -> None:
        holds = share.holds
        try:
            taken = await self._take_share(connection)
            if share.holds == holds:
                share.next = taken
        except PolyvalentError:
            pass  # the call that needs the share tries again, and is told
        finally:
            share.ahead = None

    async def _take_share(self, connection: Connection) -> tuple[int, datetime]:
        rate = self.rate_of(connection)
        calls = max(1, int(rate * SHARE_S))
        async with self._database.transaction() as transaction:
            begins_at = await take_share(
                transaction,
                connection.instance_id,
                calls=calls,
                per_second=rate,
                burst_s=BURST_S,
                now=self._now(),
            )
        return calls, begins_at

    def _wait_s(self, share: _Share) -> float:
        if share.begins_at is None:
            return 0.0
        wait_s = (share.begins_at - self._now()).total_seconds()
        if wait_s <= 0:
            share.begins_at = None  # from here on the share is spent without a look at the clock
        return max(0.0, wait_s)


def _read_rate(text: str | None) -> float:
    try:
        rate = float(text or 0)
    except ValueError:
        return 0.0
    return rate if 0.001 <= rate <= 1e6 else 0.0
