"""Declare the calls on instances, in their three forms: by id, by token, below an element."""

from __future__ import annotations

from dataclasses import replace

from polyvalent.api import instances, schemas
from polyvalent.api.operation import Operation, Parameter

_VENDOR = (400, 401, 403, 404, 502, 504)
_LISTING = Operation(
    method="GET",
    path="/instances",
    handle=instances.get_list,
    access="caller",
    tag="Instances",
    summary="List instances",
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
_CREATION = Operation(
    method="POST",
    path="/instances",
    handle=instances.create,
    access="caller",
    tag="Instances",
    summary="Create an instance",
    description="Exchanges what the merchant's consent brought for lasting credentials, proves "
    "with one read that they work, and stores the instance. Whatever is refused leaves nothing "
    "behind. Members that are not known are ignored and listed in the header Elements-Error.",
    body=schemas.INSTANCE_DRAFT,
    body_example=schemas.INSTANCE_EXAMPLE,
    answer=schemas.INSTANCE,
    answer_headers=("Elements-Error", "Elements-Trace-Id"),
    statuses=(*_VENDOR, 413, 415),
)
_CHANGES = (
    Operation(
        method="PUT",
        path="/instances/{id}",
        handle=instances.put,
        access="caller",
        tag="Instances",
        summary="Change an instance, or authorize it anew with providerData",
        description="Members that are absent stay as they are. Id and token never change. A value "
        'sent back as "********" keeps what is stored.',
        parameters=(schemas.INSTANCE_ID,),
        body=schemas.INSTANCE_DRAFT,
        answer=schemas.INSTANCE,
        answer_headers=("Elements-Error", "Elements-Trace-Id"),
        statuses=(*_VENDOR, 413, 415),
    ),
    Operation(
        method="PATCH",
        path="/instances/{id}",
        handle=instances.patch,
        access="caller",
        tag="Instances",
        summary="Change some members of an instance",
        description="`configuration` is merged by key, `tags` replaces the list.",
        parameters=(schemas.INSTANCE_ID,),
        body=schemas.INSTANCE_DRAFT,
        answer=schemas.INSTANCE,
        answer_headers=("Elements-Error", "Elements-Trace-Id"),
        statuses=(*_VENDOR, 413, 415),
    ),
)
_BY_ID = (
    Operation(
        method="GET",
        path="/instances/{id}",
        handle=instances.get_one,
        access="caller",
        tag="Instances",
        summary="Show an instance",
        parameters=(schemas.INSTANCE_ID,),
        answer=schemas.INSTANCE,
        statuses=(401, 404),
    ),
    *_CHANGES,
    Operation(
        method="DELETE",
        path="/instances/{id}",
        handle=instances.delete,
        access="caller",
        tag="Instances",
        summary="Delete an instance",
        parameters=(schemas.INSTANCE_ID,),
        answer=schemas.NOTHING,
        statuses=(401, 404),
    ),
    Operation(
        method="PUT",
        path="/instances/{id}/enabled",
        handle=instances.enable,
        access="caller",
        tag="Instances",
        summary="Enable an instance",
        parameters=(schemas.INSTANCE_ID,),
        answer=schemas.NOTHING,
        statuses=(401, 404),
    ),
    Operation(
        method="DELETE",
        path="/instances/{id}/enabled",
        handle=instances.disable,
        access="caller",
        tag="Instances",
        summary="Disable an instance: calls to its resources are answered with 403",
        parameters=(schemas.INSTANCE_ID,),
        answer=schemas.NOTHING,
        statuses=(401, 404),
    ),
)
_ENTRY_ID = Parameter(
    name="entryId",
    place="path",
    required=True,
    description="The id of the configuration entry.",
    schema=schemas.NUMBER,
)
_ENTRIES = (
    Operation(
        method="GET",
        path="/instances/{id}/configuration",
        handle=instances.get_configuration,
        access="caller",
        tag="Instances",
        summary="List the configuration of an instance entry by entry, defaults included",
        parameters=(schemas.INSTANCE_ID,),
        answer=schemas.listing(schemas.INSTANCE_ENTRY),
        statuses=(401, 404),
    ),
    Operation(
        method="GET",
        path="/instances/{id}/configuration/{entryId}",
        handle=instances.get_entry,
        access="caller",
        tag="Instances",
        summary="Show one configuration entry of an instance",
        parameters=(schemas.INSTANCE_ID, _ENTRY_ID),
        answer=schemas.INSTANCE_ENTRY,
        statuses=(401, 404),
    ),
    Operation(
        method="PATCH",
        path="/instances/{id}/configuration/{entryId}",
        handle=instances.patch_entry,
        access="caller",
        tag="Instances",
        summary="Change one configuration entry of an instance",
        parameters=(schemas.INSTANCE_ID, _ENTRY_ID),
        body={
            "type": "object",
            "properties": {"propertyValue": {"type": ["string", "null"]}},
            "required": ["propertyValue"],
        },
        answer=schemas.INSTANCE_ENTRY,
        statuses=(*_VENDOR, 413, 415),
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
