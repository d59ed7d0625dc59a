"""Describe notifications, subscriptions, deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

SEVERITIES = ("low", "medium", "high")
CHANNELS = ("webhook", "email")
# Of an instance: where its notifications go.
CALLBACK_URL = "event.notification.callback.url"


class DeliveryStatus(StrEnum):
    """Name where a delivery stands."""

    CREATED = "created"
    RETRY = "retry"  # it failed, and is tried again by itself
    DELIVERED = "delivered"
    QUEUED = "queued"  # it waits for somebody to release it

    @property
    def is_waiting(self) -> bool:
        """Say whether it will be tried without anybody's doing."""
        return self in (DeliveryStatus.CREATED, DeliveryStatus.RETRY)


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Say whose something is; `instance_id` where an instance made it."""

    organization_id: int
    account_id: int
    instance_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """
    Say what to tell.

    `message` is a text, or of an event the object that consumers get as `message`. `event_id` is
    its name in all deliveries. Notices that share one of `object_keys`, such as "orders/981",
    arrive in their order.
    """

    topic: str
    message: Any = field(repr=False)
    severity: str = "low"
    sender: str | None = None
    event_id: str | None = None
    object_keys: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """Hold a stored notification."""

    id: int
    owner: Owner
    topic: str
    severity: str
    sender: str | None
    event_id: str | None
    message: Any = field(repr=False)
    acknowledged: bool
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """Hold who wants to know of topics; `config` has `url` of a webhook, `to` of e-mail."""

    id: int
    owner: Owner
    user_id: int
    channel: str
    topics: tuple[str, ...]
    config: dict[str, Any] = field(repr=False)
    active: bool
    created_at: datetime

    @property
    def address(self) -> str:
        """Return where it is delivered to."""
        return str(self.config.get("url") or self.config.get("to") or "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """Hold one notification on its way to one subscription."""

    id: int
    notification_id: int
    subscription_id: int
    status: DeliveryStatus
    attempts: int
    due_at: datetime
    answered: int | None
    message: str | None
    created_at: datetime
    updated_at: datetime
