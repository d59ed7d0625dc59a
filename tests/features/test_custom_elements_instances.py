"""Instances of elements that an account brought along: basic, by parameters, signed, moved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.features.small_shop import PASSWORD, USER, SmallShop, open_small_shop
from tests.journeys.application import Application
from tests.journeys.stage import Reply, Stage


@pytest.fixture
def vendor() -> Iterator[SmallShop]:
    with open_small_shop() as shop:
        yield shop


def page_parameters() -> list[dict[str, Any]]:
    return [
        {"name": "page", "type": "query", "vendorName": "p", "vendorType": "query"},
        {"name": "pageSize", "type": "query", "vendorName": "limit", "vendorType": "query"},
    ]


def small_element(vendor: SmallShop, key: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Small shop",
        "key": key,
        "description": "A small shop.",
        "hub": "ecommerce",
        "authentication": {"type": "basic"},
        "configuration": [
            {
                "name": "API",
                "key": "base.url",
                "description": "Where.",
                "defaultValue": f"{vendor.url}/v1",
            }
        ],
        "objects": [{"name": "items", "primaryKeyName": "no"}],
        "resources": [
            {
                "path": "/items",
                "method": "GET",
                "vendorPath": "/items",
                "rootKey": "result.items",
                "object": "items",
                "parameters": page_parameters(),
            },
            {
                "path": "/items/{id}",
                "method": "GET",
                "vendorPath": "/items/{id}",
                "rootKey": "item",
                "object": "items",
            },
            {
                "path": "/check",
                "method": "GET",
                "vendorPath": "/session",
                "type": "provisionAuthValidation",
            },
        ],
        **changes,
    }


def bring(stage: Stage, body: dict[str, Any]) -> dict[str, Any]:
    stage.call("DELETE", f"/elements/{body['key']}")
    reply = stage.call("POST", "/elements", body=body)
    assert reply.status == 200, reply
    brought: dict[str, Any] = reply.json()
    return brought


def create(stage: Stage, key: str, **configuration: str) -> Reply:
    body = {"name": "Small", "element": {"key": key}, "configuration": configuration}
    return stage.call("POST", "/instances", body=body)


def test_connects_with_user_name_and_password(either: Stage, vendor: SmallShop) -> None:
    bring(either, small_element(vendor, "basicshop"))

    created = create(either, "basicshop", username=USER, password=PASSWORD)

    assert created.status == 200, created
    instance = created.json()
    assert instance["configuration"]["username"] == USER
    assert instance["configuration"]["password"] == "********"
    assert instance["element"]["key"] == "basicshop"
    rows = either.call("GET", "/items", query={"pageSize": 3, "page": 2}, element=instance["token"])
    assert [row["id"] for row in rows.json()] == [4, 5, 6]
    assert rows.headers["elements-next-page-token"]
    one = either.call("GET", "/hubs/x/items/7", element=instance["token"])
    assert one.json() == {"id": 7, "no": 7, "title": "T7"}
    assert either.call("GET", "/ping", element=instance["token"]).status == 200


def test_stores_nothing_when_the_vendor_refuses(either: Stage, vendor: SmallShop) -> None:
    bring(either, small_element(vendor, "refusing"))
    before = either.rows()

    wrong = create(either, "refusing", username=USER, password="wrong")
    none = create(either, "refusing")

    assert wrong.status == 401
    assert wrong.words == "who are you?"
    assert none.status == 400
    assert "user name and password" in none.message
    assert either.rows() == before


def test_notices_a_password_that_is_changed_for_a_wrong_one(
    either: Stage, vendor: SmallShop
) -> None:
    bring(either, small_element(vendor, "changing"))
    instance = create(either, "changing", username=USER, password=PASSWORD).json()

    path = f"/instances/{instance['id']}"
    wrong = either.call("PATCH", path, body={"configuration": {"password": "x"}})
    same = either.call("PATCH", path, body={"configuration": {"password": "********"}})

    assert (wrong.status, same.status) == (401, 200)
    assert either.call("GET", "/items", element=instance["token"]).status == 200


def test_connects_with_a_key_in_a_header(either: Stage, vendor: SmallShop) -> None:
    entry = {"key": "api.key", "name": "Key", "type": "PASSWORD", "required": True}
    body = small_element(vendor, "keyed", authentication={"type": "custom"})
    body["configuration"].append(entry)
    body["parameters"] = [
        {
            "name": "api.key",
            "type": "configuration",
            "vendorName": "X-Key",
            "vendorType": "header",
        }
    ]
    bring(either, body)

    lacking = create(either, "keyed")
    wrong = create(either, "keyed", **{"api.key": "no"})
    right = create(either, "keyed", **{"api.key": "k e y"})

    assert (lacking.status, wrong.status, right.status) == (400, 401, 200)
    assert "api.key (Key)" in lacking.message
    assert right.json()["configuration"]["api.key"] == "********"
    assert either.call("GET", "/items/1", element=right.json()["token"]).status == 200


def test_refuses_what_it_cannot_authenticate_by_yet(either: Stage, vendor: SmallShop) -> None:
    bring(either, small_element(vendor, "later", authentication={"type": "oauth2"}))
    needed = {
        "oauth.api.key": "k",
        "oauth.api.secret": "s",
        "oauth.callback.url": "https://a.example/cb",
    }

    created = create(either, "later", **needed)

    assert created.status == 400
    assert "oauth2" in created.message


def test_offers_no_element_that_is_not_active(either: Stage, vendor: SmallShop) -> None:
    bring(either, small_element(vendor, "asleep"))
    either.call("DELETE", "/elements/asleep/active")

    refused = create(either, "asleep", username=USER, password=PASSWORD)
    either.call("PUT", "/elements/asleep/active")

    assert refused.status == 400
    assert "not active" in refused.message
    assert create(either, "asleep", username=USER, password=PASSWORD).status == 200


def test_an_instance_goes_on_when_its_element_is_deleted(either: Stage, vendor: SmallShop) -> None:
    bring(either, small_element(vendor, "goner"))
    instance = create(either, "goner", username=USER, password=PASSWORD).json()

    assert either.call("DELETE", "/elements/goner").status == 200

    assert either.call("GET", "/elements/goner").status == 404
    assert either.call("GET", "/items/1", element=instance["token"]).status == 200
    assert either.call("GET", f"/instances/{instance['id']}").status == 200
    assert either.call("GET", "/instances").status == 200
    assert create(either, "goner", username=USER, password=PASSWORD).status == 404


def test_moves_to_a_clone_of_its_element(either: Stage, vendor: SmallShop) -> None:
    element = bring(either, small_element(vendor, "moving"))
    instance = create(either, "moving", username=USER, password=PASSWORD).json()
    clone = either.call("POST", "/elements/moving/clone").json()
    path = f"/instances/{instance['id']}"

    moved = either.call("PATCH", path, body={"element": {"id": clone["id"]}})
    other = either.call("PATCH", path, body={"element": {"id": 356}})

    assert moved.status == 200, moved
    assert moved.json()["element"]["id"] == clone["id"] != element["id"]
    assert moved.json()["token"] == instance["token"]
    assert either.call("GET", "/items/1", element=instance["token"]).status == 200
    assert other.status == 400
    assert "clone" in other.message
    below = either.call("GET", f"/elements/{clone['key']}/instances").json()
    assert [item["id"] for item in below] == [instance["id"]]
    back = either.call("PATCH", path, body={"element": {"key": "moving"}})
    assert back.json()["element"]["id"] == element["id"]


def test_a_copy_of_the_packaged_element_connects_and_reads_like_it(
    own_stage: Stage, shop: RunningStore
) -> None:
    # A stage of its own: objects that other tests map at the organization would be listed too.
    exported = own_stage.call("GET", "/elements/magento/export").json()
    bring(own_stage, {**exported, "key": "shopcopy"})
    token = shop.store.issue_token(admin=shop.store.admin_user)
    application = Application(own_stage, shop.store, shop.url)
    answers = []
    for key in ("magento", "shopcopy"):
        created = own_stage.call(
            "POST",
            "/instances",
            body={
                "element": {"key": key},
                "name": key,
                "externalAuthentication": "initial",
                "configuration": {
                    **application.configuration,
                    "oauth.user.token": token.token,
                    "oauth.user.token.secret": token.secret,
                },
            },
        )
        assert created.status == 200, created
        element_token = created.json()["token"]
        answers.append(
            [
                own_stage.call("GET", path, element=element_token).body
                for path in (
                    "/hubs/ecommerce/products?pageSize=3",
                    "/customers/1",
                    "/orders?page=2&pageSize=1",
                    "/objects",
                    "/objects/products/metadata",
                    "/products/999999",
                )
            ]
        )

    same, refused = slice(0, -1), -1
    assert answers[0][same] == answers[1][same]
    messages = [json.loads(found[refused])["message"] for found in answers]
    assert messages[0] == messages[1]
