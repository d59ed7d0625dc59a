"""Leases have one holder at a time, and pass on; on both databases."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from polyvalent.db import Database
from polyvalent.db.lease import LEASE_S, WANTED_S, give_lease_back, renew_lease, take_lease


class Holder:
    def __init__(self, database: Database, name: str) -> None:
        self.database, self.name = database, name

    async def take(self, now: datetime) -> bool:
        async with self.database.transaction() as connection:
            return await take_lease(connection, "a", holder=self.name, now=now)

    async def renew(self, now: datetime) -> bool:
        async with self.database.transaction() as connection:
            return await renew_lease(connection, "a", holder=self.name, now=now)

    async def give_back(self, now: datetime) -> None:
        async with self.database.transaction() as connection:
            await give_lease_back(connection, "a", holder=self.name, now=now)


async def test_it_has_one_holder_of_many_that_ask_at_once(database: Database, now: datetime):
    holders = [Holder(database, f"h{number}") for number in range(8)]

    taken = await asyncio.gather(*(holder.take(now) for holder in holders))

    assert sorted(taken) == [False] * 7 + [True]


async def test_it_goes_to_whoever_waited_and_not_back_to_the_last_holder(
    database: Database, now: datetime
):
    busy, waiting, late = (Holder(database, name) for name in ("busy", "waiting", "late"))
    assert await busy.take(now)
    assert not await waiting.take(now)
    assert not await late.take(now)

    await busy.give_back(now)

    assert not await busy.take(now)
    assert not await late.take(now)
    assert await waiting.take(now)


async def test_it_is_free_for_all_when_the_waiting_one_has_gone(database: Database, now: datetime):
    busy, gone = Holder(database, "busy"), Holder(database, "gone")
    await busy.take(now)
    await gone.take(now)
    await busy.give_back(now)

    assert not await busy.take(now)
    assert await busy.take(now + timedelta(seconds=WANTED_S))


async def test_it_stays_with_a_holder_that_renews_it(database: Database, now: datetime):
    holder, other = Holder(database, "holder"), Holder(database, "other")
    await holder.take(now)
    later = now + timedelta(seconds=LEASE_S - 1)
    assert await holder.renew(later)

    assert not await other.take(later + timedelta(seconds=LEASE_S - 1))


async def test_it_passes_on_when_its_holder_has_died(database: Database, now: datetime):
    dead, other = Holder(database, "dead"), Holder(database, "other")
    await dead.take(now)
    later = now + timedelta(seconds=LEASE_S)

    assert await other.take(later)
    assert not await dead.renew(later)
    await dead.give_back(later)
    assert not await dead.take(later)
