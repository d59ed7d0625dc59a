"""Every refusal says what to do, in its own status, and leaves nothing behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from polyvalent.sandbox.magento import RunningStore
from polyvalent.sandbox.magento.state import Role
from tests.journeys.application import Application
from tests.journeys.impostor import answering, in_front_of
from tests.journeys.stage import Reply, Stage, platform_on_stage, serving

Shop = Callable[..., RunningStore]


@contextmanager
def nothing_left(stage: Stage) -> Iterator[None]:
    """Make sure that what happens inside changes no table."""
    before = stage.rows()
    yield
    assert stage.rows() == before


def is_refused(reply: Reply, status: int, *texts: str, words: str | None = None) -> str:
    """Check an error: its status, texts that its message must have, the store's own words."""
    assert reply.status == status, reply
    message = reply.message
    for text in texts:
        assert text.lower() in message.lower(), message
    if words is None:
        assert "providerMessage" not in reply.json()
    else:
        assert words in reply.words
    return message


# What the caller sends


REQUIRED = {
    "oauth.api.key": "Consumer key",
    "oauth.api.secret": "Consumer secret",
    "oauth.callback.url": "Callback address",
    "store.url": "Store address",
}


@pytest.mark.parametrize("given", [{}, None, {"oauth.api.key": ""}, {"oauth.api.key": None}])
def test_names_every_missing_entry_by_key_and_label(application: Application, given: Any) -> None:
    body: dict[str, Any] = {"name": "Shop", "element": {"key": "magento"}}
    if given is not None:
        body["configuration"] = given
    with nothing_left(application.stage):
        reply = application.stage.call("POST", "/instances", body=body)
    is_refused(reply, 400, *(f"{key} ({label})" for key, label in REQUIRED.items()))


@pytest.mark.parametrize("absent", sorted(REQUIRED))
def test_names_the_one_missing_entry_alone(application: Application, absent: str) -> None:
    configuration = {k: v for k, v in application.configuration.items() if k != absent}
    body = {"name": "Shop", "element": {"key": "magento"}, "configuration": configuration}
    with nothing_left(application.stage):
        message = is_refused(application.stage.call("POST", "/instances", body=body), 400, absent)
    assert [key for key in REQUIRED if f"{key} (" in message] == [absent]


def test_names_every_missing_parameter_of_the_oauth_calls(stage: Stage) -> None:
    with nothing_left(stage):
        for path in ("token", "url"):
            reply = stage.call("GET", f"/elements/magento/oauth/{path}", authorization="")
            is_refused(reply, 400, "apiKey", "apiSecret", "callbackUrl", "siteAddress")


def test_asks_for_the_request_token(application: Application) -> None:
    is_refused(application.url(""), 400, "requestToken", "/oauth/token")


@pytest.mark.parametrize("element", ["nosuch", "999999", "Magento%20", "0356", "-1", "%00"])
def test_knows_no_other_element(application: Application, element: str) -> None:
    stage = application.stage
    body = {"name": "Shop", "element": {"key": element}, "configuration": {}}
    with nothing_left(stage):
        is_refused(stage.call("POST", "/instances", body=body), 404, "element")
        is_refused(stage.call("POST", f"/elements/{element}/instances", body=body), 404, "element")
        for step in ("token", "url"):
            path = f"/elements/{element}/oauth/{step}"
            is_refused(stage.call("GET", path, query=application.parameters), 404, "element")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "no body"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        ('{“name”: "x"}'.encode(), "curly quotes"),
        (b'{"name": "\\ud800"}', "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[]", "must be a JSON object, but it is a list"),
        (b"null", "must be a JSON object, but it is null"),
        (b'"x"', "must be a JSON object, but it is text"),
        (b'{"name": "x"}', "must name an element"),
        (b'{"element": "magento"}', "`element` must be an object"),
        (b'{"element": {"key": []}}', "`element` must name"),
        (b'{"element": {"key": "magento"}}', "needs a name"),
        (b'{"element": {"key": "magento"}, "name": 5}', "`name` must be text, but it is a number"),
        (b'{"element": {"key": "magento"}, "name": "<br>"}', "name is empty"),
        (b'{"element": {"key": "magento"}, "name": "x", "tags": "a"}', "`tags` must be a list"),
        (b'{"element": {"key": "magento"}, "tags": [1]}', "`tags` must be a list of texts"),
        (b'{"element": {"key": "magento"}, "configuration": []}', "`configuration` must be"),
        (b'{"element": {"key": "magento"}, "configuration": {"a": {}}}', "entry 'a' must be text"),
        (b'{"element": {"key": "magento"}, "providerData": 1}', "`providerData` must be an object"),
        (
            b'{"element": {"key": "magento"}, "providerData": {"secret": []}}',
            "`providerData.secret` must be text",
        ),
        (
            b'{"element": {"key": "magento"}, "externalAuthentication": "x"}',
            '`externalAuthentication` must be "none" or "initial"',
        ),
    ],
)
def test_says_what_is_wrong_with_a_body(stage: Stage, body: bytes, text: str) -> None:
    with nothing_left(stage):
        is_refused(stage.call("POST", "/instances", body=body), 400, text)


