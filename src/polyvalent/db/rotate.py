"""
Bring a new master key into use while everybody works on, and let the old ones go.

1. `rotate` puts a new term into the key file. From then on every process seals under it,
   because it asks the file at each operation; old terms still open and still find.
2. It wraps the data key of every sealed value anew and computes every digest anew, in short
   transactions. An operation that began before step 1 may still write under the old term.
3. `retire`, at least `RETIRE_AFTER_S` later, does step 2 once more for such stragglers and
   takes the old terms out of the file.

A rotation may be interrupted anywhere and run again. A key file belongs to one database: to retire
a term for one would close the other's secrets for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, func, not_, or_, select

from polyvalent.db.engine import Connection, Database
from polyvalent.db.key_file import KeyFile, change_ring
from polyvalent.db.schema import digest_purpose, metadata, sealed_context
from polyvalent.errors import Conflict
from polyvalent.vault import (
    FORM,
    KeyRing,
    Random,
    add_term,
    digest,
    key_id_of,
    make_term,
    open_sealed,
    rewrap,
)

# Longer than any operation holds a ring: the longest deadline of a call is 60 s.
RETIRE_AFTER_S = 600
BATCH_ROWS = 100
PAUSE_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """Tell what a rotation did: the current key, rows sealed anew, and terms retired."""

    key_id: str
    rows: int
    retired: tuple[str, ...] = ()


async def rotate(database: Database, keys: KeyFile, *, now: datetime, random: Random) -> Rotation:
    """
    Make a new term the current one and bring every secret under it, while others read and write.

    Raises UnknownKey or SealBroken at a row that does not open; the rows before it stay
    rotated, and every other row still opens under its old term.
    """
    term = make_term(random=random, created_at=now)
    change_ring(keys.path, lambda ring: add_term(ring, term))
    return Rotation(key_id=term.id, rows=await _reseal(database, keys, random=random))


async def retire(database: Database, keys: KeyFile, *, now: datetime, random: Random) -> Rotation:
    """
    Take every term but the current one out of the key file, after bringing stragglers along.

    Raises Conflict if the current term is younger than `RETIRE_AFTER_S`: a process could still
    be about to write under an older one.
    """
    ring = keys.ring()
    ripe_at = ring.current.created_at + timedelta(seconds=RETIRE_AFTER_S)
    if len(ring.terms) > 1 and now < ripe_at:
        raise Conflict(
            "The last rotation is too young: calls that began before it may still write under "
            f"the old key. Retire old keys after {ripe_at:%Y-%m-%d %H:%M:%S} UTC."
        )
    rows = await _reseal(database, keys, random=random)
    current = ring.current_id

    def keep_current(found: KeyRing) -> KeyRing:
        if found.current_id != current:
            raise Conflict("Another rotation began meanwhile. Retire old keys after it.")
        return KeyRing(terms=(found.current,), current_id=current)

    change_ring(keys.path, keep_current)
    retired = tuple(term.id for term in ring.terms if term.id != current)
    return Rotation(key_id=current, rows=rows, retired=retired)


async def count_uses(database: Database) -> dict[str, int]:
    """Count sealed values and digests for each key id: {"9f3a01bc": 1042}."""
    uses: dict[str, int] = {}
    async with database.reading() as connection:
        for table in sealed_tables():
            for column in _columns(table):
                key_id = _key_id(column)
                query = select(key_id, func.count()).where(column.is_not(None)).group_by(key_id)
                for found, count in await connection.execute(query):
                    uses[found] = uses.get(found, 0) + count
    return uses


def sealed_tables() -> tuple[Table, ...]:
    """Return every table with a sealed column, by what the schema declares."""
    return tuple(
        table
        for table in metadata.sorted_tables
        if any("sealed_context" in column.info for column in table.c)
    )


async def _reseal(database: Database, keys: KeyFile, *, random: Random) -> int:
    done = 0
    for table in sealed_tables():
        while True:
            done += await _walk(database, keys, table, random=random)
            async with database.reading() as connection:
                stale = _stale(table, keys.ring())
                if (await connection.execute(select(table.c.id).where(stale).limit(1))).first():
                    # A row that others wrote or held meanwhile: walk again.
                    await asyncio.sleep(PAUSE_S)
                    continue
            break
    return done


async def _walk(database: Database, keys: KeyFile, table: Table, *, random: Random) -> int:
    done = last_id = 0
    while True:
        async with database.transaction() as connection:
            ring = keys.ring()
            # Locked rows are skipped, so that a rotation never waits and never deadlocks.
            query = (
                select(table)
                .where(table.c.id > last_id, _stale(table, ring))
                .order_by(table.c.id)
                .limit(BATCH_ROWS)
                .with_for_update(skip_locked=True)
            )
            rows = (await connection.execute(query)).mappings().all()
            for row in rows:
                await _update(connection, table, dict(row), ring=ring, random=random)
        done += len(rows)
        if len(rows) < BATCH_ROWS:
            return done
        last_id = rows[-1]["id"]
        await asyncio.sleep(0)  # others queue for the connection that writes


async def _update(
    connection: Connection, table: Table, row: Mapping[str, Any], *, ring: KeyRing, random: Random
) -> None:
    changes = _changes(table, row, ring=ring, random=random)
    await connection.execute(table.update().where(table.c.id == row["id"]).values(changes))


def _changes(
    table: Table, row: Mapping[str, Any], *, ring: KeyRing, random: Random
) -> dict[str, str]:
    changes = {}
    for column in _columns(table):
        value = row[column.name]
        if value is None or key_id_of(value) == ring.current_id:
            continue
        if "sealed_context" in column.info:
            changes[column.name] = rewrap(ring, value, random=random)
        else:
            sealed = table.c[column.info["digest_of"]]
            secret = open_sealed(ring, row[sealed.name], context=sealed_context(sealed, row))
            changes[column.name] = digest(ring.current, secret, purpose=digest_purpose(column))
    return changes


def _columns(table: Table) -> tuple[Column[Any], ...]:
    return tuple(
        column
        for column in table.c
        if "sealed_context" in column.info or "digest_of" in column.info
    )


def _stale(table: Table, ring: KeyRing) -> ColumnElement[bool]:
    # NULL LIKE … is NULL and counts as not stale, which is right for an empty column.
    return or_(
        *(
            not_(column.startswith(f"{_lead(column)}{ring.current_id}.", autoescape=True))
            for column in _columns(table)
        )
    )


def _lead(column: Column[Any]) -> str:
    return f"{FORM}." if "sealed_context" in column.info else ""


def _key_id(column: Column[Any]) -> ColumnElement[str]:
    # Ids are eight characters: "v1.9f3a01bc.…" for a sealed value, "9f3a01bc.…" for a digest.
    return func.substr(column, len(_lead(column)) + 1, 8)
