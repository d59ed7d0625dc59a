"""
Describe the calls of an element as a Swagger 2.0 document. Pure.

Whatever the element is: packaged, brought along, extended by an account, or with mapped objects
added as resources and objects; who asks for the description puts the element together before.

Source: https://swagger.io/specification/v2/, read 2026-11.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from polyvalent.catalog.element import Element, ElementObject, ObjectField, Parameter, Resource
from polyvalent.catalog.placeholder import placeholders_of
from polyvalent.catalog.swagger_model import clean_schema, name_definition, read_model

# An element's own types of data, as type and format.
_TYPES: dict[str, dict[str, str]] = {
    "integer": {"type": "integer", "format": "int64"},
    "long": {"type": "integer", "format": "int64"},
    "number": {"type": "number"},
    "float": {"type": "number", "format": "float"},
    "double": {"type": "number", "format": "double"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string"},
    "dateTime": {"type": "string", "format": "date-time"},
    "array": {"type": "array"},
    "object": {"type": "object"},
}
_WRITES = frozenset(("POST", "PUT", "PATCH"))
_AUTHORIZATION: dict[str, Any] = {
    "name": "Authorization",
    "in": "header",
    "description": "`User <user secret>, Organization <organization secret>, Element <token>`",
    "required": True,
    "type": "string",
}
_ERROR: dict[str, Any] = {
    "type": "object",
    "properties": {
        "requestId": {"type": "string"},
        "message": {"type": "string"},
        "providerMessage": {"type": "string"},
    },
}


def make_swagger(element: Element, *, server: str, base_path: str) -> dict[str, Any]:
    """
    Return the Swagger 2.0 document of an element's calls.

    `server` is the platform's address, "https://api.example.com"; `base_path` is what all paths
    begin with. Resources that are not documented, and those for provisioning, are left out.
    """
    shown = [item for item in element.resources if item.type == "api"]
    names = _operation_ids(shown)
    definitions: dict[str, Any] = {"Error": _ERROR}
    for each in element.objects:
        definitions[name_definition(each.name)] = describe_object(each)
    for item in shown:
        definitions |= {
            name: schema
            for name, schema in read_model(item.model).items()
            if name not in definitions
        }
    paths: dict[str, dict[str, Any]] = {}
    for item, name in zip(shown, names, strict=True):
        paths.setdefault(item.path, {})[item.method.lower()] = _operation(
            element, item, name=name, definitions=definitions
        )
    scheme, _, host = server.partition("://")
    return {
        "swagger": "2.0",
        "info": {
            "title": element.name or element.key,
            "description": element.description,
            "version": "api-v2",
        },
        "host": host or "localhost",
        "basePath": base_path,
        "schemes": [scheme if scheme in ("http", "https") else "https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": paths,
        "definitions": definitions,
    }


def describe_object(item: ElementObject) -> dict[str, Any]:
    """Return the schema of an object: its fields, and what can be done with them."""
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    for field in item.fields:
        _put_field(schema, field)
    search = item.search_configuration
    schema |= {
        "x-vendor-objectname": item.vendor_name or item.name,
        "x-primary-key": item.primary_key_name,
        "x-searchable": bool(search.fields),
        "x-searchable-operators": list(search.operators),
        "x-searchable-fields": list(search.fields),
        "x-searchable-joins": False,
        "x-has-customfields": item.custom_fields,
    }
    return schema


def find_operation(document: dict[str, Any], operation_id: str) -> dict[str, Any] | None:
    """Return an operation of a Swagger document by its operationId, None if there is none."""
    for methods in document["paths"].values():
        for operation in methods.values():
            if operation["operationId"] == operation_id:
                found: dict[str, Any] = operation
                return found
    return None


def _operation(
    element: Element, resource: Resource, *, name: str, definitions: dict[str, Any]
) -> dict[str, Any]:
    parameters = [_AUTHORIZATION, *_parameters(element, resource)]
    schema = _response_schema(resource, definitions)
    if resource.method in _WRITES:
        parameters.append(
            {
                "name": "body",
                "in": "body",
                "required": True,
                "schema": _request_schema(resource, definitions),
            }
        )
    shown: dict[str, Any] = {
        "operationId": name,
        "tags": [_top(resource)],
        "summary": resource.description or name,
        "parameters": parameters,
        "responses": {
            "200": {"description": "What was asked for.", "schema": schema},
            "default": {
                "description": "What went wrong.",
                "schema": {"$ref": "#/definitions/Error"},
            },
        },
    }
    if resource.object:
        shown["x-vendor-objectname"] = resource.object
    return shown


def _parameters(element: Element, resource: Resource) -> Iterator[dict[str, Any]]:
    asked = [
        item for item in (*element.parameters, *resource.parameters) if item.source == "request"
    ]
    by_place = {(item.type, item.name): item for item in asked}
    for name in placeholders_of(resource.path):
        item = by_place.get(("path", name))
        yield {**_parameter(item, name, "path"), "required": True}
    for (place, name), item in by_place.items():
        if place in ("query", "header") and name.lower() != "authorization":
            yield _parameter(item, name, place)


def _parameter(item: Parameter | None, name: str, place: str) -> dict[str, Any]:
    kind = dict(_TYPES.get(item.data_type if item else "", {"type": "string"}))
    if kind["type"] in ("array", "object"):
        kind = {"type": "string"}
    shown = {"name": name, "in": place, "required": bool(item and item.required), **kind}
    if item is not None and item.description:
        shown["description"] = item.description
    return shown


def _request_schema(resource: Resource, definitions: dict[str, Any]) -> dict[str, Any]:
    model = resource.model if isinstance(resource.model, dict) else {}
    for name in (model.get("requestName"), model.get("name"), resource.object):
        if isinstance(name, str) and name_definition(name) in definitions:
            # Behind allOf a reference may have members beside it.
            return {
                "allOf": [{"$ref": f"#/definitions/{name_definition(name)}"}],
                "x-vendor-objectname": resource.object or name,
            }
    return {"type": "object", "x-vendor-objectname": resource.object or _top(resource)}


def _response_schema(resource: Resource, definitions: dict[str, Any]) -> dict[str, Any]:
    if resource.method == "DELETE":
        return {"type": "object"}
    model = resource.model if isinstance(resource.model, dict) else {}
    one: dict[str, Any] = {"type": "object"}
    for name in (model.get("name"), resource.object):
        if isinstance(name, str) and name_definition(name) in definitions:
            one = {"$ref": f"#/definitions/{name_definition(name)}"}
            break
    return {"type": "array", "items": one} if is_list(resource) else one


def is_list(resource: Resource) -> bool:
    """Say whether a resource answers with rows: a GET whose path does not end with an id."""
    return resource.method == "GET" and (
        resource.collection is not None or not resource.path.endswith("}")
    )


def _put_field(schema: dict[str, Any], field: ObjectField) -> None:
    """Put a field into a schema, inside others where its name says so: "address.country"."""
    steps = [step for step in re.split(r"\.", field.name) if step]
    for step in steps[:-1]:
        name, star, _ = step.partition("[")
        inner = schema["properties"].setdefault(name, {"type": "object"})
        if star:
            inner.update({"type": "array"})
            inner.pop("properties", None)
            inner = inner.setdefault("items", {"type": "object"})
        inner["type"] = "object"
        schema = inner
        schema.setdefault("properties", {})
    if not steps:
        return
    name, star, _ = steps[-1].partition("[")
    shown: dict[str, Any] = dict(_TYPES.get(field.type, {"type": "string"}))
    if star or shown["type"] == "array":
        shown = {"type": "array", "items": {"type": "object"}}
    if isinstance(field.reference, dict):
        shown = {**shown, **clean_schema(_reference(field.reference))}
    if field.format and shown.get("type") == "string":
        shown["format"] = field.format
    if field.read_only:
        shown["readOnly"] = True
    schema["properties"][name] = {**schema["properties"].get(name, {}), **shown}
    if field.required and not field.read_only:
        schema["required"] = sorted({*schema.get("required", ()), name})


def _reference(reference: dict[str, Any]) -> dict[str, Any]:
    fields = reference.get("fields")
    return {
        "properties": {
            item["name"]: {"type": _TYPES.get(str(item.get("type")), {}).get("type", "string")}
            for item in (fields if isinstance(fields, list) else [])
            if isinstance(item, dict) and isinstance(item.get("name"), str)
        }
    }


def _operation_ids(resources: list[Resource]) -> list[str]:
    """Return a name for each operation, none twice: its own, or made of method and path."""
    seen: Counter[str] = Counter()
    names = []
    for item in resources:
        name = item.operation_id or "_".join(
            (item.method.lower(), *re.findall(r"\w+", item.path.split("/", 3)[-1]))
        )
        seen[name] += 1
        while seen[name] > 1:
            name = f"{name}_{seen[name]}"
            seen[name] += 1
        names.append(name)
    return names


def _top(resource: Resource) -> str:
    words = resource.path.split("/")
    return next((word for word in words[3:] if word and not word.startswith("{")), "resources")
