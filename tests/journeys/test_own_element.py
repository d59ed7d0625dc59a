"""An application brings a copy of an element along and connects a store with it, all the way."""

from __future__ import annotations

from tests.journeys.application import Application
from tests.journeys.merchant import consent, query_of
from tests.journeys.stage import Stage

PATHS = (
    "/hubs/ecommerce/products?pageSize=2",
    "/hubs/ecommerce/customers/1",
    "/hubs/ecommerce/customers?where=email%3D'customer1@example.com'",
    "/orders/1/items",
    "/inventory?page=2&pageSize=3",
)


def read(stage: Stage, token: str) -> list[tuple[bytes, str | None]]:
    """Read with an element token: bodies, and how many rows each has."""
    replies = [stage.call("GET", path, element=token) for path in PATHS]
    assert {reply.status for reply in replies} == {200}, replies
    return [(reply.body, reply.headers.get("elements-returned-count")) for reply in replies]


def test_connects_a_store_by_an_element_of_its_own(either: Stage, application: Application) -> None:
    stage, store, site = either, application.store, application.site
    own = Application(stage, store, site)
    exported = stage.call("GET", "/elements/magento/export").json()
    stage.call("DELETE", "/elements/myshop")
    brought = stage.call("POST", "/elements", body={**exported, "key": "myshop", "name": "Mine"})
    assert brought.status == 200, brought
    secrets = {"Authorization": stage.authorization}
    query = own.parameters

    # Nobody but its account knows the element.
    path = "/elements/myshop/oauth"
    assert stage.call("GET", f"{path}/token", query=query, authorization="").status == 404
    started = stage.call("GET", f"{path}/token", query=query, headers=secrets)
    assert started.status == 200, started
    token = started.json()["token"]
    led = stage.call("GET", f"{path}/url", query={**query, "requestToken": token})
    assert led.json()["element"] == "myshop"
    browser = consent(led.json()["oauthUrl"], store, home=site)
    callback = query_of(browser.seen[-1])
    assert callback["state"] == "myshop"

    created = stage.call(
        "POST",
        "/elements/myshop/instances",
        body={
            "name": "Mine",
            "providerData": {
                name: callback[name] for name in ("oauth_token", "oauth_verifier", "secret")
            },
            "configuration": own.configuration,
        },
    )

    assert created.status == 200, created
    instance = created.json()
    assert instance["element"]["key"] == "myshop"
    assert stage.call("GET", "/ping", element=instance["token"]).json()["endpoint"] == "myshop"
    mine = read(stage, instance["token"])
    # The same admin user consents anew, which puts another token in the place of the first.
    theirs = read(stage, own.connect()["token"])
    assert mine == theirs
    assert stage.call("DELETE", f"/instances/{instance['id']}").status == 200
