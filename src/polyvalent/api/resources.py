"""Answer calls to the resources of an instance: everything that no other operation knows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from polyvalent.api import schemas
from polyvalent.api.answer_cache import Question, answer_with_cache
from polyvalent.api.instances import element_of
from polyvalent.api.operation import RESOURCES, Answer, Call, Operation, Parameter
from polyvalent.api.tracing import followed, trail_header
from polyvalent.api.transformations import origin_of
from polyvalent.catalog.element import Element
from polyvalent.errors import Unauthorized
from polyvalent.exchange import find_header
from polyvalent.hub.call import call as call_instance
from polyvalent.hub.mapped_objects import with_mapped_objects
from polyvalent.hub.model import Answer as Answered
from polyvalent.hub.model import Incoming
from polyvalent.hub.resolve import split_path
from polyvalent.instances.connect import connect
from polyvalent.instances.find import recall_by_token
from polyvalent.instances.model import Connection, Instance
from polyvalent.transformations.resolve import Mappings, resolve_mappings

# Much less than the second within which changes by other processes are seen.
READY_FOR_S = 0.05


async def answer_resource(call: Call) -> Answer:
    """Answer a call to a resource of the instance that the element token names."""
    return await answer_instance(call, await instance_of_token(call), path=call.raw_path)


async def instance_of_token(call: Call) -> Instance:
    """Return the instance that the element token names; raises Unauthorized."""
    platform, caller = call.platform, call.known_caller()
    if caller.element_token is None:
        raise Unauthorized(
            f"There is nothing at {call.path[:200]!r} without an element token. Resources of an "
            "instance need it: send the header Authorization: User …, Organization …, Element "
            "<element token>"
        )
    return await recall_by_token(platform.ports, caller, caller.element_token.reveal())


async def answer_instance(call: Call, instance: Instance, *, path: str) -> Answer:
    """Answer a call to a path of an instance; the path is percent-encoded."""
    platform = call.platform
    element, mappings, connection = await _ready(call, instance)
    if split_path(path)[0] == "objects":
        element = with_mapped_objects(element, mappings)
        connection = replace(connection, element=element)
    incoming = Incoming(
        method=call.method,
        path=path,
        query=call.query,
        headers=call.headers,
        body=call.body,
    )
    with followed(call, instance, secrets=connection.secrets) as trail:

        async def ask() -> Answered:
            return await call_instance(
                connection if trail is None else replace(connection, trail=trail),
                incoming,
                reach=platform.reach,
                now=platform.ports.now,
                find_mapping=mappings.find,
                scan_limit=platform.settings.scan_limit,
                ledger=platform.ledger,
                note_rows=platform.metrics.note_rows,
            )

        if instance.caching_enabled:
            question = Question(
                instance=instance,
                element=element,
                mappings_version=mappings.version,
                path=call.raw_path,
                query=call.query,
            )
            answer = await answer_with_cache(
                platform.answers, question, method=call.method, ask=ask
            )
            if (outcome := find_header(answer.headers, "Elements-Cache")) is not None:
                platform.metrics.note_cached(outcome)
        else:
            answer = await ask()
    return Answer(content=answer.body, headers=(*answer.headers, *trail_header(call, trail)))


async def _ready(call: Call, instance: Instance) -> tuple[Element, Mappings, Connection]:
    """
    Return the element, the mappings and the connection of an instance.

    What was found is taken as it is for a moment, unless anything was changed here meanwhile.
    """
    platform, readied = call.platform, instance.readied
    memory = platform.ports.memory
    now_s, doubts = memory.clock(), memory.doubts
    if now_s < readied.until_s and readied.doubts == doubts:
        made: tuple[Element, Mappings, Connection] = readied.made
        return made
    element = await element_of(call, instance)
    mappings = await resolve_mappings(
        platform.ports,
        instance,
        element=element,
        cache=platform.mappings,
        find_origin=partial(origin_of, call),
    )
    connection = memory.connection_of(instance, element=element, make=connect)
    readied.made = (element, mappings, connection)
    readied.until_s, readied.doubts = now_s + READY_FOR_S, doubts
    return element, mappings, connection


_HUB = Parameter(
    name="hub",
    place="path",
    required=True,
    description="Any text: the element token alone decides. Paths without /hubs/{hub} work too.",
    example="ecommerce",
)
_RESOURCE = Parameter(
    name="resource",
    place="path",
    required=True,
    description="A resource of the instance's element, such as customers, products, orders, or "
    "an object that is transformed for it.",
    example="orders",
)
_ROW_ID = Parameter(name="rowId", place="path", required=True, description="The row's id.")
_SEARCH = (
    replace(
        schemas.PAGE_SIZE,
        description="How many rows a page has; more than the vendor gives at once is cut to "
        "pagination.max, with the header Elements-Error.",
        schema={"type": "integer", "minimum": 1},
    ),
    schemas.PAGE,
    Parameter(
        name="nextPage",
        place="query",
        description="The header Elements-Next-Page-Token of the page before; page is ignored then.",
    ),
    Parameter(
        name="fields",
        place="query",
        description="Only these members: a comma list; addresses.city for a part of one.",
    ),
    Parameter(
        name="where",
        place="query",
        description="Which rows, in the query language: status IN ('new','paid') AND total >= 10. "
        "Comparisons, LIKE, IN, IS NULL, AND, OR, parentheses, on every field of the resource.",
    ),
    Parameter(
        name="orderBy",
        place="query",
        description="One or more fields, each with asc or desc: created_at desc, id.",
    ),
    Parameter(
        name="explain",
        place="query",
        description="true: answer with the plan instead of rows, and ask the vendor nothing.",
        schema={"type": "boolean"},
    ),
)
_STATUSES = (400, 401, 403, 404, 405, 409, 502, 504)
_ONCE = Parameter(
    name="Idempotency-Key",
    place="header",
    description="A text of the caller's own, new for each write. The same call with the same key "
    "gets the first answer again for a day; another call with it is refused with 409.",
    schema={"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]*[!-~][ -~]*$"},
)
_INSTANCE_USED = ("Elements-Element-Instance-Id", "Elements-Trace-Id")
_CACHED = (*_INSTANCE_USED, "Elements-Cache")
_PAGED = (
    "Elements-Returned-Count",
    "Elements-Total-Count",
    "Elements-Next-Page-Token",
    "Elements-Error",
    *_CACHED,
)


def _declare(method: str, path: str, summary: str) -> Operation:
    placed = [item for item in (_HUB, _RESOURCE, _ROW_ID) if f"{{{item.name}}}" in path]
    writes = method != "GET"
    return Operation(
        method=method,
        path=path,
        handle=answer_resource,
        access="element",
        tag=RESOURCES,
        summary=summary,
        parameters=(*placed, _ONCE) if writes else tuple(placed),
        body={"type": "object"} if method in ("POST", "PATCH", "PUT") else None,
        answer={"type": "object"},
        answer_headers=("Elements-Error", *_INSTANCE_USED) if writes else _INSTANCE_USED,
        statuses=_STATUSES,
    )


_ROWS = "/hubs/{hub}/{resource}"
_ROW = "/hubs/{hub}/{resource}/{rowId}"
_SEARCHING = _declare("GET", _ROWS, "Search the rows of a resource")
OPERATIONS: tuple[Operation, ...] = (
    replace(
        _SEARCHING,
        parameters=(*_SEARCHING.parameters, *_SEARCH),
        answer={"type": ["array", "object"]},
        answer_headers=_PAGED,
    ),
    _declare("POST", _ROWS, "Create a row"),
    replace(
        _declare("GET", _ROW, "Show a row"),
        answer={"type": ["array", "object"]},
        answer_headers=_CACHED,
    ),
    _declare("PATCH", _ROW, "Change some members of a row"),
    _declare("PUT", _ROW, "Change a row, where the resource offers it"),
    _declare("DELETE", _ROW, "Delete a row"),
    _declare("GET", "/ping", "Prove that the connection works"),
    replace(
        _declare("GET", "/objects", "List the objects of the instance"),
        answer={"type": "array"},
    ),
)
# Deeper paths (/orders/7/items) and paths without a hub end here.
FALLBACK = _declare("GET", "/{resource}", "Call a resource of an instance")
