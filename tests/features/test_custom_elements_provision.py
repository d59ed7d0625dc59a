"""Calls that an element wants made when an instance is created, and what they bring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.features.small_shop import PASSWORD, USER, SmallShop, open_small_shop
from tests.features.test_custom_elements_instances import bring, create, small_element
from tests.journeys.stage import Stage


@pytest.fixture
def vendor() -> Iterator[SmallShop]:
    with open_small_shop() as shop:
        yield shop


def kept(name: str, vendor_name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "configuration",
        "vendorName": vendor_name,
        "vendorType": "bodyField",
        "source": "response",
        **more,
    }


def provisioned(vendor: SmallShop, key: str, *resources: dict[str, Any]) -> dict[str, Any]:
    body = small_element(vendor, key)
    body["configuration"] += [
        {"key": "ticket", "name": "Ticket", "type": "PASSWORD", "required": True},
        {"key": "shown", "name": "Shown"},
    ]
    body["resources"] += [
        {"method": "POST", "type": "onProvision", **resource} for resource in resources
    ]
    body["resources"].append({"path": "/echo", "method": "GET", "vendorPath": "/echo"})
    body["parameters"] = [
        {
            "name": "ticket",
            "type": "configuration",
            "vendorName": "X-Ticket",
            "vendorType": "header",
        }
    ]
    return body


LOGIN = {
    "path": "/login",
    "vendorPath": "/session",
    "parameters": [
        {
            "name": "username",
            "type": "configuration",
            "vendorName": "user",
            "vendorType": "bodyField",
        },
        kept("ticket", "data.ticket", required=True),
        kept("shown", "name"),
    ],
}


def test_keeps_what_a_call_at_the_creation_brings(either: Stage, vendor: SmallShop) -> None:
    second = {"path": "/second", "vendorPath": "/echo"}
    bring(either, provisioned(vendor, "logged", LOGIN, second))

    created = create(either, "logged", username=USER, password=PASSWORD)

    assert created.status == 200, created
    shown = created.json()["configuration"]
    assert (shown["ticket"], shown["shown"]) == ("********", "first")
    asked = [(method, path) for method, path, _, _ in vendor.asked]
    assert asked == [("POST", "/v1/session"), ("POST", "/v1/echo"), ("GET", "/v1/session")]
    assert b'"user":"ada"' in vendor.asked[0][3]
    assert [headers.get("x-ticket") for _, _, headers, _ in vendor.asked] == [None, "t-1", "t-1"]
    echoed = either.call("GET", "/echo", element=created.json()["token"]).json()
    assert echoed["headers"]["x-ticket"] == "t-1"


@pytest.mark.parametrize(
    ("resource", "status", "words"),
    [
        ({**LOGIN, "path": "/gone", "vendorPath": "/nowhere"}, 404, "POST /gone"),
        ({**LOGIN, "parameters": [kept("ticket", "data.no", required=True)]}, 502, "lacks data.no"),
        ({**LOGIN, "nextResource": "GET:/nothing"}, 400, "no resource of the element"),
        ({**LOGIN, "hooks": [{"type": "preRequest", "body": "done()"}]}, 400, "scripts"),
    ],
)
def test_creates_nothing_where_such_a_call_fails(
    either: Stage, vendor: SmallShop, resource: dict[str, Any], status: int, words: str
) -> None:
    bring(either, provisioned(vendor, "halfway", resource))
    before = either.rows()

    refused = create(either, "halfway", username=USER, password=PASSWORD)

    assert refused.status == status, refused
    assert words in refused.message
    assert either.rows() == before


def test_obtains_anew_with_another_password(either: Stage, vendor: SmallShop) -> None:
    bring(either, provisioned(vendor, "renewed", LOGIN))
    instance = create(either, "renewed", username=USER, password=PASSWORD).json()
    vendor.asked.clear()
    path = f"/instances/{instance['id']}"

    same = either.call("PATCH", path, body={"name": "Other"})
    untouched = len(vendor.asked)
    changed = either.call("PATCH", path, body={"configuration": {"ticket": "old"}})
    wrong = either.call("PATCH", path, body={"configuration": {"password": "no"}})

    assert (same.status, untouched, changed.status, wrong.status) == (200, 0, 200, 401)
    vendor.asked.clear()
    either.call("GET", "/items/1", element=instance["token"])
    assert vendor.asked[0][2]["x-ticket"] == "t-1"


def test_names_an_unknown_field_of_one_row_as_of_a_list(either: Stage, vendor: SmallShop) -> None:
    body = small_element(vendor, "fielded")
    body["objects"][0]["fields"] = [{"name": "no", "type": "integer"}, {"name": "title"}]
    bring(either, body)
    token = create(either, "fielded", username=USER, password=PASSWORD).json()["token"]
    vendor.asked.clear()

    for path in ("/items/1", "/items"):
        refused = either.call("GET", path, query={"fields": "nope"}, element=token)
        assert (refused.status, "nope" in refused.message) == (400, True), refused
    assert vendor.asked == []
    cut = either.call("GET", "/items/1", query={"fields": "title"}, element=token)
    assert cut.json() == {"title": "T1"}
    plan = either.call(
        "GET", "/items", query={"orderBy": "title desc", "explain": "true"}, element=token
    ).json()
    assert plan["orderHere"] == "title DESC"
    assert "title DESC is sorted here" in plan["reasons"][0]
