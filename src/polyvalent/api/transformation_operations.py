"""Declare the calls on object definitions and transformations, at every level."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from polyvalent.api import schemas, transformations
from polyvalent.api.operation import Group, Operation, Parameter

_NAME = Parameter(
    name="objectName", place="path", required=True, description="The object.", example="contacts"
)
_ACCOUNT_ID = Parameter(
    name="accountId",
    place="path",
    required=True,
    description="The account's id.",
    schema=schemas.NUMBER,
)
_SYSTEM_ONLY = Parameter(
    name="systemOnly",
    place="query",
    description="true: what the platform brings along.",
    schema={"type": "string", "enum": ["true", "false"]},
)
_ENTRY = schemas.record(
    {"type": schemas.TEXT, "properties": {"type": "object"}, "level": schemas.TEXT},
    required=("type",),
)
_FIELD = schemas.record(
    {"path": schemas.TEXT, "type": schemas.TEXT, "level": schemas.TEXT},
    required=("path", "type", "level"),
)
_DEFINITION = schemas.record(
    {"objectName": schemas.TEXT, "fields": schemas.listing(_FIELD), "level": schemas.TEXT}
)
_DEFINITIONS = {
    "type": "object",
    "additionalProperties": schemas.record(
        {"fields": schemas.listing(_FIELD), "level": schemas.TEXT}
    ),
}
_TRANSFORMATION = schemas.record(
    {
        "objectName": schemas.TEXT,
        "elementKey": schemas.TEXT,
        "level": schemas.TEXT,
        "vendorName": schemas.TEXT,
        "isLegacy": schemas.FLAG,
        "startDate": schemas.TEXT,
        "fields": schemas.listing(
            schemas.record(
                {
                    "path": schemas.TEXT,
                    "type": schemas.TEXT,
                    "vendorPath": schemas.TEXT,
                    "vendorType": schemas.TEXT,
                    "level": schemas.TEXT,
                    "configuration": schemas.listing(_ENTRY),
                },
                required=("path", "type", "vendorPath", "level"),
            )
        ),
        "configuration": schemas.listing(_ENTRY),
        "script": {"type": "object"},
        "scripts": schemas.listing({"type": "object"}),
    },
    required=("objectName", "elementKey", "level", "vendorName", "fields", "configuration"),
)
_TRANSFORMATIONS = {"type": "object", "additionalProperties": _TRANSFORMATION}

_DEFINITION_BODY: dict[str, Any] = {
    "type": "object",
    "required": ["fields"],
    "properties": {
        "fields": schemas.listing(
            schemas.record({"path": schemas.TEXT, "type": schemas.TEXT}, required=("path",))
        )
    },
}
_DEFINITION_EXAMPLE = {
    "fields": [{"path": "id", "type": "string"}, {"path": "lastName", "type": "string"}]
}
_TRANSFORMATION_BODY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "vendorName": schemas.TEXT,
        "isLegacy": schemas.FLAG,
        "fields": schemas.listing(
            schemas.record(
                {
                    "path": schemas.TEXT,
                    "vendorPath": schemas.TEXT,
                    "type": schemas.TEXT,
                    "vendorType": schemas.TEXT,
                    "configuration": {"type": ["array", "null"], "items": _ENTRY},
                },
                required=("path", "vendorPath"),
            )
        ),
        "configuration": {"type": ["array", "null"], "items": _ENTRY},
        "script": {"type": ["object", "null"]},
    },
}
_TRANSFORMATION_EXAMPLE = {
    "vendorName": "customers",
    "fields": [
        {"path": "id", "vendorPath": "entity_id"},
        {"path": "lastName", "vendorPath": "lastname"},
    ],
    "configuration": [
        {"type": "passThrough", "properties": {"fromVendor": False, "toVendor": False}}
    ],
}
_DEFINING = "Object definitions"
_TRANSFORMING = "Transformations"
_NEW = (400, 404, 409, 413, 415)
_REPLACED = (400, 404, 413, 415)
_DEFINITIONS_OF = "/objects/{objectName}/definitions"
_TRANSFORMATION_OF = "/transformations/{objectName}"

_OF_OBJECTS = Group(
    tag=_TRANSFORMING,
    access="caller",
    placed=(_NAME, schemas.KEY_OR_ID),
    usual={"answer": schemas.NOTHING, "statuses": (404,)},
)
_declare = _OF_OBJECTS.declare
_define = partial(_declare, tag=_DEFINING)
_define_object = partial(_define, answer=_DEFINITION)
_take_definition = partial(_define_object, body=_DEFINITION_BODY, body_example=_DEFINITION_EXAMPLE)
_take_transformation = partial(
    _declare,
    body=_TRANSFORMATION_BODY,
    body_example=_TRANSFORMATION_EXAMPLE,
    answer=_TRANSFORMATION,
    answer_headers=("Elements-Error",),
)

# Below every level's own path.
_DEFINITION_CALLS = (
    _take_definition(
        "POST",
        _DEFINITIONS_OF,
        transformations.create_definition,
        "Define an object",
        description="Types are string, number, boolean, date, array, `array[<type>]`, or the name "
        "of another object. Every object should have a field id.",
        statuses=_NEW,
    ),
    _define_object(
        "GET",
        _DEFINITIONS_OF,
        transformations.get_definition,
        "Show the definition of an object",
    ),
    _take_definition(
        "PUT",
        _DEFINITIONS_OF,
        transformations.put_definition,
        "Define an object anew",
        statuses=_REPLACED,
    ),
    _define(
        "DELETE",
        _DEFINITIONS_OF,
        transformations.delete_definition,
        "Delete the definition of an object",
        description="Refused while a transformation would be left without any definition.",
        statuses=(404, 409),
    ),
    _define_object(
        "PATCH",
        "/objects/{objectName}",
        transformations.rename_object,
        "Give an object another name, at this level only",
        body=schemas.record({"objectName": schemas.TEXT}),
        statuses=_NEW,
    ),
)
_ALL_DEFINITIONS = "/organizations/objects/definitions"
_MAP_CALLS = (
    _define(
        "GET",
        _ALL_DEFINITIONS,
        transformations.list_definitions,
        "Show the organization's definitions by object",
        parameters=(_SYSTEM_ONLY,),
        answer=_DEFINITIONS,
        statuses=(),
    ),
    _define(
        "POST",
        _ALL_DEFINITIONS,
        transformations.create_definitions,
        "Define several objects of the organization at once",
        body={"type": "object", "additionalProperties": _DEFINITION_BODY},
        body_example={"contacts": _DEFINITION_EXAMPLE},
        answer=_DEFINITIONS,
        statuses=(400, 409, 413, 415),
    ),
    _define(
        "DELETE",
        _ALL_DEFINITIONS,
        transformations.delete_definitions,
        "Delete all of the organization's definitions",
        description="Refused while there is any transformation.",
        statuses=(409,),
    ),
    _declare(
        "GET",
        "/organizations/objects/{objectName}/transformations",
        transformations.list_of_object,
        "List the transformations of an object, of every level and element",
        answer=schemas.listing(_TRANSFORMATION),
        statuses=(),
    ),
    _declare(
        "GET",
        "/elements/{keyOrId}/transformations",
        transformations.list_element_transformations,
        "Show the transformations that an element brings along, by object",
        access="perhaps",
        parameters=(_SYSTEM_ONLY,),
        answer=_TRANSFORMATIONS,
    ),
)
_TRANSFORMATION_CALLS = (
    _take_transformation(
        "POST",
        _TRANSFORMATION_OF,
        transformations.create_transformation,
        "Transform an object",
        description="Says where the fields of the object lie in the vendor's. From then on the "
        "object is a resource: /hubs/{hub}/{objectName}. The object must be defined at this level "
        "or above. Paths: a.b.c, items[*].sku, items[0].sku, items[id=4].name, "
        "items[?(@.id==2)].name, items[*].size().",
        statuses=_NEW,
    ),
    _declare(
        "GET",
        _TRANSFORMATION_OF,
        transformations.get_transformation,
        "Show the transformation of an object, merged with the levels it inherits from",
        answer=_TRANSFORMATION,
    ),
    _take_transformation(
        "PUT",
        _TRANSFORMATION_OF,
        transformations.put_transformation,
        "Replace the transformation of an object",
        statuses=_REPLACED,
    ),
    _declare(
        "DELETE",
        _TRANSFORMATION_OF,
        transformations.delete_transformation,
        "Delete the transformation of an object",
    ),
    _declare(
        "GET",
        "/transformations",
        transformations.list_transformations,
        "Show the transformations of this level by object",
        answer=_TRANSFORMATIONS,
    ),
    _declare(
        "DELETE",
        "/transformations",
        transformations.delete_transformations,
        "Delete all transformations of this level",
    ),
)


_Prefix = tuple[str, tuple[Parameter, ...]]
_LEVELS: tuple[_Prefix, ...] = (
    ("/organizations", ()),
    ("/accounts", ()),
    ("/accounts/{accountId}", (_ACCOUNT_ID,)),
    ("/instances/{id}", (schemas.INSTANCE_ID,)),
    ("/instances", ()),
)
# For instances the element is theirs, elsewhere the path names it.
_PLACES: tuple[_Prefix, ...] = (
    ("/organizations/elements/{keyOrId}", (schemas.KEY_OR_ID,)),
    ("/accounts/elements/{keyOrId}", (schemas.KEY_OR_ID,)),
    ("/accounts/{accountId}/elements/{keyOrId}", (_ACCOUNT_ID, schemas.KEY_OR_ID)),
    ("/instances/{id}", (schemas.INSTANCE_ID,)),
    ("/instances", ()),
)


def _at(operation: Operation, prefix: str, parameters: tuple[Parameter, ...]) -> Operation:
    by_token = prefix == "/instances"
    return replace(
        operation,
        path=prefix + operation.path,
        tag=f"{operation.tag} by token" if by_token else operation.tag,
        parameters=(*parameters, *operation.parameters),
    )


OPERATIONS: tuple[Operation, ...] = tuple(
    transformations.forgetting(item)
    for item in (
        *_MAP_CALLS,
        *(_at(item, *level) for level in _LEVELS for item in _DEFINITION_CALLS),
        *(_at(item, *place) for place in _PLACES for item in _TRANSFORMATION_CALLS),
    )
)
