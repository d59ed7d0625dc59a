"""Writing to the simulated store: what it demands, what it really does, how it reports."""

import base64
from typing import Any

import pytest

from polyvalent.sandbox.magento import StoreOptions
from tests.sandbox.conftest import OpenShop
from tests.sandbox.wire import Shop, send

NEW: dict[str, Any] = {
    "type_id": "simple",
    "attribute_set_id": 4,
    "sku": "new-1",
    "name": "New product",
    "description": "Long",
    "short_description": "Short",
    "weight": 1.5,
    "status": 1,
    "visibility": 4,
    "price": 12.5,
    "tax_class_id": 2,
}
ADDRESS: dict[str, Any] = {
    "firstname": "A",
    "lastname": "B",
    "street": ["1 Way", "Apt 2"],
    "city": "Los Angeles",
    "country_id": "US",
    "region": "CA",
    "postcode": "90001",
    "telephone": "555",
}
CUSTOMER: dict[str, Any] = {
    "firstname": "Api",
    "lastname": "Made",
    "email": "api@example.com",
    "website_id": 1,
    "group_id": 1,
}


def messages(answer: Any) -> list[str]:
    """Return the error texts of an answer."""
    return [entry["message"] for entry in answer.json()["messages"]["error"]]


@pytest.mark.parametrize(
    ("server", "status"), [("nginx", 302), ("apache", 200), ("proxy_fcgi", 200), ("fcgid", 401)]
)
def test_it_answers_a_creation_as_its_web_server_does(
    open_shop: OpenShop, server: str, status: int
) -> None:
    shop = open_shop(StoreOptions(products=20, web_server=server))  # type: ignore[arg-type]

    answer = shop.rest("POST", "products", data=NEW)

    assert answer.status == status
    if server == "fcgid":
        assert messages(answer) == ["oauth_problem=nonce_used"]
    else:
        assert answer.headers["location"] == "/api/rest/products/21"
    assert shop.rest("GET", "products/21").json()["sku"] == "new-1"
    assert shop.rest("GET", "products/21/websites").text == "[]"


def test_it_lists_everything_a_product_lacks(shop: Shop) -> None:
    answer = shop.rest("POST", "products", data={"type_id": "simple", "attribute_set_id": 4})

    assert answer.status == 400
    assert 'Missing "name" in request.' in messages(answer)
    assert messages(answer)[-1] == "Resource data pre-validation error."


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"sku": "starter-SET"}, "must be unique"),
        ({"sku": "x" * 65}, "SKU length should be 64 characters maximum."),
        ({"status": 7}, 'Invalid value "7" for attribute "status".'),
        ({"is_eco": True}, 'Invalid value "1" for attribute "is_eco".'),
        ({"material": "7,8"}, 'Invalid value "7,8" for attribute "material".'),
        ({"price": "12,50"}, 'Please enter a number 0 or greater in the "price" field.'),
        ({"special_from_date": "soon"}, 'Invalid date in the "special_from_date" field.'),
        ({"name": ""}, 'Empty value for "name" in request.'),
        ({"type_id": "foo"}, "Invalid product type."),
        ({"attribute_set_id": 99}, "Invalid attribute set."),
    ],
)
def test_it_refuses_bad_product_values(shop: Shop, change: dict[str, Any], text: str) -> None:
    answer = shop.rest("POST", "products", data=NEW | change)

    assert answer.status == 400
    assert any(text in message for message in messages(answer))
    assert len(shop.running.store.products.rows) == 40


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"\xff", 400), (b"{}", 400), (b"null", 400), (b"7", 500)],
)
def test_it_refuses_bodies_that_are_no_object(shop: Shop, body: bytes, status: int) -> None:
    assert shop.rest("POST", "products", data=body).status == status


def test_it_resets_stock_settings_when_an_update_is_silent_about_stock(shop: Shop) -> None:
    settings = {"qty": 7, "is_in_stock": 1, "manage_stock": 1, "use_config_manage_stock": 0}
    shop.rest("PUT", "products/1", data={"stock_data": settings})
    before = shop.rest("GET", "products/1?attrs=stock_data").json()["stock_data"]

    shop.rest("PUT", "products/1", data={"name": "other"})

    after = shop.rest("GET", "products/1?attrs=stock_data").json()["stock_data"]
    assert (before["use_config_manage_stock"], after["use_config_manage_stock"]) == ("0", "1")
    assert before["qty"] == after["qty"] == "7.0000"


