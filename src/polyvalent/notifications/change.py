"""Change notifications, subscriptions and deliveries as their owners ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from polyvalent.db import Connection
from polyvalent.db.key_file import KeyFile
from polyvalent.notifications import sql
from polyvalent.notifications.delivery import sql as delivery_sql
from polyvalent.notifications.delivery.wake import wake_delivery
from polyvalent.notifications.model import Delivery, Notification, Owner, Subscription
from polyvalent.vault import Random

find_notifications = sql.find_notifications
list_page = sql.list_notifications
list_subscriptions = sql.list_subscriptions


async def acknowledge(connection: Connection, found: Notification) -> None:
    """Note that somebody has seen a notification."""
    await sql.acknowledge(connection, found.id)


async def delete_notification(connection: Connection, found: Notification) -> None:
    """Delete a notification; what was on its way is not delivered any more."""
    await sql.delete_notification(connection, found.id)


async def insert_subscription(
    connection: Connection,
    keys: KeyFile,
    *,
    owner: Owner,
    user_id: int,
    channel: str,
    topics: Sequence[str],
    config: Mapping[str, Any],
    now: datetime,
    random: Random,
) -> Subscription:
    """Store a subscription and return it."""
    new_id = await sql.insert_subscription(
        connection,
        keys.ring(),
        owner=owner,
        user_id=user_id,
        channel=channel,
        topics=topics,
        config=config,
        now=now,
        random=random,
    )
    stored = await sql.find_subscription(connection, keys, new_id, account_id=owner.account_id)
    assert stored is not None  # inserted just now, in this transaction
    return stored


async def delete_subscription(connection: Connection, found: Subscription) -> None:
    """Delete a subscription with its deliveries."""
    await sql.delete_subscription(connection, found.id)


async def release(
    connection: Connection,
    keys: KeyFile,
    found: Iterable[tuple[Delivery, Subscription]],
    *,
    now: datetime,
    random: Random,
) -> int:
    """
    Let those of some deliveries that are queued be tried again, from their first attempt.

    Their subscriptions are active again. Returns how many there were.
    """
    pairs = list(found)
    released = await delivery_sql.release(connection, [item.id for item, _ in pairs], now=now)
    if released:
        for item in {item.id: item for _, item in pairs}.values():
            await sql.switch_subscription(connection, item.id, active=True)
            await wake_delivery(connection, keys, item, now=now, random=random)
    return released
