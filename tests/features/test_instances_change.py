"""Change, find, disable, delete and re-provision instances, by id, by token, below an element."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from polyvalent.accounts import sql as accounts
from polyvalent.accounts.bootstrap import make_organization_secret, make_user_secret
from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Stage

MASK = "********"
XSS = '<a href="#" onClick="javascript:alert(1)">churros-xss</a>'


@pytest.fixture
def connected(either: Stage, shop: RunningStore) -> tuple[Stage, dict[str, Any]]:
    """An instance, with the stage it stands on."""
    return either, Application(either, shop.store, shop.url).connect()


def by_id(instance: dict[str, Any]) -> dict[str, Any]:
    return {"path": f"/instances/{instance['id']}"}


def by_token(instance: dict[str, Any]) -> dict[str, Any]:
    return {"path": "/instances", "element": instance["token"]}


def below_element(instance: dict[str, Any]) -> dict[str, Any]:
    return {"path": f"/elements/356/instances/{instance['id']}"}


def without(instance: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in instance.items() if name not in names}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("form", [by_id, by_token, below_element])
def test_changes_name_and_tags_and_nothing_else(
    connected: tuple[Stage, dict[str, Any]],
    form: Callable[[dict[str, Any]], dict[str, Any]],
    method: str,
) -> None:
    stage, instance = connected
    body = {"name": XSS, "tags": ["churros-testing", "b"]}
    reply = stage.call(method, body=body, **form(instance))
    assert reply.status == 200, reply
    changed = reply.json()
    assert changed["name"] == "churros-xss"
    assert changed["tags"] == ["churros-testing", "b"]
    assert without(changed, "name", "tags") == without(instance, "name", "tags")
    assert stage.call("GET", f"/instances/{instance['id']}").json() == changed


@pytest.mark.parametrize("name", ["@churros-xss", "Fish & Chips", "Größe 7 €", "日本", "a" * 255])
def test_keeps_a_name_without_markup(connected: tuple[Stage, dict[str, Any]], name: str) -> None:
    stage, instance = connected
    changed = stage.call("PATCH", f"/instances/{instance['id']}", body={"name": name})
    assert changed.json()["name"] == name


def test_makes_the_name_a_tag_where_none_is_given(application: Application) -> None:
    body = application.body(application.authorize(), name=XSS)
    del body["tags"]
    instance = application.stage.call("POST", "/instances", body=body).json()
    assert instance["name"] == "churros-xss"
    assert instance["tags"] == ["churros-xss"]
    found = application.stage.call("GET", "/instances", query={"tags[]": "churros-xss"}).json()
    assert instance["id"] in [item["id"] for item in found]
    assert all(item["tags"][0] == "churros-xss" for item in found)


def test_lists_by_tags_text_and_page(own_stage: Stage, shop: RunningStore) -> None:
    application = Application(own_stage, shop.store, shop.url)
    made = [
        application.connect(name=name, tags=tags)["id"]
        for name, tags in (
            ("Alpha", ["eu", "a"]),
            ("Beta 100%", ["eu"]),
            ("Gamma_1", ["us"]),
            ("ÄPFEL", ["us", "a"]),
        )
    ]

    def found(path: str = "/instances", **query: Any) -> list[int]:
        reply = own_stage.call("GET", path, query=query)
        assert reply.status == 200
        rows = reply.json()
        assert reply.headers["elements-returned-count"] == str(len(rows))
        return [made.index(row["id"]) for row in rows]

    assert found() == [0, 1, 2, 3]
    assert found("/elements/magento/instances") == [0, 1, 2, 3]
    assert found(**{"tags[]": "eu"}) == [0, 1]
    assert found(**{"tags[]": ["eu", "us"]}) == [0, 1, 2, 3]
    assert found(tags="a") == [0, 3]
    assert found(**{"tags[]": "E"}) == []
    assert found(searchText="alp") == [0]
    assert found(searchText="GENTO") == [0, 1, 2, 3]
    assert found(searchText="%") == [1]
    assert found(searchText="_") == [2]
    assert found(searchText="ÄPF") == [3]
    assert found(searchText="nix") == []
    assert found(page=1, pageSize=3) == [0, 1, 2]
    assert found(page=2, pageSize=3) == [3]
    assert found(page=9, pageSize=3) == []
    light = own_stage.call("GET", "/instances", query={"hydrate": "false"}).json()
    for row in light:
        assert {"id", "token", "tags", "element"} <= set(row)
        assert row["element"] == {"id": 356, "key": "magento"}
        assert "configuration" not in row


@pytest.mark.parametrize(
    "query",
    [{"page": "0"}, {"page": "x"}, {"pageSize": "-1"}, {"pageSize": "2001"}, {"page": "1.5"}],
)
def test_refuses_a_page_that_is_none(stage: Stage, query: dict[str, str]) -> None:
    reply = stage.call("GET", "/instances", query=query)
    assert reply.status == 400
    assert next(iter(query)) in reply.message


@pytest.mark.parametrize("form", [by_id, below_element])
def test_disables_and_enables(
    connected: tuple[Stage, dict[str, Any]],
    form: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    stage, instance = connected
    token, path = instance["token"], form(instance)["path"]
    for _ in range(2):
        assert stage.call("DELETE", f"{path}/enabled").status == 200
    assert stage.call("GET", path).json()["disabled"] is True
    refused = stage.call("GET", "/orders", element=token)
    assert refused.status == 403
    assert "disabled" in refused.message
    assert stage.call("GET", "/objects", element=token).status == 200
    for _ in range(2):
        assert stage.call("PUT", f"{path}/enabled").status == 200
    assert stage.call("GET", "/orders", element=token).status == 200
    assert stage.call("GET", path).json() == instance


@pytest.mark.parametrize("form", [by_id, below_element])
def test_deletes_with_everything(
    either: Stage, shop: RunningStore, form: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    application = Application(either, shop.store, shop.url)
    before = either.rows()
    instance = application.connect()
    path = form(instance)["path"]
    assert either.call("DELETE", path).status == 200
    for again in ("DELETE", "GET"):
        assert either.call(again, path).status == 404
    assert either.call("PATCH", path, body={"name": "x"}).status == 404
    assert either.call("GET", "/orders", element=instance["token"]).status == 401
    after = either.rows()
    # What remains is the used authorization, so that a second use can be told apart.
    assert after.pop("authorization_request") == before.pop("authorization_request") + 1
    assert after == before


def test_authorizes_anew_and_keeps_id_and_token(stage: Stage, open_shop: Any) -> None:
    running = open_shop()
    application = Application(stage, running.store, running.url)
    instance = application.connect()
    running.store.revoke_tokens()
    refused = stage.call("GET", "/orders", element=instance["token"])
    assert refused.status == 401
    assert "authorize" in refused.message.lower()
    for form, method in ((by_id, "PUT"), (by_token, "PUT"), (by_token, "PATCH")):
        authorized = application.authorize()
        body = application.body(authorized)
        sent = body if method == "PUT" else {"providerData": body["providerData"]}
        reply = stage.call(method, body=sent, **form(instance))
        assert reply.status == 200, reply
        assert "providerData" not in reply.json()
        assert without(reply.json(), "name", "tags") == without(instance, "name", "tags")
        assert stage.call("GET", "/orders", element=instance["token"]).status == 200


def test_leaves_an_instance_as_it_was_when_it_cannot_be_authorized_anew(
    application: Application,
) -> None:
    stage, instance = application.stage, application.connect()
    authorized = application.authorize()
    data = {**application.body(authorized)["providerData"], "oauth_verifier": "0" * 32}
    path, before = f"/instances/{instance['id']}", stage.rows()
    refused = stage.call("PUT", path, body={"name": "other", "tags": [], "providerData": data})
    assert refused.status == 401
    assert stage.call("GET", path).json() == instance
    assert stage.rows() == before


def test_proves_a_change_of_the_connection_before_it_is_stored(
    stage: Stage, open_shop: Any
) -> None:
    running, other = open_shop(), open_shop()
    instance = Application(stage, running.store, running.url).connect()
    path = f"/instances/{instance['id']}"
    for key, value, status in (
        ("oauth.api.secret", "0" * 32, 401),
        ("oauth.api.key", "0" * 32, 401),
        ("oauth.user.token", "0" * 32, 401),
        ("oauth.user.token.secret", "0" * 32, 401),
        ("store.url", other.url, 401),
        ("store.url", "http://127.0.0.1:9", 502),
        ("store.url", "no address", 400),
        ("base.url", "{store.url}/nix", 502),
        ("base.url", "{store.url}{base.url}", 400),
        ("store.url", None, 400),
        ("oauth.callback.url", "", 400),
    ):
        refused = stage.call("PATCH", path, body={"configuration": {key: value}, "name": "x"})
        assert refused.status == status, (key, refused)
        assert refused.message
        assert stage.call("GET", path).json() == instance
    running.store.counters.clear()
    same = {"store.url": f"{running.url}/", "pagination.max": "50"}
    changed = stage.call("PATCH", path, body={"configuration": same}).json()
    assert changed["configuration"] == {**instance["configuration"], "pagination.max": "50"}
    assert running.store.counters.total() == 0  # nothing that the connection depends on changed
    assert stage.call("GET", "/orders", element=instance["token"]).status == 200


def test_keeps_what_is_sent_back_masked(connected: tuple[Stage, dict[str, Any]]) -> None:
    stage, instance = connected
    assert instance["configuration"]["oauth.api.secret"] == MASK
    # A whole answer, sent back as it came
    reply = stage.call("PUT", f"/instances/{instance['id']}", body=instance)
    assert reply.status == 200, reply
    assert "elements-error" not in reply.headers
    assert reply.json() == instance
    assert stage.call("GET", "/orders", element=instance["token"]).status == 200


def test_belongs_to_one_element(connected: tuple[Stage, dict[str, Any]]) -> None:
    stage, instance = connected
    path = f"/instances/{instance['id']}"
    assert stage.call("PATCH", path, body={"element": {"id": 356}}).status == 200
    assert stage.call("PATCH", path, body={"element": {"id": 357}}).status == 400
    assert stage.call("GET", f"/elements/nosuch{path}").status == 404


def test_needs_the_element_token_where_no_id_is_given(stage: Stage) -> None:
    for method in ("PUT", "PATCH"):
        refused = stage.call(method, "/instances", body={"name": "x"})
        assert refused.status == 401
        assert "Element <element token>" in refused.message
    assert stage.call("PATCH", "/instances", body={}, element="unknown").status == 401


@pytest.mark.parametrize(
    "text", ["0", "-1", "x", "1.0", "99999", "9" * 19, "9" * 40, "%00", "1%20"]
)
def test_knows_no_other_instance(stage: Stage, text: str) -> None:
    for method in ("GET", "DELETE"):
        refused = stage.call(method, f"/instances/{text}")
        assert refused.status == 404
        assert refused.message


def test_shows_who_made_an_instance_to_a_colleague(
    connected: tuple[Stage, dict[str, Any]],
) -> None:
    stage, instance = connected
    colleague = stage.run(hired_colleague(stage))
    path = f"/instances/{instance['id']}"
    assert stage.call("GET", path, authorization=colleague).json() == instance
    listed = stage.call("GET", "/instances", authorization=colleague).json()
    assert instance in listed
    changed = stage.call("PATCH", path, body={"tags": ["x"]}, authorization=colleague).json()
    assert changed == {**instance, "tags": ["x"]}


def test_shows_nothing_to_another_organization(
    connected: tuple[Stage, dict[str, Any]], shop: RunningStore
) -> None:
    stage, instance = connected
    stranger = stage.run(found_organization(stage))
    path = f"/instances/{instance['id']}"
    entry = stage.call("GET", f"{path}/configuration").json()[0]["id"]
    for method, where, body in (
        ("GET", path, None),
        ("PUT", path, {"name": "mine"}),
        ("PATCH", path, {"name": "mine"}),
        ("DELETE", path, None),
        ("PUT", f"{path}/enabled", None),
        ("DELETE", f"{path}/enabled", None),
        ("GET", f"{path}/configuration", None),
        ("GET", f"{path}/configuration/{entry}", None),
        ("PATCH", f"{path}/configuration/{entry}", {"propertyValue": "true"}),
        ("GET", f"/elements/magento{path}", None),
    ):
        refused = stage.call(method, where, body=body, authorization=stranger)
        assert refused.status == 404, (method, where)
        assert refused.message
    assert stage.call("GET", "/instances", authorization=stranger).json() == []
    for where in ("/orders", "/ping", "/objects"):
        lent = f"{stranger}, Element {instance['token']}"
        assert stage.call("GET", where, authorization=lent).status == 401
    mixed = f"User {stage.user}, {stranger.partition(', ')[2]}"
    assert stage.call("GET", path, authorization=mixed).status == 401
    assert stage.call("GET", path).json() == instance
    traced = Application(stage, shop.store, shop.url)
    authorized = traced.authorize()
    data = {**traced.body(authorized)["providerData"], "debug": True}
    trace_id = traced.create(authorized, providerData=data).headers["elements-trace-id"]
    trace = f"/elements/magento/trace/{trace_id}"
    assert stage.call("GET", trace).status == 200
    assert stage.call("GET", trace, authorization=stranger).status == 404


async def hired_colleague(stage: Stage) -> str:
    """Add a user to the default account and return their Authorization."""
    ports, secret = stage.platform.ports, make_user_secret(os.urandom)
    async with ports.database.transaction() as connection:
        member = await accounts.first_member(connection)
        assert member is not None
        await accounts.insert_user(
            connection,
            account_id=member.account.id,
            email=f"{os.urandom(4).hex()}@localhost",
            first_name="Colleague",
            last_name="User",
            secret=secret,
            created_at=ports.now(),
            ring=ports.keys.ring(),
            random=os.urandom,
        )
    return f"User {secret.reveal()}, Organization {stage.organization}"


async def found_organization(stage: Stage) -> str:
    """Found another organization with an account and a user; return their Authorization."""
    ports = stage.platform.ports
    user, organization = make_user_secret(os.urandom), make_organization_secret(os.urandom)
    shared = {"created_at": ports.now()}
    sealed = {**shared, "ring": ports.keys.ring(), "random": os.urandom}
    async with ports.database.transaction() as connection:
        founded = await accounts.insert_organization(
            connection, name="Other", secret=organization, **sealed
        )
        account = await accounts.insert_account(
            connection,
            organization_id=founded.id,
            name="Default",
            external_id="other",
            is_default=True,
            **shared,
        )
        await accounts.insert_user(
            connection,
            account_id=account.id,
            email="other@localhost",
            first_name="Other",
            last_name="User",
            secret=user,
            **sealed,
        )
    return f"User {user.reveal()}, Organization {organization.reveal()}"
