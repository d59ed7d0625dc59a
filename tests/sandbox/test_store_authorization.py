"""OAuth 1.0a as the simulated store speaks it, with oauthlib as the independent signer."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from polyvalent.sandbox.magento import StoreOptions, create_app
from polyvalent.sandbox.magento.oauth_verify import compare_naturally
from tests.sandbox.conftest import OpenShop
from tests.sandbox.wire import Shop, send, without_port

CALLBACK = "http://127.0.0.1:9/back?state=1"


def test_it_leads_through_the_whole_authorization(shop: Shop) -> None:
    shop.connect()

    assert len(shop.token or "") == len(shop.secret or "") == 32
    assert shop.rest("GET", "products?limit=1").status == 200


def test_it_sends_verifier_and_token_to_the_callback(shop: Shop) -> None:
    token = shop.request_token(CALLBACK)

    target = shop.confirm(token)

    assert target.startswith(f"{CALLBACK}&oauth_token={token}&oauth_verifier=")


def test_it_exchanges_a_request_token_only_once(shop: Shop) -> None:
    target = shop.confirm(shop.request_token())
    verifier = parse_qs(urlsplit(target).query)["oauth_verifier"][0]

    first = shop.oauth("token", verifier=verifier)
    second = shop.oauth("token", verifier=verifier)

    assert first.status == 200
    assert set(first.form()) == {"oauth_token", "oauth_token_secret"}
    assert (second.status, second.text) == (401, "oauth_problem=token_rejected")


def test_it_deletes_older_tokens_when_the_same_admin_confirms_again(shop: Shop) -> None:
    shop.connect()
    old = (shop.token, shop.secret)
    shop.confirm(shop.request_token())

    shop.token, shop.secret = old
    answer = shop.rest("GET", "products?limit=1")

    assert answer.status == 401
    assert answer.json()["messages"]["error"][0]["message"] == "oauth_problem=token_rejected"


def test_it_tells_a_rejection_apart_and_keeps_the_request_token(shop: Shop) -> None:
    token = shop.request_token(CALLBACK)
    path = f"{shop.url}/index.php/admin/oauth_authorize/reject/?oauth_token={token}"

    answer = send("GET", path)

    assert answer.headers["location"] == f"{CALLBACK}&oauth_token={token}&rejected=1"
    assert "oauth_verifier" in shop.confirm(token)


def test_it_shows_the_verifier_for_oob(shop: Shop) -> None:
    token = shop.request_token("oob")
    cookie, page = shop.log_in(token)
    action = re.search(r'id="oauth_authorize_confirm" action="([^"]+)"', page)
    assert action

    page = send("GET", f"{action[1]}?oauth_token={token}", headers=[("Cookie", cookie)]).text

    assert re.search(r"Verifier code: [0-9a-f]{32}", page)


def test_it_refuses_a_wrong_password_on_the_login_page(shop: Shop) -> None:
    shop.running.store.admin_password = "something else"

    _, page = shop.log_in(shop.request_token())

    assert "You did not sign in correctly" in page
    assert "loginForm" in page


def test_it_lets_a_customer_of_the_shop_authorize(shop: Shop) -> None:
    store = shop.running.store
    email = store.customers.rows[1]["email"]
    token = shop.request_token(CALLBACK)
    page = send("GET", f"{shop.url}/oauth/authorize?oauth_token={token}")
    cookie = ("Cookie", page.headers["set-cookie"].split(";")[0])
    form_key = re.search(r'name="form_key" type="hidden" value="(\w+)"', page.text)
    action = re.search(r'action="([^"]+)" method="post" id="login-form"', page.text)
    assert form_key
    assert action
    body = (
        f"form_key={form_key[1]}&login%5Busername%5D={email}"
        f"&login%5Bpassword%5D={store.customer_password}"
    )
    form = ("Content-Type", "application/x-www-form-urlencoded")
    asked = send("POST", action[1], headers=[cookie, form], body=body.encode())
    question = send("GET", asked.headers["location"], headers=[cookie]).text
    confirm = re.search(r'id="oauth_authorize_confirm" action="([^"]+)"', question)
    assert confirm
    back = send("GET", f"{confirm[1]}?oauth_token={token}", headers=[cookie])
    verifier = parse_qs(urlsplit(back.headers["location"]).query)["oauth_verifier"][0]
    granted = shop.oauth("token", verifier=verifier).form()
    shop.token, shop.secret = granted["oauth_token"], granted["oauth_token_secret"]

    rows = shop.rest("GET", "customers").json()

    assert list(rows) == ["1"]
    assert rows["1"]["email"] == email


@pytest.mark.parametrize(
    ("host_port", "oauth_with_port", "rest_with_port"),
    [
        ("oauth_without", False, True),
        ("both_without", False, False),
        ("both_with", True, True),
    ],
)
def test_it_verifies_the_host_form_of_its_web_server(
    open_shop: OpenShop, host_port: str, oauth_with_port: bool, rest_with_port: bool
) -> None:
    options = StoreOptions(products=20, host_port=host_port)  # type: ignore[arg-type]
    shop = open_shop(options)
    token = shop.token
    for is_signed in (True, False):
        shop.is_port_signed = {"oauth": is_signed, "rest": is_signed}
        shop.token = None
        oauth = shop.oauth("initiate", callback=CALLBACK)
        shop.token = token
        rest = shop.rest("GET", "products?limit=1")

        assert oauth.status == (200 if is_signed is oauth_with_port else 401)
        assert rest.status == (200 if is_signed is rest_with_port else 401)


def test_it_burns_a_nonce_even_when_the_signature_is_wrong(shop: Shop) -> None:
    wrong = (shop.running.store.consumer_key, "0" * 32)
    now = str(int(time.time()))
    shop.token = None

    first = shop.oauth("initiate", callback="oob", nonce="n1", timestamp=now, consumer=wrong)
    again = shop.oauth("initiate", callback="oob", nonce="n1", timestamp=now)
    later = shop.oauth("initiate", callback="oob", nonce="n1", timestamp=str(int(now) + 1))

    assert first.text == "oauth_problem=signature_invalid"
    assert (again.status, again.text) == (401, "oauth_problem=nonce_used")
    assert later.status == 500
    assert "Duplicate entry 'n1'" in later.text


def test_it_cuts_nonces_to_the_width_of_their_column(shop: Shop) -> None:
    shop.token = None

    first = shop.oauth("initiate", callback="oob", nonce="x" * 32 + "a")
    second = shop.oauth("initiate", callback="oob", nonce="x" * 32 + "b")

    assert first.status == 200
    assert second.status == 500


@pytest.mark.parametrize(
    ("offset_s", "status"), [(-900_000_000, 200), (590, 200), (700, 400)], ids=str
)
def test_it_bounds_only_timestamps_of_the_future(shop: Shop, offset_s: int, status: int) -> None:
    shop.token = None

    answer = shop.oauth("initiate", callback="oob", timestamp=str(int(time.time()) + offset_s))

    assert answer.status == status


def test_it_judges_timestamps_by_its_own_clock(open_shop: OpenShop) -> None:
    shop = open_shop(StoreOptions(products=20, clock_skew_s=-3600))
    shop.token = None

    answer = shop.oauth("initiate", callback="oob")

    assert answer.text == "oauth_problem=timestamp_refused"


@pytest.mark.parametrize(
    "callback",
    ["http://intranet/auth", "https://my_host.example:8443/a?b=c%20d#e", "oob"],
)
def test_it_accepts_web_addresses_as_callbacks(shop: Shop, callback: str) -> None:
    shop.token = None
    assert shop.oauth("initiate", callback=callback).status == 200


@pytest.mark.parametrize("callback", ["ftp://example.com/x", "myapp://back", "not a url", "x"])
def test_it_refuses_other_callbacks(shop: Shop, callback: str) -> None:
    shop.token = None
    answer = shop.oauth("initiate", callback=callback)
    assert answer.text == "oauth_problem=parameter_rejected&message=oauth_callback"


def test_it_knows_two_signature_methods(shop: Shop) -> None:
    shop.token = None
    plain = shop.oauth("initiate", callback="oob", signature_method="PLAINTEXT")
    sha256 = shop.oauth("initiate", callback="oob", signature_method="HMAC-SHA256")

    assert plain.status == 200
    assert (sha256.status, sha256.text) == (400, "oauth_problem=signature_method_rejected")


def test_it_takes_a_caller_without_oauth_header_for_a_guest(shop: Shop) -> None:
    url = f"{shop.url}/api/rest/products?limit=1"
    accept = ("Accept", "application/json")
    header = shop.authorization("GET", url).removeprefix("OAuth ").replace('"', "")
    query = "&".join(part.strip() for part in header.split(","))

    for headers, address in (
        ([accept], url),
        ([accept, ("Authorization", "Bearer abc")], url),
        ([accept], f"{url}&{query}"),
    ):
        answer = send("GET", address, headers=headers)
        assert (answer.status, answer.json()["messages"]["error"][0]["message"]) == (
            403,
            "Access denied",
        )


def test_it_shows_guests_other_members_where_they_are_let_in(open_shop: OpenShop) -> None:
    shop = open_shop(StoreOptions(products=20, guest_products=True))

    answer = send(
        "GET",
        f"{shop.url}/api/rest/products?limit=1",
        headers=[("Accept", "application/json")],
    )

    row = answer.json()["1"]
    assert isinstance(row["final_price_with_tax"], float)
    assert {"attribute_set_id", "status", "price"}.isdisjoint(row)


def test_it_signs_names_in_natural_order(open_shop: OpenShop) -> None:
    """OpenMage's Zend library sorts with strnatcmp: a list of eleven is signed out of order."""
    query = "products?" + "&".join(
        ["filter%5B1%5D%5Battribute%5D=entity_id"]
        + [f"filter%5B1%5D%5Bin%5D%5B{i}%5D={i + 1}" for i in range(11)]
    )
    natural = open_shop(StoreOptions(products=30))
    standard = open_shop(StoreOptions(products=30, parameter_order="bytes"))

    assert natural.rest("GET", query).status == 401
    assert standard.rest("GET", query).status == 200
    assert compare_naturally("a2", "a10") < 0
    assert compare_naturally("a10", "a2") > 0
    assert compare_naturally("a", "ab") < 0


