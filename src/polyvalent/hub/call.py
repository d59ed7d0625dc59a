"""
Make one call to one instance: the loop between a caller's request and the vendor's answers.

Everything that waits is here, in the order in which it happens; what is decided on the way is in
the pure modules beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import orjson

from polyvalent.catalog.classify import error_of
from polyvalent.catalog.placeholder import placeholders_of
from polyvalent.catalog.verification import judge_rows
from polyvalent.egress.failure import DeadlinePassed
from polyvalent.errors import (
    BadRequest,
    Forbidden,
    MethodNotAllowed,
    VendorError,
    VendorFailure,
    VendorTimeout,
)
from polyvalent.exchange import Exchange, find_header
from polyvalent.hub.build import build_verification
from polyvalent.hub.made_call import MadeCall, compose_answer, warn_of_empty
from polyvalent.hub.mapped import FindMapping, find_nothing, find_route
from polyvalent.hub.model import Answer, Incoming, Reach, Row
from polyvalent.hub.objects import describe_fields, describe_objects, list_objects
from polyvalent.hub.read import (
    check,
    compose_row,
    find_created_id,
    is_created,
    primary_key_of,
    read_row,
    rule_of,
)
from polyvalent.hub.resolve import Match, resolve, split_path
from polyvalent.hub.search import search_rows
from polyvalent.hub.search_query import list_path, read_fields
from polyvalent.hub.write import doubt_hint, find_read_back, read_body
from polyvalent.instances.model import Connection


async def call(
    connection: Connection,
    incoming: Incoming,
    *,
    reach: Reach,
    now: Callable[[], datetime],
    find_mapping: FindMapping = find_nothing,
) -> Answer:
    """
    Answer one call to an instance.

    GET /hubs/ecommerce/products?pageSize=2 → a JSON array of two products, each with its `id`,
    with the headers Elements-Returned-Count and, unless it is the last page,
    Elements-Next-Page-Token. Lists of objects and their fields are answered without the vendor,
    also for a disabled instance. `find_mapping` knows the objects that are mapped: /contacts is a
    resource where it knows `contacts`, and its rows and bodies are mapped.
    Raises BadRequest, NotFound, MethodNotAllowed, Forbidden (disabled) before anything is sent;
    VendorRefused, VendorFailure and what `reach` raises after. Where a write has failed and may
    yet have been done, the message says how to find out.
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
    route = find_route(element, incoming.path, find_mapping)
    match = resolve(element, incoming.method.upper(), route.path)
    made = MadeCall(connection=connection, incoming=incoming, route=route, match=match, reach=reach)
    method = match.resource.method
    if method == "GET":
        if _is_list(match):
            return await search_rows(made)
        return await _retrieve(made)
    if method == "DELETE":
        return await _delete(made)
    return await _write(made)


async def _retrieve(made: MadeCall) -> Answer:
    row = await _read(made, made.match)
    fields = read_fields(made.incoming)
    return compose_answer(made.connection, made.show(row, fields), warnings=warn_of_empty((row,)))


async def _read(made: MadeCall, match: Match) -> Row:
    exchange = await made.send(match)
    check(made.connection.element, exchange)
    return read_row(
        made.connection.element,
        match.resource,
        exchange.response,
        configuration=made.connection.configuration,
    )


async def _delete(made: MadeCall) -> Answer:
    hint = doubt_hint(made.match, replace(made.incoming, path=made.route.path), sent={})
    exchange = await _send_write(made, body=b"", hint=hint)
    _check_write(made, exchange, hint=hint)
    return compose_answer(made.connection, {})


async def _write(made: MadeCall) -> Answer:
    element, resource = made.connection.element, made.match.resource
    given = read_body(made.incoming)
    sent = made.route.inwards(given)
    # In the vendor's names, as the row would be found whatever becomes of the mapping.
    hint = doubt_hint(made.match, replace(made.incoming, path=made.route.path), sent=sent)
    body = made.incoming.body if sent is given else orjson.dumps(sent)
    exchange = await _send_write(made, body=body, hint=hint)
    created: str | None = None
    if not is_created(element, resource, exchange):
        _check_write(made, exchange, hint=hint)
    if resource.method == "POST":
        created = find_created_id(element, resource, exchange)
        if created is None:
            raise VendorFailure(f"The vendor took the new row without telling its id. {hint}")
    reading = find_read_back(element, made.match, created=created)
    if reading is None:
        row = _written(made, exchange, created=created, sent=sent)
        return compose_answer(made.connection, made.show(row))
    try:
        row = await _read(made, reading)
    except VendorError as error:
        # The write is done; failing now would make the caller repeat it.
        known = created or list(made.match.path_parameters.values())[-1]
        row = {"id": known}
        if made.route.mapping is not None:
            row = {
                "id": known,
                **made.show({"id": known, primary_key_of(element, resource): known}),
            }
        warning = f"written, but it could not be read back: {error.message}"
        return compose_answer(made.connection, row, warnings=(warning,))
    return compose_answer(made.connection, made.show(row), warnings=warn_of_empty((row,)))


def _written(made: MadeCall, exchange: Exchange, *, created: str | None, sent: Row) -> Row:
    # What is answered after a write that is not read back.
    element, resource = made.connection.element, made.match.resource
    configuration = made.connection.configuration
    if exchange.response.body.strip() and (
        resource.writing is None or resource.writing.id_from == "body"
    ):
        return read_row(element, resource, exchange.response, configuration=configuration)
    if created is not None:
        return compose_row(element, resource, created=created, sent=sent)
    return sent


async def _send_write(made: MadeCall, *, body: bytes, hint: str) -> Exchange:
    try:
        return await made.send(made.match, body=body)
    except VendorTimeout as error:
        if isinstance(error, DeadlinePassed) and not error.sent:
            raise
        raise VendorTimeout(f"{error.message} {hint}") from error
    except VendorFailure as error:
        raise VendorFailure(f"{error.message} {hint}") from error


def _check_write(made: MadeCall, exchange: Exchange, *, hint: str) -> None:
    rule = rule_of(made.connection.element, exchange)
    if rule is not None:
        doubtful = rule.kind == "ambiguous"
        raise error_of(rule, exchange.response, hint=hint if doubtful else "")


async def _ping(
    connection: Connection, incoming: Incoming, *, reach: Reach, now: Callable[[], datetime]
) -> dict[str, str]:
    """Ask the vendor for one row, to be sure that the instance works."""
    _allow_get(incoming)
    element = connection.element
    denied: VendorError | None = None
    for read in element.verification:
        request = build_verification(element, read, configuration=connection.configuration)
        exchange = await reach(connection, request)
        rule = rule_of(element, exchange)
        if rule is None:
            fault = judge_rows(read, exchange.response)
            if fault is not None:
                raise fault
            denied = None
            break
        error = error_of(rule, exchange.response)
        if rule.kind != "permission":
            raise error
        denied = denied or error
    if denied is not None:
        raise denied
    moment = now().isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"dateTime": moment, "endpoint": element.key}


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
    # The resource of one row ends with its id.
    resource = match.resource
    names = placeholders_of(resource.path)
    return resource.collection is not None or not (
        names and resource.path.endswith(f"{{{names[-1]}}}")
    )
