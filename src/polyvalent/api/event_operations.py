"""Declare the calls on events."""

from __future__ import annotations

from functools import partial

from polyvalent.api import schemas
from polyvalent.api.events import (
    NEXT_CURSOR,
    get_account_analytics,
    get_analytics,
    get_changes,
    get_instance_analytics,
    get_list,
    get_one,
    post_event,
)
from polyvalent.api.operation import Group, Operation, Parameter
from polyvalent.events.bucket import INTERVALS
from polyvalent.events.inbound import HEADER
from polyvalent.events.model import EventType

_TAG = "Events"
_DATE = {"type": "string", "format": "date-time"}
_TYPE = {"type": "string", "enum": list(EventType)}
_EVENT = schemas.record(
    {"date": _DATE, "eventType": _TYPE, "objectId": schemas.TEXT, "objectType": schemas.TEXT}
)
_RECORD = schemas.record(
    {
        "id": schemas.TEXT,
        "eventDate": _DATE,
        "status": {
            "type": "string",
            "enum": ["RECEIVED", "DISPATCHED", "NOTIFIED"],
            "description": "NOTIFIED: with all receivers; RECEIVED: nobody subscribed.",
        },
        "providerData": {"type": "string", "description": "JSON: what the vendor said."},
        "instanceId": schemas.NUMBER,
        "source": {"type": "string", "enum": ["polling", "webhook"]},
        "events": schemas.listing(_EVENT),
    }
)
_CHANGE = schemas.record(
    {
        "cursor": schemas.TEXT,
        "eventId": schemas.TEXT,
        "eventType": _TYPE,
        "objectType": schemas.TEXT,
        "objectId": schemas.TEXT,
        "date": _DATE,
        "notedDate": _DATE,
    }
)
_BUCKET = schemas.record({"count": schemas.NUMBER, "timestamp": schemas.TEXT})
_COUNT = {"count": schemas.NUMBER, "success": schemas.NUMBER, "failed": schemas.NUMBER}
_ID = Parameter(
    name="id",
    place="path",
    required=True,
    description="Id of the instance.",
    schema=schemas.NUMBER,
)
_EVENT_ID = Parameter(
    name="eventId", place="path", required=True, description="The eventId of its message."
)
_KEY = Parameter(name="elementKey", place="path", required=True, description="Key of the element.")
_FROM = Parameter(name="from", place="query", description="Not before, ISO 8601.", schema=_DATE)
_TO = Parameter(name="to", place="query", description="Not after, ISO 8601.", schema=_DATE)
_LIST = (
    schemas.PAGE_SIZE,
    Parameter(
        name="nextPage",
        place="query",
        description="The header Elements-Next-Page-Token of the page before.",
    ),
    _FROM,
    _TO,
)
_COUNTS = (
    _FROM,
    _TO,
    Parameter(
        name="interval",
        place="query",
        description="The length of a bucket.",
        schema={"type": "string", "enum": list(INTERVALS), "default": "minute"},
    ),
    Parameter(name="accountIds[]", place="query", description="Your account; no other is shown."),
)
_PAGE_HEADERS = ("Elements-Returned-Count", "Elements-Next-Page-Token")


_EVENTS = Group(
    tag=_TAG, access="caller", placed=(_ID, _EVENT_ID), usual={"statuses": (400, 401, 404)}
)
_look = partial(_EVENTS.declare, "GET")
_ENCODED = Parameter(
    name="encodedId", place="path", required=True, description="Base64 of the instance's id."
)
_TOLD = Group(tag=_TAG, access="none", placed=(_KEY, _ENCODED))


def _tell(method: str, path: str) -> Operation:
    return _TOLD.declare(
        method,
        path,
        post_event,
        "Tell of changes, as a vendor",
        description="No secret is asked for. What is told comes as JSON, as a form or in the "
        "query, at most 64 KiB. The vendor's signature is checked where its element says how and "
        "the instance has the key; without one an address may tell of so much a minute.",
        parameters=(
            Parameter(
                name=HEADER, place="header", description="Ids of instances, divided by commas."
            ),
        ),
        body=schemas.ANYTHING if method == "POST" else None,
        body_required=False,
        answer=schemas.record({"eventIds": schemas.listing(schemas.TEXT)}),
        statuses=(400, 403, 404, 409, 413, 415, 429),
    )


OPERATIONS: tuple[Operation, ...] = (
    _tell("POST", "/events/{elementKey}"),
    _tell("GET", "/events/{elementKey}"),
    _tell("POST", "/events/{elementKey}/{encodedId}"),
    _tell("GET", "/events/{elementKey}/{encodedId}"),
    _look(
        "/instances/{id}/events",
        get_list,
        "List the events of an instance, the newest first",
        parameters=_LIST,
        answer=schemas.listing(_RECORD),
        answer_headers=_PAGE_HEADERS,
    ),
    _look(
        "/instances/{id}/events/{eventId}",
        get_one,
        "Show an event of an instance",
        answer=_RECORD,
    ),
    _look(
        "/instances/events",
        get_list,
        "List the events of the element token's instance, or of all",
        parameters=_LIST,
        answer=schemas.listing(_RECORD),
        answer_headers=_PAGE_HEADERS,
    ),
    _look(
        "/instances/events/{eventId}",
        get_one,
        "Show an event",
        answer=_RECORD,
    ),
    _look(
        "/instances/{id}/changes",
        get_changes,
        "Read the changes of an instance in their order",
        description="Ask again with `after` set to the header Elements-Next-Cursor. Nothing is "
        "ever added before a cursor, so none is missed; any cursor may be read from again, as "
        "long as changes are kept.",
        parameters=(
            Parameter(
                name="after", place="query", description="A cursor; without one, from the oldest."
            ),
            schemas.PAGE_SIZE,
        ),
        answer=schemas.listing(_CHANGE),
        answer_headers=("Elements-Returned-Count", NEXT_CURSOR),
    ),
    _look(
        "/instances/events/analytics",
        get_analytics,
        "Count events by time",
        parameters=_COUNTS,
        answer=schemas.listing(_BUCKET),
        statuses=(400, 401, 403),
    ),
    *(
        _look(
            f"/instances/events/analytics/{name}",
            handle,
            f"Count events by time and {by.removesuffix('Id')}",
            parameters=_COUNTS,
            answer=schemas.listing(
                schemas.record(
                    {
                        "total": schemas.NUMBER,
                        "count": schemas.NUMBER,
                        "timestamp": schemas.TEXT,
                        "records": schemas.listing(schemas.record({**_COUNT, by: schemas.NUMBER})),
                    }
                )
            ),
            statuses=(400, 401, 403),
        )
        for name, by, handle in (
            ("instances", "instanceId", get_instance_analytics),
            ("accounts", "accountId", get_account_analytics),
        )
    ),
)
