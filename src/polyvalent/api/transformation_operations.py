"""Declare the calls on object definitions and transformations, at every level."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from polyvalent.api import schemas, transformations
from polyvalent.api.operation import Operation, Parameter

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


# Below every level's own path.
_DEFINITION_CALLS = (
    Operation(
        method="POST",
        path="/objects/{objectName}/definitions",
        handle=transformations.create_definition,
        access="caller",
        tag=_DEFINING,
        summary="Define an object",
        description="Types are string, number, boolean, date, array, array[<type>], or the name "
        "of another object. Every object should have a field id.",
        parameters=(_NAME,),
        body=_DEFINITION_BODY,
        body_example=_DEFINITION_EXAMPLE,
        answer=_DEFINITION,
        statuses=(400, 404, 409, 413, 415),
    ),
    Operation(
        method="GET",
        path="/objects/{objectName}/definitions",
        handle=transformations.get_definition,
        access="caller",
        tag=_DEFINING,
        summary="Show the definition of an object",
        parameters=(_NAME,),
        answer=_DEFINITION,
        statuses=(404,),
    ),
    Operation(
        method="PUT",
        path="/objects/{objectName}/definitions",
        handle=transformations.put_definition,
        access="caller",
        tag=_DEFINING,
        summary="Define an object anew",
        parameters=(_NAME,),
        body=_DEFINITION_BODY,
        body_example=_DEFINITION_EXAMPLE,
        answer=_DEFINITION,
        statuses=(400, 404, 413, 415),
    ),
    Operation(
        method="DELETE",
        path="/objects/{objectName}/definitions",
        handle=transformations.delete_definition,
        access="caller",
        tag=_DEFINING,
        summary="Delete the definition of an object",
        description="Refused while a transformation would be left without any definition.",
        parameters=(_NAME,),
        answer=schemas.NOTHING,
        statuses=(404, 409),
    ),
    Operation(
        method="PATCH",
        path="/objects/{objectName}",
        handle=transformations.rename_object,
        access="caller",
        tag=_DEFINING,
        summary="Give an object another name, at this level only",
        parameters=(_NAME,),
        body=schemas.record({"objectName": schemas.TEXT}),
        answer=_DEFINITION,
        statuses=(400, 404, 409, 413, 415),
    ),
)
_MAP_CALLS = (
    Operation(
        method="GET",
        path="/organizations/objects/definitions",
        handle=transformations.list_definitions,
        access="caller",
        tag=_DEFINING,
        summary="Show the organization's definitions by object",
        parameters=(_SYSTEM_ONLY,),
        answer=_DEFINITIONS,
    ),
    Operation(
        method="POST",
        path="/organizations/objects/definitions",
        handle=transformations.create_definitions,
        access="caller",
        tag=_DEFINING,
        summary="Define several objects of the organization at once",
        body={"type": "object", "additionalProperties": _DEFINITION_BODY},
        body_example={"contacts": _DEFINITION_EXAMPLE},
        answer=_DEFINITIONS,
        statuses=(400, 409, 413, 415),
    ),
    Operation(
        method="DELETE",
        path="/organizations/objects/definitions",
        handle=transformations.delete_definitions,
        access="caller",
        tag=_DEFINING,
        summary="Delete all of the organization's definitions",
        description="Refused while there is any transformation.",
        answer=schemas.NOTHING,
        statuses=(409,),
    ),
    Operation(
        method="GET",
        path="/organizations/objects/{objectName}/transformations",
        handle=transformations.list_of_object,
        access="caller",
        tag=_TRANSFORMING,
        summary="List the transformations of an object, of every level and element",
        parameters=(_NAME,),
        answer=schemas.listing(_TRANSFORMATION),
    ),
    Operation(
        method="GET",
        path="/elements/{keyOrId}/transformations",
        handle=transformations.list_element_transformations,
        access="perhaps",
        tag=_TRANSFORMING,
        summary="Show the transformations that an element brings along, by object",
        parameters=(schemas.KEY_OR_ID, _SYSTEM_ONLY),
        answer=_TRANSFORMATIONS,
        statuses=(404,),
    ),
)
_TRANSFORMATION_CALLS = (
    Operation(
        method="POST",
        path="/transformations/{objectName}",
        handle=transformations.create_transformation,
        access="caller",
        tag=_TRANSFORMING,
        summary="Transform an object",
        description="Says where the fields of the object lie in the vendor's. From then on the "
        "object is a resource: /hubs/{hub}/{objectName}. The object must be defined at this level "
        "or above. Paths: a.b.c, items[*].sku, items[0].sku, items[id=4].name, "
        "items[?(@.id==2)].name, items[*].size().",
        parameters=(_NAME,),
        body=_TRANSFORMATION_BODY,
        body_example=_TRANSFORMATION_EXAMPLE,
        answer=_TRANSFORMATION,
        statuses=(400, 404, 409, 413, 415),
    ),
    Operation(
        method="GET",
        path="/transformations/{objectName}",
        handle=transformations.get_transformation,
        access="caller",
        tag=_TRANSFORMING,
        summary="Show the transformation of an object, merged with the levels it inherits from",
        parameters=(_NAME,),
        answer=_TRANSFORMATION,
        statuses=(404,),
    ),
    Operation(
        method="PUT",
        path="/transformations/{objectName}",
        handle=transformations.put_transformation,
        access="caller",
        tag=_TRANSFORMING,
        summary="Replace the transformation of an object",
        parameters=(_NAME,),
        body=_TRANSFORMATION_BODY,
        body_example=_TRANSFORMATION_EXAMPLE,
        answer=_TRANSFORMATION,
        statuses=(400, 404, 413, 415),
    ),
    Operation(
        method="DELETE",
        path="/transformations/{objectName}",
        handle=transformations.delete_transformation,
        access="caller",
        tag=_TRANSFORMING,
        summary="Delete the transformation of an object",
        parameters=(_NAME,),
        answer=schemas.NOTHING,
        statuses=(404,),
    ),
    Operation(
        method="GET",
        path="/transformations",
        handle=transformations.list_transformations,
        access="caller",
        tag=_TRANSFORMING,
        summary="Show the transformations of this level by object",
        answer=_TRANSFORMATIONS,
        statuses=(404,),
    ),
    Operation(
        method="DELETE",
        path="/transformations",
        handle=transformations.delete_transformations,
        access="caller",
        tag=_TRANSFORMING,
        summary="Delete all transformations of this level",
        answer=schemas.NOTHING,
        statuses=(404,),
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
