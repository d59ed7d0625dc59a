"""
Read what a vendor's call says: JSON, form or query, and the events in it. Pure.

Where a vendor says what is told by its element; without that the words of event hooks are looked
for: event_type, event_object_type, event_object_id, event_date.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson

from polyvalent.catalog.element import Webhooks, WebhookSignature
from polyvalent.errors import BadRequest, Forbidden, UnsupportedMediaType
from polyvalent.events.classify import read_moment
from polyvalent.events.member import find_value
from polyvalent.events.model import Change, EventType
from polyvalent.events.poll_configuration import DateField
from polyvalent.hub.read import DEEPEST, nests_deeper

_PLAIN = Webhooks(
    object_type="event_object_type",
    object_id="event_object_id",
    event_type="event_type",
    date="event_date",
)
MOST_EVENTS = 10_000
LONGEST_NAME = 500  # characters of an object's id or type


def read_payload(body: bytes, content_type: str | None, query: tuple[tuple[str, str], ...]) -> Any:
    """
    Read a vendor's call: its JSON, its form, or without a body its query.

    Raises BadRequest for JSON that is none or too deep, UnsupportedMediaType for other kinds.
    """
    if not body:
        return _fields(query)
    kind = (content_type or "application/json").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        text = body.decode("utf-8", "replace")
        try:
            return _fields(tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=1000)))
        except ValueError as error:
            raise BadRequest("The form has more than 1000 fields.") from error
    if kind.endswith(("/json", "+json")) or kind == "text/plain":
        try:
            payload = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise BadRequest(f"The body is no JSON: {error}.") from error
        if nests_deeper(payload, than=DEEPEST):
            raise BadRequest(f"The body is nested more than {DEEPEST} levels deep.")
        return payload
    raise UnsupportedMediaType(
        f"The body is {kind[:80]}; an event comes as application/json, "
        "application/x-www-form-urlencoded or in the query."
    )


def read_changes(payload: Any, webhooks: Webhooks | None, *, now: datetime) -> tuple[Change, ...]:
    """
    Find the changes in a payload; one that tells none is one change of type UNKNOWN.

    Raises BadRequest for more than 10,000.
    """
    told = webhooks or _PLAIN
    found = find_value(payload, told.rows) if told.rows else payload
    rows = found if isinstance(found, list) else [found]
    if len(rows) > MOST_EVENTS:
        raise BadRequest(f"One call may bring at most {MOST_EVENTS} events.")
    words = dict(told.event_types)
    return tuple(_change(row, payload, told, words, now) for row in rows)


def check_signature(
    told: WebhookSignature | None,
    configuration: Mapping[str, str | None],
    *,
    given: str | None,
    body: bytes,
) -> bool:
    """Check a vendor's signature where the instance has the key, and say so; raises Forbidden."""
    key = None if told is None else configuration.get(told.key)
    if told is None or not key:
        return False
    digest = hmac.digest(key.encode(), body, hashlib.sha256)
    text = digest.hex() if told.encoding == "hex" else base64.b64encode(digest).decode()
    if not hmac.compare_digest(f"{told.prefix}{text}".encode(), (given or "").encode()):
        raise Forbidden(
            f"The signature in the header {told.header} is missing or not that of this body. The "
            f"key is the instance's {told.key}."
        )
    return True


def _change(
    row: Any, payload: Any, told: Webhooks, words: Mapping[str, str], now: datetime
) -> Change:
    def text(path: str) -> str:
        value = find_value(row, path) if path else None
        if value is None and path and row is not payload:
            value = find_value(payload, path)
        if value is None or isinstance(value, dict | list):
            return ""
        # Whoever tells may be anybody, and these are columns that databases look things up by.
        return str(value)[:LONGEST_NAME].replace("\x00", "\ufffd")

    word = text(told.event_type)
    word = words.get(word, word.upper())
    known = word in EventType.__members__
    date = DateField(path=told.date) if told.date else None
    return Change(
        type=EventType(word) if known else EventType.UNKNOWN,
        object_type=text(told.object_type),
        object_id=text(told.object_id),
        changed_at=read_moment(row, date) or now,
    )


def _fields(pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            before = fields[name]
            fields[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            fields[name] = value
    return fields
