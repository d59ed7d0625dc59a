"""Add and replace transformations of objects."""

from __future__ import annotations

from msgspec.structs import replace

from polyvalent.catalog.element import Element
from polyvalent.db import Connection
from polyvalent.errors import BadRequest, Conflict
from polyvalent.instances.ports import Ports
from polyvalent.mapping import Transformation
from polyvalent.transformations import sql
from polyvalent.transformations.define import timestamp
from polyvalent.transformations.find import Found, not_transformed, read_visible
from polyvalent.transformations.model import Scope
from polyvalent.transformations.revise import revising

# Hubs whose objects are files and messages, which have no fields to map.
WITHOUT = frozenset(("documents", "messaging"))


async def add(
    ports: Ports, scope: Scope, element: Element, transformation: Transformation
) -> Found:
    """
    Store the transformation of an object for an element, at one level.

    Raises Conflict if the level has one; BadRequest where no visible level defines the object, or
    the element takes no transformations. Effects: commits.
    """
    check_allowed(element)
    name = transformation.object_name
    made = replace(transformation, start_date=timestamp(ports.now()))
    async with revising(ports, scope.organization_id) as connection:
        stored = await sql.list_transformations(connection, (scope,), element_key=element.key)
        if any(item.transformation.object_name == name for item in stored):
            raise Conflict(
                f"There is a transformation of {name} for {element.key} at this level already. "
                "PUT replaces it."
            )
        definitions = await sql.list_definitions(connection, scope.visible)
        known = {item.definition.object_name for item in definitions}
        if name not in known | ports.catalog.common.definitions_of(element.hub).keys():
            raise BadRequest(
                f"There is no object {name} to transform. Define it first: POST "
                f"/organizations/objects/{name}/definitions, or at account or instance level."
            )
        await sql.insert_transformation(
            connection, scope, made, element_key=element.key, now=ports.now()
        )
        return await _shown(connection, ports, scope, element, name)


async def change(
    ports: Ports,
    scope: Scope,
    element: Element,
    transformation: Transformation,
    *,
    engine_given: bool,
) -> Found:
    """
    Replace the transformation of an object for an element, at one level.

    `engine_given` says whether isLegacy was sent; else the engine of scripts stays as it is.
    Raises NotFound if the level has none, BadRequest for a return from the newer engine to the
    older. Effects: commits.
    """
    check_allowed(element)
    name = transformation.object_name
    async with revising(ports, scope.organization_id) as connection:
        stored = await sql.list_transformations(connection, (scope,), element_key=element.key)
        before = next(
            (item.transformation for item in stored if item.transformation.object_name == name),
            None,
        )
        if before is None:
            raise not_transformed(name, scope, element.key)
        if transformation.is_legacy and not before.is_legacy:
            raise BadRequest(
                "Scripts of this transformation run on the newer engine; there is no way back. "
                "Send isLegacy false, or leave it out."
            )
        made = replace(
            transformation,
            is_legacy=transformation.is_legacy if engine_given else before.is_legacy,
            start_date=before.start_date,
        )
        await sql.update_transformation(
            connection, scope, made, element_key=element.key, now=ports.now()
        )
        return await _shown(connection, ports, scope, element, name)


def check_allowed(element: Element) -> None:
    """Raise BadRequest if an element takes no transformations."""
    if not element.transformations_enabled or element.hub in WITHOUT:
        raise BadRequest(f"{element.name} takes no transformations.")


async def _shown(
    connection: Connection, ports: Ports, scope: Scope, element: Element, name: str
) -> Found:
    return (await read_visible(connection, ports, scope, element))[name]
