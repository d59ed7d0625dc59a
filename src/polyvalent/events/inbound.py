"""Take in the calls by which vendors tell of changes."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from polyvalent.errors import BadRequest, Conflict, NotFound
from polyvalent.events.follow import has_events
from polyvalent.events.keep import keep_records, make_records
from polyvalent.events.payload import check_signature, read_changes, read_payload
from polyvalent.exchange import Headers, find_header
from polyvalent.hub.access import HubAccess, Opened
from polyvalent.instances.find import LARGEST_ID

HEADER = "Element-Instances"
MOST_INSTANCES = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """Hold a vendor's call as it came."""

    element_key: str
    encoded_id: str | None  # of the path
    query: tuple[tuple[str, str], ...] = field(repr=False)
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)


async def take_in(access: HubAccess, told: Told) -> tuple[str, ...]:
    """
    Store what a vendor tells of one or more instances, and publish it; the event ids.

    Raises NotFound if one of the instances is not known, Conflict if its events are off, Forbidden
    for a wrong signature, BadRequest for what cannot be read; then nothing is stored.
    """
    ids = _instance_ids(told)
    if not ids:
        raise NotFound(
            "The call names no instance. Call /events/{elementKey}/{base64 of the instance's id}, "
            f"or send the header {HEADER}: 123,456."
        )
    payload = read_payload(told.body, find_header(told.headers, "Content-Type"), told.query)
    opened = [await _open(access, told, instance_id) for instance_id in ids]
    ports = access.ports
    kept: list[str] = []
    async with ports.database.transaction() as connection:
        for item in opened:
            now = ports.now()
            changes = read_changes(payload, item.element.webhooks, now=now)
            object_type = changes[0].object_type if changes else ""
            records = make_records(ports, "webhook", object_type, changes, raw=payload, now=now)
            await keep_records(connection, ports, item.instance, item.element, records)
            kept += [record.id for record in records]
        ports.mark("inbound.before_commit")
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
    signature = opened.element.webhooks and opened.element.webhooks.signature
    if signature:
        check_signature(
            signature,
            instance.configuration,
            given=find_header(told.headers, signature.header),
            body=told.body,
        )
    if not has_events(instance.configuration):
        raise Conflict(
            f"Events of instance {instance_id} are off. Set event.notification.enabled to true."
        )
    return opened


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
