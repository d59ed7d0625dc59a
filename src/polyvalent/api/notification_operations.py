"""Declare the calls on notifications, subscriptions, deliveries and settings of accounts."""

from __future__ import annotations

from typing import Any

from polyvalent.accounts.settings import KNOWN
from polyvalent.api import notifications, schemas
from polyvalent.api.operation import Handle, Operation, Parameter
from polyvalent.notifications.model import CHANNELS, SEVERITIES, DeliveryStatus

_MOMENT = {"type": "string", "format": "date-time"}
_NOTIFICATION = schemas.record(
    {
        "id": schemas.NUMBER,
        "from": schemas.TEXT_OR_NULL,
        "topic": schemas.TEXT,
        "severity": {"type": "string", "enum": list(SEVERITIES)},
        "message": {},
        "createdDate": _MOMENT,
        "active": schemas.FLAG,
        "acknowledged": schemas.FLAG,
    }
)
_SUBSCRIPTION = schemas.record(
    {
        "id": schemas.NUMBER,
        "channel": {"type": "string", "enum": list(CHANNELS)},
        "topics": schemas.listing(schemas.TEXT),
        "config": {"type": "object"},
        "active": schemas.FLAG,
        "createdDate": _MOMENT,
    }
)
_DELIVERY = schemas.record(
    {
        "id": schemas.NUMBER,
        "notificationId": schemas.NUMBER,
        "subscriptionId": schemas.NUMBER,
        "status": {"type": "string", "enum": list(DeliveryStatus)},
        "attempts": schemas.NUMBER,
        "createdDate": _MOMENT,
        "updatedDate": _MOMENT,
        "nextDate": _MOMENT,
        "answered": schemas.NUMBER,
        "message": schemas.TEXT,
        "notification": {"type": "object"},
        "subscription": {"type": "object"},
    },
    required=("id", "notificationId", "subscriptionId", "status", "attempts", "createdDate"),
)
_SETTINGS = {
    "type": "object",
    "properties": {key: {"type": "string", "enum": list(values)} for key, values in KNOWN.items()},
}
_IDS = {
    "id": "Id of the notification.",
    "subscriptionId": "Id of the subscription.",
    "accountId": "Id of the account.",
}
_WHERE = Parameter(
    name="where",
    place="query",
    description="Which deliveries, by channel, status and config.url: "
    "channel='webhook' and status='queued'.",
)
_HYDRATE = Parameter(
    name="hydrate",
    place="query",
    description="true: with the notification and the subscription.",
    schema={"type": "boolean"},
)
_TAG = "Notifications"


def _declare(
    method: str, path: str, handle: Handle, summary: str, answer: Any, **more: Any
) -> Operation:
    placed = tuple(
        Parameter(name=name, place="path", required=True, description=text)
        for name, text in _IDS.items()
        if f"{{{name}}}" in path
    )
    parameters = (*placed, *more.pop("parameters", ()))
    statuses = (401, *((404,) if placed else ()), *more.pop("statuses", ()))
    return Operation(
        method=method,
        path=path,
        handle=handle,
        access="caller",
        tag=_TAG,
        summary=summary,
        answer=answer,
        parameters=parameters,
        statuses=statuses,
        **more,
    )