def test_it_keeps_values_of_a_store_view_apart(shop: Shop) -> None:
    shop.rest("PUT", "products/5/store/german", data={"name": "Deutsch"})

    assert shop.rest("GET", "products/5/store/2?attrs=name").json() == {"name": "Deutsch"}
    assert shop.rest("GET", "products/5?attrs=name").json() != {"name": "Deutsch"}
    assert shop.rest("GET", "products/1/store/german").status == 404


def test_it_deletes_a_product_once(shop: Shop) -> None:
    assert shop.rest("DELETE", "products/1").status == 200
    assert shop.rest("DELETE", "products/1").status == 404


def test_it_reports_a_deadlock_although_the_product_was_written(open_shop: OpenShop) -> None:
    shop = open_shop(StoreOptions(products=20, deadlocks=1))

    created = shop.rest("POST", "products", data=NEW)
    changed = shop.rest("PUT", "stockitems/1", data={"qty": 3})
    several = shop.rest("PUT", "stockitems", data=[{"item_id": 2, "qty": 4}])

    assert (created.status, messages(created)) == (400, ["Resource unknown error."])
    assert (changed.status, messages(changed)) == (500, ["Resource internal error."])
    assert several.json()["error"][0]["code"] == 500
    assert shop.rest("GET", "products/21").json()["sku"] == "new-1"
    assert shop.rest("GET", "stockitems/1").json()["qty"] == "3.0000"
    assert shop.rest("GET", "stockitems/2").json()["qty"] == "4.0000"
    again = shop.rest("POST", "products", data=NEW)
    assert "must be unique" in messages(again)[0]


def test_it_loses_answers_of_writes_that_were_applied(open_shop: OpenShop) -> None:
    shop = open_shop(StoreOptions(products=20, lost_answers=1))

    assert shop.rest("PUT", "products/1", data={"name": "kept"}).status == 504
    assert shop.rest("GET", "products/1?attrs=name").json() == {"name": "kept"}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"is_in_stock": 0}, "qty: Value is required and can't be empty"),
        ({"qty": 0.0}, "qty: Value is required and can't be empty"),
        ({"qty": "abc"}, "is not between"),
        ({"qty": 5, "is_in_stock": True}, 'The "is_in_stock" field must be set to 0 or 1.'),
        ({"qty": 5, "backorders": 9}, 'The "is_qty_decimal" field must be set to 0, 1, or 2.'),
    ],
)
def test_it_refuses_bad_stock_values(shop: Shop, data: dict[str, Any], text: str) -> None:
    answer = shop.rest("PUT", "stockitems/1", data=data)

    assert answer.status == 400
    assert text in messages(answer)[0]


def test_it_takes_sold_out_items_from_stock_but_never_puts_them_back(shop: Shop) -> None:
    shop.rest("PUT", "stockitems/1", data={"qty": 0, "is_in_stock": 1})
    sold_out = shop.rest("GET", "stockitems/1?attrs=is_in_stock").json()
    shop.rest("PUT", "stockitems/1", data={"qty": 9})
    refilled = shop.rest("GET", "stockitems/1?attrs=is_in_stock").json()

    assert sold_out == refilled == {"is_in_stock": "0", "item_id": "1"} or (
        sold_out == refilled == {"is_in_stock": "0"}
    )


def test_it_answers_207_and_goes_on_after_a_bad_member(shop: Shop) -> None:
    members = [{"item_id": 1, "qty": 5}, {"item_id": 999, "qty": 6}, {"qty": 1}, {"item_id": 3}, 7]

    answer = shop.rest("PUT", "stockitems", data=members)

    assert answer.status == 207
    result = answer.json()
    assert [entry["item_id"] for entry in result["success"]] == ["1"]
    assert [entry["item_id"] for entry in result["error"]] == [999, None, 3, None]


def test_it_puts_products_into_websites_and_categories(shop: Shop) -> None:
    several = shop.rest("POST", "products/1/websites", data=[{"website_id": 2}, {"website_id": 7}])
    shop.rest("POST", "products/1/categories", data={"category_id": 9})
    again = shop.rest("POST", "products/1/categories", data={"category_id": 9})

    assert several.status == 207
    assert set(several.json()) == {"success", "error"}
    assert {"category_id": "9"} in shop.rest("GET", "products/1/categories").json()
    assert messages(again) == ["Product #1 is already assigned to category #9"]
    assert shop.rest("DELETE", "products/1/websites/2").status == 200
    assert shop.rest("PUT", "products/1/websites/1", data={"website_id": 1}).status == 405


