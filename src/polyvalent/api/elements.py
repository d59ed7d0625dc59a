"""Answer the catalog: elements and hubs."""

from __future__ import annotations

from typing import Any

import msgspec

from polyvalent.api import schemas
from polyvalent.api.element_selection import read_selection
from polyvalent.api.element_shapes import present_entry, present_listed, present_whole
from polyvalent.api.operation import LARGEST_PAGE, Answer, Call, Operation, Parameter
from polyvalent.catalog.element import Element
from polyvalent.catalog.metadata import describe_element
from polyvalent.traces.read import read_trace


async def list_elements(call: Call) -> Answer:
    """Answer the elements that the caller may see, without their definitions unless asked."""
    page = call.number("page", default=1, most=1_000_000)
    size = call.number("pageSize", default=200, most=LARGEST_PAGE)
    elements = await call.platform.shelf.find_all(call.reader)
    selection = read_selection(call.value("where") or "")
    taken = [element for element in elements if selection.takes(present_listed(element))]
    show = present_listed if selection.abridged else present_whole
    part = [show(element) for element in taken[(page - 1) * size : page * size]]
    return Answer(content=part, headers=(("Elements-Returned-Count", str(len(part))),))


async def list_keys(call: Call) -> Answer:
    """Answer the keys of all elements."""
    elements = await call.platform.shelf.find_all(call.reader)
    return Answer(content=[element.key for element in elements])


async def list_metadata(call: Call) -> Answer:
    """Answer the metadata of all elements."""
    expand = call.value("expand") == "true"
    elements = await call.platform.shelf.find_all(call.reader)
    return Answer(content=[describe_element(element, expand=expand) for element in elements])


async def get_element(call: Call) -> Answer:
    """Answer an element whole."""
    return Answer(content=present_whole(await _shown(call)))


async def get_metadata(call: Call) -> Answer:
    """Answer what an element can do."""
    expand = call.value("expand") == "true"
    return Answer(content=describe_element(await call.element(), expand=expand))


async def list_configuration(call: Call) -> Answer:
    """Answer the configuration entries of an element."""
    element = await _shown(call)
    return Answer(content=[present_entry(entry) for entry in element.configuration])


async def get_trace(call: Call) -> Answer:
    """Answer the trace of a creation that asked for debugging."""
    platform = call.platform
    shown = await read_trace(
        platform.ports.database,
        trace_id=call.path_parameters["traceId"],
        organization_id=call.known_caller().organization.id,
        element_key=(await call.element()).key,
    )
    return Answer(content=shown)


async def list_hubs(call: Call) -> Answer:
    """Answer the hubs; with hydrate=true those with resources show them."""
    hydrate = call.value("hydrate") == "true"
    return Answer(content=[_hub(hub, hydrate=hydrate) for hub in call.platform.catalog.hubs])


async def list_hub_keys(call: Call) -> Answer:
    """Answer the keys of all hubs."""
    return Answer(content=[hub.key for hub in call.platform.catalog.hubs])


async def get_hub(call: Call) -> Answer:
    """Answer a hub."""
    return Answer(content=_hub(call.platform.catalog.find_hub(call.path_parameters["hub"])))


async def list_hub_elements(call: Call) -> Answer:
    """Answer the elements of a hub."""
    hub = call.platform.catalog.find_hub(call.path_parameters["hub"])
    elements = await call.platform.shelf.find_all(call.reader)
    return Answer(content=[present_listed(item) for item in elements if item.hub == hub.key])


async def _shown(call: Call) -> Element:
    found = await call.platform.shelf.find_whole(call.reader, call.path_parameters["keyOrId"])
    return found.shown_to(call.reader)


def _hub(hub: Any, *, hydrate: bool = False) -> dict[str, Any]:
    shown = {
        "id": hub.id,
        "key": hub.key,
        "name": hub.name,
        "description": hub.description,
        "active": hub.active,
    }
    if hydrate and hub.resources:
        shown["resources"] = [msgspec.to_builtins(resource) for resource in hub.resources]
    return shown


