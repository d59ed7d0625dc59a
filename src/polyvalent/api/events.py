"""Answer the calls on events: what vendors tell, records, the feed of changes, counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import orjson

from polyvalent.api.instances import find_named
from polyvalent.api.operation import LARGEST_PAGE, Answer, Call
from polyvalent.api.router import LARGEST_STRANGERS_BODY_BYTES
from polyvalent.errors import BadRequest, Forbidden
from polyvalent.events import find
from polyvalent.events.bucket import Buckets, make_buckets
from polyvalent.events.find import Found, Noted, Scope
from polyvalent.events.inbound import PIECE_BYTES, Told, take_in
from polyvalent.events.keep import show_moment
from polyvalent.instances.find import find_by_token

NEXT_CURSOR = "Elements-Next-Cursor"


async def post_event(call: Call) -> Answer:
    """Take in what a vendor tells."""
    encoded = call.path_parameters.get("encodedId")
    told = Told(
        element_key=call.path_parameters["elementKey"],
        encoded_id=None if encoded is None else unquote(encoded),
        query=call.query,
        headers=call.headers,
        body=call.body,
    )
    platform, peer = call.platform, call.progress.peer

    def admit(element_key: str, cost: int) -> None:
        platform.tellers.admit(peer, call.headers, of=element_key, cost=cost)

    most = max(platform.settings.events_per_minute, LARGEST_STRANGERS_BODY_BYTES // PIECE_BYTES)
    kept = await take_in(platform.access, told, admit=admit, most_unsigned=most)
    call.platform.bell.ring()
    return Answer(content={"eventIds": list(kept)})


async def get_list(call: Call) -> Answer:
    """Answer event records, the newest first."""
    ports, scope = call.platform.ports, await _scope(call)
    size = call.number("pageSize", default=200, most=LARGEST_PAGE)
    found = await find.list_records(
        ports.database,
        ports.keys,
        scope,
        begin=_moment(call, "from"),
        end=_moment(call, "to"),
        before=_whole(call, "nextPage"),
        limit=size + 1,
    )
    shown = found[:size]
    headers = [("Elements-Returned-Count", str(len(shown)))]
    if len(found) > size:
        headers.append(("Elements-Next-Page-Token", str(shown[-1].place)))
    return Answer(content=[present(item) for item in shown], headers=tuple(headers))


async def get_one(call: Call) -> Answer:
    """Answer one event record."""
    ports, scope = call.platform.ports, await _scope(call)
    event_id = call.path_parameters["eventId"]
    return Answer(
        content=present(await find.find_record(ports.database, ports.keys, scope, event_id))
    )


async def get_changes(call: Call) -> Answer:
    """Answer the changes of an instance behind a cursor, in their order."""
    ports, instance = call.platform.ports, await find_named(call)
    after = _whole(call, "after") or 0
    found = await find.list_changes(
        ports.database,
        instance_id=instance.id,
        after=after,
        limit=call.number("pageSize", default=200, most=LARGEST_PAGE),
    )
    cursor = found[-1].cursor if found else after
    headers = (("Elements-Returned-Count", str(len(found))), (NEXT_CURSOR, str(cursor)))
    return Answer(content=[present_change(item) for item in found], headers=headers)


async def get_analytics(call: Call) -> Answer:
    """Answer how many events there were, by time."""
    buckets, scope = _buckets(call), await _scope(call)
    counts = await find.count_events(call.platform.ports.database, scope, buckets)
    shown = [
        {"count": counts.get(at, 0), "timestamp": show_moment(buckets.begin_of(at))}
        for at in range(buckets.number)
    ]
    return Answer(content=shown)


async def get_instance_analytics(call: Call) -> Answer:
    """Answer how many events each instance had, by time."""
    return await _analytics(call, "instanceId")


async def get_account_analytics(call: Call) -> Answer:
    """Answer how many events each account had, by time."""
    return await _analytics(call, "accountId")


def present(found: Found) -> dict[str, Any]:
    """Show a record; it is NOTIFIED once it is with all of its receivers."""
    record = found.record
    notified = found.delivery == "delivered"
    shown: dict[str, Any] = {
        "id": record.id,
        "eventDate": show_moment(record.noted_at),
        "status": "NOTIFIED"
        if notified
        else "RECEIVED"
        if found.delivery is None
        else "DISPATCHED",
        "providerData": orjson.dumps(record.raw).decode(),
        "instanceId": found.instance_id,
        "source": record.source,
        "events": [
            {
                "date": show_moment(item.changed_at),
                "eventType": item.type.value,
                "objectId": item.object_id,
                "objectType": item.object_type,
            }
            for item in record.changes
        ],
    }
    return shown


def present_change(found: Noted) -> dict[str, Any]:
    """Show a change of the feed."""
    change = found.change
    return {
        "cursor": str(found.cursor),
        "eventId": found.event_id,
        "eventType": change.type.value,
        "objectType": change.object_type,
        "objectId": change.object_id,
        "date": show_moment(change.changed_at),
        "notedDate": show_moment(found.noted_at),
    }


async def _analytics(call: Call, by: str) -> Answer:
    buckets, scope = _buckets(call), await _scope(call)
    counted = await find.count_by_instance(call.platform.ports.database, scope, buckets)
    records: dict[int, dict[int, dict[str, int]]] = {}
    for item in counted:
        key = item.instance_id if by == "instanceId" else item.account_id
        record = records.setdefault(item.place, {}).setdefault(
            key, {"count": 0, "success": 0, "failed": 0, by: key}
        )
        record["count"] += item.count
        record["failed"] += item.failed
        record["success"] += item.count - item.failed
    shown = []
    for at in range(buckets.number):
        inside = list(records.get(at, {}).values())
        total = sum(record["count"] for record in inside)
        timestamp = show_moment(buckets.begin_of(at))
        shown.append({"total": total, "count": total, "timestamp": timestamp, "records": inside})
    return Answer(content=shown)


def _buckets(call: Call) -> Buckets:
    account_id = str(call.known_caller().account.id)
    if any(asked != account_id for asked in call.values("accountIds[]")):
        raise Forbidden("accountIds[] names an account that is not yours.")
    end = _moment(call, "to") or call.platform.ports.now()
    return make_buckets(_moment(call, "from"), end, call.value("interval") or "minute")


async def _scope(call: Call) -> Scope:
    caller, ports = call.known_caller(), call.platform.ports
    instance_id: int | None = None
    if "id" in call.path_parameters:
        instance_id = (await find_named(call)).id
    elif caller.element_token is not None:
        instance_id = (await find_by_token(ports, caller, caller.element_token.reveal())).id
    return Scope(organization_id=caller.organization.id, instance_id=instance_id)


def _moment(call: Call, name: str) -> datetime | None:
    text = call.value(name)
    if not text:
        return None
    try:
        # A + that was not encoded has come as a space.
        found = datetime.fromisoformat(text.strip().replace(" +", "+"))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequest(
            f"{name} must be a moment such as 2024-03-05T09:31:00Z, not {text[:40]!r}."
        ) from error


def _whole(call: Call, name: str) -> int | None:
    text = call.value(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest(f"{name} must be one that an answer gave, not {text[:40]!r}.")
    return int(text)
