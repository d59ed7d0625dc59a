"""
Give one holder something for itself, across processes, until it gives it back or dies.

A lease is a row. Its holder renews it while it works; a holder that was killed stops doing so,
and the lease is free when its time is up. Whoever finds a lease taken is noted as the next, so
that a busy holder cannot keep it for ever. All processes must agree on the time to within a few
seconds. A holder that is stopped for longer than a lease lives does not notice losing it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from polyvalent.db.engine import Connection, lock
from polyvalent.db.schema_calls import lease

LEASE_S = 6.0
# Whoever waits asks again well within this time; else it has given up or died.
WANTED_S = 2.0


async def take_lease(connection: Connection, name: str, *, holder: str, now: datetime) -> bool:
    """Take a lease if it is free and nobody else is next; else be noted as the next."""
    await lock(connection, f"lease/{name}")
    row = (await connection.execute(select(lease).where(lease.c.name == name))).first()
    expires_at = now + timedelta(seconds=LEASE_S)
    if row is None:
        # Leases that their holders never gave back, and promises that nobody came for.
        long_ago = now - timedelta(days=1)
        await connection.execute(delete(lease).where(lease.c.expires_at < long_ago))
        await connection.execute(
            insert(lease).values(name=name, holder=holder, expires_at=expires_at)
        )
        return True
    is_free = row.holder in (None, holder) or row.expires_at <= now
    is_promised = row.wanted_by not in (None, holder) and row.wanted_until > now
    if is_free and not is_promised:
        values = {"holder": holder, "expires_at": expires_at, "wanted_by": None}
    elif not is_promised:
        wanted_until = now + timedelta(seconds=WANTED_S)
        values = {"wanted_by": holder, "wanted_until": wanted_until}
    else:
        return False
    await connection.execute(update(lease).where(lease.c.name == name).values(values))
    return is_free and not is_promised


async def renew_lease(connection: Connection, name: str, *, holder: str, now: datetime) -> bool:
    """Hold a lease for longer; False if it has gone to another."""
    result = await connection.execute(
        update(lease)
        .where(lease.c.name == name, lease.c.holder == holder)
        .values(expires_at=now + timedelta(seconds=LEASE_S))
    )
    return result.rowcount == 1


async def give_lease_back(connection: Connection, name: str, *, holder: str, now: datetime) -> None:
    """Give a lease back, or a promise of one up; nothing happens if it is another's."""
    mine = (lease.c.name == name, lease.c.holder == holder)
    await connection.execute(delete(lease).where(*mine, lease.c.wanted_by.is_(None)))
    await connection.execute(update(lease).where(*mine).values(holder=None, expires_at=now))
    await connection.execute(
        update(lease)
        .where(lease.c.name == name, lease.c.wanted_by == holder)
        .values(wanted_by=None)
    )


async def find_holders(connection: Connection, *, prefix: str, now: datetime) -> frozenset[str]:
    """Return who holds the leases whose names begin so, those that have run out left out."""
    query = select(lease.c.holder).where(
        lease.c.name.startswith(prefix, autoescape=True), lease.c.expires_at > now
    )
    return frozenset(row.holder for row in await connection.execute(query) if row.holder)