_EXPAND = Parameter(
    name="expand",
    place="query",
    description="true: everything that is known.",
    schema={"type": "string", "enum": ["true", "false"]},
)
_HYDRATE = Parameter(
    name="hydrate",
    place="query",
    description="true: with the resources of each hub.",
    schema={"type": "string", "enum": ["true", "false"]},
)
_HUB = Parameter(
    name="hub", place="path", required=True, description="The hub's key.", example="ecommerce"
)
_WHERE = Parameter(
    name="where",
    place="query",
    description="Which elements, in the query language: key = 'x', key in ('a', 'b'), hub, name, "
    "active, private = 'true' (brought along), extended = 'true' (with resources of the account). "
    "And abridged = 'false': whole, with their definitions.",
    example="private = 'true' AND abridged = 'true'",
)
_METADATA = {
    "type": "object",
    "required": ["id", "name", "key", "description", "events"],
}
_KEYS = schemas.listing(schemas.TEXT)

OPERATIONS = (
    Operation(
        method="GET",
        path="/elements",
        handle=list_elements,
        access="perhaps",
        tag="Elements",
        summary="List the elements",
        description="With secrets also the elements that the account brought along or may see.",
        parameters=(_WHERE, schemas.PAGE, schemas.PAGE_SIZE),
        answer=schemas.listing(schemas.ELEMENT),
        answer_headers=("Elements-Returned-Count",),
        statuses=(400,),
    ),
    Operation(
        method="GET",
        path="/elements/keys",
        handle=list_keys,
        access="perhaps",
        tag="Elements",
        summary="List the keys of the elements",
        answer=_KEYS,
    ),
    Operation(
        method="GET",
        path="/elements/metadata",
        handle=list_metadata,
        access="perhaps",
        tag="Elements",
        summary="Tell what each element can do",
        parameters=(_EXPAND,),
        answer=schemas.listing(_METADATA),
    ),
    Operation(
        method="GET",
        path="/elements/{keyOrId}",
        handle=get_element,
        access="perhaps",
        tag="Elements",
        summary="Show an element whole",
        parameters=(schemas.KEY_OR_ID,),
        answer=schemas.ELEMENT,
        statuses=(404,),
    ),
    Operation(
        method="GET",
        path="/elements/{keyOrId}/metadata",
        handle=get_metadata,
        access="perhaps",
        tag="Elements",
        summary="Tell what an element can do",
        parameters=(schemas.KEY_OR_ID, _EXPAND),
        answer=_METADATA,
        statuses=(404,),
    ),
    Operation(
        method="GET",
        path="/elements/{keyOrId}/configuration",
        handle=list_configuration,
        access="perhaps",
        tag="Elements",
        summary="List what an instance of an element is configured with",
        parameters=(schemas.KEY_OR_ID,),
        answer=schemas.listing(schemas.CONFIGURATION_ENTRY),
        statuses=(404,),
    ),
    Operation(
        method="GET",
        path="/elements/{keyOrId}/trace/{traceId}",
        handle=get_trace,
        access="caller",
        tag="Elements",
        summary="Show the calls to the store that a creation with debugging made",
        description='A map by place, such as "POST:/oauth/token", with the signature base '
        "string of each signed call. Secrets are masked. Kept for seven days.",
        parameters=(
            schemas.KEY_OR_ID,
            Parameter(
                name="traceId",
                place="path",
                required=True,
                description="The header Elements-Trace-Id of the creation's answer.",
            ),
        ),
        answer={"type": "object"},
        statuses=(401, 404),
    ),
    Operation(
        method="GET",
        path="/hubs",
        handle=list_hubs,
        access="none",
        tag="Hubs",
        summary="List the hubs",
        parameters=(_HYDRATE,),
        answer=schemas.listing(schemas.HUB),
    ),
    Operation(
        method="GET",
        path="/hubs/keys",
        handle=list_hub_keys,
        access="none",
        tag="Hubs",
        summary="List the keys of the hubs",
        answer=_KEYS,
    ),
    Operation(
        method="GET",
        path="/hubs/{hub}",
        handle=get_hub,
        access="none",
        tag="Hubs",
        summary="Show a hub",
        parameters=(_HUB,),
        answer=schemas.HUB,
        statuses=(404,),
    ),
    Operation(
        method="GET",
        path="/hubs/{hub}/elements",
        handle=list_hub_elements,
        access="perhaps",
        tag="Hubs",
        summary="List the elements of a hub",
        parameters=(_HUB,),
        answer=schemas.listing(schemas.ELEMENT),
        statuses=(404,),
    ),
)
