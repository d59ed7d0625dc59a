"""Answer the calls on notifications, subscriptions, deliveries and settings of accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from polyvalent.accounts import settings
from polyvalent.accounts.find import find_account
from polyvalent.accounts.model import Caller
from polyvalent.api.operation import LARGEST_PAGE, Answer, Call
from polyvalent.errors import BadRequest
from polyvalent.exchange import split_address
from polyvalent.notifications import change, find
from polyvalent.notifications.model import (
    CHANNELS,
    SEVERITIES,
    Delivery,
    Notice,
    Notification,
    Owner,
    Subscription,
)
from polyvalent.notifications.publish import publish


class _Draft(msgspec.Struct, frozen=True):
    topic: str
    severity: str = "low"
    message: Any = None
    sender: str | None = msgspec.field(default=None, name="from")


class _SubscriptionDraft(msgspec.Struct, frozen=True):
    channel: str
    topics: list[str]
    config: dict[str, Any]


class _Mail(msgspec.Struct, frozen=True):
    to: str
    subject: str = ""
    message: str = ""
    sender: str = msgspec.field(default="", name="from")


async def create(call: Call) -> Answer:
    """Store a notification and deliver it to whoever subscribed to its topic."""
    draft = _read(call, _Draft, '{"topic": "orders", "severity": "low", "message": "…"}')
    if not draft.topic:
        raise BadRequest("A notification needs a topic.")
    if draft.severity not in SEVERITIES:
        raise BadRequest(f"severity must be one of {', '.join(SEVERITIES)}.")
    ports, caller = call.platform.ports, call.known_caller()
    notice = Notice(
        topic=draft.topic, severity=draft.severity, message=draft.message, sender=draft.sender
    )
    async with ports.database.transaction() as connection:
        (new_id,) = await publish(
            connection,
            ports.keys,
            [notice],
            owner=_owner(caller),
            now=ports.now(),
            random=ports.random,
        )
        stored = await find.find_notification(
            connection, ports.keys, new_id, account_id=caller.account.id
        )
    call.platform.bell.ring()
    return Answer(content=present_notification(stored))


async def get_list(call: Call) -> Answer:
    """Answer the notifications of some topics, the newest first."""
    topics = call.values("topics[]")
    if not topics:
        raise BadRequest("Name the topics: topics[]=instance-7-shop-events.")
    size = call.number("pageSize", default=200, most=LARGEST_PAGE)
    before = call.value("nextPage")
    if before is not None and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise BadRequest("nextPage must be the Elements-Next-Page-Token of the page before.")
    ports = call.platform.ports
    async with ports.database.reading() as connection:
        found = await change.list_page(
            connection,
            ports.keys,
            account_id=call.known_caller().account.id,
            topics=topics,
            before_id=None if before is None else int(before),
            limit=size + 1,
        )
    shown = found[:size]
    headers = [("Elements-Returned-Count", str(len(shown)))]
    if len(found) > size:
        headers.append(("Elements-Next-Page-Token", str(shown[-1].id)))
    return Answer(content=list(map(present_notification, shown)), headers=tuple(headers))


async def get_one(call: Call) -> Answer:
    """Answer a notification."""
    return Answer(content=present_notification(await _find(call)))


async def acknowledge(call: Call) -> Answer:
    """Note that somebody has seen a notification."""
    found = await _find(call)
    async with call.platform.ports.database.transaction() as connection:
        await change.acknowledge(connection, found)
    return Answer(content={**present_notification(found), "acknowledged": True})


async def delete(call: Call) -> Answer:
    """Delete a notification."""
    found = await _find(call)
    async with call.platform.ports.database.transaction() as connection:
        await change.delete_notification(connection, found)
    return Answer(content={})


async def send_mail(call: Call) -> Answer:
    """Send an e-mail."""
    mail = _read(call, _Mail, '{"to": "ada@example.com", "subject": "…", "message": "…"}')
    if "@" not in mail.to:
        raise BadRequest("to must be an e-mail address.")
    await call.platform.send_mail(mail.to, mail.subject, mail.message, mail.sender)
    return Answer(content=b"")


async def subscribe(call: Call) -> Answer:
    """Store a subscription."""
    draft = _read(
        call,
        _SubscriptionDraft,
        '{"channel": "webhook", "topics": ["…"], "config": {"url": "https://…"}}',
    )
    if draft.channel not in CHANNELS:
        raise BadRequest(f"channel must be one of {', '.join(CHANNELS)}.")
    if not draft.topics:
        raise BadRequest("A subscription needs topics.")
    if draft.channel == "webhook":
        url = split_address(str(draft.config.get("url") or ""))
        if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc:
            raise BadRequest("config.url must be the address that is called, https://….")
    elif "@" not in str(draft.config.get("to") or draft.config.get("url") or ""):
        raise BadRequest("config.to must be an e-mail address.")
    ports, caller = call.platform.ports, call.known_caller()
    async with ports.database.transaction() as connection:
        stored = await change.insert_subscription(
            connection,
            ports.keys,
            owner=_owner(caller),
            user_id=caller.user.id,
            channel=draft.channel,
            topics=draft.topics,
            config=draft.config,
            now=ports.now(),
            random=ports.random,
        )
    return Answer(content=present_subscription(stored))


async def get_subscriptions(call: Call) -> Answer:
    """Answer the subscriptions of the caller's account."""
    ports = call.platform.ports
    async with ports.database.reading() as connection:
        found = await change.list_subscriptions(
            connection, ports.keys, account_id=call.known_caller().account.id
        )
    return Answer(content=list(map(present_subscription, found)))


