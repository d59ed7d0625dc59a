"""Declare the calls on instances, in their three forms: by id, by token, below an element."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from polyvalent.api import instances, schemas
from polyvalent.api.operation import Group, Operation, Parameter

_ENTRY_ID = Parameter(
    name="entryId",
    place="path",
    required=True,
    description="The id of the configuration entry.",
    schema=schemas.NUMBER,
)


_INSTANCES = Group(
    tag="Instances",
    access="caller",
    placed=(schemas.INSTANCE_ID, _ENTRY_ID),
    usual={"answer": schemas.NOTHING, "statuses": (401, 404)},
)
_declare = _INSTANCES.declare
# Take a draft and may ask the store what it thinks of it.
_take_draft = partial(
    _declare,
    body=schemas.INSTANCE_DRAFT,
    answer=schemas.INSTANCE,
    answer_headers=("Elements-Error", "Elements-Trace-Id"),
    statuses=(400, 401, 403, 404, 502, 504, 413, 415),
)
_ALL = "/instances"
_ONE = "/instances/{id}"
_ENABLED = "/instances/{id}/enabled"
_CONFIGURATION = "/instances/{id}/configuration"
_ENTRY = "/instances/{id}/configuration/{entryId}"
_LISTING = _declare(
    "GET",
    _ALL,
    instances.get_list,
    "List instances",
    parameters=(
        Parameter(
            name="tags[]",
            place="query",
            description="Only instances with this tag; repeat it for any of several.",
            schema=schemas.listing(schemas.TEXT),
        ),
        Parameter(
            name="searchText",
            place="query",
            description="Only instances whose name or element key contains this, in any case.",
        ),
        Parameter(
            name="hydrate",
            place="query",
            description="false: only what identifies the instances.",
            schema={"type": "string", "enum": ["true", "false"]},
        ),
        schemas.PAGE,
        schemas.PAGE_SIZE,
    ),
    answer=schemas.listing(schemas.INSTANCE),
    answer_headers=("Elements-Returned-Count",),
    statuses=(400, 401),
)
_CREATION = _take_draft(
    "POST",
    _ALL,
    instances.create,
    "Create an instance",
    description="Exchanges what the merchant's consent brought for lasting credentials, proves "
    "with one read that they work, and stores the instance. Whatever is refused leaves nothing "
    "behind. Members that are not known are ignored and listed in the header Elements-Error.",
    body_example=schemas.INSTANCE_EXAMPLE,
)
_CHANGES = (
    _take_draft(
        "PUT",
        _ONE,
        instances.put,
        "Change an instance, or authorize it anew with providerData",
        description="Members that are absent stay as they are. Id and token never change. A value "
        'sent back as "********" keeps what is stored.',
    ),
    _take_draft(
        "PATCH",
        _ONE,
        instances.patch,
        "Change some members of an instance",
        description="`configuration` is merged by key, `tags` replaces the list.",
    ),
)
_BY_ID = (
    _declare("GET", _ONE, instances.get_one, "Show an instance", answer=schemas.INSTANCE),
    *_CHANGES,
    _declare("DELETE", _ONE, instances.delete, "Delete an instance"),
    _declare("PUT", _ENABLED, instances.enable, "Enable an instance"),
    _declare(
        "DELETE",
        _ENABLED,
        instances.disable,
        "Disable an instance: calls to its resources are answered with 403",
    ),
)
_ENTRIES = (
    _declare(
        "GET",
        _CONFIGURATION,
        instances.get_configuration,
        "List the configuration of an instance entry by entry, defaults included",
        answer=schemas.listing(schemas.INSTANCE_ENTRY),
    ),
    _declare(
        "GET",
        _ENTRY,
        instances.get_entry,
        "Show one configuration entry of an instance",
        answer=schemas.INSTANCE_ENTRY,
    ),
    _take_draft(
        "PATCH",
        _ENTRY,
        instances.patch_entry,
        "Change one configuration entry of an instance",
        body={
            "type": "object",
            "properties": {"propertyValue": {"type": ["string", "null"]}},
            "required": ["propertyValue"],
        },
        answer=schemas.INSTANCE_ENTRY,
        answer_headers=(),
    ),
)


def _by_token(operation: Operation) -> Operation:
    """Declare the form without an id, for which the Authorization header names the instance."""
    return replace(
        operation,
        path=operation.path.replace("/{id}", ""),
        tag="Instances by token",
        parameters=tuple(item for item in operation.parameters if item.name != "id"),
    )


def _below_element(operation: Operation) -> Operation:
    return replace(
        operation,
        path=f"/elements/{{keyOrId}}{operation.path}",
        tag="Instances of an element",
        parameters=(schemas.KEY_OR_ID, *operation.parameters),
        statuses=tuple(sorted({*operation.statuses, 404})),
    )


_OWN = (_LISTING, _CREATION, *_BY_ID)
OPERATIONS = (
    *_OWN,
    *_ENTRIES,
    *(_by_token(item) for item in (*_CHANGES, *_ENTRIES)),
    *(_below_element(item) for item in _OWN),
)
