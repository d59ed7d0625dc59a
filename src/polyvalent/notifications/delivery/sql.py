"""Hold every statement of deliveries, one function each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from polyvalent.db import Connection, next_ids
from polyvalent.db.schema_notifications import (
    delivery,
    delivery_object,
    notification,
    subscription,
)
from polyvalent.notifications.model import Delivery, DeliveryStatus

WAITING = (DeliveryStatus.CREATED, DeliveryStatus.RETRY)
_LONGEST_KEY = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDelivery:
    """Hold a delivery that is to be made, and what it is about: ("orders/981",)."""

    notification_id: int
    subscription_id: int
    status: DeliveryStatus
    object_keys: tuple[str, ...]


async def insert_deliveries(
    connection: Connection, new: Sequence[NewDelivery], *, now: datetime
) -> None:
    """Insert deliveries that are due now, in this order."""
    if not new:
        return
    ids = await next_ids(connection, delivery, len(new))
    pairs = list(zip(ids, new, strict=True))
    rows = [
        {
            "id": new_id,
            "notification_id": item.notification_id,
            "subscription_id": item.subscription_id,
            "status": item.status,
            "attempts": 0,
            "due_at": now,
            "created_at": now,
            "updated_at": now,
        }
        for new_id, item in pairs
    ]
    await connection.execute(insert(delivery), rows)
    objects = [
        {"delivery_id": new_id, "object_key": key, "subscription_id": item.subscription_id}
        for new_id, item in pairs
        for key in dict.fromkeys(map(_short, item.object_keys))
    ]
    if objects:
        await connection.execute(insert(delivery_object), objects)


async def list_heads(
    connection: Connection,
    *,
    subscription_id: int,
    now: datetime,
    limit: int,
) -> tuple[Delivery, ...]:
    """List deliveries that are due and have no earlier one about the same before them."""
    query = (
        select(delivery)
        .where(*_due(subscription_id, now), ~_is_behind())
        .order_by(delivery.c.due_at, delivery.c.id)
        .limit(limit)
    )
    return tuple(_delivery(row) for row in await connection.execute(query))


async def list_followers(
    connection: Connection,
    *,
    subscription_id: int,
    heads: Sequence[int],
    now: datetime,
    limit: int,
) -> tuple[Delivery, ...]:
    """List deliveries that are due and about what some others are about, the oldest first."""
    keys = select(delivery_object.c.object_key).where(delivery_object.c.delivery_id.in_(heads))
    about = select(delivery_object.c.delivery_id).where(
        delivery_object.c.subscription_id == subscription_id,
        delivery_object.c.object_key.in_(keys),
    )
    query = (
        select(delivery)
        .where(*_due(subscription_id, now), delivery.c.id.in_(about), delivery.c.id.not_in(heads))
        .order_by(delivery.c.id)
        .limit(limit)
    )
    return tuple(_delivery(row) for row in await connection.execute(query))


async def list_objects(
    connection: Connection, delivery_ids: Sequence[int]
) -> dict[int, tuple[str, ...]]:
    """Return what deliveries are about: {7: ("orders/981",)}."""
    query = select(delivery_object.c.delivery_id, delivery_object.c.object_key).where(
        delivery_object.c.delivery_id.in_(delivery_ids)
    )
    found: dict[int, tuple[str, ...]] = {}
    for row in await connection.execute(query):
        found[row.delivery_id] = (*found.get(row.delivery_id, ()), row.object_key)
    return found


async def list_blocked(connection: Connection, delivery_ids: Sequence[int]) -> frozenset[int]:
    """Return those of some deliveries that wait behind one which is not among them."""
    mine, earlier = delivery_object.alias("mine"), delivery_object.alias("earlier")
    query = (
        select(mine.c.delivery_id)
        .join(
            earlier,
            and_(
                earlier.c.subscription_id == mine.c.subscription_id,
                earlier.c.object_key == mine.c.object_key,
                earlier.c.delivery_id < mine.c.delivery_id,
            ),
        )
        .where(mine.c.delivery_id.in_(delivery_ids), earlier.c.delivery_id.not_in(delivery_ids))
        .distinct()
    )
    return frozenset((await connection.execute(query)).scalars())


async def find_next_due(connection: Connection, *, subscription_id: int) -> datetime | None:
    """Return when the next delivery of a subscription is due, None if none waits."""
    query = select(func.min(delivery.c.due_at)).where(
        delivery.c.subscription_id == subscription_id,
        delivery.c.status.in_(WAITING),
        ~_is_behind(),
    )
    found: datetime | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def count_delivered(connection: Connection, *, subscription_id: int) -> int:
    """Count what has arrived at a subscription."""
    query = (
        select(func.count())
        .select_from(delivery)
        .where(
            delivery.c.subscription_id == subscription_id,
            delivery.c.status == DeliveryStatus.DELIVERED,
        )
    )
    return int((await connection.execute(query)).scalar_one())


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """Hold what came of an attempt."""

    delivery_id: int
    status: DeliveryStatus
    attempts: int
    due_at: datetime
    answered: int | None
    message: str | None


async def settle(connection: Connection, settled: Sequence[Settled], *, now: datetime) -> None:
    """Note what came of attempts; nothing waits any more behind what arrived."""
    if not settled:
        return
    rows = [
        {
            "of_id": item.delivery_id,
            "status": item.status,
            "attempts": item.attempts,
            "due_at": item.due_at,
            "answered": item.answered,
            "message": item.message,
            "updated_at": now,
        }
        for item in settled
    ]
    # SQLAlchemy takes the values to set from the rows; one prepared statement serves all of them.
    await connection.execute(update(delivery).where(delivery.c.id == bindparam("of_id")), rows)
    arrived = [item.delivery_id for item in settled if item.status is DeliveryStatus.DELIVERED]
    if arrived:
        await connection.execute(
            delete(delivery_object).where(delivery_object.c.delivery_id.in_(arrived))
        )


async def bring_forward(connection: Connection, *, subscription_id: int, now: datetime) -> None:
    """Let everything that waits to be tried again be tried now."""
    await connection.execute(
        update(delivery)
        .where(
            delivery.c.subscription_id == subscription_id,
            delivery.c.status == DeliveryStatus.RETRY,
            delivery.c.due_at > now,
        )
        .values(due_at=now, updated_at=now)
    )


async def queue_waiting(connection: Connection, *, subscription_id: int, now: datetime) -> None:
    """Let what still waits for a subscription wait for somebody to release it."""
    await connection.execute(
        update(delivery)
        .where(delivery.c.subscription_id == subscription_id, delivery.c.status.in_(WAITING))
        .values(status=DeliveryStatus.QUEUED, updated_at=now)
    )


async def release(connection: Connection, ids: Sequence[int], *, now: datetime) -> int:
    """Let queued deliveries be tried again, from the beginning; return how many there were."""
    result = await connection.execute(
        update(delivery)
        .where(delivery.c.id.in_(ids), delivery.c.status == DeliveryStatus.QUEUED)
        .values(status=DeliveryStatus.CREATED, attempts=0, due_at=now, updated_at=now)
    )
    return result.rowcount


async def list_deliveries(
    connection: Connection,
    *,
    account_id: int,
    notification_id: int | None = None,
    subscription_id: int | None = None,
    limit: int,
) -> tuple[Delivery, ...]:
    """List deliveries of an account, the newest first."""
    query: Select[Any] = (
        select(delivery)
        .join(subscription, subscription.c.id == delivery.c.subscription_id)
        .where(subscription.c.account_id == account_id)
    )
    if notification_id is not None:
        query = query.where(delivery.c.notification_id == notification_id)
    if subscription_id is not None:
        query = query.where(delivery.c.subscription_id == subscription_id)
    rows = await connection.execute(query.order_by(delivery.c.id.desc()).limit(limit))
    return tuple(_delivery(row) for row in rows)


async def list_queued(
    connection: Connection, *, account_id: int, behind_id: int, limit: int
) -> tuple[Delivery, ...]:
    """List queued deliveries of an account behind one, the oldest first."""
    query = (
        select(delivery)
        .join(subscription, subscription.c.id == delivery.c.subscription_id)
        .where(
            subscription.c.account_id == account_id,
            delivery.c.status == DeliveryStatus.QUEUED,
            delivery.c.id > behind_id,
        )
        .order_by(delivery.c.id)
        .limit(limit)
    )
    return tuple(_delivery(row) for row in await connection.execute(query))


async def release_all(connection: Connection, *, subscription_id: int, now: datetime) -> int:
    """Let everything that is queued for a subscription be tried again; return how many."""
    result = await connection.execute(
        update(delivery)
        .where(
            delivery.c.subscription_id == subscription_id,
            delivery.c.status == DeliveryStatus.QUEUED,
        )
        .values(status=DeliveryStatus.CREATED, attempts=0, due_at=now, updated_at=now)
    )
    return result.rowcount


async def list_states(
    connection: Connection, event_ids: Sequence[str]
) -> tuple[tuple[str, DeliveryStatus], ...]:
    """List where the deliveries of events stand."""
    query = (
        select(notification.c.event_id, delivery.c.status)
        .join(delivery, delivery.c.notification_id == notification.c.id)
        .where(notification.c.event_id.in_(event_ids))
    )
    rows = await connection.execute(query)
    return tuple((row.event_id, DeliveryStatus(row.status)) for row in rows)


def fails(event_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Say, within a query, that a delivery of an event failed and has not arrived since."""
    failed = (DeliveryStatus.RETRY, DeliveryStatus.QUEUED)
    return (
        select(delivery.c.id)
        .join(notification, notification.c.id == delivery.c.notification_id)
        .where(notification.c.event_id == event_id, delivery.c.status.in_(failed))
        .exists()
    )


