"""Define objects that a level does not have yet, and define them anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from polyvalent.errors import Conflict, NotFound
from polyvalent.instances.ports import Ports
from polyvalent.mapping import ObjectDefinition
from polyvalent.transformations import sql
from polyvalent.transformations.model import Scope
from polyvalent.transformations.revise import revising


async def define(
    ports: Ports, scope: Scope, definitions: Sequence[ObjectDefinition]
) -> tuple[ObjectDefinition, ...]:
    """
    Store the definitions of one or more objects at a level; all or none.

    Raises Conflict if the level defines one of them already. Effects: commits.
    """
    async with revising(ports, scope.organization_id) as connection:
        for definition in definitions:
            if await sql.find_definition(connection, scope, definition.object_name) is not None:
                raise Conflict(
                    f"{definition.object_name} is defined at this level already. PUT replaces it."
                )
            await sql.insert_definition(connection, scope, definition, now=ports.now())
    return tuple(replace(item, level=scope.level) for item in definitions)


async def define_anew(ports: Ports, scope: Scope, definition: ObjectDefinition) -> ObjectDefinition:
    """
    Replace the definition of an object at a level.

    Raises NotFound if the level has none. Effects: commits.
    """
    async with revising(ports, scope.organization_id) as connection:
        if not await sql.update_definition(connection, scope, definition, now=ports.now()):
            raise not_defined(definition.object_name, scope)
    return replace(definition, level=scope.level)


def not_defined(name: str, scope: Scope) -> NotFound:
    """Return the error for an object that a level does not define."""
    return NotFound(f"There is no definition of an object {name[:100]!r} at {scope.level} level.")


def timestamp(moment: datetime) -> str:
    """Write a moment as transformations show when they began: "2014-12-12 18:03:32.012321"."""
    return moment.isoformat(" ", "microseconds")[:26]
