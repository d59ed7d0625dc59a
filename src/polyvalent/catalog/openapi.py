"""
Turn a Swagger 2.0 document of ours into OpenAPI 3.1. Pure.

Only the forms that `make_swagger` writes are known.

Source: https://spec.openapis.org/oas/v3.1.0, read 2026-11.
"""

from __future__ import annotations

from typing import Any

_OLD, _NEW = "#/definitions/", "#/components/schemas/"
_SCHEMA_MEMBERS = ("type", "format", "items", "enum")
_JSON = "application/json"


def to_openapi(swagger: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document that says the same."""
    address = f"{swagger['schemes'][0]}://{swagger['host']}{swagger['basePath']}"
    return {
        "openapi": "3.1.0",
        "info": swagger["info"],
        "servers": [{"url": address}],
        "paths": {
            path: {method: _operation(operation) for method, operation in methods.items()}
            for path, methods in swagger["paths"].items()
        },
        "components": {
            "schemas": {
                name: _with_references(schema) for name, schema in swagger["definitions"].items()
            },
            "securitySchemes": {
                "secrets": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "User …, Organization …, Element …",
                }
            },
        },
        "security": [{"secrets": []}],
    }


def resolve_references(
    value: Any, definitions: dict[str, Any], *, seen: tuple[str, ...] = ()
) -> Any:
    """Put what a reference names in its place; one that leads back to itself becomes an object."""
    if isinstance(value, list):
        return [resolve_references(item, definitions, seen=seen) for item in value]
    if not isinstance(value, dict):
        return value
    target = value.get("$ref")
    if isinstance(target, str) and target.startswith(_OLD):
        name = target.removeprefix(_OLD)
        if name in seen or name not in definitions:
            return {"type": "object"}
        return resolve_references(definitions[name], definitions, seen=(*seen, name))
    return {key: resolve_references(item, definitions, seen=seen) for key, item in value.items()}


def list_references(value: Any, definitions: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of all definitions that a part of a document needs, also indirectly."""
    found: dict[str, None] = {}
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            target = item.get("$ref")
            name = target.removeprefix(_OLD) if isinstance(target, str) else ""
            if name in definitions and name not in found:
                found[name] = None
                pending.append(definitions[name])
            pending += item.values()
    return tuple(found)


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: value for name, value in operation.items() if name not in ("parameters", "responses")
    }
    parameters, body = [], None
    for item in operation["parameters"]:
        if item["in"] == "body":
            body = item
        elif item["name"] != "Authorization":
            parameters.append(_parameter(item))
    kept["parameters"] = parameters
    if body is not None:
        kept["requestBody"] = {
            "required": body["required"],
            "content": {_JSON: {"schema": _with_references(body["schema"])}},
        }
    kept["responses"] = {
        status: {
            "description": response["description"],
            "content": {_JSON: {"schema": _with_references(response["schema"])}},
        }
        for status, response in operation["responses"].items()
    }
    return kept


def _parameter(item: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in item.items() if name not in _SCHEMA_MEMBERS}
    shown["schema"] = {name: item[name] for name in _SCHEMA_MEMBERS if name in item}
    return shown


def _with_references(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: item.replace(_OLD, _NEW)
            if name == "$ref" and isinstance(item, str)
            else _with_references(item)
            for name, item in value.items()
        }
    return [_with_references(item) for item in value] if isinstance(value, list) else value