async def count_waiting(connection: Connection) -> tuple[dict[str, int], datetime | None]:
    """
    Count all deliveries that have not arrived, and say since when the oldest of them waits.

    ({"created": 12, "retry": 1, "queued": 0}, …); None where none waits. Those that are queued
    wait for a person and do not count as the oldest.
    """
    counts = {status.value: 0 for status in (*WAITING, DeliveryStatus.QUEUED)}
    query = (
        select(delivery.c.status, func.count(), func.min(delivery.c.created_at))
        .where(delivery.c.status.in_(counts))
        .group_by(delivery.c.status)
    )
    oldest: list[datetime] = []
    for status, number, oldest_at in await connection.execute(query):
        counts[status] = number
        oldest += [oldest_at] if status in WAITING else []
    return counts, min(oldest, default=None)


def _due(subscription_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        delivery.c.subscription_id == subscription_id,
        delivery.c.status.in_(WAITING),
        delivery.c.due_at <= now,
    )


def _is_behind() -> ColumnElement[bool]:
    """Say that an earlier delivery about the same has not arrived yet."""
    mine, earlier = delivery_object.alias("mine"), delivery_object.alias("earlier")
    return (
        select(mine.c.delivery_id)
        .join(
            earlier,
            and_(
                earlier.c.subscription_id == mine.c.subscription_id,
                earlier.c.object_key == mine.c.object_key,
                earlier.c.delivery_id < mine.c.delivery_id,
            ),
        )
        .where(mine.c.delivery_id == delivery.c.id)
        .correlate(delivery)
        .exists()
    )


def _short(key: str) -> str:
    # An index takes no text of any length, and a vendor's ids may have any.
    if len(key) <= _LONGEST_KEY:
        return key
    return blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _delivery(row: Any) -> Delivery:
    return Delivery(
        id=row.id,
        notification_id=row.notification_id,
        subscription_id=row.subscription_id,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        due_at=row.due_at,
        answered=row.answered,
        message=row.message,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
