"""A creation that asks for debugging leaves a trace: complete, redacted, for its owner, a week."""

from __future__ import annotations

from datetime import timedelta

import pytest

from polyvalent.exchange import Exchange, Request, Response
from polyvalent.sandbox.magento import RunningStore
from polyvalent.traces.redact import MASK, redact_exchange, redact_text
from tests.journeys.application import Application
from tests.journeys.stage import Stage


@pytest.fixture
def own(own_stage: Stage, shop: RunningStore) -> Application:
    """An application on a platform of the test's own."""
    return Application(own_stage, shop.store, shop.url)


def test_keeps_every_call_of_a_creation(own: Application) -> None:
    authorized = own.authorize()
    data = {**own.body(authorized)["providerData"], "debug": True}
    created = own.create(authorized, providerData=data)
    shown = own.stage.call(
        "GET", f"/elements/magento/trace/{created.headers['elements-trace-id']}"
    ).json()
    # The token call is signed twice: with the port, which this store leaves out, and without.
    assert list(shown) == [
        "POST:/oauth/token",
        "POST:/oauth/token#2",
        "GET:/api/rest/products",
    ]
    first, second = shown["POST:/oauth/token"], shown["POST:/oauth/token#2"]
    assert first["response"]["status"] == 401
    assert "signature_invalid" in first["response"]["body"]
    port = own.site.rpartition(":")[2]
    assert port in first["signatureBaseString"]
    assert port not in second["signatureBaseString"]
    assert second["response"]["status"] == 200
    assert f"oauth_token_secret={MASK}" in second["response"]["body"]
    for exchange in shown.values():
        assert set(exchange) == {"request", "response", "elapsedMs", "signatureBaseString"}
        assert exchange["request"]["headers"]["Authorization"].startswith("OAuth ")


def test_keeps_a_trace_of_a_refusal(own: Application) -> None:
    authorized = own.authorize()
    data = {**own.body(authorized)["providerData"], "oauth_verifier": "0" * 32}
    refused = own.create(authorized, providerData=data, debug=True)
    assert refused.status == 401
    assert refused.message
    trace_id = refused.headers["elements-trace-id"]
    assert trace_id == refused.json()["requestId"]
    shown = own.stage.call("GET", f"/elements/356/trace/{trace_id}").json()
    assert "verifier_invalid" in str(shown)


def test_keeps_none_unless_asked(own: Application) -> None:
    created = own.create()
    assert "elements-trace-id" not in created.headers
    assert own.stage.rows()["trace"] == 0


def test_keeps_a_trace_of_the_first_step_for_a_known_caller(own: Application) -> None:
    query = {**own.parameters, "debug": "true"}
    path = "/elements/magento/oauth/token"
    anonymous = own.stage.call("GET", path, query=query, authorization="")
    assert anonymous.status == 401
    assert "a trace has an owner" in anonymous.message
    assert own.stage.rows()["trace"] == 0
    known = own.stage.call("GET", path, query=query)
    assert known.status == 200
    trace = f"/elements/magento/trace/{known.headers['elements-trace-id']}"
    assert "POST:/oauth/initiate" in own.stage.call("GET", trace).json()


def test_forgets_a_trace_after_a_week(own: Application) -> None:
    query = {**own.parameters, "debug": "true"}
    path = "/elements/magento/oauth/token"
    first = own.stage.call("GET", path, query=query).headers["elements-trace-id"]
    own.stage.clock.ahead = -timedelta(days=8)
    old = own.stage.call("GET", path, query=query).headers["elements-trace-id"]
    own.stage.clock.ahead = timedelta()
    own.stage.call("GET", path, query=query)
    assert own.stage.call("GET", f"/elements/magento/trace/{first}").status == 200
    assert own.stage.call("GET", f"/elements/magento/trace/{old}").status == 404


@pytest.mark.parametrize("trace_id", ["0" * 24, "x", "A" * 24, "%00", "0" * 25])
def test_knows_no_other_trace(stage: Stage, trace_id: str) -> None:
    refused = stage.call("GET", f"/elements/magento/trace/{trace_id}")
    assert refused.status == 404
    assert "Elements-Trace-Id" in refused.message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("oauth_token=abc&oauth_token_secret=def", f"oauth_token={MASK}&oauth_token_secret={MASK}"),
        ('OAuth oauth_token="abc", realm="x"', f'OAuth oauth_token="{MASK}", realm="x"'),
        ('{"password": "a b", "name": "c"}', f'{{"password": "{MASK}", "name": "c"}}'),
        ('{"secret":"a,b\\"c","n":1}', f'{{"secret":"{MASK}","n":1}}'),
        ("a=1&API_KEY=2&apikey=3", f"a=1&API_KEY={MASK}&apikey={MASK}"),
        ("tokens=3&category=books", "tokens=3&category=books"),
    ],
)
def test_masks_what_stands_behind_a_secret_name(text: str, shown: str) -> None:
    assert redact_text(text) == shown


def test_masks_headers_that_it_does_not_know() -> None:
    exchange = Exchange(
        request=Request(
            method="GET",
            url="https://shop.example/api?oauth_signature=abc&page=2",
            headers=(
                ("Accept", "text/plain"),
                ("Authorization", "Basic abc"),
                ("X-Api-Key", "abc"),
            ),
        ),
        response=Response(
            status=200, headers=(("Set-Cookie", "abc"), ("Date", "today")), body=b"x" * 20_000
        ),
        elapsed_ms=1.26,
    )
    shown = redact_exchange(exchange)
    assert "abc" not in str(shown)
    assert shown["request"]["url"].endswith("&page=2")
    assert shown["request"]["headers"]["Accept"] == "text/plain"
    assert shown["response"]["headers"] == {"Set-Cookie": MASK, "Date": "today"}
    assert len(shown["response"]["body"]) == 16_385
    assert shown["elapsedMs"] == 1.3
