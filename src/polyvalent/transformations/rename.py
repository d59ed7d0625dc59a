"""Give an object another name, at one level."""

from __future__ import annotations

from polyvalent.errors import Conflict
from polyvalent.instances.ports import Ports
from polyvalent.mapping import ObjectDefinition
from polyvalent.transformations import sql
from polyvalent.transformations.define import not_defined
from polyvalent.transformations.model import Scope
from polyvalent.transformations.revise import revising


async def rename(ports: Ports, scope: Scope, name: str, *, new_name: str) -> ObjectDefinition:
    """
    Rename an object's definition and transformations at one level; other levels keep the old name.

    Raises NotFound if the level does not define it, Conflict if the new name is taken there.
    Effects: commits.
    """
    async with revising(ports, scope.organization_id) as connection:
        found = await sql.find_definition(connection, scope, name)
        if found is None:
            raise not_defined(name, scope)
        if new_name == name:
            return found
        taken = await sql.find_definition(connection, scope, new_name) is not None
        stored = await sql.list_transformations(connection, (scope,), element_key=None)
        if taken or any(item.transformation.object_name == new_name for item in stored):
            raise Conflict(f"There is an object {new_name} at this level already.")
        now = ports.now()
        await sql.rename_definition(connection, scope, name, new_name=new_name, now=now)
        await sql.rename_transformations(connection, scope, name, new_name=new_name, now=now)
        renamed = await sql.find_definition(connection, scope, new_name)
    assert renamed is not None  # just renamed, under the organization's lock
    return renamed
