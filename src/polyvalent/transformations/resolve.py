"""Say which mapping is in force for an object of an instance."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from polyvalent.catalog.element import Element
from polyvalent.errors import BadRequest, Unavailable
from polyvalent.instances.model import Instance
from polyvalent.instances.ports import Ports
from polyvalent.mapping import Mapping, compile_mapping
from polyvalent.transformations import sql
from polyvalent.transformations.find import Found, read_visible
from polyvalent.transformations.model import of_instance


@dataclass(frozen=True, kw_only=True, slots=True)
class Mappings:
    """Hold the transformations in force for one instance; each is compiled when first asked for."""

    version: int = 0  # of the organization's transformations when they were read
    element: Element | None = field(default=None, repr=False)
    _found: dict[str, Found] = field(default_factory=dict, repr=False)
    _compiled: dict[str, Mapping] = field(default_factory=dict, repr=False, compare=False)

    def names(self) -> Iterable[str]:
        """Return the names of the mapped objects."""
        return tuple(self._found)

    def show(self, name: str) -> Found | None:
        """Return the transformation of an object with its definition, None if it has none."""
        return self._found.get(name)

    def find(self, name: str) -> Mapping | None:
        """
        Return the mapping of an object, None if it has none.

        Raises BadRequest where the transformation lacks a vendor object or needs a script.
        """
        found = self._found.get(name)
        if found is None:
            return None
        mapping = self._compiled.get(name)
        if mapping is None:
            mapping = compile_mapping(found.definition, found.transformation)
            self._compiled[name] = mapping
        if mapping.scripted:
            raise BadRequest(
                f"The transformation of {name} has a script, and scripts are not run yet. "
                "Take the script out to use the mapping alone."
            )
        if not mapping.vendor_name:
            raise BadRequest(f"The transformation of {name} names no vendorName.")
        return mapping


@dataclass(slots=True)
class Kept:
    """Hold mappings and when they were last known to be in force, UTC."""

    mappings: Mappings
    checked_at: datetime
    # Asks whether they still are, while the calls go on.
    asking: asyncio.Task[None] | None = field(default=None, compare=False, repr=False)


# Of one process, by instance id; by account and element what its instances have in common.
# Whoever changes a transformation clears it.
Cache = MutableMapping[int | tuple[int, str], Kept]
# The key of the element that one was cloned from, its own if it was not.
FindOrigin: TypeAlias = Callable[[Element], Awaitable[str]]
NOTHING = Mappings()
CHECKED_FOR = timedelta(seconds=1)
# From this age on the question is asked while calls go on, so that none has to wait for it.
ASKED_AHEAD = timedelta(seconds=0.4)


async def resolve_mappings(
    ports: Ports,
    instance: Instance,
    *,
    element: Element,
    cache: Cache,
    find_origin: FindOrigin,
) -> Mappings:
    """
    Return the mappings of an instance, as they are now.

    What was compiled is used again until anything of the organization's definitions and
    transformations has changed. A change made by another process is seen within a second.
    `find_origin` is asked for the element whose defaults count only where they are needed.
    """
    if not element.transformations_enabled:
        return NOTHING
    now = ports.now()
    kept = cache.get(instance.id)
    known = kept.mappings if kept is not None and kept.mappings.element is element else None
    if kept is not None and known is not None and now - kept.checked_at < CHECKED_FOR:
        if kept.asking is None and now - kept.checked_at > ASKED_AHEAD:
            kept.asking = asyncio.create_task(_ask_ahead(ports, instance, kept))
        return known
    doubts = ports.memory.doubts
    read = partial(_read, ports, instance, element, known, cache=cache, find_origin=find_origin)
    about = ("mappings", instance.id, instance.version, instance.elements_version, doubts)
    known = await ports.memory.questions.ask(about, read)
    if ports.memory.doubts == doubts:
        cache[instance.id] = Kept(known, now)
    return known


async def _read(
    ports: Ports,
    instance: Instance,
    element: Element,
    known: Mappings | None,
    *,
    cache: Cache,
    find_origin: FindOrigin,
) -> Mappings:
    """Return the mappings as the database knows them, what is known already if it is still so."""
    async with ports.database.reading() as connection:
        version = await sql.read_version(connection, organization_id=instance.organization_id)
    if known is None or known.version != version:
        origin = await find_origin(element)
        async with ports.database.reading() as connection:
            found = await read_visible(
                connection, ports, of_instance(instance), element, origin=origin
            )
        mappings = Mappings(version=version, element=element, _found=found)
        known = _share(mappings, instance, cache=cache, now=ports.now())
    return known


async def _ask_ahead(ports: Ports, instance: Instance, kept: Kept) -> None:
    # What has changed is left to the next call: its second is soon over.
    now = ports.now()
    try:
        async with ports.database.reading() as connection:
            version = await sql.read_version(connection, organization_id=instance.organization_id)
        if version == kept.mappings.version:
            kept.checked_at = now
    except Unavailable:
        pass  # the next call that has to know asks again, and is told
    finally:
        kept.asking = None


def _share(mappings: Mappings, instance: Instance, *, cache: Cache, now: datetime) -> Mappings:
    """
    Return the equal mappings of another instance, if there are some.

    Few instances have transformations of their own: a thousand of one element then hold one
    compiled mapping instead of a thousand.
    """
    place = (instance.account_id, instance.element_key)
    kept = cache.get(place)
    if kept is not None and kept.mappings == mappings:
        return kept.mappings
    cache[place] = Kept(mappings, now)
    return mappings
