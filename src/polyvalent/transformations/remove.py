"""Delete transformations."""

from __future__ import annotations

from polyvalent.catalog.element import Element
from polyvalent.errors import Conflict, Forbidden, NotFound
from polyvalent.instances.ports import Ports
from polyvalent.transformations import sql
from polyvalent.transformations.find import not_transformed
from polyvalent.transformations.model import Scope
from polyvalent.transformations.revise import revising


async def remove(ports: Ports, scope: Scope, element: Element, name: str) -> None:
    """Delete the transformation of an object at one level; raises NotFound. Effects: commits."""
    async with revising(ports, scope.organization_id) as connection:
        if not await sql.delete_transformation(
            connection, scope, element_key=element.key, object_name=name
        ):
            raise not_transformed(name, scope, element.key)


async def remove_all(ports: Ports, scope: Scope, element: Element) -> None:
    """Delete every transformation of a level for an element. Effects: commits."""
    async with revising(ports, scope.organization_id) as connection:
        await sql.delete_transformations(connection, scope, element_key=element.key)


async def remove_common(ports: Ports, organization_id: int, name: str, *, force: bool) -> None:
    """
    Delete an object at every level of an organization, with `force` its transformations too.

    Raises Conflict without `force` while there are any, Forbidden for an object of the platform's
    own, NotFound. Effects: commits.
    """
    async with revising(ports, organization_id) as connection:
        used = await sql.list_transformations_of(
            connection, organization_id=organization_id, object_name=name
        )
        if used and not force:
            raise Conflict(
                f"{name} is used by {len(used)} "
                f"{'transformation' if len(used) == 1 else 'transformations'}. "
                "Delete them first, or send force=true."
            )
        gone = await sql.delete_definitions_named(
            connection, organization_id=organization_id, name=name
        )
        gone += await sql.delete_transformations_of(
            connection, organization_id=organization_id, object_name=name
        )
        if not gone:
            if ports.catalog.common.find_definition(name) is not None:
                raise Forbidden(f"{name} belongs to the platform and cannot be deleted.")
            raise NotFound(f"There is no common resource {name[:100]!r}.")
