"""An instance's switches for traces and for answers from memory are set and shown as they are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.application import Application

SWITCHES = {
    "traceLoggingEnabled": True,
    "cachingEnabled": True,
    "maxCacheSize": 7,
    "cacheTimeToLive": 30,
}
OFF = {
    "traceLoggingEnabled": False,
    "cachingEnabled": False,
    "maxCacheSize": 0,
    "cacheTimeToLive": 0,
}


def switches(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: shown[name] for name in SWITCHES}


def test_has_all_of_them_off_unless_asked(application: Application) -> None:
    assert switches(application.connect()) == OFF


def test_takes_them_when_it_is_created(application: Application) -> None:
    instance = application.connect(**SWITCHES)
    shown = application.stage.call("GET", f"/instances/{instance['id']}").json()
    assert switches(instance) == switches(shown) == SWITCHES


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_takes_them_by_id_and_by_token(application: Application, method: str) -> None:
    instance, stage = application.connect(), application.stage
    changed = stage.call(method, f"/instances/{instance['id']}", body=SWITCHES)
    assert changed.status == 200
    assert "elements-error" not in changed.headers
    assert switches(changed.json()) == SWITCHES
    back = stage.call(method, "/instances", body={"maxCacheSize": "9"}, element=instance["token"])
    assert switches(back.json()) == {**SWITCHES, "maxCacheSize": 9}
    listed = stage.call("GET", "/instances").json()
    assert [switches(one) for one in listed if one["id"] == instance["id"]] == [
        {**SWITCHES, "maxCacheSize": 9}
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"maxCacheSize": -1},
        {"maxCacheSize": 10_001},
        {"maxCacheSize": True},
        {"cacheTimeToLive": 86_401},
        {"cacheTimeToLive": 1.5},
        {"cacheTimeToLive": "soon"},
        {"cachingEnabled": "perhaps"},
    ],
)
def test_refuses_what_they_cannot_be(application: Application, wrong: dict[str, Any]) -> None:
    instance, stage = application.connect(), application.stage
    refused = stage.call("PATCH", f"/instances/{instance['id']}", body=wrong)
    assert refused.status == 400
    assert next(iter(wrong)) in refused.message
    assert switches(stage.call("GET", f"/instances/{instance['id']}").json()) == OFF