def test_it_stores_images(shop: Shop) -> None:
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
    data = {"file_mime_type": "image/png", "file_content": png, "label": "Red", "types": ["image"]}

    location = shop.rest("POST", "products/1/images", data=data).headers["location"]

    image = shop.rest("GET", location.removeprefix("/api/rest/")).json()
    assert (image["label"], image["types"]) == ("Red", ["image"])
    bad = shop.rest("POST", "products/1/images", data=data | {"file_content": "@@"})
    assert messages(bad) == ["The image content must be valid base64 encoded data"]


def test_it_creates_and_changes_customers(shop: Shop) -> None:
    location = shop.rest("POST", "customers", data=CUSTOMER).headers["location"]
    twin = shop.rest("POST", "customers", data=CUSTOMER)
    path = location.removeprefix("/api/rest/")
    shop.rest("PUT", path, data={"firstname": "Other", "website_id": 2, "dob": "2/3/1980"})

    row = shop.rest("GET", path).json()
    assert (row["firstname"], row["website_id"]) == ("Other", "1")
    assert row["dob"] == "1980-02-03 00:00:00"
    assert twin.status == 500
    assert messages(twin) == ["This customer email already exists", "id is not specified"]
    assert shop.rest("PUT", path, data={"dob": "1980-02-03"}).text == ""


def test_it_checks_addresses_by_country(shop: Shop) -> None:
    path = "customers/1/addresses"
    location = shop.rest("POST", path, data=ADDRESS | {"is_default_billing": 1}).headers["location"]
    own = location.removeprefix("/api/rest/")

    assert shop.rest("GET", own).json()["region"] == "California"
    assert shop.rest("GET", own).json()["is_default_billing"] == 1
    for change, text in (
        ({"region": "Nowhere"}, "State/Province does not exist."),
        ({"region": 12}, 'Invalid "State/Province" type.'),
        ({"country_id": "XX"}, 'Invalid value "XX" for country_id'),
        ({"street": "One line"}, '"Street Address" is a required value.'),
    ):
        assert messages(shop.rest("POST", path, data=ADDRESS | change))[0] == text
    assert shop.rest("DELETE", own).status == 400


def test_it_takes_comments_on_orders_and_refuses_other_writes(shop: Shop) -> None:
    before = len(shop.rest("GET", "orders/1/comments").json())
    created = shop.rest("POST", "orders/1/comments", data={"comment": "x", "status": "bogus"})

    assert created.headers["location"].startswith("/api/rest/orders/comments/")
    assert len(shop.rest("GET", "orders/1/comments").json()) == before + 1
    assert shop.rest("PUT", "orders/1", data={"status": "complete"}).status == 405
    assert shop.rest("POST", "orders", data={"status": "pending"}).status == 405


def test_it_reads_xml_and_query_strings(shop: Shop) -> None:
    xml = "".join(f"<{k}>{v}</{k}>" for k, v in NEW.items())
    plain = "&".join(f"{k}={v}".replace(" ", "%20") for k, v in (NEW | {"sku": "p-2"}).items())
    for content_type, body in (
        ("application/xml", f"<magento_api>{xml}</magento_api>"),
        ("text/plain; charset=utf-8", plain),
    ):
        url = f"{shop.url}/api/rest/products"
        headers = [
            ("Authorization", shop.authorization("POST", url)),
            ("Accept", "application/json"),
            ("Content-Type", content_type),
        ]
        assert send("POST", url, headers=headers, body=body.encode()).status == 302


def test_it_refuses_unknown_content_types(shop: Shop) -> None:
    url = f"{shop.url}/api/rest/products"
    for content_type, text in (
        ("", "Content-Type header is empty"),
        ("application/json; boundary=x", "Invalid Content-Type header"),
        ("application/json; charset=latin1", "UTF-8 is the only supported charset"),
        ("application/pdf", "Server can not understand"),
    ):
        headers = [
            ("Authorization", shop.authorization("POST", url)),
            ("Accept", "application/json"),
            ("Content-Type", content_type),
        ]
        answer = send("POST", url, headers=headers, body=b"{}")
        assert text in messages(answer)[0]
