"""Failures on demand, the control routes, and the seeded data."""

import ast
import json
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import polyvalent.sandbox
from polyvalent.sandbox.magento import Store, StoreOptions, create_app
from tests.sandbox.conftest import OpenShop
from tests.sandbox.wire import Shop, send


def steer(shop: Shop, **faults: Any) -> Any:
    """Switch faults over the wire."""
    body = json.dumps(faults).encode()
    return send("POST", f"{shop.url}/_sandbox/faults", body=body)


def seeded(options: StoreOptions) -> Store:
    """Return the store of an application."""
    store: Store = create_app(options).state.store
    return store


def test_it_fails_calls_at_the_rate_asked_for_without_carrying_them_out(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(StoreOptions(products=20, fail_rate=1))

    answers = [shop.rest("DELETE", "products/1") for _ in range(10)]

    assert {answer.status for answer in answers} <= {500, 502, 503}
    assert 1 in shop.running.store.products.rows


def test_it_fails_about_as_often_as_asked_for(open_shop: OpenShop) -> None:
    shop = open_shop(StoreOptions(products=20, fail_rate=0.3))

    failed = sum(shop.rest("GET", "products?limit=1").status != 200 for _ in range(100))

    assert 15 <= failed <= 45


def test_it_answers_late_when_told_to(shop: Shop) -> None:
    steer(shop, latency_ms=150)
    begin = time.monotonic()
    shop.rest("GET", "products?limit=1")
    slow_s = time.monotonic() - begin

    assert slow_s >= 0.15


def test_it_stops_the_front_but_not_rest_for_maintenance(shop: Shop) -> None:
    assert steer(shop, maintenance=True).status == 200
    token, shop.token = shop.token, None
    assert shop.oauth("initiate", callback="oob").status == 503
    shop.token = token
    assert shop.rest("GET", "products?limit=1").status == 200


def test_it_imitates_outages(shop: Shop) -> None:
    steer(shop, database_down=True)
    broken = shop.rest("GET", "products")
    steer(shop, database_down=False, php_down=True)
    gone = shop.rest("GET", "products")
    steer(shop, php_down=False)

    assert (broken.status, broken.headers["content-type"]) == (503, "text/html; charset=UTF-8")
    assert (gone.status, gone.headers["content-type"]) == (502, "text/html")
    assert shop.rest("GET", "products").status == 200


def test_it_shows_its_own_clock_in_the_date_header(shop: Shop) -> None:
    steer(shop, clock_skew_s=7200)

    shown = parsedate_to_datetime(shop.rest("GET", "products?limit=1").headers["date"])

    assert 7190 < shown.timestamp() - time.time() < 7210


def test_it_revokes_tokens_over_the_wire(shop: Shop) -> None:
    assert send("POST", f"{shop.url}/_sandbox/revoke").status == 200

    answer = shop.rest("GET", "products?limit=1")

    assert answer.json()["messages"]["error"][0]["message"] == "oauth_problem=token_revoked"


def test_it_counts_requests_by_route(shop: Shop) -> None:
    shop.rest("GET", "products/1")
    shop.rest("GET", "products/2")

    counted = send("GET", f"{shop.url}/_sandbox/counters").json()

    assert counted["requests"]["GET /api/rest/products/:id"] == 2
    assert counted["rows"]["products"] == 40
    assert counted["tokens"] == {"request": 0, "access": 1, "revoked": 0}


def test_it_tells_what_one_needs_to_connect(shop: Shop) -> None:
    info = send("GET", f"{shop.url}/_sandbox/info").json()

    assert info["url"] == shop.url
    assert info["consumerKey"] == shop.running.store.consumer_key
    assert info["adminPassword"] == shop.running.store.admin_password


def test_it_refuses_unknown_faults_and_changes_nothing(shop: Shop) -> None:
    for faults in ({"typo": 1}, {"latency_ms": "much"}, {"maintenance": 1}, {"deadlocks": True}):
        assert steer(shop, **faults).status == 400
    assert send("GET", f"{shop.url}/_sandbox/nosuch").status == 404
    assert shop.running.store.options == StoreOptions(products=40, customers=15, orders=12)


def test_it_seeds_the_same_data_for_the_same_seed() -> None:
    one, same = (seeded(StoreOptions(products=60, seed=7)) for _ in range(2))
    other = seeded(StoreOptions(products=60, seed=8))

    assert one.products.rows == same.products.rows
    assert one.order_items == same.order_items
    assert one.products.rows != other.products.rows
    assert one.consumer_key != same.consumer_key


def test_it_seeds_believable_variety() -> None:
    store = seeded(StoreOptions())
    products = store.products.rows.values()
    orders = store.orders.rows.values()

    assert (len(products), len(store.customers.rows), len(orders)) == (250, 120, 60)
    assert {row["type_id"] for row in products} == {"simple", "virtual", "grouped", "configurable"}
    assert any(row.get("weight", "") is None for row in products)
    assert len({row["sku"].lower() for row in products}) == 250
    assert {row["status"] for row in orders} == {"pending", "processing", "complete", "canceled"}
    assert any(row["customer_id"] is None for row in orders)
    assert len({row["country_id"] for row in store.addresses.rows.values()}) >= 5
    assert any(row["item_id"] != row["product_id"] for row in store.stock.rows.values())


def test_it_seeds_orders_whose_sums_are_right() -> None:
    store = seeded(StoreOptions())
    for number, row in store.orders.rows.items():
        items = store.order_items[number]
        subtotal = sum(float(item["row_total"]) for item in items)
        tax = sum(float(item["tax_amount"]) for item in items)
        total = subtotal + tax + float(row["shipping_amount"])
        assert abs(float(row["subtotal"]) - subtotal) < 0.005
        assert abs(float(row["grand_total"]) - total) < 0.005


def test_it_uses_only_reserved_mail_domains() -> None:
    store = seeded(StoreOptions())
    mails = [row["email"] for row in store.customers.rows.values()]
    mails += [row["email"] for rows in store.order_addresses.values() for row in rows]

    assert {mail.split("@")[1] for mail in mails} <= {"example.com", "example.org", "example.net"}


def test_it_shares_no_code_with_the_platform() -> None:
    home = Path(polyvalent.sandbox.__file__).parent
    for path in home.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                assert not name.startswith("polyvalent") or name.startswith("polyvalent.sandbox")


def test_it_keeps_secrets_out_of_its_texts() -> None:
    store = seeded(StoreOptions(products=20))
    token = store.issue_token(admin=store.admin_user)

    shown = repr([token, store.consumers, store.admins])

    assert token.secret not in shown
    assert store.consumer_secret not in shown
    assert store.admin_password not in shown
