"""Store elements that are brought along, change, clone, share and delete them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from msgspec import structs

from polyvalent.builder import sql
from polyvalent.builder.complete import complete_brought, give_numbers
from polyvalent.builder.extend import begin_additions
from polyvalent.builder.judge import judge_element
from polyvalent.builder.model import FIRST_ELEMENT_ID, Found, Reader, StoredElement
from polyvalent.builder.shelf import Shelf
from polyvalent.catalog.element import Element
from polyvalent.db import Connection, lock
from polyvalent.errors import Conflict, Forbidden, NotFound

# Default values that a clone does not take along: the application's own at the vendor.
_NOT_CLONED = frozenset(("oauth.api.key", "oauth.api.secret"))


async def bring(
    shelf: Shelf, reader: Reader, element: Element, *, origin_id: int | None = None
) -> Element:
    """
    Store a new element of the reader's account and return it completed.

    Raises BadRequest for one that cannot be kept, Conflict if the key is in use.
    """
    judge_element(give_numbers(element))
    copied = shelf.catalog.by_name.get(element.origin)
    if origin_id is None and copied is not None:
        origin_id = copied.id
    async with _changing(shelf, reader) as connection:
        await _refuse_taken(shelf, connection, reader, element.key)
        row_id = await sql.take_row_id(connection)
        completed = complete_brought(element, element_id=row_id + FIRST_ELEMENT_ID)
        await sql.insert_element(
            connection,
            shelf.keys,
            random=shelf.random,
            row_id=row_id,
            reader=reader,
            definition=completed,
            origin_id=origin_id,
            now=shelf.now(),
        )
    return completed


async def replace(shelf: Shelf, reader: Reader, name: str, element: Element) -> Element:
    """
    Put another definition in place of an element of the account; its number stays.

    Raises NotFound, Forbidden for an element of others, BadRequest, Conflict for a new key that
    is in use.
    """
    judge_element(give_numbers(element))
    return await edit(shelf, reader, name, lambda _: element)


async def edit(
    shelf: Shelf, reader: Reader, name: str, change: Callable[[Element], Element]
) -> Element:
    """
    Change an element of the account by a pure function and return it as stored.

    Raises as `replace`, and what `change` raises.
    """
    async with _changing(shelf, reader) as connection:
        stored = await _own(shelf, connection, reader, name)
        changed = change(stored.element)
        judge_element(give_numbers(changed))
        completed = complete_brought(changed, element_id=stored.element_id)
        if completed.key != stored.element.key:
            await _refuse_taken(shelf, connection, reader, completed.key)
        await _update(shelf, connection, stored, completed)
    return completed


async def edit_parts(
    shelf: Shelf, reader: Reader, name: str, change: Callable[[Element], Element]
) -> Element:
    """Change parts of an element of the account; defaults that were taken out stay out."""
    async with _changing(shelf, reader) as connection:
        stored = await _own(shelf, connection, reader, name)
        completed = give_numbers(change(stored.element))
        judge_element(completed)
        await _update(shelf, connection, stored, completed)
    return completed


async def edit_additions(
    shelf: Shelf, reader: Reader, found: Found, change: Callable[[Element], Element]
) -> Element:
    """Change what the account adds to an element of others and return the additions."""
    base = found.base
    async with _changing(shelf, reader) as connection:
        stored = await sql.find_additions(
            connection, shelf.keys, account_id=reader.account_id, element_id=base.id
        )
        before = begin_additions(base, key=base.key) if stored is None else stored.element
        after = _owned(give_numbers(change(before)), reader)
        judge_element(after)
        if stored is not None:
            await _update(shelf, connection, stored, after)
        else:
            await sql.insert_element(
                connection,
                shelf.keys,
                random=shelf.random,
                row_id=await sql.take_row_id(connection),
                reader=reader,
                definition=after,
                extends_id=base.id,
                now=shelf.now(),
            )
    return after


async def remove(shelf: Shelf, reader: Reader, name: str) -> None:
    """
    Delete an element of the account; instances that it has go on with what it was.

    Raises NotFound, Forbidden for an element of others.
    """
    async with _changing(shelf, reader) as connection:
        stored = await _own(shelf, connection, reader, name)
        await sql.mark_deleted(connection, row_id=stored.row_id, now=shelf.now())


async def clone(shelf: Shelf, reader: Reader, name: str) -> Element:
    """
    Make an element of the account's own of one that it may see, under a new key.

    "shop" → "shopclone", then "shopclone2". The application's key and secret at the vendor stay
    behind. Raises NotFound, Forbidden for an element that may not be cloned.
    """
    found = await shelf.find_whole(reader, name)
    source = found.shown_to(reader)
    if not source.cloneable:
        raise Forbidden(f"Element {source.key} cannot be cloned.")
    origin = found.stored.origin_id if found.stored is not None else None
    copied = _without_numbers(
        structs.replace(
            source,
            origin=source.origin or ("" if source.private else source.key),
            configuration=tuple(
                structs.replace(entry, default_value=None) if entry.key in _NOT_CLONED else entry
                for entry in source.configuration
            ),
        )
    )
    number = 1
    while True:
        key = f"{source.key}clone{number if number > 1 else ''}"[-100:]
        try:
            return await bring(
                shelf, reader, structs.replace(copied, key=key), origin_id=origin or source.id
            )
        except Conflict:
            number += 1


async def list_accounts(shelf: Shelf, found: Found) -> tuple[int, ...]:
    """List the accounts that may see an element beside its own; none for the catalog's."""
    if found.stored is None:
        return ()
    async with shelf.database.reading() as connection:
        return await sql.list_accounts(connection, row_id=found.stored.row_id)


