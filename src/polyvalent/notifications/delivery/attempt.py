"""Make one attempt to deliver a notification, and tell what came of it."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import orjson

from polyvalent.egress.retry import asked_pause_s
from polyvalent.errors import BadRequest, PolyvalentError
from polyvalent.exchange import Headers, Request
from polyvalent.instances.model import Configuration
from polyvalent.instances.ports import Ports
from polyvalent.notifications.delivery.signature import sign_delivery
from polyvalent.notifications.model import CALLBACK_URL, Notification, Subscription

DEADLINE_S = 20.0
LARGEST_REPLY_BYTES = 64 * 1024
GONE = 410
# Answers by which a receiver says that it cannot take anything for the moment.
BUSY = (429, 503)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """
    Tell what came of one attempt.

    `absent` where nobody took the call or the receiver is busy; `asked_s` is how long it asked to
    be left alone. `hopeless` where it wants nothing any more.
    """

    arrived: bool
    answered: int | None = None
    message: str | None = None
    hopeless: bool = False
    absent: bool = False
    asked_s: float | None = None


async def make_attempt(
    work: DeliveryWork,
    found: Subscription,
    told: Notification,
    configuration: Configuration,
) -> Attempt:
    """
    Send a notification to a subscription's receiver; a failure is told, never raised.

    `configuration` is that of the instance whose events these are, empty where there is none.
    Effects: one HTTP call, or one e-mail.
    """
    try:
        if found.channel == "email":
            subject = f"{told.severity}: {told.topic}"
            text = told.message if isinstance(told.message, str) else _pretty(told.message)
            await work.send_mail(found.address, subject, text, "")
            return Attempt(arrived=True)
        request = _request(work.ports, found, told, configuration)
        exchange = await work.ports.door.send(
            request, deadline_s=DEADLINE_S, max_body_bytes=LARGEST_REPLY_BYTES
        )
    except PolyvalentError as error:
        return Attempt(arrived=False, message=error.message[:MESSAGE_MAX], absent=True)
    response = exchange.response
    if 200 <= response.status < 300:
        return Attempt(arrived=True, answered=response.status)
    return Attempt(
        arrived=False,
        answered=response.status,
        message=f"The receiver answered {response.status}.",
        hopeless=response.status == GONE,
        absent=response.status in BUSY,
        asked_s=asked_pause_s(response, now=work.ports.now()) if response.status in BUSY else None,
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
