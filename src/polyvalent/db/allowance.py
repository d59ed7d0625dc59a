"""
Share out how many calls an instance may make, among all processes.

One moment for each instance: from then on further calls may be made. A share of n calls moves it
on by the time that n calls take at the allowed rate. A moment that has passed is brought up to
`burst_s` ago, so that an instance that was quiet may make up for so much, and no more.

Source: the generic cell rate algorithm, ITU-T I.371, as virtual scheduling.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from polyvalent.db.engine import Connection, lock
from polyvalent.db.owner import instance_there
from polyvalent.db.schema_calls import allowance


async def take_share(
    connection: Connection,
    instance_id: int,
    *,
    calls: int,
    per_second: float,
    burst_s: float,
    now: datetime,
) -> datetime:
    """Take a share of calls; return the moment from which on they may be made."""
    next_at = await _next_at(connection, instance_id)
    earliest = now - timedelta(seconds=burst_s)
    begins_at = earliest if next_at is None else max(next_at, earliest)
    ends_at = begins_at + timedelta(seconds=calls / per_second)
    await _put(connection, instance_id, next_at=ends_at, is_new=next_at is None)
    return begins_at


async def hold_calls(connection: Connection, instance_id: int, *, until: datetime) -> None:
    """Give out no shares that begin before a moment."""
    next_at = await _next_at(connection, instance_id)
    if next_at is None or next_at < until:
        await _put(connection, instance_id, next_at=until, is_new=next_at is None)


async def _next_at(connection: Connection, instance_id: int) -> datetime | None:
    await lock(connection, f"allowance/{instance_id}")
    query = select(allowance.c.next_at).where(allowance.c.instance_id == instance_id)
    found: datetime | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def _put(
    connection: Connection, instance_id: int, *, next_at: datetime, is_new: bool
) -> None:
    if is_new:
        row = {"instance_id": instance_id, "next_at": next_at}
        with instance_there(instance_id):
            await connection.execute(insert(allowance).values(row))
    else:
        await connection.execute(
            update(allowance).where(allowance.c.instance_id == instance_id).values(next_at=next_at)
        )
