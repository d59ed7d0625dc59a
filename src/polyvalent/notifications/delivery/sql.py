"""Hold every statement of deliveries, one function each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, insert, select, update

from polyvalent.db import Connection
from polyvalent.db.schema_notifications import delivery, notification, subscription
from polyvalent.notifications.model import Delivery, DeliveryStatus

WAITING = (DeliveryStatus.CREATED, DeliveryStatus.RETRY)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDelivery:
    """Hold a delivery that is to be made."""

    notification_id: int
    subscription_id: int
    status: DeliveryStatus
    order_key: str | None


async def insert_deliveries(
    connection: Connection, new: Sequence[NewDelivery], *, now: datetime
) -> None:
    """Insert deliveries that are due now, in this order."""
    if not new:
        return
    rows = [
        {
            "notification_id": item.notification_id,
            "subscription_id": item.subscription_id,
            "status": item.status,
            "order_key": item.order_key,
            "attempts": 0,
            "due_at": now,
            "created_at": now,
            "updated_at": now,
        }
        for item in new
    ]
    await connection.execute(insert(delivery), rows)


async def list_chains(
    connection: Connection,
    *,
    subscription_id: int,
    now: datetime,
    chains_max: int,
    chain_max: int,
) -> tuple[tuple[Delivery, ...], ...]:
    """
    List deliveries that are due, those of one key in one chain, in their order.

    A chain begins with the first of its key that has not arrived, and goes on as far as its
    deliveries are due; one without a key is alone.
    """
    query = (
        select(delivery)
        .where(
            delivery.c.subscription_id == subscription_id,
            delivery.c.status.in_(WAITING),
            delivery.c.due_at <= now,
            ~_is_behind(),
        )
        .order_by(delivery.c.due_at, delivery.c.id)
        .limit(chains_max)
    )
    heads = [_delivery(row) for row in await connection.execute(query)]
    keys = [item.order_key for item in heads if item.order_key is not None]
    if chain_max == 1 or not keys:
        return tuple((head,) for head in heads)
    behind = (
        select(delivery)
        .where(
            delivery.c.subscription_id == subscription_id,
            delivery.c.order_key.in_(keys),
            delivery.c.status != DeliveryStatus.DELIVERED,
        )
        .order_by(delivery.c.id)
        .limit(chains_max * chain_max)
    )
    of_key: dict[str | None, list[Delivery]] = {}
    for row in await connection.execute(behind):
        of_key.setdefault(row.order_key, []).append(_delivery(row))

    def chain(head: Delivery) -> tuple[Delivery, ...]:
        following = [] if head.order_key is None else of_key.get(head.order_key, [])
        more = takewhile(
            lambda item: item.status in WAITING and item.due_at <= now,
            (item for item in following if item.id > head.id),
        )
        return (head, *islice(more, chain_max - 1))

    return tuple(chain(head) for head in heads)


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
    """Note what came of attempts."""
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


def _is_behind() -> ColumnElement[bool]:
    """Say that an earlier delivery of the same key has not arrived yet."""
    earlier = delivery.alias("earlier")
    return (
        select(earlier.c.id)
        .where(
            earlier.c.subscription_id == delivery.c.subscription_id,
            earlier.c.order_key == delivery.c.order_key,
            earlier.c.id < delivery.c.id,
            earlier.c.status != DeliveryStatus.DELIVERED,
        )
        .exists()
    )


def _delivery(row: Any) -> Delivery:
    return Delivery(
        id=row.id,
        notification_id=row.notification_id,
        subscription_id=row.subscription_id,
        status=DeliveryStatus(row.status),
        order_key=row.order_key,
        attempts=row.attempts,
        due_at=row.due_at,
        answered=row.answered,
        message=row.message,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