def test_names_all_wrong_types_at_once(stage: Stage) -> None:
    body = {"name": 1, "element": 2, "configuration": 3, "providerData": 4, "tags": 5}
    with nothing_left(stage):
        is_refused(
            stage.call("POST", "/instances", body=body),
            400,
            *(f"`{name}` must be" for name in body),
        )


def test_ignores_what_nobody_knows_and_says_so(application: Application) -> None:
    reply = application.create(
        colour="red",
        configuration={**application.configuration, "no.such.key": "x"},
    )
    assert reply.status == 200
    assert "'colour'" in reply.headers["elements-error"]
    assert "'no.such.key'" in reply.headers["elements-error"]
    assert "no.such.key" not in reply.json()["configuration"]
    assert "colour" not in reply.json()


@pytest.mark.parametrize(
    ("site", "text"),
    [
        ("ftp://shop.example.com", "ftp:// is not http"),
        ("http://", "no host"),
        ("http://shop example.com", "a space"),
        ("http://user:pw@shop.example.com", "user name"),
        ("http://shop.example.com/?x=1", "base address"),
        ("http://shop.example.com:0", "port 0"),
        ("http://shop.example.com:99999", "port"),
        ("http://[::1", "shop.example.com"),
        ("http://a..b", "host name"),
    ],
)
def test_says_what_is_wrong_with_an_address(application: Application, site: str, text: str) -> None:
    with nothing_left(application.stage):
        is_refused(application.token(siteAddress=site), 400, text, "shop.example.com")
        is_refused(application.url("x", siteAddress=site), 400, text)
        configuration = {**application.configuration, "store.url": site}
        body = {"element": {"key": "magento"}, "name": "x", "configuration": configuration}
        is_refused(application.stage.call("POST", "/instances", body=body), 400, text)


@pytest.mark.parametrize(
    "callback", ["ftp://x", "x", "http://", "https://a.example/#b", "http://a b"]
)
def test_says_what_is_wrong_with_a_callback(application: Application, callback: str) -> None:
    with nothing_left(application.stage):
        is_refused(application.token(callbackUrl=callback), 400, "oauth.callback.url")


def test_takes_no_mask_for_a_secret(application: Application) -> None:
    """A configuration that was copied from the answer of another instance."""
    authorized = application.authorize()
    masked = {**application.configuration, "oauth.api.secret": "********"}
    with nothing_left(application.stage):
        reply = application.create(authorized, configuration=masked)
    is_refused(reply, 400, "oauth.api.secret", "Send the values themselves")


# The way to the store


@pytest.mark.parametrize(
    ("site", "status", "text"),
    [
        ("http://127.0.0.1:9", 502, "127.0.0.1:9"),
        ("no-such-shop.invalid", 502, "no-such-shop.invalid"),
        ("http://10.0.0.1", 400, "private address"),
        ("http://169.254.169.254", 400, "169.254.169.254"),
        ("http://[::1]", 400, "::1"),
        ("http://0x7f.2", 400, ""),
    ],
)
def test_says_why_a_store_cannot_be_reached(
    application: Application, site: str, status: int, text: str
) -> None:
    with nothing_left(application.stage):
        is_refused(application.token(siteAddress=site), status, text)


@pytest.mark.parametrize(
    ("app", "text"),
    [
        (answering(200, b"<html><title>Welcome</title><h1>Welcome</h1></html>"), "Magento store"),
        (answering(200, b'{"ok": true}', content_type="application/json"), "Magento store"),
        (answering(404, b"<h1>Not Found</h1>"), "Magento store"),
        (answering(405, b""), "Magento store"),
        (answering(200, b""), "Magento store"),
        (answering(200, b"oauth_token=&oauth_token_secret="), "Magento store"),
        (answering(403, b"<h1>Forbidden</h1>"), "in front of the store"),
        (answering(401, b"<h1>Password</h1>"), "in front of the store"),
    ],
)
def test_tells_what_is_no_store(application: Application, app: Any, text: str) -> None:
    with serving(app) as url, nothing_left(application.stage):
        reply = application.token(siteAddress=url)
        assert reply.status == 400, reply
        assert text in reply.message
        assert f"{url}/oauth/initiate" in reply.message


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_tells_where_a_store_redirects(application: Application, status: int) -> None:
    moved = answering(status, headers=(("Location", "https://www.shop.example.com/?a=b"),))
    with serving(moved) as url, nothing_left(application.stage):
        reply = application.token(siteAddress=url)
    assert reply.status == 400
    assert "redirects to https://www.shop.example.com/." in reply.message
    assert "as it is after the redirect" in reply.message


