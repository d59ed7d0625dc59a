"""List the objects that callers can use: their own and the platform's."""

from __future__ import annotations

from typing import Any

from polyvalent.accounts.model import Caller
from polyvalent.instances.ports import Ports
from polyvalent.mapping import SYSTEM, ObjectDefinition, merge_definitions
from polyvalent.transformations import sql
from polyvalent.transformations.model import of_caller


async def list_common_resources(ports: Ports, caller: Caller) -> list[dict[str, Any]]:
    """
    List the objects that a caller's account sees, by name.

    `[{"name": "foo", "fields": [{"path": "id", "type": "string",
    "associatedLevel": "organization"}]}]`; the platform's own have the level "system".
    """
    return [
        {
            "name": item.object_name,
            **({"description": item.description} if item.description else {}),
            "fields": [
                {"path": field.path, "type": field.type, "associatedLevel": field.level}
                for field in item.fields
            ],
        }
        for item in await read_common(ports, caller, with_system=True)
    ]


async def read_common(
    ports: Ports, caller: Caller, *, with_system: bool
) -> tuple[ObjectDefinition, ...]:
    """Return the objects that a caller's account sees, each the union of its levels, by name."""
    scopes = of_caller(caller).visible
    async with ports.database.reading() as connection:
        stored = await sql.list_definitions(connection, scopes)
    ranks = {scope.key: rank for rank, scope in enumerate(scopes)}
    by_name: dict[str, list[ObjectDefinition]] = {}
    for item in sorted(stored, key=lambda item: ranks[item.scope]):
        by_name.setdefault(item.definition.object_name, []).append(item.definition)
    if with_system:
        for definition in ports.catalog.common.all_definitions():
            assert definition.level == SYSTEM
            by_name.setdefault(definition.object_name, []).append(definition)
    merged = (merge_definitions(levels) for _, levels in sorted(by_name.items()))
    return tuple(item for item in merged if item is not None)
