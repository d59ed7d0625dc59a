"""
Write, and find out what became of it where the vendor's answer does not tell.

An answer may be lost, or report a failure of what was done all the same. Then the row is looked
up: a new one by its natural key, another by its address. Found as it was sent, the write is done.
Proven not to be there, or not to be so, it is sent once more; the store has no other writer of
ours meanwhile. What cannot be decided is said to be unknown, and never sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import orjson

from polyvalent.catalog.classify import error_of
from polyvalent.catalog.element import Element, Resource
from polyvalent.egress import BrokenAnswer, DeadlinePassed
from polyvalent.errors import (
    CallerError,
    OutcomeUnknown,
    PolyvalentError,
    VendorError,
    VendorFailure,
    VendorRefused,
)
from polyvalent.exchange import Exchange
from polyvalent.hub.ledger import Turn
from polyvalent.hub.model import Row
from polyvalent.hub.read import find_created_id, is_created, rule_of
from polyvalent.hub.same_row import find_differences, shows_anything

Pause = Callable[[float], Awaitable[None]]
Found = TypeVar("Found")

# How long one look may take, whatever the deadline of a call.
LOOK_S = 20.0
# Between looks: a vendor that failed, or that may still be at work on what was sent.
LOOK_PAUSES_S = (0.25, 1.0)
LINGERING_PAUSES_S = (0.5, 1.5, 3.0)
# Of a gateway that gave up waiting: what is behind it works on.
_LINGERING = frozenset((408, 504))


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """
    Hold a write and the ways to look what became of it.

    `natural_key` are the members that tell the new row from others, empty where nothing does.
    `find` returns the rows with these members, `read` the row itself; both raise VendorError.
    """

    element: Element
    resource: Resource
    sent: Row = field(repr=False)
    hint: str
    natural_key: Mapping[str, str] = field(repr=False)
    send: Callable[[], Awaitable[Exchange]]
    find: Callable[[Mapping[str, str]], Awaitable[tuple[Row, ...]]]
    read: Callable[[], Awaitable[Row]] | None
    pause: Pause = asyncio.sleep


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """Say that a write is done, and by what it was known: an answer, or a look."""

    exchange: Exchange | None = None
    created: str | None = None  # the id of the new row
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Doubt:
    # An answer that does not tell.
    error: VendorError
    lingering: bool = False  # the vendor may still be at work
    late: bool = False  # our own time is over


async def carry_out(write: Write, turn: Turn) -> Done:
    """
    Carry out a write in its turn.

    Raises VendorRefused, VendorFailure and the like where nothing was done; OutcomeUnknown where
    that cannot be told. Effects: writes at the vendor; tells the turn whether the end is known.
    """
    try:
        done = await _carry_out(write, turn)
    except OutcomeUnknown:
        raise
    except PolyvalentError:
        turn.settled = True
        raise
    turn.settled = True
    return done


def natural_key_of(resource: Resource, sent: Row) -> Mapping[str, str]:
    """Return the members that tell a new row from others; empty if one is missing."""
    names = resource.writing.natural_key if resource.writing is not None else ()
    values = {name: sent[name] for name in names if isinstance(sent.get(name), str | int)}
    if resource.method != "POST" or len(values) < len(names):
        return {}
    return {name: str(value) for name, value in values.items()}


def identity_of(
    resource: Resource, natural_key: Mapping[str, str], *, idempotency_key: str | None
) -> str | None:
    """Return the text that a new row is noted under; None where nothing is created or tells."""
    if resource.method != "POST":
        return None
    if natural_key:
        # Vendors take "a-1" and "A-1" for one.
        named = {name: value.casefold().strip() for name, value in natural_key.items()}
        return orjson.dumps([resource.path, named], option=orjson.OPT_SORT_KEYS).decode()
    if idempotency_key is not None:
        return orjson.dumps([resource.path, idempotency_key]).decode()
    return None


async def _carry_out(write: Write, turn: Turn) -> Done:
    if turn.doubtful:
        earlier = await _look_for_earlier(write)
        if earlier is not None:
            return earlier
    outcome = await _try(write)
    if isinstance(outcome, Done):
        return outcome
    match write.resource.method:
        case "POST":
            return await _decide_create(write, outcome)
        case "DELETE":
            return await _decide_delete(write, outcome)
        case _:
            return await _decide_change(write, outcome)


async def _try(write: Write) -> Done | _Doubt:
    try:
        exchange = await write.send()
    except DeadlinePassed as error:
        if not error.sent:
            raise
        return _Doubt(error=error, lingering=True, late=True)
    except BrokenAnswer as error:
        return _Doubt(error=error, lingering=True)
    element, resource = write.element, write.resource
    rule = None if is_created(element, resource, exchange) else rule_of(element, exchange)
    if rule is None:
        return _read_success(write, exchange)
    response = exchange.response
    failure = error_of(rule, response)
    nowhere = 300 <= response.status < 400 and response.header("Location") is None
    if rule.kind == "ambiguous" or nowhere:
        return _Doubt(error=failure, lingering=response.status in _LINGERING)
    raise failure


def _read_success(write: Write, exchange: Exchange) -> Done | _Doubt:
    if write.resource.method != "POST":
        return Done(exchange=exchange)
    try:
        created = find_created_id(write.element, write.resource, exchange)
    except VendorFailure as error:
        return _Doubt(error=error)
    writing = write.resource.writing
    if created is None and writing is not None and writing.id_from != "none":
        return _Doubt(error=VendorFailure("The vendor took the new row without telling its id."))
    return Done(exchange=exchange, created=created)


async def _look_for_earlier(write: Write) -> Done | None:
    """Look for what an earlier attempt may have left, whose end nobody noted."""
    doubt = _Doubt(
        error=VendorFailure(
            "An earlier attempt to create this row was interrupted, so nothing was sent now."
        )
    )
    rows = await _find(write, doubt)
    if not rows:
        return None
    differences = find_differences(write.sent, rows[0])
    if differences or len(rows) > 1:
        raise VendorRefused(
            "The row exists already, probably from an earlier attempt that was interrupted, and "
            f"differs from what was sent now in {_list(differences) or 'number'}.",
            status=409,
        )
    return _found(write, rows[0], "it was found as an earlier, interrupted attempt had written it")


async def _decide_create(write: Write, doubt: _Doubt) -> Done:
    rows = await _find(write, doubt)
    if rows:
        return _accept(write, rows, doubt)
    if doubt.late:
        raise _unknown(write, doubt, "The row is not there, but may still come.")
    try:
        second = await _try(write)
    except VendorRefused as error:
        if error.status != 409:
            raise
        # It has come after all, between the look and the second attempt.
        second = doubt
    if isinstance(second, Done):
        warning = f"sent twice, for the first time it was not written: {_words(doubt)}"
        return Done(exchange=second.exchange, created=second.created, warnings=(warning,))
    rows = await _find(write, second)
    if not rows:
        raise _unknown(write, second, "It was sent twice, and the row is not there.")
    return _accept(write, rows, second)


def _accept(write: Write, rows: tuple[Row, ...], doubt: _Doubt) -> Done:
    if len(rows) > 1:
        raise _unknown(write, doubt, f"There are {len(rows)} such rows.")
    differences = find_differences(write.sent, rows[0])
    if differences:
        raise _unknown(
            write,
            doubt,
            f"A row with this {_list(tuple(write.natural_key))} is there, but it differs from what "
            f"was sent in {_list(differences)}.",
        )
    return _found(write, rows[0], _reported(doubt))


def _found(write: Write, row: Row, warning: str) -> Done:
    created = row.get("id")
    if created is None:
        raise OutcomeUnknown(f"The row is there but shows no id. {write.hint}")
    return Done(created=str(created), warnings=(warning,))


async def _decide_change(write: Write, doubt: _Doubt) -> Done:
    differences: tuple[str, ...] = ()
    for repeated in (False, True):
        row = await _read(write, doubt)
        shows = row is not None and shows_anything(write.sent, row)
        differences = find_differences(write.sent, row) if row is not None else ()
        if shows and not differences:
            return Done(warnings=(_reported(doubt),))
        if repeated or doubt.late:
            break
        # The same values once more do no harm.
        second = await _try(write)
        if isinstance(second, Done):
            return Done(exchange=second.exchange, warnings=(f"sent twice: {_words(doubt)}",))
        doubt = second
    where = f"The row differs from what was sent in {_list(differences)}." if differences else ""
    raise _unknown(write, doubt, where)


async def _decide_delete(write: Write, doubt: _Doubt) -> Done:
    for repeated in (False, True):
        if write.read is not None and await _read(write, doubt) is None:
            return Done(warnings=(_reported(doubt),))
        if repeated or doubt.late:
            break
        try:
            second = await _try(write)
        except VendorRefused as error:
            if error.status != 404:
                raise
            return Done(warnings=(_reported(doubt),))
        if isinstance(second, Done):
            return Done(exchange=second.exchange, warnings=(f"sent twice: {_words(doubt)}",))
        doubt = second
    raise _unknown(write, doubt, "The row is still there." if write.read is not None else "")


async def _find(write: Write, doubt: _Doubt) -> tuple[Row, ...]:
    """Find the new row by its natural key, a few times where it may still come."""
    if not write.natural_key:
        raise _unknown(write, doubt, "Nothing that was sent tells the row from others.")
    rows: tuple[Row, ...] = ()
    for pause_s in (0.0, *(LINGERING_PAUSES_S if doubt.lingering else ())):
        if pause_s:
            await write.pause(pause_s)
        found = await _look(write, doubt, lambda: write.find(write.natural_key))
        rows = found or ()
        if rows:
            break
    return rows


async def _read(write: Write, doubt: _Doubt) -> Row | None:
    """Read the row as it is; None if there is none, or no way to read it."""
    if write.read is None:
        return None
    if doubt.lingering:
        await write.pause(LINGERING_PAUSES_S[0])
    return await _look(write, doubt, write.read)


async def _look(write: Write, doubt: _Doubt, look: Callable[[], Awaitable[Found]]) -> Found | None:
    # None: there is no such row.
    last: Exception | None = None
    for pause_s in (0.0, *LOOK_PAUSES_S):
        if pause_s:
            await write.pause(pause_s)
        try:
            async with asyncio.timeout(LOOK_S):
                return await look()
        except VendorRefused as error:
            if error.status == 404:
                return None
            last = error
            break
        except CallerError as error:
            last = error
            break
        except (PolyvalentError, TimeoutError) as error:
            last = error
    raise _unknown(write, doubt, "Looking it up failed as well.") from last


def _unknown(write: Write, doubt: _Doubt, what: str) -> OutcomeUnknown:
    words = " ".join(part for part in (doubt.error.message, what, write.hint) if part)
    return OutcomeUnknown(words, provider_message=doubt.error.provider_message)


def _reported(doubt: _Doubt) -> str:
    return f"written, although the vendor reported an error: {_words(doubt)}"


def _words(doubt: _Doubt) -> str:
    return doubt.error.provider_message or doubt.error.message


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(name[:60] for name in names[:10])
