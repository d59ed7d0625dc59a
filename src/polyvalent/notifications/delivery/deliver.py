"""
Deliver what waits for one subscription: the handler of its job.

A few at a time, each object's in their order, and what came of them saved at once. A worker that
dies in between delivers those again, under the same id.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import orjson

from polyvalent.accounts.settings import fails_into_queue, read_account_settings
from polyvalent.errors import BadRequest, NotFound, PolyvalentError
from polyvalent.exchange import Headers, Request
from polyvalent.instances.find import find_for_job
from polyvalent.instances.model import Configuration
from polyvalent.instances.ports import Ports
from polyvalent.jobs.kind import Kind
from polyvalent.jobs.model import Again, Done, Outcome
from polyvalent.jobs.turn import Turn
from polyvalent.notifications import sql as told_sql
from polyvalent.notifications.delivery import sql
from polyvalent.notifications.delivery.backoff import pause_after
from polyvalent.notifications.delivery.signature import sign_delivery
from polyvalent.notifications.delivery.wake import DELIVER, SWEEP, SWEEP_EVERY
from polyvalent.notifications.model import (
    CALLBACK_URL,
    Delivery,
    DeliveryStatus,
    Notification,
    Subscription,
)

BATCH = 32
AT_ONCE = 8
DEADLINE_S = 20.0
LARGEST_REPLY_BYTES = 64 * 1024
GONE = 410
# Delivered notifications are forgotten after this.
KEPT = timedelta(days=30)
MESSAGE_MAX = 300
_EVENT = "event.notification."

# Sends an e-mail: address, subject, text, sender or "" for the platform's own. Raises
# PolyvalentError.
SendMail = Callable[[str, str, str, str], Awaitable[None]]
# Is told what came of each attempt: "delivered", "retry" or "queued".
Note = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class DeliveryWork:
    """Hold what deliveries are made with."""

    ports: Ports
    send_mail: SendMail = field(repr=False)
    note: Note = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Attempt:
    arrived: bool
    answered: int | None = None
    message: str | None = None
    hopeless: bool = False  # the receiver wants nothing any more


def deliver_kind(work: DeliveryWork) -> Kind:
    """Make the kind of jobs that deliver."""

    async def handle(turn: Turn) -> Outcome:
        return await _deliver(work, turn)

    # What fails is a delivery, never the job.
    return Kind(name=DELIVER, handle=handle, attempts_max=None)


def sweep_kind(work: DeliveryWork) -> Kind:
    """Make the kind of jobs that forget old notifications, once a day."""

    async def handle(turn: Turn) -> Outcome:
        async with work.ports.database.transaction() as connection:
            await turn.save(connection)
            await told_sql.forget_notifications(connection, before=turn.now() - KEPT)
        return Again(turn.now() + SWEEP_EVERY)

    return Kind(name=SWEEP, handle=handle, attempts_max=None)


async def _deliver(work: DeliveryWork, turn: Turn) -> Outcome:
    ports = work.ports
    delivered = int(turn.job.progress.get("delivered", 0))
    while True:
        now = turn.now()
        async with ports.database.reading() as connection:
            found = await told_sql.find_subscription(
                connection, ports.keys, int(turn.job.spec["subscription"]), account_id=None
            )
            if found is None or not found.active:
                return Done()
            due = await sql.list_due(connection, subscription_id=found.id, now=now, limit=BATCH)
            if not due:
                next_at = await sql.find_next_due(connection, subscription_id=found.id)
                return Done() if next_at is None else Again(max(next_at, now))
            told = await told_sql.find_notifications(
                connection, ports.keys, {item.notification_id for item in due}
            )
            settings = await read_account_settings(connection, found.owner.account_id)
        configuration = await _configuration(ports, found)
        free = asyncio.Semaphore(AT_ONCE)

        async def attempt(
            item: Delivery,
            *,
            found: Subscription = found,
            told: dict[int, Notification] = told,
            configuration: Configuration = configuration,
            free: asyncio.Semaphore = free,
        ) -> _Attempt:
            async with free:
                return await _attempt(work, found, told[item.notification_id], configuration)

        attempts = await asyncio.gather(*map(attempt, due))
        turn.mark("deliver.sent")
        delivered += sum(one.arrived for one in attempts)
        await _save(
            work,
            turn,
            found,
            list(zip(due, attempts, strict=True)),
            delivered=delivered,
            queues=fails_into_queue(settings),
        )
        turn.mark("deliver.saved")
        if turn.should_yield:
            return Again()


async def _save(
    work: DeliveryWork,
    turn: Turn,
    found: Subscription,
    attempts: list[tuple[Delivery, _Attempt]],
    *,
    delivered: int,
    queues: bool,
) -> None:
    now = turn.now()
    ends = False
    async with work.ports.database.transaction() as connection:
        await turn.save(connection, progress={"delivered": delivered})
        for item, one in attempts:
            tried = item.attempts + 1
            pause = None if one.hopeless or queues else pause_after(tried)
            if one.arrived:
                status, due_at = DeliveryStatus.DELIVERED, item.due_at
            elif pause is None:
                status, due_at = DeliveryStatus.QUEUED, item.due_at
                ends = ends or not queues
            else:
                status, due_at = DeliveryStatus.RETRY, now + pause
            await sql.settle(
                connection,
                item.id,
                status=status,
                attempts=tried,
                due_at=due_at,
                answered=one.answered,
                message=one.message,
                now=now,
            )
            work.note(status.value)
        if ends:
            # For three days nobody was there: everything else is kept until somebody says go.
            await told_sql.switch_subscription(connection, found.id, active=False)
            await sql.queue_waiting(connection, subscription_id=found.id, now=now)


async def _configuration(ports: Ports, found: Subscription) -> Configuration:
    # Read anew for each batch: a changed callback URL moves what has not arrived yet along.
    if found.owner.instance_id is None:
        return {}
    try:
        return (await find_for_job(ports, found.owner.instance_id)).configuration
    except NotFound:
        return {}


async def _attempt(
    work: DeliveryWork,
    found: Subscription,
    told: Notification,
    configuration: Configuration,
) -> _Attempt:
    try:
        if found.channel == "email":
            subject = f"{told.severity}: {told.topic}"
            text = told.message if isinstance(told.message, str) else _pretty(told.message)
            await work.send_mail(found.address, subject, text, "")
            return _Attempt(arrived=True)
        request = _request(work.ports, found, told, configuration)
        exchange = await work.ports.door.send(
            request, deadline_s=DEADLINE_S, max_body_bytes=LARGEST_REPLY_BYTES
        )
    except PolyvalentError as error:
        return _Attempt(arrived=False, message=error.message[:MESSAGE_MAX])
    status = exchange.response.status
    if 200 <= status < 300:
        return _Attempt(arrived=True, answered=status)
    return _Attempt(
        arrived=False,
        answered=status,
        message=f"The receiver answered {status}.",
        hopeless=status == GONE,
    )


def compose_body(told: Notification) -> bytes:
    """
    Write the body of a delivery: the notification, with `message` in it.

    Source: spec 06 §4.
    """
    shown: dict[str, Any] = {
        "severity": told.severity,
        "topic": told.topic,
        "createdDate": _moment(told.created_at),
        "id": told.id,
        **({"from": told.sender} if told.sender else {}),
        "message": told.message,
    }
    return orjson.dumps(shown)


def _request(
    ports: Ports, found: Subscription, told: Notification, configuration: Configuration
) -> Request:
    body = compose_body(told)
    headers: list[tuple[str, str]] = [("Content-Type", "application/json")]
    headers += sign_delivery(
        body,
        webhook_id=told.event_id or f"notification-{told.id}",
        key=configuration.get(f"{_EVENT}signature.key"),
        timestamp_s=int(ports.now().timestamp()),
    )
    user = configuration.get(f"{_EVENT}basic.username")
    if user:
        pair = f"{user}:{configuration.get(f'{_EVENT}basic.password') or ''}"
        headers.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
    own = {name.lower() for name, _ in headers}
    headers += [
        pair
        for pair in read_headers(configuration.get(f"{_EVENT}callback.headers") or "")
        if pair[0].lower() not in own
    ]
    url = configuration.get(CALLBACK_URL) or found.address
    return Request(method="POST", url=url, headers=tuple(headers), body=body)


def read_headers(text: str) -> Headers:
    """
    Read extra headers: {"X-Key": "abc"}, or lines "X-Key: abc", or pairs "X-Key=abc,…".

    What is no header is left out; the door refuses names and values that HTTP does not allow.
    """
    try:
        value = msgspec.json.decode(text) if text.lstrip().startswith("{") else None
    except msgspec.DecodeError:
        raise BadRequest(f"{_EVENT}callback.headers is no JSON object.") from None
    if isinstance(value, dict):
        return tuple((str(name), str(item)) for name, item in value.items())
    lines = text.splitlines() if "\n" in text or ":" in text else text.split(",")
    pairs = [line.partition(":" if ":" in line else "=") for line in lines]
    return tuple(
        (name.strip(), item.strip()) for name, mark, item in pairs if mark and name.strip()
    )


def _pretty(message: Any) -> str:
    return orjson.dumps(message, option=orjson.OPT_INDENT_2).decode()


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
