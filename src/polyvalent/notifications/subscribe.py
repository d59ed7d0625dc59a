"""Keep the subscription of an instance at the callback URL that its configuration names."""

from __future__ import annotations

from datetime import datetime

from polyvalent.db import Connection, lock
from polyvalent.db.key_file import KeyFile
from polyvalent.instances.model import Instance
from polyvalent.notifications import sql
from polyvalent.notifications.delivery.sql import release_all
from polyvalent.notifications.delivery.wake import wake_delivery
from polyvalent.notifications.model import CALLBACK_URL, Owner
from polyvalent.vault import Random


def topic_of(instance_id: int, element_key: str) -> str:
    """Name the topic of an instance's events: "instance-7-shop-events"."""
    return f"instance-{instance_id}-{element_key}-events"


async def follow_instance(
    connection: Connection, keys: KeyFile, instance: Instance, *, now: datetime, random: Random
) -> None:
    """
    Let the subscription of an instance lead where its configuration says now.

    A changed callback URL moves what has not arrived yet along, and wakes a subscription that was
    switched off. Without a URL there is none.
    """
    await lock(connection, f"subscription/{instance.id}")
    url = instance.configuration.get(CALLBACK_URL) or ""
    known = await sql.find_subscription_of(connection, keys, instance_id=instance.id)
    if known is None:
        if url:
            await sql.insert_subscription(
                connection,
                keys.ring(),
                owner=Owner(
                    organization_id=instance.organization_id,
                    account_id=instance.account_id,
                    instance_id=instance.id,
                ),
                user_id=instance.user_id,
                channel="webhook",
                topics=(topic_of(instance.id, instance.element_key),),
                config={"url": url},
                now=now,
                random=random,
            )
    elif not url:
        await sql.delete_subscription(connection, known.id)
    elif known.config.get("url") != url:
        await sql.lead_subscription(
            connection, keys.ring(), known.id, config={"url": url}, random=random
        )
        # What waited for a person waited for the old address.
        await release_all(connection, subscription_id=known.id, now=now)
        await wake_delivery(connection, keys, known, now=now, random=random)
