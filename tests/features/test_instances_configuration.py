"""Configuration entry by entry, and the entries that every instance has."""

from __future__ import annotations

from typing import Any

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.merchant import consent, query_of
from tests.journeys.stage import Stage

MASK = "********"
DEFAULTS = {
    "event.notification.enabled": "false",
    "event.vendor.type": None,
    "event.notification.type": "webhook",
    "event.notification.callback.url": None,
    "filter.response.nulls": "true",
}


@pytest.fixture
def connected(either: Stage, shop: RunningStore) -> tuple[Stage, dict[str, Any]]:
    """An instance, with the stage it stands on."""
    return either, Application(either, shop.store, shop.url).connect()


def entries(stage: Stage, instance: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The entries by key, read in both forms."""
    listed = stage.call("GET", f"/instances/{instance['id']}/configuration").json()
    by_token = stage.call("GET", "/instances/configuration", element=instance["token"]).json()
    assert listed == by_token
    assert len({entry["id"] for entry in listed}) == len(listed)
    return {entry["key"]: entry for entry in listed}


def test_lists_every_entry_with_its_default(connected: tuple[Stage, dict[str, Any]]) -> None:
    stage, instance = connected
    found = entries(stage, instance)
    assert {key: found[key]["propertyValue"] for key in DEFAULTS} == DEFAULTS
    assert {key: found[key]["propertyValue"] for key in instance["configuration"]} == instance[
        "configuration"
    ]
    for key in ("oauth.api.key", "oauth.api.secret", "oauth.user.token", "oauth.user.token.secret"):
        assert found[key]["propertyValue"] == MASK
    for entry in found.values():
        assert isinstance(entry["id"], int)
        assert entry["name"]
        assert stage.call(
            "GET", f"/instances/{instance['id']}/configuration/{entry['id']}"
        ).json() == (entry)


@pytest.mark.parametrize("form", ["id", "token"])
def test_changes_an_entry_in_both_forms(connected: tuple[Stage, dict[str, Any]], form: str) -> None:
    stage, instance = connected
    entry = entries(stage, instance)["event.notification.enabled"]
    where: dict[str, Any] = {"path": f"/instances/{instance['id']}/configuration/{entry['id']}"}
    if form == "token":
        where = {
            "path": f"/instances/configuration/{entry['id']}",
            "element": instance["token"],
        }
    for sent, kept in (("true", "true"), (False, "false"), (True, "true")):
        changed = stage.call("PATCH", body={**entry, "propertyValue": sent}, **where)
        assert changed.status == 200, changed
        assert changed.json() == {**entry, "propertyValue": kept}
        assert stage.call("GET", **where).json()["propertyValue"] == kept
        assert entries(stage, instance)[entry["key"]]["propertyValue"] == kept
    shown = stage.call("GET", f"/instances/{instance['id']}").json()
    assert shown["eventsEnabled"] is True
    assert shown["configuration"]["event.notification.enabled"] == "true"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("event.notification.enabled", "perhaps"),
        ("event.vendor.type", "pigeon"),
        ("event.notification.type", "mail"),
        ("event.notification.callback.url", "ftp://a.example"),
        ("event.notification.callback.url", "a b"),
        ("filter.response.nulls", "yes"),
        ("oauth.request.authorization.type", "body"),
        ("pagination.type", "scroll"),
        ("pagination.max", "many"),
        ("pagination.max", "0"),
        ("pagination.max", '{"orders": "many"}'),
        ("oauth.callback.url", ""),
        ("store.url", None),
    ],
)
def test_refuses_a_value_that_an_entry_does_not_take(
    connected: tuple[Stage, dict[str, Any]], key: str, value: Any
) -> None:
    stage, instance = connected
    before = entries(stage, instance)
    path = f"/instances/{instance['id']}"
    one = stage.call(
        "PATCH", f"{path}/configuration/{before[key]['id']}", body={"propertyValue": value}
    )
    many = stage.call("PATCH", path, body={"configuration": {key: value}})
    for refused in (one, many):
        assert refused.status == 400
        assert key in refused.message
    assert entries(stage, instance) == before


def test_refuses_it_at_creation_too(application: Application) -> None:
    bad = {
        "event.notification.enabled": "perhaps",
        "event.vendor.type": "pigeon",
        "filter.response.nulls": "yes",
    }
    authorized = application.authorize()
    before = application.stage.rows()
    refused = application.create(authorized, configuration={**application.configuration, **bad})
    assert refused.status == 400
    assert all(key in refused.message for key in bad)
    assert application.stage.rows() == before


@pytest.mark.parametrize(
    "wrong", [{"event.poller.refresh_interval": "often"}, {"event.objects": "ordrs"}]
)
def test_refuses_polling_that_cannot_be_before_the_consent_is_used(
    application: Application, wrong: dict[str, str]
) -> None:
    led = application.url(application.token().json()["token"])
    browser = consent(led.json()["oauthUrl"], application.store, home=application.site)
    polling = {"event.notification.enabled": "true", "event.vendor.type": "polling"}
    body = {
        "element": {"key": "magento"},
        "name": "Shop",
        "providerData": query_of(browser.seen[-1]),
        "configuration": {**application.configuration, **polling, **wrong},
    }
    refused = application.stage.call("POST", "/instances", body=body)
    body["configuration"] = application.configuration
    created = application.stage.call("POST", "/instances", body=body)

    assert (refused.status, next(iter(wrong)) in refused.message) == (400, True)
    assert created.status == 200, created
    application.stage.call("DELETE", f"/instances/{created.json()['id']}")


def test_takes_the_common_entries_at_creation(application: Application) -> None:
    common = {
        "event.notification.enabled": True,
        "event.vendor.type": "webhooks",
        "event.notification.type": "webhook",
        "event.notification.callback.url": "https://www.mycoolapp.com/events",
        "event.notification.signature.key": "signature-key",
        "filter.response.nulls": "false",
    }
    instance = application.connect(configuration={**application.configuration, **common})
    wanted = {
        **common,
        "event.notification.enabled": "true",
        "event.vendor.type": "webhook",
        "event.notification.signature.key": MASK,
    }
    shown = instance["configuration"]
    assert {key: shown[key] for key in common} == wanted
    assert instance["eventsEnabled"] is True
    found = entries(application.stage, instance)
    assert {key: found[key]["propertyValue"] for key in common} == wanted


def test_takes_webhooks_for_webhook(connected: tuple[Stage, dict[str, Any]]) -> None:
    stage, instance = connected
    path = f"/instances/{instance['id']}"
    for sent, kept in (("polling", "polling"), ("webhooks", "webhook"), ("webhook", "webhook")):
        changed = stage.call("PATCH", path, body={"configuration": {"event.vendor.type": sent}})
        assert changed.json()["configuration"]["event.vendor.type"] == kept


def test_keeps_a_masked_entry(connected: tuple[Stage, dict[str, Any]]) -> None:
    stage, instance = connected
    entry = entries(stage, instance)["oauth.api.secret"]
    path = f"/instances/{instance['id']}/configuration/{entry['id']}"
    assert stage.call("PATCH", path, body=entry).json() == entry
    assert stage.call("GET", "/orders", element=instance["token"]).status == 200
    wrong = stage.call("PATCH", path, body={"propertyValue": "0" * 32})
    assert wrong.status == 401
    assert stage.call("GET", "/orders", element=instance["token"]).status == 200


def test_asks_for_a_value_and_a_known_entry(connected: tuple[Stage, dict[str, Any]]) -> None:
    stage, instance = connected
    base = f"/instances/{instance['id']}/configuration"
    known = entries(stage, instance)["filter.response.nulls"]["id"]
    assert "propertyValue" in stage.call("PATCH", f"{base}/{known}", body={}).message
    for text in ("0", "x", "99999", "9" * 30):
        for method, body in (("GET", None), ("PATCH", {"propertyValue": "x"})):
            refused = stage.call(method, f"{base}/{text}", body=body)
            assert refused.status == 404
            assert refused.message


def test_strips_nulls_unless_told_otherwise(connected: tuple[Stage, dict[str, Any]]) -> None:
    stage, instance = connected

    def has_null() -> bool:
        rows = stage.call("GET", "/orders", element=instance["token"]).json()
        assert rows
        return any(value is None for row in rows for value in row.values())

    assert not has_null()
    entry = entries(stage, instance)["filter.response.nulls"]["id"]
    path = f"/instances/{instance['id']}/configuration/{entry}"
    assert stage.call("PATCH", path, body={"propertyValue": "false"}).status == 200
    assert has_null()


def test_what_the_callback_authenticates_with_is_never_shown(
    connected: tuple[Stage, dict[str, Any]],
) -> None:
    stage, instance = connected
    path = f"/instances/{instance['id']}"

    headers = {"event.notification.callback.headers": "Authorization: Basic dTpw"}
    changed = stage.call("PATCH", path, body={"configuration": headers})
    address = {"event.notification.callback.url": "https://user:hidden@a.example/events"}
    refused = stage.call("PATCH", path, body={"configuration": address})

    assert changed.json()["configuration"]["event.notification.callback.headers"] == MASK
    assert refused.status == 400
    assert "hidden" not in refused.message
