"""Hold every statement about elements that were brought along, one function each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Select, and_, delete, exists, insert, or_, select, update

from polyvalent.builder.model import FIRST_ELEMENT_ID, Reader, StoredElement
from polyvalent.catalog.element import Element
from polyvalent.db import Connection, next_id
from polyvalent.db.key_file import KeyFile
from polyvalent.db.schema import (
    account,
    element,
    element_account,
    element_version,
    sealed_context,
)
from polyvalent.vault import Random, seal

_LARGEST_ID = 2**63 - 1


async def find_version(connection: Connection, *, organization_id: int) -> int:
    """Return how many changes an organization's elements have seen."""
    query = select(element_version.c.version).where(
        element_version.c.organization_id == organization_id
    )
    return (await connection.execute(query)).scalar_one_or_none() or 0


async def count_change(connection: Connection, *, organization_id: int) -> None:
    """Count one more change; whoever calls holds the lock of the organization's elements."""
    table = element_version
    counted = await connection.execute(
        update(table)
        .where(table.c.organization_id == organization_id)
        .values(version=table.c.version + 1)
    )
    if counted.rowcount == 0:
        await connection.execute(insert(table).values(organization_id=organization_id, version=1))


async def find_by_id(
    connection: Connection, keys: KeyFile, *, organization_id: int, element_id: int
) -> StoredElement | None:
    """Find an element by its number within an organization, also a deleted one."""
    row_id = element_id - FIRST_ELEMENT_ID
    if not 0 < row_id <= _LARGEST_ID:
        return None
    query = select(element).where(
        element.c.id == row_id,
        element.c.organization_id == organization_id,
        element.c.extends_id.is_(None),
    )
    return _perhaps(keys, (await connection.execute(query)).first())


async def find_visible(
    connection: Connection, keys: KeyFile, *, reader: Reader, name: str
) -> StoredElement | None:
    """Find an element by key or number that an account may see; its own goes before others'."""
    query = _visible(reader).limit(1)
    if name.isascii() and name.isdigit():
        number = int(name) - FIRST_ELEMENT_ID if len(name) < 19 else 0
        query = query.where(element.c.id == number)
    else:
        query = query.where(element.c.key == name)
    return _perhaps(keys, (await connection.execute(query)).first())


async def list_visible(
    connection: Connection, keys: KeyFile, *, reader: Reader
) -> tuple[StoredElement, ...]:
    """List the elements that an account may see, its own first, then as they came."""
    rows = await connection.execute(_visible(reader))
    return tuple(_read(keys, row) for row in rows)


async def find_additions(
    connection: Connection, keys: KeyFile, *, account_id: int, element_id: int
) -> StoredElement | None:
    """Find what an account adds to an element."""
    query = select(element).where(
        element.c.account_id == account_id,
        element.c.extends_id == element_id,
        element.c.deleted_at.is_(None),
    )
    return _perhaps(keys, (await connection.execute(query)).first())


async def list_additions(
    connection: Connection, keys: KeyFile, *, account_id: int
) -> tuple[StoredElement, ...]:
    """List everything that an account adds to elements."""
    query = select(element).where(
        element.c.account_id == account_id,
        element.c.extends_id.is_not(None),
        element.c.deleted_at.is_(None),
    )
    return tuple(_read(keys, row) for row in await connection.execute(query))


async def is_taken(connection: Connection, *, account_id: int, key: str) -> bool:
    """Say whether an account has an element, or additions to one, under a key."""
    query = select(element.c.id).where(
        element.c.account_id == account_id, element.c.key == key, element.c.deleted_at.is_(None)
    )
    return (await connection.execute(query)).first() is not None


async def take_row_id(connection: Connection) -> int:
    """Take the id of a row to come."""
    return await next_id(connection, element)


async def insert_element(
    connection: Connection,
    keys: KeyFile,
    *,
    random: Random,
    row_id: int,
    reader: Reader,
    definition: Element,
    extends_id: int | None = None,
    origin_id: int | None = None,
    now: datetime,
) -> None:
    """Insert an element under an id that was taken before."""
    await connection.execute(
        insert(element).values(
            id=row_id,
            organization_id=reader.organization_id,
            account_id=reader.account_id,
            key=definition.key,
            extends_id=extends_id,
            origin_id=origin_id,
            body_sealed=_seal(keys, definition, row_id=row_id, random=random),
            created_at=now,
            updated_at=now,
        )
    )


async def update_element(
    connection: Connection,
    keys: KeyFile,
    *,
    random: Random,
    row_id: int,
    definition: Element,
    now: datetime,
) -> None:
    """Store another definition of an element."""
    await connection.execute(
        update(element)
        .where(element.c.id == row_id)
        .values(
            key=definition.key,
            body_sealed=_seal(keys, definition, row_id=row_id, random=random),
            updated_at=now,
        )
    )


async def mark_deleted(connection: Connection, *, row_id: int, now: datetime) -> None:
    """Mark an element as deleted; its row stays for the instances it has."""
    await connection.execute(
        update(element).where(element.c.id == row_id).values(deleted_at=now, updated_at=now)
    )


async def list_accounts(connection: Connection, *, row_id: int) -> tuple[int, ...]:
    """List the accounts that may see an element beside its own, by number."""
    table = element_account
    query = select(table.c.account_id).where(table.c.element_id == row_id)
    return tuple((await connection.execute(query.order_by(table.c.account_id))).scalars())


async def has_account(connection: Connection, *, organization_id: int, account_id: int) -> bool:
    """Say whether an account is one of an organization."""
    query = select(account.c.id).where(
        account.c.id == account_id, account.c.organization_id == organization_id
    )
    return (await connection.execute(query)).first() is not None


async def let_see(connection: Connection, *, row_id: int, account_id: int) -> None:
    """Let another account see an element; doing so twice changes nothing."""
    if account_id not in await list_accounts(connection, row_id=row_id):
        await connection.execute(
            insert(element_account).values(element_id=row_id, account_id=account_id)
        )


async def hide(connection: Connection, *, row_id: int, account_id: int) -> bool:
    """Keep an account from seeing an element; False if it could not anyway."""
    table = element_account
    done = await connection.execute(
        delete(table).where(table.c.element_id == row_id, table.c.account_id == account_id)
    )
    return done.rowcount == 1


def _visible(reader: Reader) -> Select[Any]:
    shared = exists().where(
        and_(
            element_account.c.element_id == element.c.id,
            element_account.c.account_id == reader.account_id,
        )
    )
    return (
        select(element)
        .where(
            element.c.organization_id == reader.organization_id,
            element.c.extends_id.is_(None),
            element.c.deleted_at.is_(None),
            or_(element.c.account_id == reader.account_id, shared),
        )
        .order_by((element.c.account_id != reader.account_id), element.c.id)
    )


def _seal(keys: KeyFile, definition: Element, *, row_id: int, random: Random) -> str:
    context = sealed_context(element.c.body_sealed, {"id": row_id})
    text = msgspec.json.encode(definition).decode()
    return seal(keys.ring(), text, context=context, random=random)


def _perhaps(keys: KeyFile, row: Row[Any] | None) -> StoredElement | None:
    return None if row is None else _read(keys, row)


def _read(keys: KeyFile, row: Row[Any]) -> StoredElement:
    context = sealed_context(element.c.body_sealed, {"id": row.id})
    text = keys.open(row.body_sealed, context=context)
    return StoredElement(
        row_id=row.id,
        account_id=row.account_id,
        extends_id=row.extends_id,
        origin_id=row.origin_id,
        deleted=row.deleted_at is not None,
        element=msgspec.json.decode(text, type=Element),
    )
