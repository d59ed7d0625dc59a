"""
Make one call to one instance: the loop between a caller's request and the vendor's answers.

Everything that waits is here, in the order in which it happens; what is decided on the way is in
the pure modules beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from polyvalent.catalog.placeholder import placeholders_of
from polyvalent.errors import (
    BadRequest,
    Forbidden,
    MethodNotAllowed,
)
from polyvalent.exchange import find_header
from polyvalent.hub.chain import follow_chain
from polyvalent.hub.compiled_rows import find_reading, write_json
from polyvalent.hub.ledger import Ledger
from polyvalent.hub.made_call import MadeCall, compose_answer, warn_of_empty
from polyvalent.hub.mapped import FindMapping, find_nothing, find_route
from polyvalent.hub.model import Answer, Incoming, NoteRows, Reach, note_nothing
from polyvalent.hub.objects import describe_fields, describe_objects, list_objects
from polyvalent.hub.prove import prove_connection
from polyvalent.hub.query import check_projection
from polyvalent.hub.read import SingleRow, check, read_row, strips_nulls
from polyvalent.hub.resolve import Match, resolve, split_path
from polyvalent.hub.search import SCAN_LIMIT, search_rows
from polyvalent.hub.search_query import list_path, read_fields
from polyvalent.hub.write_row import write_row
from polyvalent.instances.model import Connection


async def call(
    connection: Connection,
    incoming: Incoming,
    *,
    reach: Reach,
    now: Callable[[], datetime],
    find_mapping: FindMapping = find_nothing,
    ledger: Ledger | None = None,
    scan_limit: int = SCAN_LIMIT,
    note_rows: NoteRows = note_nothing,
) -> Answer:
    """
    Answer one call to an instance.

    GET /hubs/ecommerce/products?pageSize=2 → a JSON array of two products, each with its `id`,
    with the headers Elements-Returned-Count and, unless it is the last page,
    Elements-Next-Page-Token. Lists of objects and their fields are answered without the vendor,
    also for a disabled instance. `find_mapping` knows the objects that are mapped: /contacts is a
    resource where it knows `contacts`, and its rows and bodies are mapped.
    Raises BadRequest, NotFound, MethodNotAllowed, Forbidden (disabled) before anything is sent;
    VendorRefused, VendorFailure and what `reach` raises after, OutcomeUnknown where a write may
    have been done and looking did not tell. `ledger` keeps writers apart; see `write_row`.
    Effects: calls the vendor, writing where the method does.
    """
    element = connection.element
    segments = split_path(incoming.path)
    if segments[0] == "objects" and not _declares(connection, "objects"):
        return compose_answer(connection, _describe(connection, incoming, segments))
    if connection.disabled:
        raise Forbidden("The instance is disabled. Enable it: PUT /instances/{id}/enabled.")
    if segments == ("ping",) and not _declares(connection, "ping"):
        return compose_answer(connection, await _ping(connection, incoming, reach=reach, now=now))
    creating = incoming.method.upper() == "POST"
    route = find_route(element, incoming.path, find_mapping, creating=creating)
    match = follow_chain(element, resolve(element, incoming.method.upper(), route.path))
    made = MadeCall(
        connection=connection,
        incoming=incoming,
        route=route,
        match=match,
        reach=reach,
        note_rows=note_rows,
    )
    method = match.resource.method
    if method == "GET":
        if _is_list(match):
            try:
                return await search_rows(made, scan_limit=scan_limit)
            except SingleRow as found:
                row = made.show(found.row, read_fields(incoming))
                return compose_answer(connection, row)
        return await _retrieve(made)
    return await write_row(made, ledger=ledger)


async def _retrieve(made: MadeCall) -> Answer:
    fields = read_fields(made.incoming)
    element, resource = made.connection.element, made.match.resource
    check_projection(fields, element=element, resource=resource, mapping=made.route.mapping)
    configuration = made.connection.configuration
    reading = None
    if not fields and strips_nulls(configuration):
        reading = find_reading(element, resource, made.route.mapping, lone=True)
    exchange = await made.send(made.match)
    check(element, exchange)
    compiled = None if reading is None else reading.read(exchange.response)
    made.note_rows("dicts" if compiled is None else "compiled")
    if compiled is not None:
        return compose_answer(made.connection, write_json(compiled[0].show()))
    row = read_row(element, resource, exchange.response, configuration=configuration)
    return compose_answer(made.connection, made.show(row, fields), warnings=warn_of_empty((row,)))


async def _ping(
    connection: Connection, incoming: Incoming, *, reach: Reach, now: Callable[[], datetime]
) -> dict[str, str]:
    """Ask the vendor for one row, to be sure that the instance works."""
    _allow_get(incoming)
    await prove_connection(connection, reach)
    moment = now().isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"dateTime": moment, "endpoint": connection.element.key}


def _describe(connection: Connection, incoming: Incoming, segments: tuple[str, ...]) -> object:
    _allow_get(incoming)
    match segments:
        case ("objects",):
            newer = (find_header(incoming.headers, "Elements-Version") or "").lower() == "helium"
            return (
                describe_objects(connection.element) if newer else list_objects(connection.element)
            )
        case ("objects", name, "metadata"):
            custom_only = incoming.parameter("customFieldsOnly") == "true"
            return describe_fields(connection.element, name, custom_only=custom_only)
        case _:
            raise BadRequest("Below /objects there is only /objects/{name}/metadata.")


def _allow_get(incoming: Incoming) -> None:
    if incoming.method.upper() != "GET":
        path = list_path(incoming)[:100]
        raise MethodNotAllowed(f"{path} takes GET only.", allowed=("GET",))


def _declares(connection: Connection, name: str) -> bool:
    # An element's own resource goes before ours of the same name.
    return any(split_path(item.path)[0] == name for item in connection.element.resources)


def _is_list(match: Match) -> bool:
    return match.resource.collection is not None or not _ends_with_id(match.resource.path)


@lru_cache(maxsize=1024)
def _ends_with_id(path: str) -> bool:
    # The resource of one row does.
    names = placeholders_of(path)
    return bool(names) and path.endswith(f"{{{names[-1]}}}")
