"""
Make one call to one instance: the loop between a caller's request and the vendor's answers.

Everything that waits is here, in the order in which it happens; what is decided on the way is in
the pure modules beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
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
from polyvalent.hub import page_bounds as bounds
from polyvalent.hub.build import build_request, build_verification
from polyvalent.hub.mapped import FindMapping, Route, find_nothing, find_route
from polyvalent.hub.model import Answer, Incoming, Page, Pairs, Reach, Row, Search
from polyvalent.hub.objects import describe_fields, describe_objects, list_objects
from polyvalent.hub.page_token import PageToken, write_token
from polyvalent.hub.read import (
    NO_FIELDS,
    check,
    compose_row,
    find_created_id,
    is_created,
    keep_equal,
    primary_key_of,
    project,
    read_row,
    read_rows,
    rule_of,
)
from polyvalent.hub.resolve import Match, resolve, split_path
from polyvalent.hub.search_query import (
    list_path,
    read_fields,
    read_search,
    vendor_page_size_max,
)
from polyvalent.hub.write import doubt_hint, find_read_back, read_body
from polyvalent.instances.model import Connection


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    # One call with everything that its steps share.
    connection: Connection
    incoming: Incoming
    route: Route  # where the path leads, and how rows are mapped
    match: Match
    reach: Reach

    def show(self, row: Row, fields: tuple[str, ...] = ()) -> Row:
        return project(self.route.outwards(row), fields)

    async def send(self, match: Match, *, pairs: Pairs = (), body: bytes = b"") -> Exchange:
        request = build_request(
            self.connection.element,
            match.resource,
            configuration=self.connection.configuration,
            path_parameters=match.path_parameters,
            incoming=self.incoming,
            pairs=pairs,
            body=body,
        )
        return await self.reach(self.connection, request)


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
        return _answer(connection, _describe(connection, incoming, segments))
    if connection.disabled:
        raise Forbidden("The instance is disabled. Enable it: PUT /instances/{id}/enabled.")
    if segments == ("ping",) and not _declares(connection, "ping"):
        return _answer(connection, await _ping(connection, incoming, reach=reach, now=now))
    route = find_route(element, incoming.path, find_mapping)
    match = resolve(element, incoming.method.upper(), route.path)
    made = _Call(connection=connection, incoming=incoming, route=route, match=match, reach=reach)
    method = match.resource.method
    if method == "GET":
        if _is_list(match):
            return await _search(made)
        return await _retrieve(made)
    if method == "DELETE":
        return await _delete(made)
    return await _write(made)


async def _search(made: _Call) -> Answer:
    resource = made.match.resource
    search = read_search(
        made.incoming,
        resource,
        configuration=made.connection.configuration,
        mapping=made.route.mapping,
    )
    if resource.pagination_type == "VENDOR_NOT_SUPPORTED":
        page = await _slice(made, search)
    else:
        page = await _page(made, search)
    warnings = [*search.warnings, *page.warnings]
    headers = [("Elements-Returned-Count", str(len(page.rows)))]
    if page.next_token is not None:
        headers.append(("Elements-Next-Page-Token", page.next_token))
    rows = [made.show(row, search.fields) for row in page.rows]
    return _answer(made.connection, rows, headers=tuple(headers), warnings=tuple(warnings))


async def _slice(made: _Call, search: Search) -> Page:
    """Read the whole list and cut the page out of it, for vendors that do not page it."""
    rows = await _rows(made, ())
    begin = (search.page - 1) * search.page_size
    end = begin + search.page_size
    token = _token(made, search, page=search.page + 1) if end < len(rows) else None
    return Page(rows=rows[begin:end], next_token=token, warnings=_warn_empty(rows))


async def _page(made: _Call, search: Search) -> Page:
    """Read one page from the vendor, and find out whether it is real and whether one follows."""
    element, resource = made.connection.element, made.match.resource
    first_page = _first_page(made.connection)
    vendor_max = vendor_page_size_max(element, resource)
    size = bounds.first_size(resource, search, vendor_max=vendor_max)
    pairs = bounds.main_pairs(resource, search, size=size, first_page=first_page)
    found = await _rows(made, pairs)
    rows = found[: search.page_size]
    last = bounds.cursor_of(resource, rows[-1]) if rows else None
    more = len(found) > search.page_size
    if last is not None and bounds.needs_row_behind(resource, search, asked=size, rows=len(found)):
        more = bool(
            await _rows(
                made, bounds.behind_pairs(resource, search, last=last, first_page=first_page)
            )
        )
    if not more and bounds.needs_row_before(resource, search, rows=len(rows)):
        before = await _rows(made, bounds.before_pairs(resource, search, first_page=first_page))
        if bounds.is_repeated(resource, rows, before):
            return Page(rows=())
    token = None
    if bounds.has_cursor(resource):
        token = _token(made, search, page=search.page + 1, last=last) if more else None
    elif len(found) >= search.page_size:
        token = _token(made, search, page=search.page + 1)
    kept = keep_equal(rows, search.predicates)
    return Page(rows=kept, next_token=token, warnings=_warn_empty(rows))


async def _rows(made: _Call, pairs: Pairs) -> tuple[Row, ...]:
    exchange = await made.send(made.match, pairs=pairs)
    check(made.connection.element, exchange)
    return read_rows(
        made.connection.element,
        made.match.resource,
        exchange.response,
        configuration=made.connection.configuration,
    )


async def _retrieve(made: _Call) -> Answer:
    row = await _read(made, made.match)
    fields = read_fields(made.incoming)
    return _answer(made.connection, made.show(row, fields), warnings=_warn_empty((row,)))


async def _read(made: _Call, match: Match) -> Row:
    exchange = await made.send(match)
    check(made.connection.element, exchange)
    return read_row(
        made.connection.element,
        match.resource,
        exchange.response,
        configuration=made.connection.configuration,
    )


async def _delete(made: _Call) -> Answer:
    hint = doubt_hint(made.match, replace(made.incoming, path=made.route.path), sent={})
    exchange = await _send_write(made, body=b"", hint=hint)
    _check_write(made, exchange, hint=hint)
    return _answer(made.connection, {})


async def _write(made: _Call) -> Answer:
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
        return _answer(made.connection, made.show(row))
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
        return _answer(made.connection, row, warnings=(warning,))
    return _answer(made.connection, made.show(row), warnings=_warn_empty((row,)))


def _written(made: _Call, exchange: Exchange, *, created: str | None, sent: Row) -> Row:
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


async def _send_write(made: _Call, *, body: bytes, hint: str) -> Exchange:
    try:
        return await made.send(made.match, body=body)
    except VendorTimeout as error:
        if isinstance(error, DeadlinePassed) and not error.sent:
            raise
        raise VendorTimeout(f"{error.message} {hint}") from error
    except VendorFailure as error:
        raise VendorFailure(f"{error.message} {hint}") from error


def _check_write(made: _Call, exchange: Exchange, *, hint: str) -> None:
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


def _first_page(connection: Connection) -> int:
    text = connection.configuration.get("pagination.page.startindex") or "1"
    return int(text) if text in ("0", "1") else 1


def _token(made: _Call, search: Search, *, page: int, last: str | None = None) -> str:
    return write_token(
        PageToken(
            path=list_path(made.incoming),
            where=search.where,
            page=page,
            page_size=search.page_size,
            last=last,
        )
    )


def _warn_empty(rows: tuple[Row, ...]) -> tuple[str, ...]:
    return (NO_FIELDS,) if any(set(row) <= {"id"} for row in rows) else ()


def _answer(
    connection: Connection,
    body: object,
    *,
    headers: tuple[tuple[str, str], ...] = (),
    warnings: tuple[str, ...] = (),
) -> Answer:
    own = [("Elements-Element-Instance-Id", str(connection.instance_id)), *headers]
    if warnings:
        text = "; ".join(warnings).encode("ascii", "replace").decode()
        own.append(("Elements-Error", " ".join(text.split())[:1000]))
    return Answer(body=orjson.dumps(body), headers=tuple(own))