@pytest.mark.parametrize(
    ("app", "text"),
    [
        (answering(500), "broke off without a word"),
        (answering(503, b"<h1>Down</h1>"), "down, overloaded or under maintenance"),
        (answering(502, b"Bad Gateway"), "down, overloaded or under maintenance"),
    ],
)
def test_tells_a_store_that_fails(application: Application, app: Any, text: str) -> None:
    with serving(app) as url, nothing_left(application.stage):
        reply = application.token(siteAddress=url)
    assert reply.status == 502
    assert text in reply.message


def test_gives_up_at_the_deadline(tmp_path: Path, shop: RunningStore) -> None:
    with (
        platform_on_stage(tmp_path / "p", deadline_s=0.5) as stage,
        serving(answering(pause_s=2)) as url,
        nothing_left(stage),
    ):
        application = Application(stage, shop.store, url)
        is_refused(application.token(), 504, "did not answer within 0.5 s")


def test_tells_maintenance(stage: Stage, open_shop: Shop) -> None:
    running = open_shop(maintenance=True)
    with nothing_left(stage):
        reply = Application(stage, running.store, running.url).token()
    assert reply.status == 502
    assert "maintenance" in reply.message
    assert reply.words


def test_leaves_nothing_when_the_store_breaks_after_the_consent(
    stage: Stage, open_shop: Shop
) -> None:
    running = open_shop()
    application = Application(stage, running.store, running.url)
    authorized = application.authorize()
    running.store.set_options(database_down=True)
    with nothing_left(stage):
        assert application.create(authorized).status == 502
    running.store.set_options(database_down=False)
    # The authorization was not used up, so the same callback still works.
    assert application.create(authorized).status == 200


# What the store says


def test_tells_a_wrong_consumer_key(application: Application) -> None:
    with nothing_left(application.stage):
        is_refused(
            application.token(apiKey="0" * 32),
            401,
            "consumer_key_rejected",
            "mistyped",
            "Copy it again",
            words="oauth_problem=consumer_key_rejected",
        )


def test_tells_a_wrong_consumer_secret(application: Application) -> None:
    with nothing_left(application.stage):
        is_refused(
            application.token(apiSecret="0" * 32),
            401,
            "signature_invalid",
            "consumer secret does not belong to the consumer key",
            "Otherwise",
            words="oauth_problem=signature_invalid",
        )


def test_tells_a_wrong_consumer_secret_at_the_exchange(application: Application) -> None:
    authorized = application.authorize()
    wrong = {**application.configuration, "oauth.api.secret": "0" * 32}
    with nothing_left(application.stage):
        reply = application.create(authorized, configuration=wrong)
    is_refused(reply, 401, "consumer secret", words="oauth_problem=signature_invalid")
    assert application.create(authorized).status == 200


def test_tells_a_wrong_secret_of_the_request_token(application: Application) -> None:
    authorized = application.authorize()
    data = {**application.body(authorized)["providerData"], "secret": "0" * 32}
    with nothing_left(application.stage):
        reply = application.create(authorized, providerData=data)
    is_refused(reply, 401, "issued together with this request token", words="signature_invalid")


def test_tells_a_secret_of_another_authorization(application: Application) -> None:
    one, other = application.authorize(), application.authorize()
    data = {**application.body(other)["providerData"], "secret": one.callback["secret"]}
    with nothing_left(application.stage):
        reply = application.create(other, providerData=data)
    is_refused(reply, 400, "another authorization", "same callback")


@pytest.mark.parametrize("verifier", ["0" * 32, "short"])
def test_tells_a_wrong_verifier(application: Application, verifier: str) -> None:
    authorized = application.authorize()
    data = {**application.body(authorized)["providerData"], "oauth_verifier": verifier}
    with nothing_left(application.stage):
        reply = application.create(authorized, providerData=data)
    is_refused(reply, 401, "verifier", words="oauth_problem=verifier_invalid")


