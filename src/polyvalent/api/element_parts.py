"""Answer what is done to parts of elements: entries, parameters, hooks, resources, objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from polyvalent.api import schemas
from polyvalent.api.element_changes import find, known_reader
from polyvalent.api.element_shapes import present_part
from polyvalent.api.operation import Answer, Call, Group, Operation, Parameter, Schema
from polyvalent.builder import change
from polyvalent.builder.edit import (
    Place,
    add_part,
    change_part,
    drop_part,
    find_part,
    find_resource,
    list_parts,
    set_model,
)
from polyvalent.builder.read import read_members
from polyvalent.catalog.element import Element
from polyvalent.errors import Forbidden
from polyvalent.instances.present import iso


async def list_items(call: Call, *, kind: str) -> Answer:
    """Answer the parts at a place; with accountOnly=true only those of the account."""
    found = await find(call)
    element = found.shown_to(call.reader)
    place = _place(call, kind)
    if kind == "resources" and call.value("accountOnly") == "true":
        own = found.belongs_to(call.reader)
        added = found.additions.resources if found.additions is not None else ()
        parts = list_parts(found.base, place) if own else ()
        return Answer(content=[present_part(item) for item in (*parts, *added)])
    return Answer(content=[present_part(item) for item in list_parts(element, place)])


async def get_item(call: Call, *, kind: str) -> Answer:
    """Answer one part."""
    element = (await find(call)).shown_to(call.reader)
    part = find_part(element, _place(call, kind), call.path_parameters["partId"])
    return Answer(content=present_part(part))


async def post_item(call: Call, *, kind: str) -> Answer:
    """Add a part."""
    place, members = _place(call, kind), read_members(call.json_body())
    created_at = iso(call.platform.ports.now())
    edited = await _edit(
        call, place, lambda element: add_part(element, place, members, created_at=created_at)
    )
    return Answer(content=present_part(list_parts(edited, place)[-1]))


async def put_item(call: Call, *, kind: str) -> Answer:
    """Change a part."""
    place, members = _place(call, kind), read_members(call.json_body())
    name = call.path_parameters["partId"]
    edited = await _edit(call, place, lambda element: change_part(element, place, name, members))
    return Answer(content=present_part(find_part(edited, place, name)))


async def delete_item(call: Call, *, kind: str) -> Answer:
    """Take a part out."""
    place, name = _place(call, kind), call.path_parameters["partId"]
    await _edit(call, place, lambda element: drop_part(element, place, name))
    return Answer(content={})


async def get_model(call: Call) -> Answer:
    """Answer the model of a resource, {} without one."""
    element = (await find(call)).shown_to(call.reader)
    return Answer(content=find_resource(element, _resource_id(call)).model or {})


async def put_model(call: Call) -> Answer:
    """Give a resource a model."""
    model, number = read_members(call.json_body()), _resource_id(call)
    place = Place(kind="parameters", resource_id=number)
    await _edit(call, place, lambda element: set_model(element, number, model))
    return Answer(content=model)


async def delete_model(call: Call) -> Answer:
    """Take the model of a resource away."""
    number = _resource_id(call)
    place = Place(kind="parameters", resource_id=number)
    await _edit(call, place, lambda element: set_model(element, number, None))
    return Answer(content={})


async def _edit(call: Call, place: Place, edit: Callable[[Element], Element]) -> Element:
    """Change an element of the account, or what the account adds to one of others."""
    found, reader = await find(call), known_reader(call)
    shelf = call.platform.shelf
    if found.belongs_to(reader):
        return await change.edit_parts(shelf, reader, call.path_parameters["keyOrId"], edit)
    if place.kind == "resources" or place.resource_id is not None:
        # Parts of others' resources are not found among the account's own.
        return await change.edit_additions(shelf, reader, found, edit)
    raise Forbidden(
        f"Element {found.base.key} belongs to others: the account can add resources to it, and "
        f"nothing else. Clone it to change it: POST /elements/{found.base.key}/clone."
    )


def _place(call: Call, kind: str) -> Place:
    of_resource = "resourceId" in call.path_parameters
    of_object = "objectId" in call.path_parameters
    return Place(
        kind=kind,
        resource_id=_resource_id(call) if of_resource else None,
        object_id=call.id("objectId", what="object") if of_object else None,
    )


def _resource_id(call: Call) -> int:
    return call.id("resourceId", what="resource")


_RESOURCE_ID = Parameter(
    name="resourceId",
    place="path",
    required=True,
    description="The resource's id.",
    schema=schemas.NUMBER,
)
_OBJECT_ID = Parameter(
    name="objectId",
    place="path",
    required=True,
    description="The object's id.",
    schema=schemas.NUMBER,
)
_ACCOUNT_ONLY = Parameter(
    name="accountOnly",
    place="query",
    description="true: only the resources that the account has added.",
    schema={"type": "string", "enum": ["true", "false"]},
)
_PART: Schema = {"type": "object"}
_PARAMETER: Schema = {
    "type": "object",
    "required": ["name", "type"],
    "properties": {
        "name": {"type": "string"},
        "type": {"type": "string"},
        "vendorName": {"type": "string"},
        "vendorType": {"type": "string"},
    },
}
_BODIES: dict[str, Schema] = {
    "configuration": {
        "type": "object",
        "required": ["key", "name"],
        "properties": {"key": {"type": "string"}, "name": {"type": "string"}},
    },
    "parameters": _PARAMETER,
    "hooks": {
        "type": "object",
        "required": ["type", "body"],
        "properties": {
            "type": {"type": "string", "enum": ["preRequest", "postRequest", "event"]},
            "body": {"type": "string"},
            "isLegacy": {"type": "boolean"},
        },
    },
    "resources": {
        "type": "object",
        "required": ["path", "method"],
        "properties": {
            "path": {"type": "string"},
            "method": {"type": "string"},
            "vendorPath": {"type": "string"},
            "vendorMethod": {"type": "string"},
            "parameters": {"type": "array", "items": _PARAMETER},
        },
    },
    "objects": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}},
    },
    "fields": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}},
    },
}


_PARTS = Group(
    tag="Parts of elements",
    access="caller",
    placed=(schemas.KEY_OR_ID, _RESOURCE_ID, _OBJECT_ID),
    usual={"answer": _PART, "statuses": (400, 401, 403, 404, 409, 413, 415)},
)
_write = _PARTS.declare
_look = partial(_write, "GET", access="perhaps", statuses=(404,))
_ELEMENT = "/elements/{keyOrId}"


def _declare_all(
    below: str, kind: str, *, what: str, of: str, shows_one: bool = False
) -> tuple[Operation, ...]:
    """Declare the five things that are done to parts at a place."""
    part = replace(
        _RESOURCE_ID,
        name="partId",
        description=f"The {what}'s {'key' if kind == 'configuration' else 'id'}.",
        schema=schemas.TEXT if kind == "configuration" else schemas.NUMBER,
    )
    path, body = f"{_ELEMENT}{below}", _BODIES[kind]
    one = f"{path}/{{partId}}"
    listing = _look(
        path,
        partial(list_items, kind=kind),
        f"List each {what} of {of}",
        parameters=(_ACCOUNT_ONLY,) if kind == "resources" else (),
        answer=schemas.listing(_PART),
    )
    showing = _look(
        one, partial(get_item, kind=kind), f"Show one {what} of {of}", parameters=(part,)
    )
    return (
        *(() if kind == "configuration" else (listing,)),
        *((showing,) if shows_one else ()),
        _write("POST", path, partial(post_item, kind=kind), f"Add one {what} to {of}", body=body),
        _write(
            "PUT",
            one,
            partial(put_item, kind=kind),
            f"Change one {what} of {of}",
            parameters=(part,),
            body={**body, "required": []},
        ),
        _write(
            "DELETE",
            one,
            partial(delete_item, kind=kind),
            f"Take one {what} out of {of}",
            parameters=(part,),
            answer=schemas.NOTHING,
        ),
    )


_MODEL = f"{_ELEMENT}/resources/{{resourceId}}/models"
_OF_ELEMENT, _OF_RESOURCE = "an element", "a resource"
OPERATIONS = (
    *_declare_all("/configuration", "configuration", what="configuration entry", of=_OF_ELEMENT),
    *_declare_all("/parameters", "parameters", what="parameter", of=_OF_ELEMENT),
    *_declare_all("/hooks", "hooks", what="hook", of=_OF_ELEMENT),
    *_declare_all("/resources", "resources", what="resource", of=_OF_ELEMENT, shows_one=True),
    *_declare_all("/objects", "objects", what="object", of=_OF_ELEMENT, shows_one=True),
    *_declare_all(
        "/resources/{resourceId}/parameters", "parameters", what="parameter", of=_OF_RESOURCE
    ),
    *_declare_all("/resources/{resourceId}/hooks", "hooks", what="hook", of=_OF_RESOURCE),
    *_declare_all(
        "/objects/{objectId}/fields", "fields", what="field", of="an object", shows_one=True
    ),
    _look(_MODEL, get_model, "Show the model of a resource"),
    _write("POST", _MODEL, put_model, "Give a resource a model", body=_PART),
    _write("PUT", _MODEL, put_model, "Put another model in the place of a resource's", body=_PART),
    _write(
        "DELETE",
        _MODEL,
        delete_model,
        "Take the model of a resource away",
        answer=schemas.NOTHING,
    ),
)
