"""Put notifications and their deliveries on their way, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from polyvalent.db import Connection, lock
from polyvalent.db.key_file import KeyFile
from polyvalent.instances.model import Instance
from polyvalent.notifications import sql
from polyvalent.notifications.delivery.sql import NewDelivery, insert_deliveries
from polyvalent.notifications.delivery.wake import plan_sweep, wake_delivery
from polyvalent.notifications.model import DeliveryStatus, Notice, Owner
from polyvalent.notifications.subscribe import follow_instance
from polyvalent.vault import Random


async def publish_of_instance(
    connection: Connection,
    keys: KeyFile,
    instance: Instance,
    notices: Sequence[Notice],
    *,
    now: datetime,
    random: Random,
) -> tuple[int, ...]:
    """
    Tell what happened at an instance: to its callback URL, and to whoever subscribed to the topic.

    Returns the ids of the notifications. What is stored here and what else the transaction holds
    are there together or not at all.
    """
    owner = Owner(
        organization_id=instance.organization_id,
        account_id=instance.account_id,
        instance_id=instance.id,
    )
    await follow_instance(connection, keys, instance, now=now, random=random)
    return await publish(connection, keys, notices, owner=owner, now=now, random=random)


async def publish(
    connection: Connection,
    keys: KeyFile,
    notices: Sequence[Notice],
    *,
    owner: Owner,
    now: datetime,
    random: Random,
) -> tuple[int, ...]:
    """Tell whoever of the account subscribed to the topics; see `publish_of_instance`."""
    if not notices:
        return ()
    topics = {notice.topic for notice in notices}
    subscriptions = [
        item
        for item in await sql.list_subscriptions(connection, keys, account_id=owner.account_id)
        if topics & set(item.topics)
    ]
    for item in subscriptions:
        # What is committed later has later ids: deliveries keep their order by them.
        await lock(connection, f"deliveries/{item.id}")
    ids = await sql.insert_notifications(
        connection, keys.ring(), notices, owner=owner, now=now, random=random
    )
    deliveries = [
        NewDelivery(
            notification_id=new_id,
            subscription_id=item.id,
            # Whose receiver failed for three days hears of nothing more until it is released.
            status=DeliveryStatus.CREATED if item.active else DeliveryStatus.QUEUED,
            object_keys=notice.object_keys,
        )
        for new_id, notice in zip(ids, notices, strict=True)
        for item in subscriptions
        if notice.topic in item.topics
    ]
    await insert_deliveries(connection, deliveries, now=now)
    for item in subscriptions:
        if item.active:
            await wake_delivery(connection, keys, item, now=now, random=random)
            await plan_sweep(connection, keys, item, now=now, random=random)
    return tuple(ids)
