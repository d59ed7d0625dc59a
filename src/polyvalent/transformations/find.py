"""Find definitions and transformations, at one level or merged with those above."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from polyvalent.catalog.element import Element
from polyvalent.db import Connection
from polyvalent.errors import NotFound
from polyvalent.instances.ports import Ports
from polyvalent.mapping import (
    ObjectDefinition,
    Transformation,
    merge_definitions,
    merge_levels,
)
from polyvalent.transformations import sql
from polyvalent.transformations.define import not_defined
from polyvalent.transformations.model import Scope, StoredTransformation


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Hold a transformation as a level sees it, and the definition that it sees with it."""

    element_key: str
    transformation: Transformation
    definition: ObjectDefinition | None


async def find_definition(ports: Ports, scope: Scope, name: str) -> ObjectDefinition:
    """Find the definition of an object at one level; raises NotFound."""
    async with ports.database.reading() as connection:
        found = await sql.find_definition(connection, scope, name)
    if found is None:
        raise not_defined(name, scope)
    return found


async def list_definitions(ports: Ports, scope: Scope) -> tuple[ObjectDefinition, ...]:
    """List the definitions of one level by name."""
    async with ports.database.reading() as connection:
        stored = await sql.list_definitions(connection, (scope,))
    return tuple(item.definition for item in stored)


async def find_transformation(ports: Ports, scope: Scope, element: Element, name: str) -> Found:
    """
    Find the transformation of an object at one level; one that inherits comes merged.

    Raises NotFound if the level itself has none.
    """
    found = await list_transformations(ports, scope, element)
    if name not in found:
        raise not_transformed(name, scope, element.key)
    return found[name]


async def list_transformations(ports: Ports, scope: Scope, element: Element) -> Mapping[str, Found]:
    """List the transformations of one level for an element; those that inherit come merged."""
    async with ports.database.reading() as connection:
        seen = await read_visible(connection, ports, scope, element)
    return {name: made for name, made in seen.items() if made.transformation.level == scope.level}


async def list_transformations_of(
    ports: Ports, organization_id: int, name: str
) -> tuple[StoredTransformation, ...]:
    """List the transformations of an object at every level of an organization, as stored."""
    async with ports.database.reading() as connection:
        return await sql.list_transformations_of(
            connection, organization_id=organization_id, object_name=name
        )


async def read_visible(
    connection: Connection,
    ports: Ports,
    scope: Scope,
    element: Element,
    *,
    origin: str | None = None,
) -> dict[str, Found]:
    """
    Return what is in force at a level for an element, by object: merged as the levels ask.

    `origin` is the key of the element that this one was cloned from: a clone has its defaults.
    """
    stored = await sql.list_transformations(connection, scope.visible, element_key=element.key)
    definitions = await sql.list_definitions(connection, scope.visible)
    common = ports.catalog.common
    ranks = {item.key: rank for rank, item in enumerate(scope.visible)}
    by_name: dict[str, list[Transformation]] = {}
    for item in sorted(stored, key=lambda item: ranks[item.scope]):
        by_name.setdefault(item.transformation.object_name, []).append(item.transformation)
    for name, system in common.transformations_of(origin or element.key).items():
        by_name.setdefault(name, []).append(system)
    defined: dict[str, list[ObjectDefinition]] = {}
    for known in sorted(definitions, key=lambda item: ranks[item.scope]):
        defined.setdefault(known.definition.object_name, []).append(known.definition)
    for name, definition in common.definitions_of(element.hub).items():
        defined.setdefault(name, []).append(definition)
    return dict(_merge(element.key, by_name, defined))


def not_transformed(name: str, scope: Scope, element_key: str) -> NotFound:
    """Return the error for an object that a level has no transformation of."""
    return NotFound(
        f"There is no transformation of {name[:100]!r} for {element_key} at {scope.level} level."
    )


def _merge(
    element_key: str,
    by_name: Mapping[str, list[Transformation]],
    defined: Mapping[str, list[ObjectDefinition]],
) -> Iterable[tuple[str, Found]]:
    for name, levels in by_name.items():
        merged = merge_levels(levels)
        assert merged is not None  # a name stands here for its first level
        yield (
            name,
            Found(
                element_key=element_key,
                transformation=merged,
                definition=merge_definitions(defined.get(name, ())),
            ),
        )
