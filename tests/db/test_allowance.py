"""Shares of calls follow one another at the allowed rate; on both databases."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from polyvalent.db import Database
from polyvalent.db.allowance import hold_calls, take_share
from polyvalent.db.schema import account, app_user, instance, organization
from polyvalent.errors import NotFound


@pytest.fixture
async def instance_id(database: Database, now: datetime) -> int:
    sealed = {"secret_sealed": "s", "secret_digest": "d", "created_at": now}
    async with database.transaction() as connection:
        await connection.execute(organization.insert().values(id=1, name="o", **sealed))
        await connection.execute(
            account.insert().values(
                id=1, organization_id=1, name="a", external_id="x", created_at=now
            )
        )
        await connection.execute(
            app_user.insert().values(
                id=1, account_id=1, email="e", first_name="f", last_name="l", **sealed
            )
        )
        await connection.execute(
            instance.insert().values(
                id=7,
                organization_id=1,
                account_id=1,
                user_id=1,
                element_key="k",
                element_id=1,
                name="i",
                token_sealed="t",
                token_digest="t",
                created_at=now,
                updated_at=now,
            )
        )
    return 7


async def take(database: Database, instance_id: int, now: datetime, calls: int = 5) -> datetime:
    async with database.transaction() as connection:
        return await take_share(
            connection, instance_id, calls=calls, per_second=10, burst_s=1.0, now=now
        )


async def test_it_gives_what_was_not_used_lately_and_then_the_rate(
    database: Database, instance_id: int, now: datetime
):
    begins = [await take(database, instance_id, now) for _ in range(4)]

    seconds = [(moment - now).total_seconds() for moment in begins]
    assert seconds == [-1.0, -0.5, 0.0, 0.5]


async def test_it_makes_up_for_no_more_than_the_burst(
    database: Database, instance_id: int, now: datetime
):
    await take(database, instance_id, now)
    later = now + timedelta(hours=1)

    assert await take(database, instance_id, later) == later - timedelta(seconds=1)


async def test_it_gives_no_share_twice_to_many_that_ask_at_once(
    database: Database, instance_id: int, now: datetime
):
    begins = await asyncio.gather(*(take(database, instance_id, now) for _ in range(8)))

    assert len(set(begins)) == 8


async def test_it_says_that_the_instance_is_gone(database: Database, now: datetime):
    with pytest.raises(NotFound, match="deleted meanwhile"):
        await take(database, 99, now)


async def test_it_gives_nothing_while_the_store_wants_to_be_left_alone(
    database: Database, instance_id: int, now: datetime
):
    until = now + timedelta(seconds=30)
    async with database.transaction() as connection:
        await hold_calls(connection, instance_id, until=until)
        await hold_calls(connection, instance_id, until=now)

    assert await take(database, instance_id, now) == until
