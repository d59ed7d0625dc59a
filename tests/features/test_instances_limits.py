"""What is too large, too odd or hostile is refused, on both kinds of database."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Stage

ENTRY = "event.notification.callback.headers"


@pytest.fixture
def connected(either: Stage, shop: RunningStore) -> Application:
    """An application on either kind of database."""
    return Application(either, shop.store, shop.url)


def entry_id(stage: Stage, instance: dict[str, Any], key: str) -> int:
    entries = stage.call("GET", f"/instances/{instance['id']}/configuration").json()
    found: int = next(entry["id"] for entry in entries if entry["key"] == key)
    return found


def test_refuses_texts_that_a_database_cannot_hold(connected: Application) -> None:
    stage = connected.stage
    instance = connected.connect()
    path = f"/instances/{instance['id']}/configuration/{entry_id(stage, instance, ENTRY)}"
    for value in ("a\x00b", "x" * 100_000, [], {}):
        reply = stage.call("PATCH", path, body={"propertyValue": value})
        assert reply.status == 400, reply
        assert reply.message
    for body in ({"name": "\x00"}, {"tags": ["a\x00"]}, {"tags": ["x" * 10_000]}, {"tags": [""]}):
        reply = stage.call("PATCH", f"/instances/{instance['id']}", body=body)
        assert reply.status == 400, (body, reply)
    shown = stage.call("GET", f"/instances/{instance['id']}").json()
    assert shown == instance


@pytest.mark.parametrize("digits", [20, 400, 5000])
def test_takes_numbers_of_any_size_without_breaking(connected: Application, digits: int) -> None:
    stage, number = connected.stage, b"9" * digits
    instance = connected.connect()
    path = f"/instances/{instance['id']}"
    entry = f"{path}/configuration/{entry_id(stage, instance, ENTRY)}"
    for method, where, body in (
        ("PATCH", path, b'{"element": {"id": %s}}'),
        ("PATCH", path, b'{"configuration": {"event.objects": %s}}'),
        ("PATCH", path, b'{"providerData": {"expires_in": %s, "debug": 1e999}}'),
        ("PATCH", entry, b'{"propertyValue": %s}'),
        ("POST", "/instances", b'{"element": {"id": %s}, "name": "x"}'),
    ):
        reply = stage.call(method, where, body=body % number)
        assert reply.status < 500, (method, where, body, reply)
    for query in ({"page": "9" * digits}, {"pageSize": "0" * 11 + "1" + "9" * digits}):
        reply = stage.call("GET", "/instances", query=query)
        assert reply.status == 400, reply
    for where in (
        f"/instances/{'9' * 18}",
        f"/instances/{'9' * digits}",
        f"{path}/configuration/9",
    ):
        assert stage.call("GET", where).status == 404


def test_lets_no_placeholders_grow_without_bound(stage: Stage, shop: RunningStore) -> None:
    """Each level multiplies: four levels of a hundred would be a hundred million characters."""
    application = Application(stage, shop.store, shop.url)
    levels = ["oauth.authorization.url", "base.url", "bulk.relations", "bulk.query.field_name"]
    body = {**application.parameters, "requestToken": "x", levels[-1]: "x" * 100}
    for outer, inner in itertools.pairwise(levels):
        body[outer] = ("{" + inner + "}") * 100
    started_at = time.perf_counter()
    reply = stage.call("POST", "/elements/magento/oauth/url", body=body, authorization="")
    assert time.perf_counter() - started_at < 1
    assert reply.status == 400
    assert "oauth.authorization.url" in reply.message


def test_stores_no_placeholders_that_grow_without_bound(connected: Application) -> None:
    instance = connected.connect()
    bomb = {
        "base.url": "{store.url}/api/rest",
        "bulk.relations": "{bulk.query.field_name}" * 2000,
        "bulk.query.field_name": "{bulk.query.operator}" * 2000,
        "bulk.query.operator": "x" * 2000,
    }
    path = f"/instances/{instance['id']}"
    stage = connected.stage
    assert stage.call("PATCH", path, body={"configuration": bomb}).status in (200, 400)
    started_at = time.perf_counter()
    assert stage.call("GET", "/ping", element=instance["token"]).status == 200
    assert time.perf_counter() - started_at < 1


@pytest.mark.parametrize("name", ["<a>" * 20_000, "<" * 60_000, "&" * 60_000, "<a b=" * 10_000])
def test_cleans_a_hostile_name_in_no_time(stage: Stage, name: str) -> None:
    body = {"name": name, "element": {"key": "magento"}}
    started_at = time.perf_counter()
    assert stage.call("POST", "/instances", body=body).status == 400
    assert time.perf_counter() - started_at < 2
