"""Delete definitions that no transformation needs."""

from __future__ import annotations

from polyvalent.db import Connection
from polyvalent.errors import Conflict
from polyvalent.instances.ports import Ports
from polyvalent.transformations import sql
from polyvalent.transformations.define import not_defined
from polyvalent.transformations.model import Scope
from polyvalent.transformations.revise import revising


async def undefine(ports: Ports, scope: Scope, name: str) -> None:
    """
    Delete the definition of an object at a level.

    Raises NotFound if the level has none; Conflict while a transformation at this level or below
    would be left without any definition. Effects: commits.
    """
    async with revising(ports, scope.organization_id) as connection:
        if await sql.find_definition(connection, scope, name) is None:
            raise not_defined(name, scope)
        if ports.catalog.common.find_definition(name) is None:
            await _refuse_if_needed(connection, scope, name)
        await sql.delete_definition(connection, scope, name)


async def undefine_all(ports: Ports, scope: Scope) -> None:
    """
    Delete every definition of a level.

    Raises Conflict while the organization has any transformation. Effects: commits.
    """
    async with revising(ports, scope.organization_id) as connection:
        used = await sql.list_transformations_of(
            connection, organization_id=scope.organization_id, object_name=None
        )
        if used:
            names = ", ".join(dict.fromkeys(item.transformation.object_name for item in used[:20]))
            raise Conflict(f"Transformations still use these objects: {names}. Delete them first.")
        await sql.delete_definitions(connection, scope)


async def _refuse_if_needed(connection: Connection, scope: Scope, name: str) -> None:
    defined = await sql.list_definitions_named(
        connection, organization_id=scope.organization_id, name=name
    )
    others = {item.scope for item in defined} - {scope.key}
    used = await sql.list_transformations_of(
        connection, organization_id=scope.organization_id, object_name=name
    )
    for item in used:
        seen = {item.scope, f"account/{item.account_id}", f"organization/{scope.organization_id}"}
        if scope.key in seen and not seen & others:
            raise Conflict(
                f"The transformation of {name} for {item.element_key} at "
                f"{item.transformation.level} level uses this definition. Delete it first."
            )
