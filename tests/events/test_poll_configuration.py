"""What is polled is read from JSON, from the older lines, or from the element."""

from __future__ import annotations

import json
from typing import Any

import pytest

from polyvalent.catalog.load import load_catalog
from polyvalent.errors import BadRequest
from polyvalent.events.poll_configuration import (
    DateField,
    derive_polled,
    find_polled,
    read_poll_configuration,
    read_poll_urls,
)

ORDERS: dict[str, Any] = {
    "url": "/hubs/ecommerce/orders?where=updated_at>'${gmtDate:yyyy-MM-dd HH:mm:ss}'",
    "idField": "entity_id",
}
DATES = {
    "updatedDateField": "updated_at",
    "updatedDateFormat": "yyyy-MM-dd HH:mm:ss",
    "updatedDateTimezone": "America/New_York",
}


def test_it_reads_an_object_and_its_text_alike() -> None:
    whole = {
        "orders": ORDERS | {
            "pageSize": "50", "pollDelay": 7, "createdCheckTolerance": 3,
            "filterByUpdateDate": False, "filterByCurrentDate": True,
            "datesConfiguration": DATES,
        }
    }  # fmt: skip
    (polled,) = read_poll_configuration(whole)
    assert read_poll_configuration(json.dumps(whole)) == (polled,)
    assert (polled.name, polled.path) == ("orders", "/hubs/ecommerce/orders")
    assert (polled.page_size, polled.poll_delay_s, polled.tolerance_s) == (50, 7, 3)
    assert (polled.by_updated, polled.until_now) == (False, True)
    assert polled.updated == DateField(
        path="updated_at", mask="yyyy-MM-dd HH:mm:ss", zone="America/New_York"
    )
    assert polled.query("/x?where=a>='1 b'&fields=a%26b") == (
        ("where", "a>='1 b'"),
        ("fields", "a&b"),
    )


def test_it_has_defaults() -> None:
    (polled,) = read_poll_configuration({"orders": ORDERS})
    assert (polled.page_size, polled.poll_delay_s, polled.tolerance_s) == (100, 0, 10)
    assert (polled.by_updated, polled.until_now, polled.has_dates) == (True, False, False)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{", "no JSON"),
        ("[]", "must be an object"),
        ({"orders": {"url": "/orders"}}, "idField"),
        ({"orders": ORDERS | {"idField": ""}}, "idField is missing"),
        ({"orders": ORDERS | {"url": "https://x.example/orders"}}, "must be a path"),
        ({"orders": ORDERS | {"pageSize": 0}}, "pageSize"),
        ({"orders": ORDERS | {"pageSize": "many"}}, "'orders' cannot be used"),
        ({"orders": ORDERS | {"pollDelay": -1}}, "pollDelay"),
        ({"orders": ORDERS | {"datesConfiguration": DATES | {"updatedDateFormat": "QQQ"}}}, "QQQ"),
        (
            {"orders": ORDERS | {"datesConfiguration": DATES | {"updatedDateTimezone": "Mars"}}},
            "'Mars'",
        ),
    ],
)
def test_it_says_what_is_wrong(value: Any, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        read_poll_configuration(value)


def test_it_reads_the_older_lines() -> None:
    text = (
        "contacts|/hubs/crm/contacts|info.id|info.updated|yyyy-MM-dd|UTC|created|yyyy-MM-dd|UTC"
        "\\nleads|/hubs/crm/leads|id"
    )
    contacts, leads = read_poll_urls(text)
    assert (contacts.name, contacts.id_field) == ("contacts", "info.id")
    assert contacts.created == DateField(path="created", mask="yyyy-MM-dd", zone="UTC")
    assert (leads.name, leads.updated) == ("leads", None)
    with pytest.raises(BadRequest, match="Line 2"):
        read_poll_urls("a|/a|id\nb|")


def test_an_element_is_polled_as_its_objects_tell() -> None:
    element = load_catalog().find("magento")
    polled = {item.name: item for item in derive_polled(element)}
    assert set(polled) == {"customers", "orders", "products", "inventory"}
    assert polled["orders"].url == (
        "/hubs/ecommerce/orders?where=updated_at>='${gmtDate:yyyy-MM-dd HH:mm:ss}'"
    )
    assert polled["orders"].has_dates
    assert not polled["inventory"].has_dates
    assert polled["inventory"].id_field == "item_id"


def test_objects_may_be_limited() -> None:
    element = load_catalog().find("magento")
    found = find_polled({"event.objects": "orders, inventory"}, element)
    assert {item.name for item in found} == {"orders", "inventory"}
    with pytest.raises(BadRequest, match="invoices"):
        find_polled({"event.objects": "orders,invoices"}, element)
    found = find_polled({"event.poller.configuration": json.dumps({"x": ORDERS})}, element)
    assert [item.name for item in found] == ["x"]