def test_tells_a_verifier_that_the_store_has_used(stage: Stage, shop: RunningStore) -> None:
    """Another platform was faster; ours only knows what the store says."""
    application = Application(stage, shop.store, shop.url)
    authorized = application.authorize()
    del shop.store.tokens[authorized.token]
    with nothing_left(stage):
        reply = application.create(authorized)
    is_refused(reply, 401, "exchanged before", "Start the authorization again", words="rejected")


def test_tells_an_authorization_that_was_not_confirmed(application: Application) -> None:
    started = application.token().json()
    data = {"oauth_token": started["token"], "oauth_verifier": "0" * 32}
    body = {
        "element": {"key": "magento"},
        "name": "x",
        "providerData": data,
        "configuration": application.configuration,
    }
    with nothing_left(application.stage):
        reply = application.stage.call("POST", "/instances", body=body)
    # This store's PHP dies on the comparison; older ones name the verifier.
    is_refused(reply, 502, "error log", words="")


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        ({}, ("oauth_token and oauth_verifier", "/oauth/token")),
        ({"oauth_token": "x"}, ("oauth_verifier",)),
        ({"oauth_verifier": "x"}, ("oauth_token",)),
        ({"oauth_token": "x", "oauth_verifier": "y"}, ("secret is missing",)),
    ],
)
def test_names_what_provider_data_lacks(
    application: Application, data: dict[str, str], texts: tuple[str, ...]
) -> None:
    body = {
        "element": {"key": "magento"},
        "name": "x",
        "providerData": data,
        "configuration": application.configuration,
    }
    with nothing_left(application.stage):
        is_refused(application.stage.call("POST", "/instances", body=body), 400, *texts)


def test_tells_a_merchant_who_declined(application: Application) -> None:
    declined = application.authorize(rejecting=True)
    assert declined.callback["rejected"] == "1"
    assert "oauth_verifier" not in declined.callback
    with nothing_left(application.stage):
        reply = application.create(declined, providerData=declined.callback)
    is_refused(reply, 400, "declined", "rejected=1", "/oauth/token")


def test_tells_an_authorization_that_expired(own_stage: Stage, shop: RunningStore) -> None:
    application = Application(own_stage, shop.store, shop.url)
    authorized = application.authorize()
    own_stage.clock.ahead = timedelta(minutes=61)
    with nothing_left(own_stage):
        is_refused(application.create(authorized), 400, "more than an hour ago", "/oauth/token")
        is_refused(application.url(authorized.token), 400, "older than an hour")


def test_explains_clocks_that_differ_with_the_seconds(stage: Stage, open_shop: Shop) -> None:
    running = open_shop(clock_skew_s=-3600)
    with nothing_left(stage):
        reply = Application(stage, running.store, running.url).token()
    message = is_refused(reply, 401, "timestamp_refused", words="timestamp_refused")
    measured = re.search(r"clock is (\d+) seconds behind ours", message)
    assert measured, message
    assert abs(int(measured.group(1)) - 3600) <= 2
    assert "NTP" in message


def test_forgets_an_authorization_that_nobody_finished(own_stage: Stage, open_shop: Shop) -> None:
    running = open_shop()
    application = Application(own_stage, running.store, running.url)
    for hours, kept in ((0, 1), (24, 2), (26, 2), (52, 1)):
        own_stage.clock.ahead = timedelta(hours=hours)
        running.store.set_options(clock_skew_s=hours * 3600)
        assert application.token().status == 200
        assert own_stage.rows()["authorization_request"] == kept


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (answering(200, b"<html>Welcome</html>"), 400),
        (answering(200, b""), 400),
        (answering(302, headers=(("Location", "https://a.example/"),)), 400),
        (answering(503, b"down"), 502),
        (answering(500), 502),
        (answering(200, b"oauth_token=a&oauth_token_secret=b", content_type="text/plain"), 502),
    ],
)
def test_tells_a_store_that_is_replaced_between_the_steps(
    application: Application, answer: Any, status: int
) -> None:
    """The last one hands out credentials, and what follows is not this vendor's API."""
    with serving(answer) as url:
        body = {
            "element": {"key": "magento"},
            "name": "x",
            "providerData": {"oauth_token": "t", "oauth_verifier": "v", "secret": "s"},
            "configuration": {**application.configuration, "store.url": url},
        }
        with nothing_left(application.stage):
            reply = application.stage.call("POST", "/instances", body=body)
    assert reply.status == status, reply
    assert reply.message


# The rights of the merchant's user


