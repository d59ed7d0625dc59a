"""Stores differ in address, admin path, signature and set-up; each connects at the first try."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from polyvalent.sandbox.magento import RunningStore, StoreOptions, create_app
from tests.journeys.application import Application
from tests.journeys.fixtures import SMALL
from tests.journeys.impostor import generous, in_front_of
from tests.journeys.stage import Reply, Stage, serving

Shop = Callable[..., RunningStore]


@pytest.mark.parametrize(
    "write",
    [
        lambda url: url,
        lambda url: f"{url}/",
        lambda url: f"  {url}//  ",
        lambda url: url.replace("http", "HTTP"),
    ],
)
def test_takes_an_address_as_people_write_it(
    stage: Stage, shop: RunningStore, write: Callable[[str], str]
) -> None:
    application = Application(stage, shop.store, write(shop.url), home=shop.url)
    instance = application.connect()
    assert instance["configuration"]["store.url"] == shop.url


def test_takes_an_address_without_a_scheme_as_https(stage: Stage, shop: RunningStore) -> None:
    bare = shop.url.removeprefix("http://")
    reply = Application(stage, shop.store, bare).token()
    assert reply.status == 502
    assert bare in reply.message
    assert "http://" in reply.message, reply.message


@pytest.mark.parametrize("slash", ["", "/"])
def test_connects_a_store_in_a_sub_directory(stage: Stage, slash: str) -> None:
    app = create_app(StoreOptions(**SMALL))
    with serving(Starlette(routes=[Mount("/shop", app=app)]), date_header=False) as url:
        application = Application(stage, app.state.store, f"{url}/shop{slash}", home=url)
        instance = application.connect()
        assert instance["configuration"]["store.url"] == f"{url}/shop"
        assert stage.call("GET", "/products", element=instance["token"]).status == 200


def test_connects_by_another_admin_path(stage: Stage, open_shop: Shop) -> None:
    running = open_shop(admin_path="backstage")
    page = "{store.url}/backstage/oauth_authorize"
    extra = {"oauth.authorization.url": page}
    application = Application(stage, running.store, running.url, extra=extra)
    instance = application.connect()
    assert instance["configuration"]["oauth.authorization.url"] == page


def test_signs_in_the_query_where_asked(stage: Stage, open_shop: Shop) -> None:
    """A proxy loses the header on the way to the token calls; the query arrives."""
    running = open_shop(host_port="both_without")

    def strip(path: str, headers: dict[str, str]) -> dict[str, str]:
        lost = "authorization" if path.startswith("/oauth/") else ""
        return {name: value for name, value in headers.items() if name != lost}

    with in_front_of(running.url, strip) as (url, _):
        refused = Application(stage, running.store, url).token()
        assert refused.status == 400
        assert "oauth parameters between header and query" in refused.message.lower()
        extra = {"oauth.request.authorization.type": "query"}
        instance = Application(stage, running.store, url, extra=extra).connect()
    assert instance["configuration"]["oauth.request.authorization.type"] == "query"


@pytest.mark.parametrize("host_port", ["oauth_without", "both_without", "both_with"])
def test_finds_the_signature_and_remembers_it(
    stage: Stage, open_shop: Shop, host_port: str
) -> None:
    running = open_shop(host_port=host_port)
    instance = Application(stage, running.store, running.url).connect()
    for path in ("/hubs/ecommerce/products?pageSize=1", "/orders?pageSize=1"):
        running.store.counters.clear()
        assert stage.call("GET", path, element=instance["token"]).status == 200
        assert running.store.counters.total() == 1, running.store.counters


def test_finds_the_signature_anew_when_the_store_changes(stage: Stage, open_shop: Shop) -> None:
    running = open_shop(host_port="both_without")
    instance = Application(stage, running.store, running.url).connect()
    store = running.store
    store.options = StoreOptions(**SMALL, host_port="both_with")
    for most_calls in (10, 1):
        store.counters.clear()
        assert stage.call("GET", "/products", element=instance["token"]).status == 200
        assert store.counters.total() <= most_calls


@pytest.mark.parametrize(
    "options",
    [
        {"flavor": "classic", "php8": False},
        {"native_ints": True},
        {"web_server": "apache"},
        {"web_server": "fcgid"},
        {"parameter_order": "bytes"},
    ],
)
def test_connects_every_kind_of_store(
    stage: Stage, open_shop: Shop, options: dict[str, Any]
) -> None:
    running = open_shop(**options)
    instance = Application(stage, running.store, running.url).connect()
    shown = stage.call("GET", "/hubs/ecommerce/products?pageSize=3", element=instance["token"])
    assert len(shown.json()) == 3


def test_imports_credentials_that_the_caller_has(application: Application) -> None:
    store = application.store
    issued = store.issue_token(admin=store.admin_user)
    obtained = {"oauth.user.token": issued.token, "oauth.user.token.secret": issued.secret}
    body = {
        "element": {"id": 356},
        "name": "Imported",
        "externalAuthentication": "initial",
        "configuration": {**application.configuration, **obtained},
    }
    reply = application.stage.call("POST", "/instances", body=body)
    assert reply.status == 200, reply
    instance = reply.json()
    assert instance["externalAuthentication"] == "initial"
    assert instance["configuration"]["oauth.user.token"] == "********"
    assert application.stage.call("GET", "/ping", element=instance["token"]).status == 200


@pytest.mark.parametrize("wrong", ["oauth.user.token", "oauth.user.token.secret"])
@pytest.mark.parametrize("value", ["", "0" * 32])
def test_imports_no_credentials_that_do_not_work(
    application: Application, wrong: str, value: str
) -> None:
    store = application.store
    issued = store.issue_token(admin=store.admin_user)
    obtained = {"oauth.user.token": issued.token, "oauth.user.token.secret": issued.secret}
    body = {
        "element": {"id": 356},
        "name": "Imported",
        "externalAuthentication": "initial",
        "configuration": {**application.configuration, **obtained, wrong: value},
    }
    before = application.stage.rows()
    reply = application.stage.call("POST", "/instances", body=body)
    assert reply.status == (401 if value else 400), reply
    assert reply.message
    assert application.stage.rows() == before


@pytest.mark.parametrize("round_", range(3))
def test_makes_one_instance_of_two_requests_at_once(
    either: Stage, shop: RunningStore, round_: int
) -> None:
    application = Application(either, shop.store, shop.url)
    authorized = application.authorize()
    before = either.rows()

    def create(_: int) -> Reply:
        return application.create(authorized)

    with ThreadPoolExecutor(2) as pool:
        replies = sorted(pool.map(create, range(2)), key=lambda reply: reply.status)
    assert replies[0].status == 200, replies
    assert replies[1].status in (400, 401), replies[1]
    assert "used" in replies[1].message or "exchanged before" in replies[1].message
    assert either.rows()["instance"] == before["instance"] + 1
    token = replies[0].json()["token"]
    assert either.call("GET", "/ping", element=token).status == 200


def test_makes_one_instance_also_where_the_store_would_allow_two(
    either: Stage, shop: RunningStore
) -> None:
    with serving(generous(pause_s=0.1)) as url:
        application = Application(either, shop.store, url)
        started = application.token().json()
        before = either.rows()
        body = {
            "element": {"key": "magento"},
            "name": "Shop",
            "providerData": {"oauth_token": started["token"], "oauth_verifier": "v"},
            "configuration": application.configuration,
        }
        with ThreadPoolExecutor(4) as pool:
            create = lambda _: either.call("POST", "/instances", body=body)  # noqa: E731
            replies = list(pool.map(create, range(4)))
    assert sorted(reply.status for reply in replies) == [200, 400, 400, 400]
    assert all("used already" in reply.message for reply in replies if reply.status == 400)
    assert either.rows()["instance"] == before["instance"] + 1


def test_makes_many_instances_at_once(either: Stage, shop: RunningStore) -> None:
    application = Application(either, shop.store, shop.url)
    before = either.rows()["instance"]

    def create(number: int) -> Reply:
        issued = shop.store.issue_token(admin=shop.store.admin_user)
        obtained = {"oauth.user.token": issued.token, "oauth.user.token.secret": issued.secret}
        body = {
            "element": {"key": "magento"},
            "name": f"Shop {number}",
            "externalAuthentication": "initial",
            "configuration": {**application.configuration, **obtained},
        }
        created = either.call("POST", "/instances", body=body)
        if created.status != 200:
            return created
        path = f"/instances/{created.json()['id']}"
        either.call("PATCH", path, body={"name": f"Changed {number}", "tags": ["a", "b"]})
        either.call("GET", "/orders?pageSize=1", element=created.json()["token"])
        return either.call("DELETE" if number % 2 else "GET", path)

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(create, range(24)))
    assert [reply.status for reply in replies] == [200] * 24, replies
    assert {reply.json()["name"] for reply in replies[::2]} == {
        f"Changed {number}" for number in range(0, 24, 2)
    }
    assert either.rows()["instance"] == before + 12


def test_makes_one_change_of_two_at_once(either: Stage, shop: RunningStore) -> None:
    application = Application(either, shop.store, shop.url)
    path = f"/instances/{application.connect()['id']}"
    changes = [
        {"tags": [f"{letter}{place}" for place in range(9)], "name": letter}
        for letter in "abcdefgh"
    ]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda body: either.call("PATCH", path, body=body), changes))
    assert [reply.status for reply in replies] == [200] * len(changes), replies
    last = either.call("GET", path).json()
    assert {"name": last["name"], "tags": last["tags"]} in changes


def test_carries_another_state_and_a_callback_with_a_query(application: Application) -> None:
    changes = {"state": "shop 7&x=1", "callbackUrl": "https://www.mycoolapp.com/auth?tenant=5"}
    started = application.token(**changes)
    assert started.status == 200, started
    led = application.url(started.json()["token"], **changes).json()["oauthUrl"]
    from tests.journeys.merchant import consent, query_of

    browser = consent(led, application.store, home=application.site)
    callback = query_of(browser.seen[-1])
    assert callback["state"] == "shop 7&x=1"
    assert callback["tenant"] == "5"
    assert set(callback) == {"state", "tenant", "oauth_token", "oauth_verifier", "secret"}
    configuration = {**application.configuration, "oauth.callback.url": changes["callbackUrl"]}
    body = {
        "element": {"key": "magento"},
        "name": "Shop",
        "providerData": callback,
        "configuration": configuration,
    }
    reply = application.stage.call("POST", "/instances", body=body)
    assert reply.status == 200, reply
    assert reply.json()["tags"] == ["Shop"]


def test_takes_the_parameters_of_step_2_as_json(application: Application) -> None:
    token = application.token().json()["token"]
    body = {**application.parameters, "requestToken": token}
    posted = application.stage.call("POST", "/elements/356/oauth/url", body=body, authorization="")
    assert posted.status == 200
    assert posted.json() == application.url(token).json()
