"""Answer and declare the calls on common resources, and their export and import."""

from __future__ import annotations

import re

from polyvalent.api import schemas
from polyvalent.api.operation import Answer, Call, Operation, Parameter, warn
from polyvalent.api.transformations import forgetting
from polyvalent.errors import BadRequest
from polyvalent.instances.draft import read_json_object
from polyvalent.transformations.common_resources import list_common_resources, read_common
from polyvalent.transformations.export_vdr import export_vdr
from polyvalent.transformations.import_vdr import import_vdr
from polyvalent.transformations.read import read_name
from polyvalent.transformations.remove import remove_common

_QUOTED = r"'((?:[^']|'')*)'"
_WHERE = re.compile(
    rf"\s*objectName\s*(?:=\s*{_QUOTED}|in\s*\(\s*({_QUOTED}(?:\s*,\s*{_QUOTED})*)\s*\))\s*",
    re.IGNORECASE,
)


async def get_list(call: Call) -> Answer:
    """Answer the objects that the caller sees, with their fields."""
    ports = call.platform.ports
    return Answer(content=await list_common_resources(ports, call.known_caller()))


async def delete(call: Call) -> Answer:
    """Delete an object at every level; with force=true its transformations too."""
    await remove_common(
        call.platform.ports,
        call.known_caller().organization.id,
        read_name(call.path_parameters["objectName"]),
        force=call.value("force") == "true",
    )
    return Answer(content={})


async def list_vdrs(call: Call) -> Answer:
    """Answer the names of the objects that can be exported."""
    wanted = _read_names(call.value("where"))
    found = await read_common(call.platform.ports, call.known_caller(), with_system=True)
    return Answer(
        content=[
            {"objectName": item.object_name}
            for item in found
            if wanted is None or item.object_name in wanted
        ]
    )


async def get_export(call: Call) -> Answer:
    """Answer an object with its transformations as one document."""
    name = read_name(call.path_parameters["objectName"])
    return Answer(content=await export_vdr(call.platform.ports, call.known_caller(), name))


async def put_import(call: Call) -> Answer:
    """Store what a document holds."""
    body = read_json_object(call.json_body())
    done = await import_vdr(
        call.platform.ports, call.known_caller(), body, find_element=call.element
    )
    return Answer(
        content=[{"objectName": name} for name in done.names], headers=warn(done.warnings)
    )


def _read_names(where: str | None) -> frozenset[str] | None:
    if not where or not where.strip():
        return None
    found = _WHERE.fullmatch(where)
    if found is None:
        raise BadRequest(
            "where must be objectName = 'a' or objectName in ('a', 'b'), "
            f"but it is {where[:100]!r}."
        )
    texts = re.findall(_QUOTED, where)
    return frozenset(text.replace("''", "'") for text in texts)


_NAME = Parameter(
    name="objectName", place="path", required=True, description="The object.", example="contacts"
)
_NAMES = schemas.listing(schemas.record({"objectName": schemas.TEXT}))
_CALLS = (
    Operation(
        method="GET",
        path="/common-resources",
        handle=get_list,
        access="caller",
        tag="Common resources",
        summary="List the objects that the caller can use, with their fields",
        description="Those of the caller's account and organization, and those that the platform "
        'brings along, whose fields have the level "system".',
        answer=schemas.listing(
            schemas.record(
                {
                    "name": schemas.TEXT,
                    "description": schemas.TEXT,
                    "fields": schemas.listing(
                        schemas.record(
                            {
                                "path": schemas.TEXT,
                                "type": schemas.TEXT,
                                "associatedLevel": schemas.TEXT,
                            }
                        )
                    ),
                },
                required=("name", "fields"),
            )
        ),
    ),
    Operation(
        method="DELETE",
        path="/common-resources/{objectName}",
        handle=delete,
        access="caller",
        tag="Common resources",
        summary="Delete an object at every level",
        parameters=(
            _NAME,
            Parameter(
                name="force",
                place="query",
                description="true: delete its transformations as well.",
                schema={"type": "string", "enum": ["true", "false"]},
            ),
        ),
        answer=schemas.NOTHING,
        statuses=(403, 404, 409),
    ),
    Operation(
        method="GET",
        path="/vdrs",
        handle=list_vdrs,
        access="caller",
        tag="Common resources",
        summary="List the objects that can be exported",
        parameters=(
            Parameter(
                name="where",
                place="query",
                description="Only these objects.",
                example="objectName in ('contacts','orders')",
            ),
        ),
        answer=_NAMES,
        statuses=(400,),
    ),
    Operation(
        method="GET",
        path="/vdrs/{objectName}/export",
        handle=get_export,
        access="caller",
        tag="Common resources",
        summary="Export an object with its transformations",
        parameters=(_NAME,),
        answer=schemas.record(
            {
                "vdrName": schemas.TEXT,
                "vdrVersion": schemas.TEXT,
                "definition": {"type": "object"},
                "transformation": {"type": "object"},
            }
        ),
        statuses=(404,),
    ),
    Operation(
        method="PUT",
        path="/vdrs/import",
        handle=put_import,
        access="caller",
        tag="Common resources",
        summary="Import objects with their transformations, replacing what is there",
        description="Takes what the export gives (version 2), and version 1: objectDefinitions "
        "and transformations. Transformations for unknown elements are left out; the header "
        "Elements-Error names them.",
        body={"type": "object"},
        answer=_NAMES,
        answer_headers=("Elements-Error",),
        statuses=(400, 413, 415),
    ),
)
OPERATIONS: tuple[Operation, ...] = tuple(forgetting(item) for item in _CALLS)
