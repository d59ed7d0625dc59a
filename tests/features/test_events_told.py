"""Vendors tell of changes by calls of their own; records and counts of them can be looked at."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from polyvalent.catalog.element import Webhooks, WebhookSignature
from polyvalent.errors import Forbidden
from polyvalent.events.payload import check_signature, read_changes
from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Reply, Stage, ask, platform_on_stage

BASE = "/elements/api-v2"
TOLD = {
    "event_type": "UPDATED",
    "event_object_type": "orders",
    "event_object_id": "981",
    "event_date": "2024-03-05T09:31:00Z",
}
ON = {"event.notification.enabled": "true", "event.vendor.type": "webhook"}


@pytest.fixture
def instance(stage: Stage, open_shop: Callable[..., RunningStore]) -> Iterator[dict[str, Any]]:
    shop = open_shop()
    made = Application(stage, shop.store, shop.url, extra=dict(ON)).connect()
    yield made
    stage.call("DELETE", f"/instances/{made['id']}")


def encoded(instance: dict[str, Any]) -> str:
    return base64.b64encode(str(instance["id"]).encode()).decode()


def tell(
    stage: Stage, path: str, method: str = "POST", *, kind: str = "", body: Any = None, **more: str
) -> Reply:
    headers = {**({"Content-Type": kind} if kind else {}), **more}
    return ask(f"{stage.url}{BASE}{path}", method, body=body, headers=headers)


def listed(stage: Stage, instance: dict[str, Any]) -> list[dict[str, Any]]:
    reply = stage.call("GET", f"/instances/{instance['id']}/events")
    assert reply.status == 200, reply.body
    found: list[dict[str, Any]] = reply.json()
    return found


def test_it_is_told_in_three_encodings(stage: Stage, instance: dict[str, Any]) -> None:
    named = {"Element-Instances": str(instance["id"])}
    path = f"/events/magento/{encoded(instance)}"
    form = urlencode(TOLD).encode()
    replies = [
        tell(stage, "/events/magento", body=TOLD, **named),
        tell(stage, path, body=form, kind="application/x-www-form-urlencoded"),
        tell(stage, f"/events/magento?{urlencode(TOLD)}", "GET", **named),
        tell(stage, f"{path.rstrip('=')}?{urlencode(TOLD)}"),
    ]
    assert [reply.status for reply in replies] == [200] * 4, replies
    ids = [event_id for reply in replies for event_id in reply.json()["eventIds"]]
    assert len(set(ids)) == 4
    found = listed(stage, instance)
    assert {record["id"] for record in found} == set(ids)
    for record in found:
        assert json.loads(record["providerData"]) == TOLD
        assert record["events"] == [
            {
                "date": "2024-03-05T09:31:00Z",
                "eventType": "UPDATED",
                "objectId": "981",
                "objectType": "orders",
            }
        ]


def test_a_call_that_is_cut_off_leaves_nothing_and_is_taken_in_the_next_time(
    tmp_path: Path, open_shop: Callable[..., RunningStore]
) -> None:
    armed: list[str] = []

    def mark(passed: str) -> None:
        if passed == "inbound.before_commit" and armed:
            raise RuntimeError(armed.pop())

    shop = open_shop()
    with platform_on_stage(tmp_path / "cut", mark=mark) as stage:
        instance = Application(stage, shop.store, shop.url, extra=dict(ON)).connect()
        path = f"/events/magento/{encoded(instance)}"
        armed.append("the process ends here")
        assert tell(stage, path, body=TOLD).status == 500
        assert not armed
        assert listed(stage, instance) == []
        assert tell(stage, path, body=TOLD).status == 200
        assert len(listed(stage, instance)) == 1


def test_what_tells_no_change_is_kept_all_the_same(stage: Stage, instance: dict[str, Any]) -> None:
    assert tell(stage, f"/events/magento/{encoded(instance)}", body={"a": [1]}).status == 200
    (record,) = listed(stage, instance)
    assert record["providerData"] == '{"a":[1]}'
    assert record["events"][0]["eventType"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("path", "headers", "status", "said"),
    [
        ("/events/magento", {}, 404, "names no instance"),
        ("/events/magento", {"Element-Instances": "99999999"}, 404, "no instance 99999999"),
        ("/events/magento", {"Element-Instances": "{id},99999999"}, 404, "no instance 99999999"),
        ("/events/magento", {"Element-Instances": "x"}, 404, "no number"),
        ("/events/magento", {"Element-Instances": ",".join("1" * 101)}, 400, "at most 100"),
        ("/events/magento/!!", {}, 404, "no number"),
        ("/events/other", {"Element-Instances": "{id}"}, 404, "of element 'other'"),
    ],
)
def test_an_unknown_instance_is_refused_and_nothing_stored(
    stage: Stage,
    instance: dict[str, Any],
    path: str,
    headers: dict[str, str],
    status: int,
    said: str,
) -> None:
    before = stage.rows()
    filled = {name: text.replace("{id}", str(instance["id"])) for name, text in headers.items()}
    reply = tell(stage, path, body=TOLD, **filled)
    assert reply.status == status
    assert said in reply.message
    assert stage.rows() == before


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        (b"{", "application/json", 400, "no JSON"),
        (b"<a/>", "application/xml", 415, "application/json"),
        (b"&".join([b"a=1"] * 1001), "application/x-www-form-urlencoded", 400, "1000 fields"),
        (b'"' + b"x" * 70_000 + b'"', "application/json", 413, ""),
        (b"[" * 300 + b"]" * 300, "application/json", 400, "100 levels deep"),
        # Each twenty are kept with all 64 KiB of it.
        (b"[" + b"0," * 30_000 + b"0]", "application/json", 400, "10000 events"),
        (b'["' + b"x" * 40_000 + b'"' + b",0" * 9_000 + b"]", "application/json", 413, "Divide"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_stored(
    stage: Stage, instance: dict[str, Any], body: bytes, kind: str, status: int, said: str
) -> None:
    before = stage.rows()
    reply = tell(stage, f"/events/magento/{encoded(instance)}", body=body, kind=kind)
    assert reply.status == status
    assert said in reply.message
    assert stage.rows() == before


def test_a_polled_instance_believes_no_stranger(stage: Stage, instance: dict[str, Any]) -> None:
    changed = {"configuration": {"event.vendor.type": "polling", "event.objects": "orders"}}
    assert stage.call("PATCH", f"/instances/{instance['id']}", body=changed).status == 200
    reply = tell(stage, f"/events/magento/{encoded(instance)}", body=TOLD)
    assert reply.status == 409
    assert "event.vendor.type" in reply.message
    assert listed(stage, instance) == []


def test_a_name_that_no_database_could_look_up_is_cut(
    either: Stage, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    more = {**ON, "event.notification.callback.url": "http://127.0.0.1:9/events"}
    made = Application(either, shop.store, shop.url, extra=more).connect()
    odd = "\x00" + "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(500))
    told = {**TOLD, "event_object_id": odd, "event_object_type": "a\x00b"}
    reply = tell(either, f"/events/magento/{encoded(made)}", body=told)
    assert reply.status == 200, reply
    (record,) = listed(either, made)
    assert record["events"][0]["objectId"] == "\ufffd" + odd[1:500]
    assert record["events"][0]["objectType"] == "a\ufffdb"
    either.call("DELETE", f"/instances/{made['id']}")


def test_an_instance_whose_events_are_off_says_so(stage: Stage, instance: dict[str, Any]) -> None:
    changed = {"configuration": {"event.notification.enabled": "false"}}
    assert stage.call("PATCH", f"/instances/{instance['id']}", body=changed).status == 200
    reply = tell(stage, f"/events/magento/{encoded(instance)}", body=TOLD)
    assert reply.status == 409
    assert "event.notification.enabled" in reply.message
    assert listed(stage, instance) == []


def test_what_was_told_is_sealed(stage: Stage, instance: dict[str, Any]) -> None:
    secret = "a-merchants-own-words"
    tell(stage, f"/events/magento/{encoded(instance)}", body={"note": secret})
    assert secret in listed(stage, instance)[0]["providerData"]
    folder = stage.settings.data_dir
    assert all(secret.encode() not in file.read_bytes() for file in folder.glob("polyvalent.db*"))


def test_a_callback_is_delivered_and_the_event_then_notified(
    stage: Stage, instance: dict[str, Any]
) -> None:
    changed = {"configuration": {"event.notification.callback.url": "https://hook.example/x"}}
    assert stage.call("PATCH", f"/instances/{instance['id']}", body=changed).status == 200
    subscriptions = stage.call("GET", "/notifications/subscriptions").json()
    topic = f"instance-{instance['id']}-magento-events"
    assert [item["topics"] for item in subscriptions if topic in item["topics"]] == [[topic]]
    tell(stage, f"/events/magento/{encoded(instance)}", body=TOLD)
    (record,) = listed(stage, instance)
    assert record["status"] == "DISPATCHED"  # nobody works on deliveries here


def test_events_of_all_instances_or_of_the_tokens_are_listed_by_pages(
    stage: Stage, instance: dict[str, Any]
) -> None:
    for _ in range(3):
        tell(stage, f"/events/magento/{encoded(instance)}", body=TOLD)
    token = instance["token"]
    first = stage.call("GET", "/instances/events", element=token, query={"pageSize": 2})
    assert len(first.json()) == 2
    page = {"pageSize": 2, "nextPage": first.headers["elements-next-page-token"]}
    second = stage.call("GET", "/instances/events", element=token, query=page)
    assert len(second.json()) == 1
    assert "elements-next-page-token" not in second.headers
    event_id = second.json()[0]["id"]
    assert stage.call("GET", f"/instances/events/{event_id}").json()["id"] == event_id
    assert stage.call("GET", "/instances/events/none").status == 404
    assert stage.call("GET", "/instances/events", query={"from": "soon"}).status == 400
    late = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert stage.call("GET", "/instances/events", element=token, query={"from": late}).json() == []


def test_an_address_tells_of_so_much_without_a_signature(
    tmp_path: Path, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    with platform_on_stage(tmp_path, events_per_minute=5) as stage:
        made = Application(stage, shop.store, shop.url, extra=dict(ON)).connect()
        path = f"/events/magento/{encoded(made)}"
        assert [tell(stage, path, body=TOLD).status for _ in range(3)] == [200] * 3
        # Of more than 4 KiB each piece counts, so that this one is the last for a while.
        large = {**TOLD, "note": "x" * 30_000}
        assert tell(stage, path, body=large).status == 200
        refused = tell(stage, path, body=TOLD)
        assert refused.status == 429
        assert 40 <= int(refused.headers["retry-after"]) <= 84
        assert "signature" in refused.message
        assert len(listed(stage, made)) == 4
        # What is unknown costs nothing, and is told as before.
        assert tell(stage, "/events/magento", body=TOLD).status == 404


def test_a_call_that_leads_to_nothing_costs_as_many_as_it_made_us_open(
    tmp_path: Path, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    with platform_on_stage(tmp_path, events_per_minute=5) as stage:
        made = Application(stage, shop.store, shop.url, extra=dict(ON)).connect()
        named = {"Element-Instances": f"{made['id']},99999999"}
        replies = [tell(stage, "/events/magento", body=TOLD, **named) for _ in range(6)]
        assert [reply.status for reply in replies] == [404] * 5 + [429]
        assert listed(stage, made) == []


def test_failing_deliveries_are_counted_by_the_database(
    either: Stage, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    more = {**ON, "event.notification.callback.url": "http://127.0.0.1:9/events"}
    made = Application(either, shop.store, shop.url, extra=more).connect()
    ids = [
        tell(either, f"/events/magento/{encoded(made)}", body=TOLD).json()["eventIds"][0]
        for _ in range(3)
    ]
    either.run(settle_as(either, ids[0], "retry"))
    either.run(settle_as(either, ids[1], "delivered"))
    for name in ("instances", "accounts"):
        path = f"/instances/events/analytics/{name}"
        found = either.call("GET", path, element=made["token"]).json()
        (record,) = [record for bucket in found for record in bucket["records"]]
        assert (record["count"], record["success"], record["failed"]) == (3, 2, 1)
    either.call("DELETE", f"/instances/{made['id']}")


async def settle_as(stage: Stage, event_id: str, status: str) -> None:
    query = (
        "UPDATE delivery SET status = :status WHERE notification_id = "
        "(SELECT id FROM notification WHERE event_id = :event_id)"
    )
    async with stage.platform.ports.database.transaction() as connection:
        await connection.execute(text(query), {"status": status, "event_id": event_id})


def test_counts_are_in_buckets(stage: Stage, instance: dict[str, Any]) -> None:
    for _ in range(3):
        tell(stage, f"/events/magento/{encoded(instance)}", body=TOLD)
    now = datetime.now(UTC) + timedelta(seconds=1)
    query = {
        "from": (now - timedelta(hours=1)).isoformat(), "to": now.isoformat(), "interval": "minute"
    }  # fmt: skip
    path, token = "/instances/events/analytics", instance["token"]
    plain = stage.call("GET", path, query=query, element=token).json()
    assert len(plain) == 61
    assert sum(bucket["count"] for bucket in plain) == 3
    for name, by in (("instances", "instanceId"), ("accounts", "accountId")):
        found = stage.call("GET", f"{path}/{name}", query=query, element=token).json()
        assert [bucket["count"] for bucket in found] == [bucket["count"] for bucket in plain]
        assert [bucket["timestamp"] for bucket in found] == [item["timestamp"] for item in plain]
        records = [record for bucket in found for record in bucket["records"]]
        assert sum(record["count"] for record in records) == 3
        assert all(record["success"] == record["count"] for record in records)
        assert by in records[0]
    assert len(stage.call("GET", path).json()) == 61


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"from": "2024-03-05T10:00:00Z", "to": "2024-03-05T09:00:00Z"}, 400),
        ({"from": "2024-03-05T00:00:00Z", "to": "2024-03-06T00:00:00Z", "interval": "second"}, 400),
        ({"interval": "never"}, 400),
        ({"accountIds[]": "0"}, 403),
    ],
)
@pytest.mark.parametrize("name", ["", "/instances", "/accounts"])
def test_wrong_counts_are_refused(
    stage: Stage, query: dict[str, str], status: int, name: str
) -> None:
    reply = stage.call("GET", f"/instances/events/analytics{name}", query=query)
    assert reply.status == status
    assert reply.message


def test_events_work_on_postgresql(either: Stage, open_shop: Callable[..., RunningStore]) -> None:
    shop = open_shop()
    made = Application(either, shop.store, shop.url, extra=dict(ON)).connect()
    tell(either, f"/events/magento/{encoded(made)}", body=TOLD)
    assert len(listed(either, made)) == 1
    assert len(either.call("GET", f"/instances/{made['id']}/changes").json()) == 1
    for name in ("", "/instances", "/accounts"):
        path = f"/instances/events/analytics{name}"
        found = either.call("GET", path, element=made["token"]).json()
        assert sum(bucket["count"] for bucket in found) == 1
    either.call("DELETE", f"/instances/{made['id']}")
    assert either.rows()["change"] == 0


NOW = datetime(2024, 3, 5, 12, tzinfo=UTC)
HOOKS = Webhooks(
    rows="data",
    object_type="kind",
    object_id="order.id",
    event_type="what",
    event_types=(("order/made", "CREATED"),),
    date="at",
    signature=WebhookSignature(
        header="X-Sign", key="event.notification.signature.key", encoding="base64", prefix="v1="
    ),
)


def test_an_element_tells_where_a_vendor_says_what() -> None:
    payload = {
        "kind": "orders",
        "data": [
            {"order": {"id": 7}, "what": "order/made", "at": "2024-03-05T09:31:00Z"},
            {"order": {"id": 8}, "what": "deleted"},
            {"what": "order/paid"},
        ],
    }
    found = read_changes(payload, HOOKS, now=NOW)
    assert [(item.type, item.object_type, item.object_id) for item in found] == [
        ("CREATED", "orders", "7"),
        ("DELETED", "orders", "8"),
        ("UNKNOWN", "orders", ""),
    ]
    assert found[0].changed_at == datetime(2024, 3, 5, 9, 31, tzinfo=UTC)
    assert found[1].changed_at == NOW


def test_a_signature_is_checked_where_the_instance_has_the_key() -> None:
    body, told = b'{"a": 1}', HOOKS.signature
    configuration = {"event.notification.signature.key": "k"}
    digest = hmac.digest(b"k", body, hashlib.sha256)
    right = f"v1={base64.b64encode(digest).decode()}"
    check_signature(told, configuration, given=right, body=body)
    check_signature(told, {}, given=None, body=body)
    for given, sent in ((right, b'{"a": 2}'), (None, body), (right[3:], body), ("é", body)):
        with pytest.raises(Forbidden, match="X-Sign"):
            check_signature(told, configuration, given=given, body=sent)
