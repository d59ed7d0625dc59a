"""
Change many rows of a store in one call, and read of the answer what became of each.

How that is done an element says by `batch` of its `writing`. Only what the answer says of a row by
its id counts; a row that it does not name, or names with a failure after which it may be written
all the same, is left to the caller to look up.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

import orjson
from msgspec import structs

from polyvalent.catalog.classify import classify, status_of
from polyvalent.catalog.element import Element, FailureKind, Resource
from polyvalent.catalog.writing import WriteBatch
from polyvalent.errors import VendorRefused
from polyvalent.exchange import Exchange, Response
from polyvalent.hub.ledger import Ledger
from polyvalent.hub.made_call import MadeCall
from polyvalent.hub.mapped import Route
from polyvalent.hub.model import Incoming, Reach, Row
from polyvalent.hub.read import check
from polyvalent.hub.resolve import Match
from polyvalent.hub.values import find_member, read_json
from polyvalent.instances.model import Connection

# After these a row is as it was; after others it may be written.
_NOT_WRITTEN: Final[frozenset[FailureKind]] = frozenset(
    ("refused", "absent", "duplicate", "permission")
)
_REFUSED = 400  # where the answer has no status for a row


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchCall:
    """Hold how rows of one list are changed, many in one call; `resource` is what is called."""

    batch: WriteBatch
    resource: Resource
    route: Route


def find_batch(route: Route, resource: Resource) -> BatchCall | None:
    """Return how many rows are changed at once, from what changes one; None if they are not."""
    batch = resource.writing.batch if resource.writing is not None else None
    if batch is None or resource.next_resource or batch.rows_max < 2:
        return None
    called = structs.replace(
        resource,
        vendor_path=batch.vendor_path,
        vendor_method=batch.vendor_method,
        parameters=tuple(item for item in resource.parameters if item.type != "path"),
        writing=None,
    )
    return BatchCall(batch=batch, resource=called, route=route)


async def write_batch(
    connection: Connection,
    call: BatchCall,
    rows: Sequence[tuple[Any, Row]],
    *,
    reach: Reach,
    ledger: Ledger | None = None,
) -> dict[str, VendorRefused | None]:
    """
    Change rows, given with their ids and as callers write them, in one call.

    [(7, {"qty": 5}), (8, {"qty": "x"})] → {"7": None, "8": VendorRefused(…)}: 7 is written, 8 is
    not. Of an id that is missing nothing is known. Raises what the answer means where it is a
    failure of the whole, and as `Ledger.turn`. Effects: writes at the vendor.
    """
    key = call.batch.key_field
    items = [{**call.route.inwards(row), key: row_id} for row_id, row in rows]
    made = MadeCall(
        connection=connection,
        incoming=Incoming(method=call.resource.method, path=call.route.path),
        route=call.route,
        match=Match(resource=call.resource, path_parameters={}),
        reach=reach,
    )
    turn = nullcontext() if ledger is None else ledger.turn(connection, identity=None)
    async with turn:
        if ledger is not None:
            ledger.mark("write.before_send")
        exchange = await made.send(made.match, body=orjson.dumps(items))
        if ledger is not None:
            ledger.mark("write.after_send")
    check(connection.element, exchange)
    ids = frozenset(str(row_id) for row_id, _ in rows)
    return read_fates(connection.element, call.batch, exchange, ids=ids)


def read_fates(
    element: Element, batch: WriteBatch, exchange: Exchange, *, ids: frozenset[str]
) -> dict[str, VendorRefused | None]:
    """Read what became of each row that an answer names by its id. Pure."""
    told = read_json(exchange.response.body)
    key = batch.answer_key or batch.key_field
    written = {_id_of(item, key) for item in _list(told, batch.written)} & ids
    failures: dict[str, list[Any]] = {}
    for item in _list(told, batch.failed):
        failures.setdefault(_id_of(item, key), []).append(item)
    fates: dict[str, VendorRefused | None] = dict.fromkeys(written - set(failures))
    for row_id in (ids & set(failures)) - written:
        refusal = _refusal(element, batch, exchange, failures[row_id])
        if refusal is not None:
            fates[row_id] = refusal
    return fates


def _refusal(
    element: Element, batch: WriteBatch, exchange: Exchange, items: list[Any]
) -> VendorRefused | None:
    # Several things may be wrong with one row; each must be such that nothing was written.
    words, rule = [], None
    for item in items:
        given = item if isinstance(item, dict) else {}
        status = str(given.get(batch.status, _REFUSED))
        answer = Response(
            status=int(status) if status.isdigit() else _REFUSED,
            headers=(("Content-Type", "application/json"),),
            body=orjson.dumps(item),
        )
        rule = classify(element, exchange.request.method, answer)
        if rule is None or rule.kind not in _NOT_WRITTEN:
            return None
        words.append(str(given[batch.message]) if batch.message in given else "")
    assert rule is not None  # there is one item at least
    return VendorRefused(
        rule.message,
        status=status_of(rule),
        provider_message="; ".join(text for text in words if text) or None,
    )


def _list(told: Any, path: str) -> list[Any]:
    found = find_member(told, path) if path else None
    return found if isinstance(found, list) else []


def _id_of(item: Any, key: str) -> str:
    return str(item.get(key) if isinstance(item, dict) else item)
