"""Find elements: those of the catalog, those an account brought along, those it may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cachetools import LRUCache

from polyvalent.builder import sql
from polyvalent.builder.extend import extend_element
from polyvalent.builder.model import FIRST_ELEMENT_ID, Found, Reader, StoredElement
from polyvalent.catalog.element import Element
from polyvalent.catalog.load import Catalog
from polyvalent.db import Connection, Database
from polyvalent.db.key_file import KeyFile
from polyvalent.errors import NotFound

KEPT_ELEMENTS = 512


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """
    Hold the way to every element.

    What was found is kept until the organization's elements change, in this process or another:
    every look asks the database for one number.
    """

    database: Database
    keys: KeyFile
    catalog: Catalog
    now: Callable[[], datetime] = field(repr=False)
    random: Callable[[int], bytes] = field(repr=False)
    kept: LRUCache[Any, Any] = field(
        default_factory=lambda: LRUCache(maxsize=KEPT_ELEMENTS), repr=False
    )

    async def find(self, reader: Reader | None, key_or_id: str) -> Element:
        """
        Return the element that a reader knows by a key or number, with the reader's additions.

        The catalog goes before what the account brought along, and that before what others let
        it see. Raises NotFound, naming some keys that there are.
        """
        return (await self.find_whole(reader, key_or_id)).element

    async def find_whole(self, reader: Reader | None, key_or_id: str) -> Found:
        """Return an element with what it is made of; raises as `find`."""
        if reader is None:
            base = self.catalog.find(key_or_id)
            return Found(element=base, base=base)
        async with self.database.reading() as connection:
            version = await sql.find_version(connection, organization_id=reader.organization_id)
            place = (reader, version, key_or_id)
            found: Found | None = self.kept.get(place)
            if found is None:
                found = await self._look(connection, reader, key_or_id)
                self.kept[place] = found
        return found

    async def find_of_instance(
        self,
        *,
        organization_id: int,
        account_id: int,
        element_id: int,
        version: int | None = None,
    ) -> Element:
        """
        Return the element of an instance of an account, also if it was deleted since.

        `version` is the number of the organization's changes where it was just read, which saves
        the question.
        Raises NotFound if there never was one.
        """
        reader = Reader(organization_id=organization_id, account_id=account_id)
        if version is not None and (reader, version, element_id) in self.kept:
            known: Element = self.kept[reader, version, element_id]
            return known
        async with self.database.reading() as connection:
            version = await sql.find_version(connection, organization_id=organization_id)
            place = (reader, version, element_id)
            found: Element | None = self.kept.get(place)
            if found is None:
                found = await self._look_by_id(connection, reader, element_id)
                self.kept[place] = found
        return found

    async def find_all(self, reader: Reader | None) -> tuple[Element, ...]:
        """Return every element that a reader may see: the catalog, its own, those of others."""
        if reader is None:
            return self.catalog.elements
        async with self.database.reading() as connection:
            version = await sql.find_version(connection, organization_id=reader.organization_id)
            if version == 0:
                return self.catalog.elements
            place = (reader, version, None)
            found: tuple[Element, ...] | None = self.kept.get(place)
            if found is None:
                stored = await sql.list_visible(connection, self.keys, reader=reader)
                added = await sql.list_additions(
                    connection, self.keys, account_id=reader.account_id
                )
                by_id = {item.extends_id: item.element for item in added}
                found = tuple(
                    extend_element(item, by_id.get(item.id))
                    for item in (*self.catalog.elements, *(item.element for item in stored))
                )
                self.kept[place] = found
        return found

    async def find_origin(self, reader: Reader, element_id: int) -> int:
        """Return the number of the element that one was cloned from, its own if it was not."""
        async with self.database.reading() as connection:
            stored = await sql.find_by_id(
                connection,
                self.keys,
                organization_id=reader.organization_id,
                element_id=element_id,
            )
        return element_id if stored is None else stored.origin_id or element_id

    async def _look(self, connection: Connection, reader: Reader, name: str) -> Found:
        stored: StoredElement | None = None
        base = self.catalog.by_name.get(name)
        if base is None:
            stored = await sql.find_visible(connection, self.keys, reader=reader, name=name)
            if stored is None:
                raise await self._unknown(connection, reader, name)
            base = stored.element
        added = await sql.find_additions(
            connection, self.keys, account_id=reader.account_id, element_id=base.id
        )
        additions = None if added is None else added.element
        return Found(
            element=extend_element(base, additions),
            base=base,
            additions=additions,
            stored=stored,
        )

    async def _look_by_id(self, connection: Connection, reader: Reader, element_id: int) -> Element:
        if element_id < FIRST_ELEMENT_ID:
            base = self.catalog.find(str(element_id))
        else:
            stored = await sql.find_by_id(
                connection,
                self.keys,
                organization_id=reader.organization_id,
                element_id=element_id,
            )
            if stored is None:
                raise NotFound(f"There is no element {element_id} any more.")
            base = stored.element
        added = await sql.find_additions(
            connection, self.keys, account_id=reader.account_id, element_id=element_id
        )
        return extend_element(base, None if added is None else added.element)

    async def _unknown(self, connection: Connection, reader: Reader, name: str) -> NotFound:
        own = await sql.list_visible(connection, self.keys, reader=reader)
        keys = [item.key for item in self.catalog.elements] + [item.element.key for item in own]
        return NotFound(f"There is no element {name[:100]!r}. Known keys: {', '.join(keys[:30])}.")
