"""Reading from the simulated store: pages, filters, shapes and values."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from polyvalent.sandbox.magento import StoreOptions, start_store
from tests.sandbox.conftest import OpenShop
from tests.sandbox.wire import Shop


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """Start one store for all tests of this module that only read."""
    running = start_store(StoreOptions(products=40, customers=15, orders=12))
    token = running.store.issue_token(admin=running.store.admin_user)
    yield Shop(running=running, token=token.token, secret=token.secret)
    running.stop()


def ask(attribute: str, operator: str, *, value: str, entry: int = 1) -> str:
    """Write a filter as a query."""
    return (
        f"filter%5B{entry}%5D%5Battribute%5D={attribute}"
        f"&filter%5B{entry}%5D%5B{operator}%5D={value}"
    )


def ids(rows: Any) -> list[int]:
    """Return the ids of a keyed answer, [] of the empty one."""
    return [int(key) for key in rows] if isinstance(rows, dict) else []


def message(answer: Any) -> str:
    """Return the last error text of an answer."""
    return str(answer.json()["messages"]["error"][-1]["message"])


def test_it_keys_products_customers_and_orders_by_id(shop: Shop) -> None:
    for name in ("products", "customers", "orders"):
        rows = shop.rest("GET", f"{name}?limit=2").json()
        assert list(rows) == ["1", "2"]
        assert shop.rest("GET", f"{name}?{ask('entity_id', 'gt', value='9999')}").text == "[]"


def test_it_lists_stock_items_and_children(shop: Shop) -> None:
    for path in ("stockitems", "products/1/categories", "orders/1/items", "orders/1/comments"):
        assert isinstance(shop.rest("GET", path).json(), list)


def test_it_repeats_the_last_page_past_the_end(shop: Shop) -> None:
    last = shop.rest("GET", "products?limit=15&page=3").json()
    beyond = shop.rest("GET", "products?limit=15&page=99").json()

    assert ids(last) == list(range(31, 41))
    assert beyond == last


def test_it_takes_limit_zero_for_everything(shop: Shop) -> None:
    assert len(shop.rest("GET", "products?limit=0&attrs=entity_id").json()) == 40
    assert len(shop.rest("GET", "products").json()) == 10


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("limit=101", 400, "The paging limit exceeds the allowed number."),
        ("limit=-1", 400, "The paging limit exceeds the allowed number."),
        ("page=-1", 400, "Resource collection paging error."),
        ("order=nosuch", 400, "Resource collection ordering error."),
        ("filter=abc", 400, "Resource collection filtering error."),
        (ask("nosuch", "eq", value="1"), 400, "Resource collection filtering error."),
        (ask("stock_data", "eq", value="1"), 400, "Resource collection filtering error."),
        ("limit=abc", 500, ""),
        ("page=", 500, ""),
        ("attrs=nosuch", 500, ""),
    ],
)
def test_it_refuses_bad_collection_parameters(
    shop: Shop, query: str, status: int, text: str
) -> None:
    answer = shop.rest("GET", f"products?{query}")

    assert answer.status == status
    assert (message(answer) if text else answer.text) == text


def test_it_orders_downwards_unless_told_otherwise(shop: Shop) -> None:
    assert ids(shop.rest("GET", "products?order=entity_id&limit=2").json()) == [40, 39]
    assert ids(shop.rest("GET", "products?order=entity_id&dir=asc&limit=2").json()) == [1, 2]
    assert ids(shop.rest("GET", "products?dir=desc&limit=2").json()) == [1, 2]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (ask("entity_id", "gt", value="37"), [38, 39, 40]),
        (ask("entity_id", "gteq", value="39"), [39, 40]),
        (ask("entity_id", "lt", value="3"), [1, 2]),
        (ask("entity_id", "from", value="4") + "&filter%5B1%5D%5Bto%5D=5", [4, 5]),
        (
            ask("entity_id", "gt", value="3") + "&" + ask("entity_id", "lt", value="6", entry=2),
            [4, 5],
        ),
        (ask("entity_id", "in%5D%5B0", value="3") + "&filter%5B1%5D%5Bin%5D%5B1%5D=5", [3, 5]),
        (ask("entity_id", "in", value="3,5"), [3]),
        (ask("entity_id", "moreq", value="7"), [7]),
        (ask("type_id", "neq", value="simple"), [37, 38, 39]),
        (ask("special_price", "null", value="1"), []),
        (ask("sku", "eq", value="starter-set"), [38]),
        (ask("sku", "like", value="pen-%25"), [40]),
        (ask("sku", "regexp", value="%5Estarter"), [38]),
        (ask("price", "eq", value="49.9"), [39]),
    ],
)
def test_it_filters_like_the_vendor(shop: Shop, query: str, expected: list[int]) -> None:
    rows = shop.rest("GET", f"products?limit=100&attrs=entity_id&{query}").json()

    assert ids(rows) == expected


def test_it_uses_only_the_first_operator_of_an_entry(shop: Shop) -> None:
    query = ask("entity_id", "gt", value="36") + "&filter%5B1%5D%5Blt%5D=39"

    assert ids(shop.rest("GET", f"products?{query}").json()) == [37, 38, 39, 40]


def test_it_dies_of_a_filter_without_a_condition(shop: Shop) -> None:
    query = "filter%5B1%5D%5Battribute%5D=sku"
    assert shop.rest("GET", f"products?{query}").status == 503
    flat = shop.rest("GET", "stockitems?filter%5B1%5D%5Battribute%5D=qty")
    assert (flat.status, "SQLSTATE[42000]" in message(flat)) == (500, True)


def test_it_shows_numbers_as_text_or_natively(open_shop: OpenShop, shop: Shop) -> None:
    native = open_shop(StoreOptions(products=20, native_ints=True))

    assert shop.rest("GET", "products?limit=1").json()["1"]["entity_id"] == "1"
    row = native.rest("GET", "products?limit=1").json()["1"]
    assert row["entity_id"] == 1
    assert isinstance(row["price"], str)


def test_it_leaves_out_members_without_a_value_and_shows_stored_nulls(shop: Shop) -> None:
    rows = shop.rest("GET", "products?limit=100").json()

    assert "special_price" not in rows["1"]
    assert "special_price" in rows["4"]
    assert rows["12"]["weight"] is None
    assert "weight" not in rows["37"]


def test_it_shows_local_time_only_in_single_products_and_customers(shop: Shop) -> None:
    assert shop.rest("GET", "products?limit=1").json()["1"]["created_at"] == "2023-11-16 06:13:20"
    assert shop.rest("GET", "products/1").json()["created_at"] == "2023-11-15T22:13:20-08:00"
    assert "T" in shop.rest("GET", "customers/1").json()["created_at"]


def test_it_dies_of_a_single_grouped_product(shop: Shop) -> None:
    answer = shop.rest("GET", "products/38")

    assert (answer.status, answer.text) == (500, "")
    assert "38" in shop.rest("GET", "products?limit=100").json()


def test_it_embeds_items_addresses_and_comments_in_orders(shop: Shop) -> None:
    order = shop.rest("GET", "orders/3").json()

    assert {a["address_type"] for a in order["addresses"]} == {"billing", "shipping"}
    assert order["order_items"]
    assert order["order_comments"]
    assert "product_id" not in order["order_items"][0]


def test_it_dies_of_orders_whose_attrs_leave_a_list_empty(shop: Shop) -> None:
    assert shop.rest("GET", "orders?limit=1&attrs=entity_id,increment_id").status == 500
    fine = shop.rest("GET", "orders?limit=1&attrs=entity_id,created_at")
    assert list(fine.json()["1"]) == ["entity_id", "created_at"]


def test_it_lacks_change_times_in_the_classic_flavor(open_shop: OpenShop) -> None:
    shop = open_shop(StoreOptions(products=20, flavor="classic"))

    row = shop.rest("GET", "products/1").json()
    refused = shop.rest("GET", f"products?{ask('updated_at', 'gt', value='2020-01-01')}")

    assert {"created_at", "updated_at"}.isdisjoint(row)
    assert (refused.status, message(refused)) == (400, "Resource collection filtering error.")
    assert shop.rest("POST", "orders/1/comments", data={"comment": "x"}).status == 405
    assert shop.rest("GET", "orders/comments/1").status == 404


@pytest.mark.parametrize(
    ("accept", "status", "content_type"),
    [
        ("application/json", 200, "application/json; charset=utf-8"),
        ("*/*", 200, "application/json; charset=utf-8"),
        ("text/xml", 200, "application/xml; charset=utf-8"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", 200, "application/xml; charset=utf-8"),
        ("text/plain", 200, "text/plain; charset=utf-8"),
        ("text/html", 500, "text/html; charset=UTF-8"),
        (None, 500, "text/html; charset=UTF-8"),
    ],
)
def test_it_answers_in_the_encoding_asked_for(
    shop: Shop, accept: str | None, status: int, content_type: str
) -> None:
    answer = shop.rest("GET", "products?limit=1", accept=accept)

    assert (answer.status, answer.headers["content-type"]) == (status, content_type)


def test_it_writes_xml_and_query_strings(shop: Shop) -> None:
    xml = shop.rest("GET", "products?limit=1&attrs=sku", accept="text/xml").text
    plain = shop.rest("GET", "products?limit=1&attrs=entity_id", accept="text/plain").text

    assert xml.startswith('<?xml version="1.0"?>\n<magento_api>\n  <data_item>\n    <sku>')
    assert plain == "1%5Bentity_id%5D=1"


def test_it_escapes_json_as_php_does(open_shop: OpenShop) -> None:
    shop = open_shop(StoreOptions(products=20))
    row = shop.running.store.products.rows[1]
    row["name"] = "Café / <b>"

    assert '"name":"Caf\\u00e9 \\/ <b>"' in shop.rest("GET", "products/1").text


def test_it_tolerates_doubled_and_trailing_slashes_only(shop: Shop) -> None:
    assert shop.rest("GET", "/products/?limit=1").status == 200
    assert shop.rest("GET", "Products").status == 404
    assert message(shop.rest("GET", "nosuch")) == "Request does not match any route."


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS"])
def test_it_knows_four_methods(shop: Shop, method: str) -> None:
    answer = shop.rest(method, "products")

    assert (answer.status, message(answer)) == (400, "Invalid request method")


def test_it_walks_a_large_store_by_id(open_shop: OpenShop) -> None:
    shop = open_shop(StoreOptions(products=3000, customers=5, orders=1))
    seen: list[int] = []
    while True:
        query = f"{ask('entity_id', 'gt', value=str(seen[-1] if seen else 0))}&limit=100"
        page = shop.rest("GET", f"products?order=entity_id&dir=asc&attrs=entity_id&{query}")
        seen += ids(page.json())
        if len(page.json()) < 100:
            break

    assert seen == list(range(1, 3001))


def test_it_finds_a_stock_item_whose_id_is_not_the_products(open_shop: OpenShop) -> None:
    shop = open_shop(StoreOptions(products=150))

    rows = json.loads(shop.rest("GET", f"stockitems?{ask('product_id', 'eq', value='120')}").body)

    assert [row["product_id"] for row in rows] == ["120"]
    assert rows[0]["item_id"] != "120"