_BASE = "/notifications"
_SUBSCRIPTIONS = f"{_BASE}/subscriptions"
_DELIVERIES = f"{_SUBSCRIPTIONS}/deliveries"
OPERATIONS: tuple[Operation, ...] = (
    _declare(
        "POST",
        _BASE,
        notifications.create,
        "Tell whoever subscribed to a topic",
        _NOTIFICATION,
        body=schemas.record(
            {
                "topic": schemas.TEXT,
                "severity": {"type": "string", "enum": list(SEVERITIES)},
                "message": {},
                "from": schemas.TEXT,
            },
            required=("topic",),
        ),
        statuses=(400, 415),
    ),
    _declare(
        "GET",
        _BASE,
        notifications.get_list,
        "List the notifications of some topics, the newest first",
        schemas.listing(_NOTIFICATION),
        parameters=(
            Parameter(
                name="topics[]",
                place="query",
                required=True,
                description="A topic, such as instance-7-shop-events; may be repeated.",
            ),
            schemas.PAGE_SIZE,
            Parameter(
                name="nextPage",
                place="query",
                description="The header Elements-Next-Page-Token of the page before.",
            ),
        ),
        answer_headers=("Elements-Returned-Count", "Elements-Next-Page-Token"),
        statuses=(400,),
    ),
    _declare("GET", f"{_BASE}/{{id}}", notifications.get_one, "Show a notification", _NOTIFICATION),
    _declare(
        "DELETE",
        f"{_BASE}/{{id}}",
        notifications.delete,
        "Delete a notification",
        schemas.NOTHING,
    ),
    _declare(
        "PUT",
        f"{_BASE}/{{id}}/acknowledge",
        notifications.acknowledge,
        "Note that somebody has seen a notification",
        _NOTIFICATION,
    ),
    _declare(
        "POST",
        f"{_BASE}/emails",
        notifications.send_mail,
        "Send an e-mail",
        schemas.ANYTHING,
        description="The answer has no body. Needs POLYVALENT_SMTP_URL.",
        body=schemas.record(
            {
                "to": schemas.TEXT,
                "from": schemas.TEXT,
                "subject": schemas.TEXT,
                "message": schemas.TEXT,
            },
            required=("to",),
        ),
        statuses=(400, 415, 503),
    ),
    _declare(
        "POST",
        _SUBSCRIPTIONS,
        notifications.subscribe,
        "Subscribe to topics",
        _SUBSCRIPTION,
        body=schemas.record(
            {
                "channel": {"type": "string", "enum": list(CHANNELS)},
                "topics": schemas.listing(schemas.TEXT),
                "config": {
                    "type": "object",
                    "description": "url of a webhook; to of an e-mail.",
                },
            }
        ),
        body_example={
            "channel": "webhook",
            "topics": ["instance-7-shop-events"],
            "config": {"url": "https://app.example.com/events"},
        },
        statuses=(400, 415),
    ),
    _declare(
        "GET",
        _SUBSCRIPTIONS,
        notifications.get_subscriptions,
        "List the subscriptions of the account",
        schemas.listing(_SUBSCRIPTION),
    ),
    _declare(
        "GET",
        _DELIVERIES,
        notifications.get_deliveries,
        "List deliveries, the newest first",
        schemas.listing(_DELIVERY),
        parameters=(_WHERE, _HYDRATE),
        statuses=(400,),
    ),
    _declare(
        "PUT",
        _DELIVERIES,
        notifications.release,
        "Let queued deliveries be tried again",
        schemas.record({"released": schemas.NUMBER}),
        description="Their subscriptions are active again.",
        parameters=(_WHERE,),
        statuses=(400,),
    ),
    _declare(
        "GET",
        f"{_SUBSCRIPTIONS}/{{id}}",
        notifications.get_subscription,
        "Show a subscription",
        _SUBSCRIPTION,
    ),
    _declare(
        "DELETE",
        f"{_SUBSCRIPTIONS}/{{id}}",
        notifications.unsubscribe,
        "Delete a subscription",
        schemas.NOTHING,
    ),
    _declare(
        "GET",
        f"{_BASE}/{{id}}/subscriptions/deliveries",
        notifications.get_deliveries_of,
        "List the deliveries of a notification",
        schemas.listing(_DELIVERY),
        parameters=(_HYDRATE,),
    ),
    _declare(
        "GET",
        f"{_BASE}/{{id}}/subscriptions/{{subscriptionId}}/deliveries",
        notifications.get_deliveries_to,
        "Show the delivery of a notification to one subscription",
        _DELIVERY,
        parameters=(_HYDRATE,),
    ),
    *(
        _declare(
            method,
            path,
            notifications.get_settings if method == "GET" else notifications.change_settings,
            "Show the settings of an account"
            if method == "GET"
            else "Change settings of an account",
            _SETTINGS,
            **({} if method == "GET" else {"body": _SETTINGS, "statuses": (400, 415)}),
        )
        for path in ("/accounts/settings", "/accounts/{accountId}/settings")
        for method in ("GET", "POST", "PATCH")
    ),
)