async def get_subscription(call: Call) -> Answer:
    """Answer a subscription."""
    return Answer(content=present_subscription(await _find_subscription(call, "id")))


async def unsubscribe(call: Call) -> Answer:
    """Delete a subscription with its deliveries."""
    found = await _find_subscription(call, "id")
    async with call.platform.ports.database.transaction() as connection:
        await change.delete_subscription(connection, found)
    return Answer(content={})


async def get_deliveries(call: Call) -> Answer:
    """Answer deliveries, the newest first."""
    return Answer(content=await _list_deliveries(call))


async def get_deliveries_of(call: Call) -> Answer:
    """Answer the deliveries of one notification."""
    found = await _find(call)
    return Answer(content=await _list_deliveries(call, notification_id=found.id))


async def get_deliveries_to(call: Call) -> Answer:
    """Answer the delivery of one notification to one subscription."""
    found = await _find(call)
    subscription = await _find_subscription(call, "subscriptionId")
    shown = await _list_deliveries(call, notification_id=found.id, subscription_id=subscription.id)
    return Answer(content=shown)


async def release(call: Call) -> Answer:
    """Let queued deliveries be tried again, and wake their subscriptions."""
    ports, caller = call.platform.ports, call.known_caller()
    async with ports.database.transaction() as connection:
        found = await find.list_queued(
            connection,
            ports.keys,
            account_id=caller.account.id,
            where=call.value("where") or "",
        )
        released = await change.release(
            connection, ports.keys, found, now=ports.now(), random=ports.random
        )
    call.platform.bell.ring()
    return Answer(content={"released": released})


async def get_settings(call: Call) -> Answer:
    """Answer the settings of an account, the caller's own by default."""
    account_id = await _account_id(call)
    async with call.platform.ports.database.reading() as connection:
        return Answer(content=await settings.read_account_settings(connection, account_id))


async def change_settings(call: Call) -> Answer:
    """Change settings of an account and answer all."""
    account_id = await _account_id(call)
    try:
        changes = msgspec.json.decode(call.json_body(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise BadRequest(f"The settings must be a JSON object: {error}.") from error
    async with call.platform.ports.database.transaction() as connection:
        shown = await settings.change_account_settings(connection, account_id, changes)
    return Answer(content=shown)


def present_notification(found: Notification) -> dict[str, Any]:
    """Show a notification."""
    return {
        "id": found.id,
        "from": found.sender,
        "topic": found.topic,
        "severity": found.severity,
        "message": found.message,
        "createdDate": _moment(found.created_at),
        "active": True,
        "acknowledged": found.acknowledged,
    }


def present_subscription(found: Subscription) -> dict[str, Any]:
    """Show a subscription."""
    return {
        "id": found.id,
        "channel": found.channel,
        "topics": list(found.topics),
        "config": found.config,
        "active": found.active,
        "createdDate": _moment(found.created_at),
    }


def _present_delivery(item: Delivery) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": item.id,
        "notificationId": item.notification_id,
        "subscriptionId": item.subscription_id,
        "status": item.status.value,
        "attempts": item.attempts,
        "createdDate": _moment(item.created_at),
        "updatedDate": _moment(item.updated_at),
    }
    if item.status.is_waiting:
        shown["nextDate"] = _moment(item.due_at)
    if item.answered is not None:
        shown["answered"] = item.answered
    if item.message:
        shown["message"] = item.message
    return shown


async def _list_deliveries(
    call: Call, *, notification_id: int | None = None, subscription_id: int | None = None
) -> list[dict[str, Any]]:
    ports, account_id = call.platform.ports, call.known_caller().account.id
    async with ports.database.reading() as connection:
        found = await find.list_deliveries(
            connection,
            ports.keys,
            account_id=account_id,
            where=call.value("where") or "",
            notification_id=notification_id,
            subscription_id=subscription_id,
        )
        if call.value("hydrate") != "true":
            return [_present_delivery(item) for item, _ in found]
        told = await change.find_notifications(
            connection, ports.keys, {item.notification_id for item, _ in found}
        )
    return [
        {
            **_present_delivery(item),
            "notification": present_notification(told[item.notification_id]),
            "subscription": present_subscription(subscription),
        }
        for item, subscription in found
        if item.notification_id in told
    ]


async def _find(call: Call) -> Notification:
    ports = call.platform.ports
    async with ports.database.reading() as connection:
        return await find.find_notification(
            connection,
            ports.keys,
            call.id("id", what="notification"),
            account_id=call.known_caller().account.id,
        )


async def _find_subscription(call: Call, name: str) -> Subscription:
    ports = call.platform.ports
    async with ports.database.reading() as connection:
        return await find.find_subscription(
            connection,
            ports.keys,
            call.id(name, what="subscription"),
            account_id=call.known_caller().account.id,
        )


async def _account_id(call: Call) -> int:
    caller = call.known_caller()
    if "accountId" not in call.path_parameters:
        return caller.account.id
    account_id = call.id("accountId", what="account")
    found = await find_account(call.platform.ports.database, caller.organization, account_id)
    return found.id


def _owner(caller: Caller) -> Owner:
    return Owner(organization_id=caller.organization.id, account_id=caller.account.id)


def _read(call: Call, form: type[Any], example: str) -> Any:
    try:
        return msgspec.json.decode(call.json_body(), type=form)
    except msgspec.DecodeError as error:
        raise BadRequest(f"The body cannot be read: {error}. It looks like {example}.") from error


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
