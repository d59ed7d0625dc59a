"""Keep changes as records and in the feed, and publish them, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from polyvalent.catalog.element import Element
from polyvalent.db import Connection
from polyvalent.events import sql
from polyvalent.events.model import Change, Record, Source
from polyvalent.instances.model import Instance
from polyvalent.instances.ports import Ports
from polyvalent.notifications.model import Notice
from polyvalent.notifications.publish import publish_of_instance
from polyvalent.notifications.subscribe import topic_of

EVENT_ID_BYTES = 16
# Changes that are handed on together: more are divided.
MOST_TOGETHER: dict[Source, int] = {"polling": 10, "webhook": 20}


def make_records(
    ports: Ports,
    source: Source,
    object_type: str,
    changes: Sequence[Change],
    *,
    raw: Any,
    now: datetime,
) -> tuple[Record, ...]:
    """
    Divide changes into records, each with the whole of what the vendor said.

    `raw` may be a function of the changes of a record. Without changes there is one record.
    """
    most = MOST_TOGETHER[source]
    parts = [tuple(changes[at : at + most]) for at in range(0, len(changes), most)] or [()]
    return tuple(
        Record(
            id=ports.random(EVENT_ID_BYTES).hex(),
            source=source,
            object_type=object_type,
            raw=raw(part) if callable(raw) else raw,
            changes=part,
            noted_at=now,
        )
        for part in parts
    )


async def keep_records(
    connection: Connection,
    ports: Ports,
    instance: Instance,
    element: Element,
    records: Sequence[Record],
) -> None:
    """
    Keep records and publish them, in the caller's transaction.

    Raises NotFound if the instance was deleted meanwhile; then nothing of the transaction counts.
    """
    if not records:
        return
    await sql.lock_feed(connection, instance.id)
    await sql.insert_records(connection, ports.keys, instance.id, records, random=ports.random)
    notices = [
        Notice(
            topic=topic_of(instance.id, instance.element_key),
            event_id=record.id,
            message=message_of(record, instance, element),
            object_keys=_keys_of(record),
        )
        for record in records
    ]
    await publish_of_instance(
        connection, ports.keys, instance, notices, now=ports.now(), random=ports.random
    )


def _keys_of(record: Record) -> tuple[str, ...]:
    # A change of nothing that has a name need not wait for another.
    return tuple(
        f"{item.object_type}/{item.object_id}"
        for item in record.changes
        if item.object_type or item.object_id
    )


def message_of(record: Record, instance: Instance, element: Element) -> dict[str, Any]:
    """Make the message of a record: its ids, the instance, what the vendor said, the changes."""
    return {
        "eventId": record.id,
        "accountId": instance.account_id,
        "companyId": instance.organization_id,
        "instance_id": instance.id,
        "instanceId": instance.id,
        "instanceName": instance.name,
        "instanceTags": list(instance.tags),
        "raw": record.raw,
        "events": [
            {
                "date": show_moment(item.changed_at),
                "elementKey": element.key,
                "eventType": item.type.value,
                "hubKey": element.hub,
                "objectId": item.object_id,
                "objectType": item.object_type,
            }
            for item in record.changes
        ],
    }


def show_moment(moment: datetime) -> str:
    """Write a moment: "2024-03-05T09:31:00Z"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
