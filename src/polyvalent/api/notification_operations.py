"""Declare the calls on notifications, subscriptions, deliveries and settings of accounts."""

from __future__ import annotations

from dataclasses import replace

from polyvalent.accounts.settings import KNOWN
from polyvalent.api import notifications, schemas
from polyvalent.api.operation import Group, Operation, Parameter
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


def _id(name: str, *, what: str) -> Parameter:
    return Parameter(
        name=name,
        place="path",
        required=True,
        description=f"Id of the {what}.",
        schema=schemas.NUMBER,
    )


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
_NOTIFICATIONS = Group(
    tag="Notifications",
    access="caller",
    placed=(
        _id("id", what="notification"),
        _id("subscriptionId", what="subscription"),
        _id("accountId", what="account"),
    ),
    usual={"statuses": (401, 404)},
)
_declare = _NOTIFICATIONS.declare
_subscribe = replace(_NOTIFICATIONS, placed=(_id("id", what="subscription"),)).declare


_BASE = "/notifications"
_SUBSCRIPTIONS = f"{_BASE}/subscriptions"
_DELIVERIES = f"{_SUBSCRIPTIONS}/deliveries"
OPERATIONS: tuple[Operation, ...] = (
    _declare(
        "POST",
        _BASE,
        notifications.create,
        "Tell whoever subscribed to a topic",
        answer=_NOTIFICATION,
        body=schemas.record(
            {
                "topic": schemas.TEXT,
                "severity": {"type": "string", "enum": list(SEVERITIES)},
                "message": {},
                "from": schemas.TEXT,
            },
            required=("topic",),
        ),
        statuses=(400, 401, 415),
    ),
    _declare(
        "GET",
        _BASE,
        notifications.get_list,
        "List the notifications of some topics, the newest first",
        answer=schemas.listing(_NOTIFICATION),
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
        statuses=(400, 401),
    ),
    _declare(
        "GET", f"{_BASE}/{{id}}", notifications.get_one, "Show a notification", answer=_NOTIFICATION
    ),
    _declare(
        "DELETE",
        f"{_BASE}/{{id}}",
        notifications.delete,
        "Delete a notification",
        answer=schemas.NOTHING,
    ),
    _declare(
        "PUT",
        f"{_BASE}/{{id}}/acknowledge",
        notifications.acknowledge,
        "Note that somebody has seen a notification",
        answer=_NOTIFICATION,
    ),
    _declare(
        "POST",
        f"{_BASE}/emails",
        notifications.send_mail,
        "Send an e-mail",
        answer=schemas.ANYTHING,
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
        statuses=(400, 401, 415, 503),
    ),
    _declare(
        "POST",
        _SUBSCRIPTIONS,
        notifications.subscribe,
        "Subscribe to topics",
        answer=_SUBSCRIPTION,
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
        statuses=(400, 401, 415),
    ),
    _declare(
        "GET",
        _SUBSCRIPTIONS,
        notifications.get_subscriptions,
        "List the subscriptions of the account",
        answer=schemas.listing(_SUBSCRIPTION),
        statuses=(401,),
    ),
    _declare(
        "GET",
        _DELIVERIES,
        notifications.get_deliveries,
        "List deliveries, the newest first",
        answer=schemas.listing(_DELIVERY),
        parameters=(_WHERE, _HYDRATE),
        statuses=(400, 401),
    ),
    _declare(
        "PUT",
        _DELIVERIES,
        notifications.release,
        "Let queued deliveries be tried again",
        answer=schemas.record({"released": schemas.NUMBER}),
        description="Their subscriptions are active again.",
        parameters=(_WHERE,),
        statuses=(400, 401),
    ),
    _subscribe(
        "GET",
        f"{_SUBSCRIPTIONS}/{{id}}",
        notifications.get_subscription,
        "Show a subscription",
        answer=_SUBSCRIPTION,
    ),
    _subscribe(
        "DELETE",
        f"{_SUBSCRIPTIONS}/{{id}}",
        notifications.unsubscribe,
        "Delete a subscription",
        answer=schemas.NOTHING,
    ),
    _declare(
        "GET",
        f"{_BASE}/{{id}}/subscriptions/deliveries",
        notifications.get_deliveries_of,
        "List the deliveries of a notification",
        answer=schemas.listing(_DELIVERY),
        parameters=(_HYDRATE,),
    ),
    _declare(
        "GET",
        f"{_BASE}/{{id}}/subscriptions/{{subscriptionId}}/deliveries",
        notifications.get_deliveries_to,
        "Show the delivery of a notification to one subscription",
        answer=_DELIVERY,
        parameters=(_HYDRATE,),
    ),
    *(
        operation
        for path, absent in (("/accounts/settings", ()), ("/accounts/{accountId}/settings", (404,)))
        for operation in (
            _declare(
                "GET",
                path,
                notifications.get_settings,
                "Show the settings of an account",
                answer=_SETTINGS,
                statuses=(401, *absent),
            ),
            *(
                _declare(
                    method,
                    path,
                    notifications.change_settings,
                    "Change settings of an account",
                    answer=_SETTINGS,
                    body=_SETTINGS,
                    statuses=(400, 401, *absent, 415),
                )
                for method in ("POST", "PATCH")
            ),
        )
    ),
)
