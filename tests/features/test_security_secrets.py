"""Secrets stay where they belong: in no address, with no other application, behind both secrets."""

from __future__ import annotations

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.impostor import answering
from tests.journeys.stage import Stage, serving


@pytest.mark.parametrize(
    "name", ["oauth.api.secret", "oauth.api.key", "oauth.user.token", "oauth.user.token.secret"]
)
def test_lets_no_secret_into_an_address(stage: Stage, shop: RunningStore, name: str) -> None:
    """A masked value would be read by leading the instance to a host of the reader's own."""
    instance = Application(stage, shop.store, shop.url).connect()
    for changes in (
        {"base.url": f"https://a.example/{{{name}}}"},
        {"base.url": "{bulk.relations}/api/rest", "bulk.relations": f"{{store.url}}/{{{name}}}"},
        {"oauth.callback.url": f"https://a.example/?x={{{name}}}"},
    ):
        path = f"/instances/{instance['id']}"
        reply = stage.call("PATCH", path, body={"configuration": changes})
        assert reply.status == 400, reply
        assert f"{{{name}}}" in reply.message
    assert stage.call("GET", f"/instances/{instance['id']}").json() == instance


def test_lets_no_secret_into_the_addresses_of_an_authorization(stage: Stage) -> None:
    with serving(answering(200, b"oauth_token=t&oauth_token_secret=s")) as url:
        query = {
            "apiKey": "k",
            "apiSecret": "hidden",
            "callbackUrl": "https://app.example/cb",
            "siteAddress": url,
            "requestToken": "r",
        }
        for key, call in (("oauth.request.url", "token"), ("oauth.authorization.url", "url")):
            reply = stage.call(
                "GET",
                f"/elements/magento/oauth/{call}",
                query={**query, key: url + "/{oauth.api.secret}"},
                authorization="",
            )
            assert reply.status == 400, reply
            assert b"hidden" not in reply.body


@pytest.mark.parametrize("page", ["javascript:alert(1)//", "data:text/html,x", "//a.example/x"])
def test_sends_merchants_to_web_pages_only(stage: Stage, shop: RunningStore, page: str) -> None:
    application = Application(stage, shop.store, shop.url)
    reply = application.url("x" * 32, **{"oauth.authorization.url": page})
    assert reply.status == 400, reply
    assert "oauth.authorization.url" in reply.message


def test_takes_no_element_token_for_the_organization_secret(stage: Stage) -> None:
    """Calls that do not go to the instance itself need both secrets."""
    for element in ("x", "y" * 44):
        authorization = f"User {stage.user}, Element {element}"
        for path in ("/instances", "/instances/1", "/elements/magento/instances"):
            reply = stage.call("GET", path, authorization=authorization)
            assert reply.status == 401, (path, reply)
            assert "rganization" in reply.message


def test_needs_no_organization_secret_for_the_instance_of_a_token(
    stage: Stage, shop: RunningStore
) -> None:
    instance = Application(stage, shop.store, shop.url).connect()
    authorization = f"User {stage.user}, Element {instance['token']}"
    reply = stage.call("GET", "/hubs/ecommerce/orders?pageSize=1", authorization=authorization)
    assert reply.status == 200, reply
    assert stage.call("GET", "/ping", authorization=authorization).status == 200


def test_keeps_an_authorization_for_the_application_that_began_it(
    stage: Stage, shop: RunningStore
) -> None:
    """Whoever sees a callback pass by must not be able to use it up, nor sign with its secret."""
    application = Application(stage, shop.store, shop.url)
    authorized = application.authorize()
    with serving(answering(200, b"oauth_token=t&oauth_token_secret=s")) as url:
        for changes in ({"oauth.api.key": "k" * 32}, {"store.url": url}):
            configuration = {**application.configuration, **changes}
            reply = application.create(authorized, configuration=configuration)
            assert reply.status == 400, reply
            assert "another" in reply.message
    assert application.create(authorized).status == 200


@pytest.mark.parametrize("place", ["header", "query"])
def test_shows_no_handle_in_a_trace(stage: Stage, shop: RunningStore, place: str) -> None:
    """The callback that is registered carries what stands for the secret."""
    application = Application(
        stage, shop.store, shop.url, extra={"oauth.request.authorization.type": place}
    )
    query = {**application.parameters, "debug": "true"}
    reply = stage.call("GET", "/elements/magento/oauth/token", query=query)
    assert reply.status == 200, reply
    trace = stage.call("GET", f"/elements/magento/trace/{reply.headers['elements-trace-id']}")
    assert trace.status == 200
    assert b"oauth_callback" in trace.body
    assert b"secret%3D" not in trace.body
    assert b"secret%253D" not in trace.body


def test_lets_no_caller_steer_the_terminal_that_shows_the_log(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.call("GET", "/x%1b[2Jy%07", authorization="")
    shown = capsys.readouterr().out
    assert "/x\\x1b[2Jy" in shown
    assert "\x1b[2J" not in shown
