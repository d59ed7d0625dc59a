"""Look at notifications, subscriptions and deliveries of an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polyvalent.ceql import Kinds, Match, check_where, compile_match, parse_where
from polyvalent.db import Connection
from polyvalent.db.key_file import KeyFile
from polyvalent.errors import NotFound
from polyvalent.notifications import sql
from polyvalent.notifications.delivery import sql as delivery_sql
from polyvalent.notifications.model import Delivery, DeliveryStatus, Notification, Subscription

LISTED_MAX = 2000
_KINDS: Kinds = dict.fromkeys(("status", "channel", "config"), "any")

fails = delivery_sql.fails
count_waiting = delivery_sql.count_waiting


async def find_notification(
    connection: Connection, keys: KeyFile, notification_id: int, *, account_id: int
) -> Notification:
    """Find a notification of an account; raises NotFound."""
    found = await sql.find_notification(connection, keys, notification_id, account_id=account_id)
    if found is None:
        raise NotFound(f"There is no notification {notification_id}.")
    return found


async def find_subscription(
    connection: Connection, keys: KeyFile, subscription_id: int, *, account_id: int
) -> Subscription:
    """Find a subscription of an account; raises NotFound."""
    found = await sql.find_subscription(connection, keys, subscription_id, account_id=account_id)
    if found is None:
        raise NotFound(f"There is no subscription {subscription_id}.")
    return found


async def list_deliveries(
    connection: Connection,
    keys: KeyFile,
    *,
    account_id: int,
    where: str = "",
    notification_id: int | None = None,
    subscription_id: int | None = None,
) -> tuple[tuple[Delivery, Subscription], ...]:
    """
    List deliveries with their subscriptions, the newest first, at most 2000.

    `where` is a query over `channel`, `status` and `config.url`. Raises BadRequest for one that
    cannot be read, or asks for anything else.
    """
    takes = _compile(where)
    subscriptions = {
        item.id: item
        for item in await sql.list_subscriptions(connection, keys, account_id=account_id)
    }
    found = await delivery_sql.list_deliveries(
        connection,
        account_id=account_id,
        notification_id=notification_id,
        subscription_id=subscription_id,
        limit=LISTED_MAX,
    )
    pairs = ((item, subscriptions[item.subscription_id]) for item in found)
    return tuple((item, sub) for item, sub in pairs if takes(_row(item, sub)))


async def list_queued(
    connection: Connection, keys: KeyFile, *, account_id: int, where: str = ""
) -> tuple[tuple[Delivery, Subscription], ...]:
    """List every queued delivery that fits, the oldest first; see `list_deliveries`."""
    takes = _compile(where)
    subscriptions = {
        item.id: item
        for item in await sql.list_subscriptions(connection, keys, account_id=account_id)
    }
    fitting: list[tuple[Delivery, Subscription]] = []
    behind_id = 0
    while found := await delivery_sql.list_queued(
        connection, account_id=account_id, behind_id=behind_id, limit=LISTED_MAX
    ):
        behind_id = found[-1].id
        pairs = ((item, subscriptions[item.subscription_id]) for item in found)
        fitting += [(item, sub) for item, sub in pairs if takes(_row(item, sub))]
    return tuple(fitting)


async def states_of(connection: Connection, event_ids: Sequence[str]) -> Mapping[str, str]:
    """
    Say where events stand: {"e1": "delivered", "e2": "retry"}; nothing for one that nobody gets.

    An event for several receivers is delivered once it is with all of them.
    """
    states: dict[str, DeliveryStatus] = {}
    for event_id, status in await delivery_sql.list_states(connection, event_ids):
        known = states.get(event_id)
        if known is None or known is DeliveryStatus.DELIVERED:
            states[event_id] = status
    return {event_id: status.value for event_id, status in states.items()}


def _compile(where: str) -> Match:
    tree = parse_where(where) if where else None
    check_where(tree, _KINDS, object_name="deliveries")
    return compile_match(tree, {})


def _row(item: Delivery, found: Subscription) -> dict[str, Any]:
    return {"status": item.status.value, "channel": found.channel, "config": found.config}