async def share(shelf: Shelf, reader: Reader, name: str, *, account_id: int, on: bool) -> None:
    """
    Let an account of the organization see an element of the reader's account, or no longer.

    Raises NotFound for an unknown element or account, Forbidden for an element of others.
    """
    async with _changing(shelf, reader) as connection:
        stored = await _own(shelf, connection, reader, name)
        known = account_id < 2**63 and await sql.has_account(
            connection, organization_id=reader.organization_id, account_id=account_id
        )
        if not known:
            raise NotFound(f"There is no account {account_id}.")
        if on:
            await sql.let_see(connection, row_id=stored.row_id, account_id=account_id)
        else:
            await sql.hide(connection, row_id=stored.row_id, account_id=account_id)


@asynccontextmanager
async def _changing(shelf: Shelf, reader: Reader) -> AsyncIterator[Connection]:
    # One change of an organization's elements at a time; counted, so that every cache notices.
    async with shelf.database.transaction() as connection:
        await lock(connection, f"elements/{reader.organization_id}")
        yield connection
        await sql.count_change(connection, organization_id=reader.organization_id)


async def _own(shelf: Shelf, connection: Connection, reader: Reader, name: str) -> StoredElement:
    if name in shelf.catalog.by_name:
        raise Forbidden(
            f"Element {name} belongs to the platform and cannot be changed. Clone it: POST "
            f"/elements/{name}/clone."
        )
    stored = await sql.find_visible(connection, shelf.keys, reader=reader, name=name)
    if stored is None:
        raise NotFound(f"There is no element {name[:100]!r}.")
    if stored.account_id != reader.account_id:
        raise Forbidden(f"Element {stored.element.key} belongs to another account.")
    return stored


async def _refuse_taken(shelf: Shelf, connection: Connection, reader: Reader, key: str) -> None:
    taken = key in shelf.catalog.by_name or await sql.is_taken(
        connection, account_id=reader.account_id, key=key
    )
    if taken:
        raise Conflict(f"There is an element {key} already. Give this one another key.")


async def _update(
    shelf: Shelf, connection: Connection, stored: StoredElement, definition: Element
) -> None:
    await sql.update_element(
        connection,
        shelf.keys,
        random=shelf.random,
        row_id=stored.row_id,
        definition=definition,
        now=shelf.now(),
    )


def _owned(additions: Element, reader: Reader) -> Element:
    return structs.replace(
        additions,
        resources=tuple(
            structs.replace(item, owner_account_id=reader.account_id)
            for item in additions.resources
        ),
    )


def _without_numbers(element: Element) -> Element:
    return structs.replace(
        element,
        configuration=tuple(structs.replace(item, id=0) for item in element.configuration),
        parameters=tuple(structs.replace(item, id=0, element_id=0) for item in element.parameters),
        hooks=tuple(structs.replace(item, id=0) for item in element.hooks),
        resources=tuple(
            structs.replace(
                item,
                id=0,
                parameters=tuple(
                    structs.replace(each, id=0, resource_id=0) for each in item.parameters
                ),
                hooks=tuple(structs.replace(each, id=0) for each in item.hooks),
            )
            for item in element.resources
        ),
        objects=tuple(
            structs.replace(
                item, id=0, fields=tuple(structs.replace(each, id=0) for each in item.fields)
            )
            for item in element.objects
        ),
    )