def test_it_signs_only_the_last_of_equal_names(shop: Shop) -> None:
    answer = shop.rest("GET", "products?attrs%5B%5D=sku&attrs%5B%5D=name")

    assert answer.status == 401


def test_it_trusts_a_proxy_that_says_https(open_shop: OpenShop) -> None:
    for is_trusted in (True, False):
        shop = open_shop(StoreOptions(products=20, trust_forwarded_proto=is_trusted))
        url = f"{shop.url}/api/rest/products?limit=1"
        headers = [
            ("Authorization", shop.authorization("GET", url.replace("http:", "https:"))),
            ("Accept", "application/json"),
            ("X-Forwarded-Proto", "https"),
        ]

        assert send("GET", url, headers=headers).status == (200 if is_trusted else 401)


def test_it_answers_below_index_php(shop: Shop) -> None:
    shop.token = None
    url = f"{shop.url}/index.php/oauth/initiate"
    header = shop.authorization("POST", without_port(url), callback="oob")

    assert send("POST", url, headers=[("Authorization", header)]).status == 200


@pytest.mark.parametrize(
    ("role", "attributes", "status", "text"),
    [
        ("none", "all", 500, "Admin role not found"),
        ("limited", "all", 200, '"sku"'),
        ("all", "none", 200, '{"1":[]}'),
    ],
)
def test_it_has_the_roles_that_shop_owners_forget(
    open_shop: OpenShop, role: str, attributes: str, status: int, text: str
) -> None:
    shop = open_shop(
        StoreOptions(products=20, admin_role=role, admin_attributes=attributes)  # type: ignore[arg-type]
    )

    answer = shop.rest("GET", "products?limit=1")

    assert answer.status == status
    assert text in answer.text
    assert shop.rest("GET", "customers?limit=1").status == {"limited": 403}.get(role, status)


def test_it_lives_below_a_sub_directory_when_mounted() -> None:
    app = create_app(StoreOptions(products=20))
    mounted = Starlette(routes=[Mount("/shop", app=app)])
    store = app.state.store
    with served(mounted) as base:
        running = type("Running", (), {"url": f"{base}/shop", "store": store})()
        shop = Shop(running=running)
        shop.connect()

        answer = shop.rest("GET", "products/1")
        page = send("GET", f"{base}/shop/admin/oauth_authorize?oauth_token={'0' * 32}")

    assert answer.json()["entity_id"] == "1"
    assert "Your authorization request is invalid." in page.text


class served:  # noqa: N801 - reads as a verb: with served(app) as base
    """Serve an application from a thread while the block runs."""

    def __init__(self, app: Starlette) -> None:
        self.app = app

    def __enter__(self) -> str:
        import socket
        import threading

        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(self.app, log_level="warning", lifespan="off")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [listener]}, daemon=True
        )
        self.thread.start()
        while not self.server.started:
            time.sleep(0.005)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(5)
