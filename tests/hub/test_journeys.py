"""Whole calls against a running store: the simulated one, over real sockets, really signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from polyvalent.errors import (
    BadRequest,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    OutcomeUnknown,
    VendorFailure,
    VendorRefused,
    VendorUnreachable,
)
from polyvalent.exchange import find_header
from polyvalent.hub.model import Incoming
from polyvalent.sandbox.magento import RunningStore, StoreOptions, start_store
from tests.hub.shop import Shop, open_shop

PRODUCTS, CUSTOMERS, ORDERS = 30, 12, 20
PRODUCT = {
    "type_id": "simple",
    "attribute_set_id": 4,
    "name": "Mug",
    "description": "A mug.",
    "short_description": "Mug",
    "weight": 1.5,
    "status": 1,
    "visibility": 4,
    "price": 12.5,
    "tax_class_id": 2,
}
CUSTOMER = {"firstname": "Ada", "lastname": "L", "website_id": 1, "group_id": 1}


def serve(**options: Any) -> RunningStore:
    return start_store(
        StoreOptions(products=PRODUCTS, customers=CUSTOMERS, orders=ORDERS, **options)
    )


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStore]:
    store = serve()
    yield store
    store.stop()


@pytest.fixture
def shop(running: RunningStore) -> Shop:
    return open_shop(running)


@pytest.fixture
def own(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Give a shop of the test's own, made as the test's parameter says."""
    store = serve(**getattr(request, "param", {}))
    yield open_shop(store)
    store.stop()


@pytest.mark.parametrize(
    ("path", "rows"),
    [("/products", PRODUCTS), ("/customers", CUSTOMERS), ("/orders", ORDERS), ("/inventory", None)],
)
@pytest.mark.parametrize("size", [1, 5, 7, 100])
async def test_reads_every_row_once(shop: Shop, path: str, rows: int | None, size: int):
    found: list[str] = []
    token: str | None = None
    by_number: list[str] = []

    while True:
        query = {"nextPage": token} if token else {}
        page, header = await shop("GET", f"/hubs/ecommerce{path}", pageSize=size, **query)
        found += [row["id"] for row in page]
        assert header("Elements-Returned-Count") == str(len(page))
        token = header("Elements-Next-Page-Token")
        if token is None:
            break
    for number in range(1, 100):
        page, header = await shop("GET", path, pageSize=size, page=number)
        by_number += [row["id"] for row in page]
        if not page:
            assert header("Elements-Next-Page-Token") is None
            break

    assert len(set(found)) == len(found)
    assert rows is None or len(found) == rows
    assert by_number == found
    assert found == sorted(found, key=int)


async def test_ignores_the_hub_in_the_path(shop: Shop):
    answers = [
        (await shop.answer("GET", path, pageSize=3)).body
        for path in ("/hubs/ecommerce/orders", "/hubs/crm/orders", "/orders", "/orders/")
    ]

    assert len(set(answers)) == 1
    assert all("id" in row and row["id"] == row["entity_id"] for row in json.loads(answers[0]))


async def test_reads_one_row_and_what_belongs_to_it(shop: Shop):
    order, header = await shop("GET", "/orders/1")
    items, _ = await shop("GET", "/orders/1/items")
    addresses, _ = await shop("GET", "/orders/1/addresses")
    billing, _ = await shop("GET", "/orders/1/addresses/billing")
    comments, _ = await shop("GET", "/orders/1/comments")

    assert order["id"] == "1"
    assert header("Elements-Element-Instance-Id") == "123"
    assert header("Elements-Returned-Count") is None
    assert [row["item_id"] for row in items] == [row["item_id"] for row in order["order_items"]]
    assert {row["id"] for row in addresses} == {"billing", "shipping"}
    assert billing in addresses
    assert comments


async def test_searches_by_one_field_to_the_letter(shop: Shop):
    products, _ = await shop("GET", "/products", pageSize=3)
    sku = products[1]["sku"]

    found, _ = await shop("GET", "/products", where=f"sku = '{sku}'", fields="id,sku")
    other, _ = await shop("GET", "/products", where=f"sku = '{sku.swapcase()}'")
    none, _ = await shop("GET", "/customers", where="email = 'nobody@example.com'")

    assert found == [{"id": products[1]["id"], "sku": sku}]
    assert other == [] or sku.swapcase() == sku
    assert none == []


async def test_creates_changes_and_deletes_a_product(own: Shop):
    created, _ = await own("POST", "/products", {**PRODUCT, "sku": "mug-1"})
    changed, _ = await own("PATCH", f"/products/{created['id']}", {"price": 15})
    put, _ = await own("PUT", f"/products/{created['id']}", {"name": "Cup"})
    found, _ = await own("GET", "/products", where="sku = 'mug-1'")
    deleted, _ = await own("DELETE", f"/products/{created['id']}")

    assert created["sku"] == "mug-1"
    assert created["id"] == created["entity_id"]
    assert changed["price"] == "15.0000"
    assert (put["name"], put["price"]) == ("Cup", "15.0000")
    assert [row["id"] for row in found] == [created["id"]]
    assert deleted == {}
    with pytest.raises(VendorRefused) as caught:
        await own("GET", f"/products/{created['id']}")
    assert (caught.value.status, caught.value.provider_message) == (404, "Resource not found.")


