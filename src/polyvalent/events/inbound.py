"""Take in the calls by which vendors tell of changes."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil

from polyvalent.errors import (
    BadRequest,
    Conflict,
    NotFound,
    PayloadTooLarge,
    PolyvalentError,
    TooManyEvents,
)
from polyvalent.events.follow import has_events, is_polled
from polyvalent.events.keep import keep_records, make_records
from polyvalent.events.model import Record
from polyvalent.events.payload import check_signature, read_changes, read_payload
from polyvalent.exchange import Headers, find_header
from polyvalent.hub.access import HubAccess, Opened
from polyvalent.instances.find import LARGEST_ID

HEADER = "Element-Instances"
MOST_INSTANCES = 100
PIECE_BYTES = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """Hold a vendor's call as it came."""

    element_key: str
    encoded_id: str | None  # of the path
    query: tuple[tuple[str, str], ...] = field(repr=False)
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)


def refuse_events(early_s: float) -> TooManyEvents:
    """Make the error of a call that is one too many, for so many seconds."""
    return TooManyEvents(
        "This address has told of too much without a signature. Wait as long as the header "
        "Retry-After says. Signed calls are not counted, where the element says how its vendor "
        "signs and the instance has the key.",
        retry_after_s=early_s,
    )


async def take_in(
    access: HubAccess, told: Told, *, admit: Callable[[str, int], None], most_unsigned: int
) -> tuple[str, ...]:
    """
    Store what a vendor tells of one or more instances, and publish it; the event ids.

    `admit` is asked whether as much may be stored for an element by somebody who did not sign it,
    in pieces of 4 KiB, at least one for each event; of one call never more than `most_unsigned`.

    Raises NotFound if one of the instances is not known, Conflict if its events are off or polled
    for, Forbidden for a wrong signature, PayloadTooLarge, BadRequest for what cannot be read, and
    what `admit` raises; then nothing is stored.
    """
    ids = _instance_ids(told)
    if not ids:
        raise NotFound(
            "The call names no instance. Call /events/{elementKey}/{base64 of the instance's id}, "
            f"or send the header {HEADER}: 123,456."
        )
    payload = read_payload(told.body, find_header(told.headers, "Content-Type"), told.query)
    ports, now = access.ports, access.ports.now()
    opened: Counter[str] = Counter()
    costs: Counter[str] = Counter()
    wanted: list[tuple[Opened, tuple[Record, ...]]] = []
    try:
        for instance_id in ids:
            item = await _open(access, told, instance_id)
            key = item.element.key
            signed = _is_signed(item, told)
            if not signed:
                # Whoever has told of too much makes us open no more than one.
                admit(key, 0)
                opened[key] += 1
            _check_taken(item, signed=signed)
            changes = read_changes(payload, item.element.webhooks, now=now)
            object_type = changes[0].object_type if changes else ""
            records = make_records(ports, "webhook", object_type, changes, raw=payload, now=now)
            wanted.append((item, records))
            if not signed:
                # Each record repeats all that was told.
                costs[key] += len(records) * max(1, ceil(len(told.body) / PIECE_BYTES))
                if costs[key] > most_unsigned:
                    raise _too_much(costs[key], most_unsigned)
    except PolyvalentError:
        # What leads to nothing has made work as well.
        with suppress(TooManyEvents):
            for key, number in opened.items():
                admit(key, number)
        raise
    for key, cost in costs.items():
        admit(key, cost)
    kept: list[str] = []
    async with ports.database.transaction() as connection:
        for item, records in wanted:
            await keep_records(connection, ports, item.instance, item.element, records)
            kept += [record.id for record in records]
        ports.mark("inbound.before_commit")
    ports.note_events("webhook", len(kept))
    return tuple(kept)


async def _open(access: HubAccess, told: Told, instance_id: int) -> Opened:
    absent = NotFound(f"There is no instance {instance_id} of element {told.element_key[:60]!r}.")
    try:
        opened = await access.open(instance_id)
    except NotFound as error:
        raise absent from error
    instance = opened.instance
    if told.element_key not in (instance.element_key, str(instance.element_id)):
        raise absent
    return opened


def _is_signed(opened: Opened, told: Told) -> bool:
    webhooks = opened.element.webhooks
    signature = None if webhooks is None else webhooks.signature
    return signature is not None and check_signature(
        signature,
        opened.instance.configuration,
        given=find_header(told.headers, signature.header),
        body=told.body,
    )


def _check_taken(opened: Opened, *, signed: bool) -> None:
    instance = opened.instance
    if not has_events(instance.configuration):
        raise Conflict(
            f"Events of instance {instance.id} are off. Set event.notification.enabled to true."
        )
    if is_polled(instance.configuration) and not signed:
        # Its owner believes what is told of it, because we asked the store.
        raise Conflict(
            f"Instance {instance.id} is polled for its changes, so nothing is taken in without a "
            "signature. Set event.vendor.type to webhook to be told of them."
        )


def _too_much(cost: int, most: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"Without a signature one call may bring at most {most} pieces of 4 KiB, and this one "
        f"brings {cost}: every 20 events are kept with the whole body, for each instance. Divide "
        "it, or let the vendor sign."
    )


def _instance_ids(told: Told) -> tuple[int, ...]:
    texts = [part.strip() for part in (find_header(told.headers, HEADER) or "").split(",")]
    texts = [text for text in texts if text]
    if told.encoded_id is not None:
        texts.insert(0, _decode(told.encoded_id))
    if len(texts) > MOST_INSTANCES:
        raise BadRequest(f"One call may name at most {MOST_INSTANCES} instances.")
    ids = [
        int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0 for text in texts
    ]
    if any(not 0 < found <= LARGEST_ID for found in ids):
        raise NotFound("The call names an instance whose id is no number.")
    return tuple(dict.fromkeys(ids))


def _decode(text: str) -> str:
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
