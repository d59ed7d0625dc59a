"""Hold what events are: one change of one object, and the record of changes handed on together."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeAlias

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