async def test_places_a_product_into_categories_websites_and_images(own: Shop):
    category, _ = await own("POST", "/products/1/categories", {"category_id": 9})
    categories, _ = await own("GET", "/products/1/categories")
    await own("DELETE", "/products/1/categories/9")
    website, _ = await own("POST", "/products/1/websites", {"website_id": 2})
    await own("DELETE", "/products/1/websites/2")
    pixel = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVO"
        "RK5CYII="
    )
    image, _ = await own(
        "POST", "/products/1/images", {"file_mime_type": "image/png", "file_content": pixel}
    )
    labelled, _ = await own("PATCH", f"/products/1/images/{image['id']}", {"label": "Front"})

    assert category == {"id": "9", "category_id": 9}
    assert "9" in [row["id"] for row in categories]
    assert website == {"id": "2", "website_id": 2}
    assert labelled["label"] == "Front"
    assert (await own("DELETE", f"/products/1/images/{image['id']}"))[0] == {}


async def test_creates_a_customer_with_an_address(own: Shop):
    customer, _ = await own("POST", "/customers", {**CUSTOMER, "email": "ada@example.com"})
    path = f"/customers/{customer['id']}/addresses"
    address, _ = await own(
        "POST",
        path,
        {
            "firstname": "Ada",
            "lastname": "L",
            "street": ["1 Row"],
            "city": "London",
            "country_id": "GB",
            "postcode": "N1",
            "telephone": "1",
        },
    )
    listed, _ = await own("GET", path)
    moved, _ = await own("PATCH", f"/addresses/{address['id']}", {"city": "Leeds"})

    assert customer["email"] == "ada@example.com"
    assert [row["id"] for row in listed] == [address["id"]]
    assert moved["city"] == "Leeds"
    assert (await own("DELETE", f"/addresses/{address['id']}"))[0] == {}
    assert (await own("DELETE", f"/customers/{customer['id']}"))[0] == {}


async def test_changes_stock(own: Shop):
    changed, _ = await own("PUT", "/inventory/1", {"qty": 7, "is_in_stock": 1})

    assert changed["qty"] == "7.0000"
    assert own.sent() == ["PUT /stockitems/1", "GET /stockitems/1"]


@pytest.mark.parametrize("own", [{"web_server": "apache"}, {"native_ints": True}], indirect=True)
async def test_works_with_other_servers_and_versions(own: Shop):
    created, _ = await own("POST", "/products", {**PRODUCT, "sku": "mug-1"})
    listed, _ = await own("GET", "/products", pageSize=2, page=2)

    assert created["sku"] == "mug-1"
    assert [int(row["id"]) for row in listed] == [3, 4]


@pytest.mark.parametrize("own", [{"web_server": "fcgid"}], indirect=True)
async def test_finds_the_new_row_when_the_server_runs_a_create_twice(own: Shop):
    created, header = await own("POST", "/products", {**PRODUCT, "sku": "mug-1"})
    found, _ = await own("GET", "/products", where="sku = 'mug-1'")

    assert [row["id"] for row in found] == [created["id"]]
    assert "although the vendor reported an error" in (header("Elements-Error") or "")


@pytest.mark.parametrize("fault", ["deadlocks", "lost_answers"])
async def test_never_calls_a_write_failed_that_was_done(own: Shop, fault: str):
    own.running.store.set_options(**{fault: 1.0})

    created, told = await own("POST", "/products", {**PRODUCT, "sku": "mug-1"})
    changed, _ = await own("PATCH", f"/products/{created['id']}", {"price": 13})
    stock, header = await own("PATCH", "/inventory/1", {"qty": 3, "is_in_stock": 1})
    deleted, _ = await own("DELETE", f"/products/{created['id']}")

    assert (created["sku"], changed["price"], stock["qty"]) == ("mug-1", "13.0000", "3.0000")
    assert deleted == {}
    for warning in (told("Elements-Error"), header("Elements-Error")):
        assert "although the vendor reported an error" in (warning or "")


async def test_says_that_the_outcome_is_unknown_where_nothing_tells_rows_apart(own: Shop):
    address = {"firstname": "A", "lastname": "L", "street": ["1 Row"], "city": "London"}
    rest = {"country_id": "GB", "postcode": "N1", "telephone": "1"}
    own.running.store.set_options(lost_answers=1.0)

    with pytest.raises(OutcomeUnknown, match=r"Nothing that was sent tells.*GET /customers/1"):
        await own("POST", "/customers/1/addresses", {**address, **rest})


