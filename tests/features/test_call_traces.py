"""An instance that logs its calls keeps both sides of each: redacted, bounded, for its owner."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from polyvalent.exchange import Exchange, Request, Response
from polyvalent.sandbox.magento import RunningStore
from polyvalent.traces.journal import WAITING_MAX, Journal
from polyvalent.traces.keep_call import BYTES_KEPT, LARGEST_TRACE_BYTES, TRACES_KEPT, compose
from polyvalent.traces.redact import MASK, redact_text
from polyvalent.traces.trail import EXCHANGES_KEPT, CallTrace, Trail
from tests.journeys.application import Application
from tests.journeys.stage import Reply, Stage


@pytest.fixture
def own(own_stage: Stage, shop: RunningStore) -> Application:
    return Application(own_stage, shop.store, shop.url)


@pytest.fixture
def instance(own: Application) -> dict[str, Any]:
    return own.connect(traceLoggingEnabled=True)


def ask(own: Application, instance: dict[str, Any], path: str, **more: Any) -> Reply:
    method = more.pop("method", "GET")
    reply = own.stage.call(method, path, element=instance["token"], **more)
    own.stage.run(own.stage.platform.journal.flush())
    return reply


def read(own: Application, instance: dict[str, Any], reply: Reply) -> dict[str, Any]:
    trace_id = reply.headers["elements-trace-id"]
    shown = own.stage.call("GET", f"/instances/{instance['id']}/traces/{trace_id}")
    assert shown.status == 200, shown
    found: dict[str, Any] = shown.json()
    return found


def call_trace(**changes: Any) -> CallTrace:
    ready: dict[str, Any] = {
        "trace_id": "0" * 24,
        "instance_id": 1,
        "request": Request(method="GET", url="/products"),
        "response": Response(status=200, body=b"[]"),
        "elapsed_ms": 1.0,
        "legs": (),
        "calls": 0,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return CallTrace(**{**ready, **changes})


def test_keeps_both_sides_of_a_call(own: Application, instance: dict[str, Any]) -> None:
    reply = ask(own, instance, "/hubs/ecommerce/products", query={"pageSize": 2, "apikey": "xyz"})
    assert reply.status == 200
    assert reply.headers["elements-trace-id"] == reply.headers["elements-request-id"]
    shown = read(own, instance, reply)
    assert shown["method"] == "GET"
    assert shown["path"] == "/hubs/ecommerce/products"
    assert shown["status"] == shown["response"]["status"] == 200
    assert shown["request"]["url"].endswith(f"?pageSize=2&apikey={MASK}")
    assert shown["request"]["headers"]["authorization"] == MASK
    assert json.loads(shown["response"]["body"]) == reply.json()
    assert shown["response"]["headers"]["Elements-Returned-Count"] == "2"
    assert shown["response"]["headers"]["X-Content-Type-Options"] == "nosniff"
    assert shown["vendorCalls"] == len(shown["exchanges"]) >= 1
    (exchange,) = shown["exchanges"]
    assert "/api/rest/products" in exchange["request"]["url"]
    assert exchange["signatureBaseString"].startswith("GET&http")
    assert f"oauth_consumer_key%3D{own.store.consumer_key}" not in str(shown)
    assert exchange["response"]["status"] == 200
    assert exchange["elapsedMs"] > 0


def test_shows_no_secret(own: Application, instance: dict[str, Any]) -> None:
    ask(own, instance, "/products")
    shown = json.dumps(own.stage.call("GET", "/instances/traces", element=instance["token"]).json())
    whole = json.dumps(
        [
            own.stage.call("GET", f"/instances/{instance['id']}/traces/{one['traceId']}").json()
            for one in json.loads(shown)
        ]
    )
    store = own.store
    secrets = [own.stage.user, own.stage.organization, instance["token"]]
    secrets += [store.consumer_key, store.consumer_secret, *store.tokens]
    secrets += [token.secret for token in store.tokens.values()]
    assert len(whole) > 1000
    assert [secret for secret in secrets if secret in whole or secret in shown] == []


def test_keeps_the_trace_of_a_refused_call(own: Application, instance: dict[str, Any]) -> None:
    reply = ask(own, instance, "/products/999999")
    shown = read(own, instance, reply)
    assert reply.status == shown["status"] == shown["response"]["status"] == 404
    assert json.loads(shown["response"]["body"]) == reply.json()
    assert shown["exchanges"][0]["response"]["status"] == 404


def test_keeps_the_trace_of_a_call_that_reached_nobody(
    own_stage: Stage, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    own = Application(own_stage, shop.store, shop.url)
    instance = own.connect(traceLoggingEnabled=True)
    shop.stop()
    reply = ask(own, instance, "/products")
    shown = read(own, instance, reply)
    assert reply.status == 502
    assert shown["vendorCalls"] == 1
    assert "response" not in shown["exchanges"][0]
    assert shown["exchanges"][0]["failure"] in reply.message


def test_keeps_the_trace_of_a_call_that_asks_nobody(
    own: Application, instance: dict[str, Any]
) -> None:
    reply = ask(own, instance, "/nothing/of/the/kind")
    shown = read(own, instance, reply)
    assert reply.status == 400
    assert shown["exchanges"] == []


def test_keeps_what_was_written(own: Application, instance: dict[str, Any]) -> None:
    body = {"email": "a@example.com", "password": "hunter-22"}
    reply = ask(own, instance, "/customers", method="POST", body=body)
    shown = read(own, instance, reply)
    assert "hunter-22" not in str(shown)
    assert MASK in shown["request"]["body"]
    assert "a@example.com" in shown["request"]["body"]


def test_lists_the_youngest_first_by_id_and_by_token(
    own: Application, instance: dict[str, Any]
) -> None:
    made = [
        ask(own, instance, path).headers["elements-trace-id"]
        for path in ("/products", "/orders", "/customers")
    ]
    own.connect(traceLoggingEnabled=True)
    by_id = own.stage.call("GET", f"/instances/{instance['id']}/traces")
    by_token = own.stage.call("GET", "/instances/traces", element=instance["token"])
    second = own.stage.call(
        "GET", f"/instances/{instance['id']}/traces", query={"page": 2, "pageSize": 2}
    )
    assert [one["traceId"] for one in by_id.json()] == made[::-1]
    assert by_token.json() == by_id.json()
    assert by_id.headers["elements-returned-count"] == "3"
    assert set(by_id.json()[0]) == {
        "traceId", "instanceId", "createdDate", "method", "path", "status", "elapsedMs",
        "vendorCalls",
    }  # fmt: skip
    assert [one["traceId"] for one in second.json()] == made[:1]
    one = own.stage.call("GET", f"/instances/traces/{made[0]}", element=instance["token"])
    assert one.json()["path"] == "/products"


def test_keeps_none_unless_the_instance_asks(own: Application) -> None:
    instance = own.connect()
    assert "elements-trace-id" not in ask(own, instance, "/products").headers
    assert own.stage.rows()["call_trace"] == 0
    path = f"/instances/{instance['id']}"
    own.stage.call("PATCH", path, body={"traceLoggingEnabled": True})
    assert "elements-trace-id" in ask(own, instance, "/products").headers
    own.stage.call("PATCH", path, body={"traceLoggingEnabled": False})
    assert "elements-trace-id" not in ask(own, instance, "/products").headers
    assert own.stage.rows()["call_trace"] == 1


def test_shows_a_trace_to_nobody_else(own: Application, instance: dict[str, Any]) -> None:
    other = own.connect()
    trace_id = ask(own, instance, "/products").headers["elements-trace-id"]
    path = f"/instances/{other['id']}/traces"
    assert own.stage.call("GET", path).json() == []
    refused = own.stage.call("GET", f"{path}/{trace_id}")
    assert refused.status == 404
    assert "traceLoggingEnabled" in refused.message


def test_forgets_them_after_a_week_and_with_the_instance(
    own: Application, instance: dict[str, Any]
) -> None:
    own.stage.clock.ahead = -timedelta(days=8)
    old = ask(own, instance, "/products").headers["elements-trace-id"]
    own.stage.clock.ahead = timedelta()
    path = f"/instances/{instance['id']}/traces"
    assert own.stage.call("GET", f"{path}/{old}").status == 404
    assert own.stage.call("GET", path).json() == []
    ask(own, instance, "/products")
    assert own.stage.rows()["call_trace"] == 1
    own.stage.call("DELETE", f"/instances/{instance['id']}")
    assert own.stage.rows()["call_trace"] == 0


def test_keeps_the_youngest_ones_of_an_instance(own: Application, instance: dict[str, Any]) -> None:
    journal, now = own.stage.platform.journal, datetime.now(UTC)

    async def write_many() -> None:
        for number in range(TRACES_KEPT + 5):
            journal.note(
                call_trace(trace_id=f"{number:024x}", instance_id=instance["id"], created_at=now)
            )
            await journal.flush()

    own.stage.run(write_many())
    path = f"/instances/{instance['id']}/traces"
    kept = own.stage.call("GET", path).json()
    assert [one["traceId"] for one in kept] == [
        f"{number:024x}" for number in range(TRACES_KEPT + 4, 4, -1)
    ]


def test_keeps_no_more_bytes_than_it_says() -> None:
    trail = Trail()
    big = Exchange(
        request=Request(method="GET", url="http://a.example/r"),
        response=Response(status=200, headers=(("Date", "x" * 9000),) * 300, body=b"x" * 100_000),
        elapsed_ms=1.0,
    )
    for _ in range(EXCHANGES_KEPT + 8):
        trail.add(big)
    text = compose(call_trace(legs=tuple(trail.legs), calls=trail.calls))
    assert len(text) <= LARGEST_TRACE_BYTES < BYTES_KEPT
    shown = json.loads(text)
    assert len(shown["exchanges"]) == EXCHANGES_KEPT
    assert shown["exchangesLeftOut"] == 8
    assert all(len(one["response"]["body"]) == 1025 for one in shown["exchanges"])


async def test_loses_a_trace_rather_than_a_call() -> None:
    gate, written = asyncio.Event(), []

    async def write(trace: CallTrace) -> None:
        await gate.wait()
        if trace.calls == 3:
            raise RuntimeError("the database is gone")
        written.append(trace.calls)

    journal = Journal(write)
    journal.note(call_trace(calls=0))
    await asyncio.sleep(0)
    for number in range(1, WAITING_MAX + 11):
        journal.note(call_trace(calls=number))
    gate.set()
    await journal.flush()
    assert written == [number for number in range(WAITING_MAX + 1) if number != 3]
    assert journal.lost == 11


async def test_ends_although_the_database_does_not_answer() -> None:
    async def never(trace: CallTrace) -> None:
        await asyncio.Event().wait()

    journal = Journal(never)
    journal.note(call_trace())
    journal.note(call_trace())
    started = time.monotonic()
    await journal.close()
    assert time.monotonic() - started < 4
    assert journal.lost >= 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "back=https%3A%2F%2Fa.example%2Fx%3Fsecret%3Dabc%26n%3D1",
            f"back=https%3A%2F%2Fa.example%2Fx%3Fsecret%3D{MASK}%26n%3D1",
        ),
        (
            "https%253A%252F%252Fa.example%253Fn%253D1%2526secret%253Dabc%2526m%253D2",
            f"https%253A%252F%252Fa.example%253Fn%253D1%2526secret%253D{MASK}%2526m%253D2",
        ),
        ("oauth_consumer_key%3Dabc%26n%3D1", f"oauth_consumer_key%3D{MASK}%26n%3D1"),
        ("nosecret%3Dabc", "nosecret%3Dabc"),
    ],
)
def test_masks_secrets_that_are_percent_encoded(text: str, shown: str) -> None:
    assert redact_text(text) == shown