def test_tells_a_user_without_a_role(stage: Stage, open_shop: Shop) -> None:
    running = open_shop(admin_role="none")
    application = Application(stage, running.store, running.url)
    authorized = application.authorize()
    with nothing_left(stage):
        reply = application.create(authorized)
    is_refused(reply, 403, "REST - Roles", words="Admin role not found")
    # The advice holds: the store gives nothing for this consent any more, but for a new one.
    assert "used this authorization up" in reply.message
    assert "start again with GET /elements/magento/oauth/token" in reply.message
    running.store.admins[running.store.admin_user].role = Role()
    with nothing_left(stage):
        assert application.create(authorized).status == 401
    assert application.create().status == 200


def test_tells_a_role_without_resources(stage: Stage, open_shop: Shop) -> None:
    running = open_shop()
    running.store.add_admin("clerk", "clerk-password", role=Role(resources={}))
    application = Application(stage, running.store, running.url)
    authorized = application.authorize(user="clerk")
    with nothing_left(stage):
        reply = application.create(authorized)
    is_refused(reply, 403, "Role Resources", words="Access denied")


def test_tells_a_role_without_attributes(stage: Stage, open_shop: Shop) -> None:
    running = open_shop(admin_attributes="none")
    application = Application(stage, running.store, running.url)
    authorized = application.authorize()
    with nothing_left(stage):
        reply = application.create(authorized)
    is_refused(reply, 403, "REST - Attributes")


def test_takes_a_role_that_may_read_products_only(stage: Stage, open_shop: Shop) -> None:
    running = open_shop(admin_role="limited")
    assert Application(stage, running.store, running.url).create().status == 200


@pytest.mark.parametrize("guest_products", [True, False])
def test_tells_a_visitors_view(stage: Stage, open_shop: Shop, guest_products: bool) -> None:
    running = open_shop(guest_products=guest_products, host_port="both_without")

    def strip(path: str, headers: dict[str, str]) -> dict[str, str]:
        lost = "authorization" if path.startswith("/api/rest") else ""
        return {name: value for name, value in headers.items() if name != lost}

    with in_front_of(running.url, strip) as (url, _):
        application = Application(stage, running.store, url)
        authorized = application.authorize()
        with nothing_left(stage):
            reply = application.create(authorized)
    assert reply.status == 403, reply
    assert "drops the authorization header" in reply.message.lower()
    assert ("Access denied" in reply.json().get("providerMessage", "")) is not guest_products


def test_tells_a_header_that_is_dropped_at_once(stage: Stage, shop: RunningStore) -> None:
    def strip(_: str, headers: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in headers.items() if name != "authorization"}

    with in_front_of(shop.url, strip) as (url, _), nothing_left(stage):
        reply = Application(stage, shop.store, url).token()
    is_refused(reply, 400, "drops the Authorization header", words="parameter_absent")


# The wire


def test_takes_no_body_that_is_too_large(stage: Stage) -> None:
    body = {"name": "x" * stage.settings.max_body_bytes}
    with nothing_left(stage):
        is_refused(stage.call("POST", "/instances", body=body), 413, "larger than")


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml"]
)
def test_takes_no_other_content_type(stage: Stage, kind: str) -> None:
    with nothing_left(stage):
        reply = stage.call("POST", "/instances", body=b"a=b", headers={"Content-Type": kind})
    is_refused(reply, 415, kind.partition(";")[0], "application/json")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/instances", "GET, PATCH, POST, PUT"),
        ("POST", "/instances/1", "DELETE, GET, PATCH, PUT"),
        ("PATCH", "/instances/1/enabled", "DELETE, PUT"),
        ("POST", "/elements/magento/oauth/token", "GET"),
        ("DELETE", "/elements/magento/oauth/url", "GET, POST"),
        ("POST", "/hubs/keys", "GET"),
        ("DELETE", "/elements", "GET, POST"),
    ],
)
def test_names_the_methods_of_a_path(stage: Stage, method: str, path: str, allow: str) -> None:
    reply = stage.call(method, path)
    is_refused(reply, 405, method, allow)
    assert reply.headers["allow"] == allow


def test_knows_no_other_path(stage: Stage) -> None:
    is_refused(stage.call("GET", "/nix/wo/es/nichts/gibt", authorization=""), 404, "/nix")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "User x",
        "Bearer x",
        "User {user}",
        "Organization {organization}",
        "User {user}, Organization 0",
        "User 0, Organization {organization}",
    ],
)
def test_lets_nobody_in_without_both_secrets(stage: Stage, header: str) -> None:
    shown = header.format(user=stage.user, organization=stage.organization)
    with nothing_left(stage):
        reply = stage.call("POST", "/instances", body={}, authorization=shown)
    is_refused(reply, 401, "Authorization: User <user secret>, Organization")
    assert stage.user not in reply.body.decode()