async def test_tells_the_faults_of_a_caller_from_those_of_the_store(shop: Shop):
    for body in ({}, {"sku": "x"}, {**PRODUCT, "sku": "y", "status": 7}):
        with pytest.raises(VendorRefused) as caught:
            await shop("POST", "/products", body)
        assert caught.value.status == 400
        assert caught.value.provider_message
    sku = (await shop("GET", "/products/1"))[0]["sku"]
    with pytest.raises(VendorRefused, match="exists already") as caught:
        await shop("POST", "/products", {**PRODUCT, "sku": sku})
    assert caught.value.status == 409
    email = (await shop("GET", "/customers/1"))[0]["email"]
    with pytest.raises(VendorRefused, match="exists already") as caught:
        await shop("POST", "/customers", {**CUSTOMER, "email": email})
    assert caught.value.status == 409


async def test_refuses_before_it_asks_the_store(shop: Shop):
    for method, path, error in (
        ("GET", "/nope", BadRequest),
        ("POST", "/orders", MethodNotAllowed),
        ("GET", "/products/abc", NotFound),
        ("POST", "/products", BadRequest),
        ("GET", "/orders?where=status=='pending'", BadRequest),
        ("POST", "/ping", MethodNotAllowed),
        ("DELETE", "/objects", MethodNotAllowed),
        ("GET", "/objects/customers", BadRequest),
    ):
        with pytest.raises(error):
            await shop(method, path)
        assert shop.exchanges == []


async def test_pings_and_describes_itself(shop: Shop):
    ping, _ = await shop("GET", "/hubs/ecommerce/ping")
    objects, header = await shop("GET", "/hubs/ecommerce/objects")
    metadata, _ = await shop("GET", "/objects/orders/metadata")

    assert ping == {"dateTime": "2026-11-23T12:00:00Z", "endpoint": "magento"}
    assert objects == ["customers", "inventory", "orders", "products"]
    assert header("Elements-Element-Instance-Id") == "123"
    assert "grand_total" in [item["vendorPath"] for item in metadata["fields"]]


async def test_shows_objects_of_a_disabled_instance_and_nothing_else(shop: Shop):
    shop.connection = replace(shop.connection, disabled=True)

    assert (await shop("GET", "/objects"))[0]
    for path in ("/products", "/ping", "/nope"):
        with pytest.raises(Forbidden, match="disabled"):
            await shop("GET", path)


@pytest.mark.parametrize(
    ("own", "status", "said"),
    [
        ({"admin_role": "none"}, 403, "REST - Roles"),
        ({"admin_attributes": "none"}, 403, "Resource Access All"),
        ({"database_down": True}, 502, "database or PHP is down"),
        ({"php_down": True}, 502, "database or PHP is down"),
    ],
    indirect=["own"],
)
async def test_pings_with_the_reason_why_not(own: Shop, status: int, said: str):
    with pytest.raises((VendorRefused, VendorFailure), match=said) as caught:
        await own("GET", "/ping")

    assert caught.value.status == status


@pytest.mark.parametrize("own", [{"admin_role": "limited"}], indirect=True)
async def test_works_with_a_role_for_some_resources(own: Shop):
    assert (await own("GET", "/ping"))[0]["endpoint"] == "magento"
    with pytest.raises(VendorRefused, match="Role Resources") as caught:
        await own("GET", "/orders")

    assert (caught.value.status, caught.value.provider_message) == (403, "Access denied")


async def test_does_not_take_a_visitor_or_a_customer_for_an_admin(own: Shop):
    customer = open_shop(own.running, customer_id=1)

    with pytest.raises(VendorRefused) as caught:
        await customer("GET", "/ping")

    assert caught.value.status == 403


@pytest.mark.parametrize("own", [{"admin_attributes": "none"}], indirect=True)
async def test_says_when_every_field_is_hidden(own: Shop):
    with pytest.raises(VendorRefused, match=r"allow\s+all attributes") as caught:
        await own("GET", "/products", pageSize=2)
    row, header = await own("GET", "/products/1")

    assert caught.value.status == 403
    assert row == {}
    assert "without any field" in (header("Elements-Error") or "")


async def test_says_that_the_merchant_has_revoked_the_token(own: Shop):
    own.running.store.revoke_tokens()

    with pytest.raises(VendorRefused, match="revoked") as caught:
        await own("GET", "/products")

    assert caught.value.status == 401


async def test_says_that_the_store_is_not_there(own: Shop):
    own.running.stop()

    with pytest.raises(VendorUnreachable):
        await own("GET", "/products")


async def test_passes_values_unchanged_through_signature_and_address(own: Shop):
    sku = "a b+c&d=e%20/ä'☃"
    await own("POST", "/products", {**PRODUCT, "sku": sku})

    quoted = sku.replace("'", "''")
    found, _ = await own("GET", "/products", where=f"sku = '{quoted}'", fields="sku")

    assert found == [{"sku": sku}]


async def test_keeps_secrets_out_of_what_can_be_printed(shop: Shop):
    answer = await shop.answer("GET", "/products", pageSize=1)
    incoming = Incoming(
        method="GET", path="/a", headers=(("Authorization", "User hunter2"),), body=b"hunter3"
    )

    assert "hunter" not in repr(incoming)
    assert find_header(answer.headers, "Authorization") is None
    assert shop.connection.client is not None
    assert shop.connection.client.secret not in repr(shop.connection)
