"""Make the OpenAPI document from the declared operations."""

from __future__ import annotations

import re
from typing import Any

from polyvalent import __version__
from polyvalent.api import schemas
from polyvalent.api.operation import Operation, Parameter

_REASONS = {
    400: "The request is malformed or incomplete; `message` says what to do.",
    401: "The platform's secrets, or the vendor's credentials, are not accepted.",
    403: "Not permitted, or the instance is disabled.",
    404: "There is no such thing, or not for this caller.",
    405: "The path does not take this method.",
    409: "It conflicts with what is there; `message` says with what.",
    413: "The request body is too large.",
    406: "None of the formats that are offered is accepted.",
    415: "The request body is not JSON.",
    416: "The range begins behind the end.",
    429: "Too much from this address; repeat after the seconds of `Retry-After`.",
    502: "The vendor failed or cannot be reached.",
    503: "The platform cannot answer now.",
    504: "The vendor did not answer in time.",
}
_HEADERS = {
    "Elements-Error": "Warnings about an otherwise successful request.",
    "Elements-Trace-Id": "The id of the trace that was kept.",
    "Elements-Returned-Count": "How many rows this page has.",
    "Elements-Total-Count": "How many rows the search finds, where the vendor tells.",
    "Elements-Next-Cursor": "What to send as `after` to read on.",
    "Elements-Next-Page-Token": "Send it as nextPage to get on; absent on the last page.",
    "Elements-Cache": "hit or miss, where the instance has cachingEnabled.",
    "Elements-Element-Instance-Id": "The id of the instance that was used.",
}
# In the order in which somebody new needs them.
_TAGS = {
    "OAuth": "What happens before a merchant's consent. Nobody needs to authorize.",
    "Instances": "One instance is one store that a merchant connected. Named by its id.",
    "Resources": "The rows of one store: orders, products, customers and whatever it has.",
    "Common resources": "Objects that have the same names and types whatever the store is.",
    "Elements": "What kinds of stores there are, and what an instance of each needs.",
    "Hubs": "Groups of elements.",
    "Documentation": "Swagger and OpenAPI of what one element or instance answers.",
    "Objects of instances": "Which objects and fields one store has.",
    "Object definitions": "Objects in your own words, for all, for an account or for one instance.",
    "Transformations": "Where the fields of your objects lie in the store's.",
    "Bulk": "Every row of a list in one job, and files of rows written into a store.",
    "Events": "What changes in stores: told by a vendor, listed, and as a feed.",
    "Notifications": "Who wants to know what happens, and what was delivered.",
    "Jobs": "Calls made by a schedule, and everything that workers do.",
    "Elements of your own": "Elements that an account brings along, clones or converts.",
    "Parts of elements": "The single entries of an element of your own.",
    "Instances by token": "As Instances; the element token says which one.",
    "Instances of an element": "As Instances, below the element's key.",
    "Object definitions by token": "As Object definitions; the element token says which instance.",
    "Transformations by token": "As Transformations; the element token says which instance.",
    "Bulk below a hub": "As Bulk; the hub in the path changes nothing.",
}
_ABOUT = """\
Base path `/elements/api-v2`. A success is 200, or 206 for a part of a file; every error has
`message`, `requestId` and, where a store spoke, `providerMessage`.

Authorize with `User <user secret>, Organization <organization secret>`, and for the resources of
an instance add `, Element <element token>`. The command `bin/polyvalent secrets` prints the first
two.
"""


def openapi(
    operations: tuple[Operation, ...], *, base_path: str, public_url: str = ""
) -> dict[str, Any]:
    """Make an OpenAPI 3.1 document; see https://spec.openapis.org/oas/v3.1.0."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "polyvalent",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": f"{public_url}{base_path}"}],
        "tags": [{"name": tag, "description": words} for tag, words in _tags(operations).items()],
        "paths": paths,
        "components": {
            "schemas": schemas.COMPONENTS,
            "securitySchemes": {
                "secrets": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`User <user secret>, Organization <organization secret>`",
                },
                "elementToken": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`User <user secret>, Organization <organization secret>, "
                    "Element <element token>`",
                },
            },
        },
    }


def operation_id(operation: Operation) -> str:
    """Name an operation: GET /instances/{id} → "get_instances_id"."""
    words = re.findall(r"\w+", operation.path)
    return "_".join((operation.method.lower(), *words))


def _tags(operations: tuple[Operation, ...]) -> dict[str, str]:
    used = {operation.tag for operation in operations}
    assert used <= _TAGS.keys()  # one without words is no help
    return {tag: words for tag, words in _TAGS.items() if tag in used}


def _operation(operation: Operation) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "operationId": operation_id(operation),
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": [_parameter(item) for item in operation.parameters],
        "responses": {
            "200": {
                "description": "What was asked for.",
                "headers": {
                    "Elements-Request-Id": {
                        "description": "The id of this request.",
                        "schema": {"type": "string", "pattern": "^[0-9a-f]{24}$"},
                    },
                    **{
                        name: {"description": _HEADERS[name], "schema": {"type": "string"}}
                        for name in operation.answer_headers
                    },
                },
                "content": {name: {"schema": operation.answer} for name in operation.answer_types},
            },
            **(_partial(operation) if operation.streams else {}),
            **{str(status): _refusal(status) for status in _statuses(operation)},
        },
    }
    if operation.description:
        shown["description"] = operation.description
    if operation.access != "none":
        scheme = "elementToken" if operation.access == "element" else "secrets"
        shown["security"] = [*([{}] if operation.access == "perhaps" else []), {scheme: []}]
    if operation.body is not None:
        content: dict[str, Any] = {"schema": operation.body}
        if operation.body_example is not None:
            content["example"] = operation.body_example
        shown["requestBody"] = {
            "required": operation.body_required,
            "content": {operation.body_type: content},
        }
    return shown


def _partial(operation: Operation) -> dict[str, Any]:
    return {
        "206": {
            "description": "The part that was asked for by the header Range.",
            "content": {name: {"schema": operation.answer} for name in operation.answer_types},
        }
    }


def _statuses(operation: Operation) -> tuple[int, ...]:
    general = {400, 503} | ({401} if operation.access != "none" else set())
    return tuple(sorted(general | set(operation.statuses)))


def _refusal(status: int) -> dict[str, Any]:
    return {
        "description": _REASONS[status],
        "content": {"application/json": {"schema": schemas.ERROR}},
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required or parameter.place == "path",
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }
    if parameter.example is not None:
        shown["example"] = parameter.example
    return shown
