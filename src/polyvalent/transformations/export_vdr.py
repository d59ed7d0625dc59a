"""Export an object with its transformations, as one document (VDR, version 2)."""

from __future__ import annotations

from typing import Any

from polyvalent.accounts.model import Caller
from polyvalent.errors import NotFound
from polyvalent.instances.ports import Ports
from polyvalent.mapping import ObjectDefinition, Transformation, merge_definitions, merge_levels
from polyvalent.transformations import sql
from polyvalent.transformations.define import timestamp
from polyvalent.transformations.model import of_caller
from polyvalent.transformations.present import (
    present_definition,
    present_transformation,
    types_of,
)


async def export_vdr(ports: Ports, caller: Caller, name: str) -> dict[str, Any]:
    """
    Return an object of the caller's organization and account with its transformations.

    `{"vdrName": "foo", "vdrVersion": "v2", "definition": {…}, "transformation": {"<element key>":
    {…}}}`; levels that inherit are merged, and every field says which level it is of. Objects of
    the platform's own can be exported too. Raises NotFound.
    """
    scopes = of_caller(caller).visible
    async with ports.database.reading() as connection:
        definitions = await sql.list_definitions(connection, scopes)
        stored = await sql.list_transformations(connection, scopes, element_key=None)
    ranks = {scope.key: rank for rank, scope in enumerate(scopes)}
    common = ports.catalog.common
    own = sorted(
        (item for item in definitions if item.definition.object_name == name),
        key=lambda item: ranks[item.scope],
    )
    levels: list[ObjectDefinition] = [item.definition for item in own]
    system = common.find_definition(name)
    definition = merge_definitions(levels or ([system] if system is not None else []))
    if definition is None:
        raise NotFound(f"There is no object {name[:100]!r} to export.")
    by_element: dict[str, list[Transformation]] = {}
    for item in sorted(stored, key=lambda item: ranks[item.scope]):
        if item.transformation.object_name == name:
            by_element.setdefault(item.element_key, []).append(item.transformation)
    if not levels:
        for key, known in common.transformations.items():
            if name in known:
                by_element.setdefault(key, []).append(known[name])
    shown = present_definition(definition)
    if own:
        shown["createdDate"] = timestamp(own[-1].created_at)
    shown["vdrShared"] = False
    shown["fields"] = [
        {**field, "displayName": field.get("displayName", "")} for field in shown["fields"]
    ]
    return {
        "vdrName": name,
        "vdrVersion": "v2",
        "definition": shown,
        "transformation": {
            key: present_transformation(merged, element_key=key, types=types_of(definition))
            for key, parts in sorted(by_element.items())
            if (merged := merge_levels(parts)) is not None
        },
    }
