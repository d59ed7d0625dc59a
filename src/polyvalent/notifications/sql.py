"""Hold every statement of notifications, one function each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import delete, insert, select, update

from polyvalent.db import Connection, next_id, next_ids
from polyvalent.db.key_file import KeyFile
from polyvalent.db.schema import sealed_context
from polyvalent.db.schema_notifications import delivery, notification, subscription
from polyvalent.notifications.model import (
    DeliveryStatus,
    Notice,
    Notification,
    Owner,
    Subscription,
)
from polyvalent.vault import KeyRing, Random, open_sealed, seal


async def insert_notifications(
    connection: Connection,
    ring: KeyRing,
    notices: Sequence[Notice],
    *,
    owner: Owner,
    now: datetime,
    random: Random,
) -> Sequence[int]:
    """Insert notifications and return their ids, in the order given."""
    ids = await next_ids(connection, notification, len(notices))
    rows = []
    for new_id, notice in zip(ids, notices, strict=True):
        context = sealed_context(notification.c.message_sealed, {"id": new_id})
        text = orjson.dumps(notice.message).decode()
        rows.append(
            {
                "id": new_id,
                "organization_id": owner.organization_id,
                "account_id": owner.account_id,
                "instance_id": owner.instance_id,
                "topic": notice.topic,
                "severity": notice.severity,
                "sender": notice.sender,
                "event_id": notice.event_id,
                "message_sealed": seal(ring, text, context=context, random=random),
                "created_at": now,
            }
        )
    await connection.execute(insert(notification), rows)
    return ids


async def find_notifications(
    connection: Connection, keys: KeyFile, ids: Iterable[int]
) -> dict[int, Notification]:
    """Find notifications by their ids."""
    query = select(notification).where(notification.c.id.in_(list(ids)))
    return {row.id: _notification(keys, row) for row in await connection.execute(query)}


async def find_notification(
    connection: Connection, keys: KeyFile, notification_id: int, *, account_id: int
) -> Notification | None:
    """Find a notification of an account."""
    query = select(notification).where(
        notification.c.id == notification_id, notification.c.account_id == account_id
    )
    row = (await connection.execute(query)).first()
    return None if row is None else _notification(keys, row)


async def list_notifications(
    connection: Connection,
    keys: KeyFile,
    *,
    account_id: int,
    topics: Sequence[str],
    before_id: int | None,
    limit: int,
) -> tuple[Notification, ...]:
    """List the notifications of some topics, the newest first."""
    query = select(notification).where(
        notification.c.account_id == account_id, notification.c.topic.in_(topics)
    )
    if before_id is not None:
        query = query.where(notification.c.id < before_id)
    rows = await connection.execute(query.order_by(notification.c.id.desc()).limit(limit))
    return tuple(_notification(keys, row) for row in rows)


async def acknowledge(connection: Connection, notification_id: int) -> None:
    """Note that somebody has seen a notification."""
    await connection.execute(
        update(notification).where(notification.c.id == notification_id).values(acknowledged=True)
    )


async def delete_notification(connection: Connection, notification_id: int) -> None:
    """Delete a notification with its deliveries."""
    await connection.execute(delete(notification).where(notification.c.id == notification_id))


async def forget_notifications(connection: Connection, *, before: datetime) -> int:
    """Delete the notifications from before a moment, but those that still wait for delivery."""
    waiting = select(delivery.c.notification_id).where(
        delivery.c.status != DeliveryStatus.DELIVERED
    )
    result = await connection.execute(
        delete(notification).where(
            notification.c.created_at < before, notification.c.id.not_in(waiting)
        )
    )
    return result.rowcount


async def insert_subscription(
    connection: Connection,
    ring: KeyRing,
    *,
    owner: Owner,
    user_id: int,
    channel: str,
    topics: Sequence[str],
    config: Mapping[str, Any],
    now: datetime,
    random: Random,
) -> int:
    """Insert an active subscription and return its id."""
    new_id = await next_id(connection, subscription)
    await connection.execute(
        insert(subscription).values(
            id=new_id,
            organization_id=owner.organization_id,
            account_id=owner.account_id,
            instance_id=owner.instance_id,
            user_id=user_id,
            channel=channel,
            topics=orjson.dumps(list(topics)).decode(),
            config_sealed=_seal_config(ring, new_id, config, random),
            created_at=now,
        )
    )
    return new_id


async def find_subscription(
    connection: Connection, keys: KeyFile, subscription_id: int, *, account_id: int | None
) -> Subscription | None:
    """Find a subscription, of an account or, where that is None, of any."""
    query = select(subscription).where(subscription.c.id == subscription_id)
    if account_id is not None:
        query = query.where(subscription.c.account_id == account_id)
    row = (await connection.execute(query)).first()
    return None if row is None else _subscription(keys, row)


async def find_subscription_of(
    connection: Connection, keys: KeyFile, *, instance_id: int
) -> Subscription | None:
    """Find the subscription that follows an instance."""
    query = select(subscription).where(subscription.c.instance_id == instance_id)
    row = (await connection.execute(query)).first()
    return None if row is None else _subscription(keys, row)


async def list_subscriptions(
    connection: Connection, keys: KeyFile, *, account_id: int
) -> tuple[Subscription, ...]:
    """List the subscriptions of an account by id."""
    query = (
        select(subscription)
        .where(subscription.c.account_id == account_id)
        .order_by(subscription.c.id)
    )
    return tuple(_subscription(keys, row) for row in await connection.execute(query))


async def lead_subscription(
    connection: Connection,
    ring: KeyRing,
    subscription_id: int,
    *,
    config: Mapping[str, Any],
    random: Random,
) -> None:
    """Lead a subscription to another place, and wake it."""
    await connection.execute(
        update(subscription)
        .where(subscription.c.id == subscription_id)
        .values(config_sealed=_seal_config(ring, subscription_id, config, random), active=True)
    )


async def switch_subscription(
    connection: Connection, subscription_id: int, *, active: bool
) -> None:
    """Switch a subscription on or off."""
    await connection.execute(
        update(subscription).where(subscription.c.id == subscription_id).values(active=active)
    )


async def delete_subscription(connection: Connection, subscription_id: int) -> None:
    """Delete a subscription with its deliveries."""
    await connection.execute(delete(subscription).where(subscription.c.id == subscription_id))


def _seal_config(
    ring: KeyRing, subscription_id: int, config: Mapping[str, Any], random: Random
) -> str:
    context = sealed_context(subscription.c.config_sealed, {"id": subscription_id})
    return seal(ring, orjson.dumps(config).decode(), context=context, random=random)


def _owner(row: Any) -> Owner:
    return Owner(
        organization_id=row.organization_id,
        account_id=row.account_id,
        instance_id=row.instance_id,
    )


def _notification(keys: KeyFile, row: Any) -> Notification:
    context = sealed_context(notification.c.message_sealed, {"id": row.id})
    return Notification(
        id=row.id,
        owner=_owner(row),
        topic=row.topic,
        severity=row.severity,
        sender=row.sender,
        event_id=row.event_id,
        message=orjson.loads(open_sealed(keys.ring(), row.message_sealed, context=context)),
        acknowledged=row.acknowledged,
        created_at=row.created_at,
    )


def _subscription(keys: KeyFile, row: Any) -> Subscription:
    context = sealed_context(subscription.c.config_sealed, {"id": row.id})
    return Subscription(
        id=row.id,
        owner=_owner(row),
        user_id=row.user_id,
        channel=row.channel,
        topics=tuple(orjson.loads(row.topics)),
        config=orjson.loads(open_sealed(keys.ring(), row.config_sealed, context=context)),
        active=row.active,
        created_at=row.created_at,
    )
