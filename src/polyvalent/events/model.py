"""Hold what events are: one change of one object, and the record of changes handed on together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from polyvalent.db import Connection
from polyvalent.instances.model import Instance

Source: TypeAlias = Literal["polling", "webhook"]


class EventType(StrEnum):
    """Name what became of an object."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Say that one object changed: {"type": "UPDATED", "object_type": "orders", "id": "981"}."""

    type: EventType
    object_type: str
    object_id: str
    changed_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """
    Hold changes that are handed on together, with what the vendor said.

    `id` is the event id of every message about them.
    """

    id: str
    source: Source
    object_type: str
    raw: Any = field(repr=False)  # the merchant's data
    changes: tuple[Change, ...]
    noted_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """
    Hold what is published of a record: the whole `message` that a receiver gets.

    Notices of one `object_key` reach a receiver in their order.
    """

    topic: str
    event_id: str
    message: dict[str, Any] = field(repr=False)
    object_key: str | None
    severity: str = "low"


# Publishes notices in the transaction that stores their events.
Publish: TypeAlias = Callable[[Connection, Instance, Sequence[Notice]], Awaitable[None]]


async def publish_nothing(
    _connection: Connection, _instance: Instance, _notices: Sequence[Notice]
) -> None:
    """Hand nothing on: events are read from their records and the feed of changes."""
