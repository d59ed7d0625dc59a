"""What callers send is refused in words where it cannot be meant: no body is a defect of ours."""

from __future__ import annotations

from typing import Any

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Stage

NO_ADDRESS = ("http://[x", "https://[::1", "http://]/", "//[")


@pytest.mark.parametrize("depth", [150, 300, 1000, 3000, 30_000])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/notifications"),
        ("POST", "/notifications/subscriptions"),
        ("PATCH", "/accounts/settings"),
        ("POST", "/jobs"),
        ("POST", "/elements"),
        ("POST", "/instances"),
        ("POST", "/organizations/objects/deep/definitions"),
    ],
)
def test_refuses_what_lies_too_deep(stage: Stage, method: str, path: str, depth: int) -> None:
    inner = b"[" * depth + b"]" * depth
    reply = stage.call(method, path, body=b'{"topic": "deep", "message": ' + inner + b"}")
    assert reply.status == 400, reply
    assert "levels deep" in reply.message


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/notifications", {"topic": "a\x00b", "message": "m"}),
        ("/notifications", {"topic": "a", "message": "m", "from": "\x00"}),
        (
            "/notifications/subscriptions",
            {"channel": "webhook", "topics": ["\x00"], "config": {"url": "https://a.example"}},
        ),
        ("/elements", {"name": "a\x00", "description": "", "authentication": {"type": "basic"}}),
    ],
)
def test_refuses_what_no_database_holds(either: Stage, path: str, body: dict[str, Any]) -> None:
    reply = either.call("POST", path, body=body)
    assert reply.status == 400, reply
    assert "NUL" in reply.message


@pytest.mark.parametrize("address", NO_ADDRESS)
def test_refuses_what_is_no_address(stage: Stage, shop: RunningStore, address: str) -> None:
    token = Application(stage, shop.store, shop.url).connect()["token"]
    config = {"channel": "webhook", "topics": ["a"], "config": {"url": address}}
    job = {"uri": address, "trigger": {"cron": "0 0 * * * ?"}}
    replies = [
        stage.call("POST", "/notifications/subscriptions", body=config),
        stage.call("POST", "/jobs", body=job),
        stage.call(
            "POST",
            "/bulk/query",
            query={"q": "select * from orders"},
            headers={"Elements-Async-Callback-Url": address},
            element=token,
        ),
    ]
    assert [reply.status for reply in replies] == [400] * 3, replies
    assert all(reply.message for reply in replies)
