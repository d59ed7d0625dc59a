"""The query language in searches, against a simulated store in this process."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from polyvalent.errors import BadRequest, VendorRefused
from tests.hub.store_rows import Counter, open_counter


@pytest.fixture(scope="module")
def shop() -> Counter:
    return open_counter(products=250, customers=60, orders=60)


@pytest.fixture
def own() -> Counter:
    return open_counter(products=130, customers=20, orders=12)


@pytest.fixture(autouse=True)
def limit(request: pytest.FixtureRequest) -> None:
    if "shop" in request.fixturenames:
        request.getfixturevalue("shop").scan_limit = 10_000


def ids(rows: list[Any]) -> list[int]:
    return [int(row["id"]) for row in rows]


def test_leaves_a_query_to_the_store_that_the_store_can_answer(shop: Counter):
    rows, headers = shop.ask("/products", where="price > 1000 AND status = 1", pageSize=5)

    assert len(rows) == 5
    assert all(float(row["price"]) > 1000 for row in rows)
    assert "elements-next-page-token" in headers
    assert len(shop.sent) == 1


def test_narrows_by_what_the_store_has_and_filters_the_rest_here(shop: Counter):
    rows, _ = shop.ask(
        "/products", where="name LIKE '%boot%' AND (color IS NULL OR price < 100)", pageSize=3
    )

    assert all("boot" in row["name"].lower() for row in rows)
    assert all("filter[1][like]=%boot%" in call for call in shop.sent)


def test_tells_case_apart_although_the_store_does_not(shop: Counter):
    sku = shop.ask("/products", pageSize=1)[0][0]["sku"]

    assert len(shop.ask("/products", where=f"sku = '{sku}'")[0]) == 1
    assert shop.ask("/products", where=f"sku = '{sku.lower()}'")[0] == []
    assert shop.ask("/products", where=f"sku IN ('{sku.lower()}')")[0] == []
    others = shop.walk("/products", where=f"sku != '{sku.lower()}'")
    assert len(others) == 250


def test_asks_in_nested_fields(shop: Counter):
    rows = shop.walk("/orders", where="addresses.city = 'New York'", fields="id,addresses.city")

    assert rows
    assert all({"city": "New York"} in row["addresses"] for row in rows)
    assert all(set(address) == {"city"} for row in rows for address in row["addresses"])


def test_asks_lists_that_the_store_gives_whole(shop: Counter):
    items, _ = shop.ask("/orders/1/items")
    dear, headers = shop.ask("/orders/1/items", where="qty_ordered >= 1", orderBy="sku desc")

    assert [row["sku"] for row in dear] == sorted((row["sku"] for row in items), reverse=True)
    assert headers["elements-total-count"] == str(len(items))


def test_uses_fields_before_it_leaves_them_out(shop: Counter):
    rows, _ = shop.ask("/products", where="color IS NULL", orderBy="name", fields="sku", pageSize=3)

    assert [set(row) for row in rows] == [{"sku"}] * 3


@pytest.mark.parametrize("order", ["price desc", "name", "status, price desc, id"])
@pytest.mark.parametrize("size", [1, 7, 40])
def test_pages_of_an_order_of_ours_join_without_gap(shop: Counter, order: str, size: int):
    where = "price > 900"

    whole = ids(shop.walk("/products", where=where, orderBy=order, pageSize=100))
    walked = ids(shop.walk("/products", where=where, orderBy=order, pageSize=size))
    halves = [
        row
        for page in (1, 2)
        for row in shop.ask("/products", where=where, orderBy=order, pageSize=size, page=page)[0]
    ]
    double = shop.ask("/products", where=where, orderBy=order, pageSize=2 * size)[0]

    assert walked == whole
    assert len(set(whole)) == len(whole)
    assert ids(halves) == ids(double) == whole[: 2 * size]


@pytest.mark.parametrize("where", [None, "price > 900", "color IS NULL", "name LIKE '%o%'"])
@pytest.mark.parametrize("order", [None, "id desc", "entity_id", "price"])
def test_page_numbers_and_tokens_show_the_same_rows(
    shop: Counter, where: str | None, order: str | None
):
    walked = ids(shop.walk("/products", where=where, orderBy=order, pageSize=30))
    numbered: list[int] = []
    for page in range(1, 20):
        rows, headers = shop.ask("/products", where=where, orderBy=order, pageSize=30, page=page)
        numbered += ids(rows)
        assert ("elements-next-page-token" in headers) == (len(numbered) < len(walked))
        if not rows:
            break

    assert numbered == walked


def test_counts_where_counting_is_free(shop: Counter):
    _, few = shop.ask("/products", where="sku LIKE 'sho%' AND color IS NULL", pageSize=100)
    _, first = shop.ask("/products", orderBy="price", pageSize=10)
    last, end = shop.ask("/products", orderBy="price", pageSize=100, page=3)
    _, plain = shop.ask("/products", pageSize=10)

    assert few["elements-total-count"] == few["elements-returned-count"]
    assert first["elements-total-count"] == "250"
    assert "elements-next-page-token" in first
    # Fewer rows than the total would mean that there are more.
    assert len(last) == 50
    assert "elements-total-count" not in end
    assert "elements-total-count" not in plain


def test_answers_with_what_it_found_where_the_limit_ends_a_scan(shop: Counter):
    shop.scan_limit = 100

    rows, headers = shop.ask("/products", where="color IS NOT NULL AND color != 99", pageSize=100)

    assert len(shop.sent) == 1
    assert "100 rows were read" in headers["elements-error"]
    assert "elements-total-count" not in headers
    walked = shop.walk("/products", where="color IS NOT NULL AND color != 99", pageSize=100)
    assert ids(walked)[: len(rows)] == ids(rows)
    shop.scan_limit = 10_000
    assert ids(walked) == ids(shop.walk("/products", where="color IS NOT NULL AND color != 99"))


def test_reaches_the_end_by_tokens_where_no_row_fits(shop: Counter):
    shop.scan_limit = 100

    assert shop.walk("/products", where="description = 'nowhere'", pageSize=100) == []


def test_refuses_a_numbered_page_behind_the_limit(shop: Counter):
    shop.scan_limit = 100

    with pytest.raises(BadRequest, match="Page 9 of this search lies behind more than 100 rows"):
        shop.ask("/products", where="name != 'x'", page=9, pageSize=30)


def test_refuses_to_sort_more_rows_than_the_limit(shop: Counter):
    shop.scan_limit = 100

    with pytest.raises(BadRequest, match=r"Ordering by name needs every row .* order by entity_id"):
        shop.ask("/products", orderBy="name")
    # Narrowed, there are few enough.
    assert shop.ask("/products", where="sku LIKE 'sho%'", orderBy="name")[0]


def test_refuses_tokens_of_another_query(shop: Counter):
    _, headers = shop.ask("/products", where="price > 1", orderBy="name", pageSize=2)
    token = headers["elements-next-page-token"]

    for other in ({"where": "price > 2"}, {"orderBy": "sku"}, {"where": "price>1", "orderBy": "x"}):
        with pytest.raises(BadRequest):
            shop.ask("/products", nextPage=token, **other)
    again, _ = shop.ask("/products", nextPage=token, where="price>1", orderBy="name ASC")
    assert ids(again) == ids(shop.ask("/products", nextPage=token)[0])


def test_sends_more_than_ten_values_and_conditions_under_names_that_verify(shop: Counter):
    numbers = list(range(1, 60))

    found, _ = shop.ask("/products", where=f"id IN ({','.join(map(str, numbers))})", pageSize=100)
    parts = " AND ".join(f"entity_id != {number}" for number in range(1, 30))
    rest = shop.walk("/products", where=parts)

    assert ids(found) == numbers
    assert len(rest) == 250 - 29


def test_asks_by_a_list_longer_than_the_store_takes(shop: Counter):
    numbers = list(range(5, 200, 2))

    found = shop.walk("/products", where=f"id IN ({','.join(map(str, numbers))})")

    assert ids(found) == numbers
    assert "filter[1][gteq]=5" in shop.sent[0]


@pytest.mark.parametrize(
    "where", ["updated_at > '2020-01-01'", "updated_at IS NULL", "updated_at > '2020' OR status=1"]
)
@pytest.mark.parametrize("path", ["/products", "/customers", "/orders"])
def test_says_what_an_older_store_lacks_rather_than_answer_nothing(path: str, where: str):
    if path != "/products":
        where = where.replace("status", "entity_id")
    classic = open_counter(products=20, customers=10, orders=10, flavor="classic")
    newer = open_counter(products=20, customers=10, orders=10)

    with pytest.raises(BadRequest, match=f"does not tell updated_at of {path[1:]}"):
        classic.ask(path, where=where)
    newer.ask(path, where=where)
    with pytest.raises(BadRequest, match="does not tell updated_at"):
        classic.ask(path, orderBy="updated_at desc")
    assert classic.walk("/orders", where="created_at > '2020-01-01'", pageSize=3)


def test_asks_by_fields_that_only_this_store_has(shop: Counter):
    rows = shop.walk("/products", where="material IS NOT NULL", fields="id,material")

    assert all(row["material"] for row in rows)


def test_says_when_no_row_has_a_field(shop: Counter):
    rows, headers = shop.ask("/products", where="gift_ribbon = 'red'")

    assert rows == []
    assert "no row that was read has gift_ribbon" in headers["elements-error"]


def test_explains_a_plan_without_asking_the_store(shop: Counter):
    plan, headers = shop.ask(
        "/products",
        where="status = 1 AND color IS NULL AND sku = 'a'",
        orderBy="name",
        pageSize=5,
        explain="true",
    )

    assert shop.sent == []
    assert "elements-returned-count" not in headers
    assert plan["where"] == "status = 1 AND color IS NULL AND sku = 'a'"
    assert plan["residual"] == "color IS NULL AND sku = 'a'"
    assert plan["orderHere"] == "name"
    assert plan["walk"] == "keyset"
    assert plan["scan"]["rowsAtMost"] == 10_000
    assert [item["where"] for item in plan["pushed"]] == ["status = 1", "sku = 'a'"]
    assert plan["calls"][0]["method"] == "GET"
    assert plan["calls"][0]["url"].startswith("http://shop.example/api/rest/products?order=")
    assert any("color IS NULL is filtered here" in reason for reason in plan["reasons"])
    assert shop.connection.client is not None
    assert shop.connection.client.secret not in str(plan)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"where": "price > 5", "pageSize": 3},
        {"where": "color IS NULL", "pageSize": 3},
        {"where": "sku = 'a'", "pageSize": 3},
        {"orderBy": "name", "pageSize": 3},
        {"orderBy": "id desc", "pageSize": 3},
        {"page": 2, "pageSize": 3},
        {"page": 2, "pageSize": 3, "where": "color IS NULL"},
    ],
)
def test_explains_the_very_call_that_it_makes(shop: Counter, query: dict[str, Any]):
    plan, _ = shop.ask("/products", explain="true", **query)
    shop.ask("/products", **query)

    shown = plan["calls"][0]["url"].removeprefix("http://shop.example/api/rest")
    assert unquote(shown) == shop.sent[0]
    assert len(shop.sent) <= plan["callsAtMost"]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"where": "price > 1"},
        {"where": "name != 'x'"},
        {"orderBy": "id desc"},
        {"orderBy": "id desc", "where": "name != 'x'"},
        {"orderBy": "price"},
    ],
)
def test_loses_and_doubles_nothing_while_rows_come_and_go(own: Counter, query: dict[str, str]):
    before = ids(own.walk("/products", **query))
    gone = set(before[3::10])
    found: list[int] = []
    token = None
    number = 0
    while True:
        rows, headers = own.ask("/products", pageSize=7, nextPage=token, **query)
        found += ids(rows)
        token = headers.get("elements-next-page-token")
        if token is None:
            break
        # Rows that were given vanish, and one more comes.
        number += 1
        for row_id in found[-3:]:
            if row_id in gone and row_id in own.store.products.rows:
                own.store.products.delete(row_id)
        fresh = 1000 + number
        own.store.products.put(
            fresh, {**own.store.products.rows[before[-1]], "entity_id": fresh, "sku": f"n{fresh}"}
        )

    assert len(set(found)) == len(found)
    assert [row_id for row_id in found if row_id < 1000] == before


def test_still_says_what_a_refusal_of_another_field_means():
    shop = open_counter(products=20, admin_attributes="none")

    with pytest.raises(VendorRefused):
        shop.ask("/products", where="status = 1")


def test_asks_and_orders_in_the_names_of_a_mapped_object(shop: Counter):
    rows = shop.walk(
        "/commerce-orders",
        where="total > 100 AND createdAt >= '2024-10-30T00:00:00.5Z' AND number LIKE '1%'",
        orderBy="total desc",
        fields="id,total,createdAt",
        pageSize=4,
    )
    plain = shop.walk(
        "/orders",
        where="grand_total > 100 AND created_at >= '2024-10-30T00:00:00.5Z'",
        orderBy="grand_total desc",
    )

    assert [(row["id"], row["total"]) for row in rows] == [
        (row["id"], row["grand_total"]) for row in plain
    ]
    assert len(rows) > 4
    assert set(rows[0]) == {"id", "total", "createdAt"}


@pytest.mark.parametrize("order", [None, "billingAddress.city desc, total"])
def test_asks_by_places_that_only_the_mapping_knows(shop: Counter, order: str | None):
    every = shop.walk("/commerce-orders", orderBy=order, pageSize=100)
    city = every[0]["billingAddress"]["city"]

    found = shop.walk(
        "/commerce-orders", where=f"billingAddress.city = '{city}'", orderBy=order, pageSize=2
    )

    assert found
    assert found == [row for row in every if row["billingAddress"]["city"] == city]


def test_asks_in_the_words_of_a_mapped_object(shop: Counter):
    off = shop.walk("/commerce-products", where="status IN ('disabled')")

    assert len(off) == len(shop.walk("/products", where="status = 2")) > 0
    assert "filter[1][eq]=2" in shop.ask(
        "/commerce-products", where="status = 'disabled'", explain="true"
    )[0]["calls"][0]["url"].replace("%5B", "[").replace("%5D", "]")
    for where in ("status LIKE 'en%'", "status > 'disabled'"):
        with pytest.raises(BadRequest, match="Ask with =, != or IN"):
            shop.ask("/commerce-products", where=where)


@pytest.mark.parametrize(
    "query", [{"where": "type_id = 'simple'"}, {"orderBy": "entity_id"}, {"fields": "id,skuu"}]
)
def test_refuses_fields_that_a_mapped_object_lacks(shop: Counter, query: dict[str, str]):
    with pytest.raises(BadRequest, match="commerce-products has no field"):
        shop.ask("/commerce-products", **query)
