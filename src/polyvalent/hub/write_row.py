"""Create, change or delete a row, and answer with what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial

import orjson
from msgspec import structs

from polyvalent.catalog.placeholder import placeholders_of
from polyvalent.errors import BadRequest, VendorError
from polyvalent.exchange import Exchange
from polyvalent.hub.caller_body import read_form
from polyvalent.hub.ledger import Ledger, Turn
from polyvalent.hub.made_call import MadeCall, compose_answer, warn_of_empty
from polyvalent.hub.mapped import Route
from polyvalent.hub.model import Answer, Incoming, Row
from polyvalent.hub.once import answer_once, read_key
from polyvalent.hub.read import check, compose_row, primary_key_of, read_row
from polyvalent.hub.resolve import Match, find_resource
from polyvalent.hub.search import search_rows
from polyvalent.hub.vendor_body import takes_body, takes_bytes
from polyvalent.hub.write import doubt_hint, find_read_back, read_body
from polyvalent.hub.write_fate import (
    Done,
    Pause,
    Write,
    carry_out,
    identity_of,
    natural_key_of,
)


async def write_row(
    made: MadeCall, *, ledger: Ledger | None = None, pause: Pause = asyncio.sleep
) -> Answer:
    """
    Answer a call that writes: with the row as it is afterwards, {} for one deleted.

    With a ledger there is one writer in a store at a time, `Idempotency-Key` is honoured, and a
    create that a killed process began is looked after; without one the caller has to see to that.
    Raises BadRequest for a body that cannot be sent, and what `answer_once` and `carry_out` raise.
    """
    key = read_key(made.incoming)
    answer = partial(_write, made, ledger=ledger, key=key, pause=pause)
    if ledger is None or key is None:
        return await answer(resumed=False)
    return await answer_once(
        ledger,
        made.connection,
        made.incoming,
        key=key,
        answer=lambda resumed: answer(resumed=resumed),
    )


async def read_match(made: MadeCall, match: Match) -> Row:
    """Read the one row that a match leads to; raises VendorRefused and VendorFailure."""
    element = made.connection.element
    exchange = await made.send(match)
    check(element, exchange)
    configuration = made.connection.configuration
    return read_row(element, match.resource, exchange.response, configuration=configuration)


async def _write(
    made: MadeCall, *, ledger: Ledger | None, key: str | None, pause: Pause, resumed: bool
) -> Answer:
    resource = made.match.resource
    deletes = resource.method == "DELETE"
    bare = deletes or (not made.incoming.body.strip() and not takes_body(resource))
    as_bytes = not deletes and takes_bytes(resource)
    if as_bytes and not made.incoming.body:
        raise BadRequest("The request has no body. Send the file as the body.")
    given: Row = {} if bare or as_bytes else read_body(made.incoming)
    sent = given if as_bytes else made.route.inwards(given)
    unchanged = (
        deletes or as_bytes or (sent is given and (bare or read_form(made.incoming) is None))
    )
    body = b"" if deletes else made.incoming.body if unchanged else orjson.dumps(sent)
    natural_key = natural_key_of(resource, sent)
    looking = _find_look(made)
    write = Write(
        element=made.connection.element,
        resource=resource,
        sent=sent,
        # In the vendor's names, as the row would be found whatever becomes of the mapping.
        hint=doubt_hint(
            made.match, structs.replace(made.incoming, path=made.route.path), sent=sent
        ),
        natural_key=natural_key,
        send=partial(_send, made, body=body, ledger=ledger),
        find=partial(_find, made),
        read=None if looking is None else partial(read_match, made, looking),
        pause=pause,
    )
    identity = identity_of(resource, natural_key, idempotency_key=key)
    async with _turn(made, ledger=ledger, identity=identity) as turn:
        if resumed and identity is not None:
            turn.doubtful = True
        done = await carry_out(write, turn)
        if ledger is not None:
            ledger.mark("write.before_settle")
    if deletes:
        return compose_answer(made.connection, {}, warnings=done.warnings)
    return await _show(made, done, sent=sent)


def _turn(
    made: MadeCall, *, ledger: Ledger | None, identity: str | None
) -> AbstractAsyncContextManager[Turn]:
    if ledger is None:
        return nullcontext(Turn())
    return ledger.turn(made.connection, identity=identity)


async def _send(made: MadeCall, *, body: bytes, ledger: Ledger | None) -> Exchange:
    if ledger is not None:
        ledger.mark("write.before_send")
    exchange = await made.send(made.match, body=body)
    if ledger is not None:
        ledger.mark("write.after_send")
    return exchange


def _find_look(made: MadeCall) -> Match | None:
    """Return the read that shows the row of a change or a deletion."""
    element, resource = made.connection.element, made.match.resource
    if resource.method == "POST":
        return None
    reading = find_read_back(element, made.match, created=None)
    if reading is not None:
        return reading
    same = find_resource(element, "GET", resource.path)
    if same is None or not placeholders_of(same.path):
        return None
    return Match(resource=same, path_parameters=made.match.path_parameters)


async def _find(made: MadeCall, natural_key: Mapping[str, str]) -> tuple[Row, ...]:
    """Search the list that a new row belongs to by the members that tell it from others."""
    resource = find_resource(made.connection.element, "GET", made.match.resource.path)
    if resource is None:
        return ()
    where = " AND ".join(
        f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in natural_key.items()
    )
    searching = structs.replace(
        made,
        incoming=Incoming(
            method="GET", path=made.route.path, query=(("where", where), ("pageSize", "3"))
        ),
        match=Match(resource=resource, path_parameters=made.match.path_parameters),
        route=Route(path=made.route.path),
    )
    answer = await search_rows(searching)
    return tuple(orjson.loads(answer.body))


async def _show(made: MadeCall, done: Done, *, sent: Row) -> Answer:
    element, resource = made.connection.element, made.match.resource
    created, warnings = done.created, done.warnings
    reading = find_read_back(element, made.match, created=created)
    if reading is None:
        try:
            row = _compose(made, done, sent=sent)
        except VendorError as error:
            row, warnings = sent, (*warnings, f"written, but the answer is no row: {error.message}")
        return compose_answer(made.connection, made.show(row), warnings=warnings)
    try:
        row = await read_match(made, reading)
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
        return compose_answer(made.connection, row, warnings=(*warnings, warning))
    empty = warn_of_empty((row,))
    return compose_answer(made.connection, made.show(row), warnings=(*warnings, *empty))


def _compose(made: MadeCall, done: Done, *, sent: Row) -> Row:
    # What is answered after a write that is not read back.
    element, resource = made.connection.element, made.match.resource
    configuration = made.connection.configuration
    if (
        done.exchange is not None
        and done.exchange.response.body.strip()
        and (resource.writing is None or resource.writing.id_from != "location")
    ):
        response = done.exchange.response
        return read_row(element, resource, response, configuration=configuration)
    if done.created is not None:
        return compose_row(element, resource, created=done.created, sent=sent)
    return sent
