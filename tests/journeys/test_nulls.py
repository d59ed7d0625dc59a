"""Members without a value are left out of answers, until filter.response.nulls says otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.application import Application

KEY = "filter.response.nulls"


def nulls(value: Any, place: str = "") -> set[str]:
    """Name the places of nulls: {"/0/gift_message", "/0/items/0/parent"}."""
    if value is None:
        return {place}
    pairs = value.items() if isinstance(value, dict) else ()
    pairs = enumerate(value) if isinstance(value, list) else pairs
    return {found for name, inner in pairs for found in nulls(inner, f"{place}/{name}")}


def depths(places: set[str]) -> set[int]:
    return {place.count("/") for place in places}


def set_entry(application: Application, instance: dict[str, Any], value: str, form: str) -> None:
    stage = application.stage
    own = f"/instances/{instance['id']}/configuration"
    (entry,) = [one for one in stage.call("GET", own).json() if one["key"] == KEY]
    place = own if form == "id" else "/instances/configuration"
    token = None if form == "id" else instance["token"]
    changed = stage.call(
        "PATCH", f"{place}/{entry['id']}", body={**entry, "propertyValue": value}, element=token
    )
    assert changed.status == 200, changed
    assert changed.json()["propertyValue"] == value
    assert changed.json()["id"] == entry["id"]


@pytest.mark.parametrize("form", ["id", "token"])
@pytest.mark.parametrize("caching", [False, True])
def test_shows_nulls_once_the_entry_says_so(
    application: Application, form: str, caching: bool
) -> None:
    instance = application.connect(cachingEnabled=caching)

    def get(path: str) -> Any:
        reply = application.stage.call("GET", path, element=instance["token"])
        assert reply.status == 200, reply
        return reply.json()

    orders = get("/orders")
    assert len(orders) == 3
    assert nulls(orders) == nulls(get(f"/orders/{orders[0]['id']}")) == set()

    set_entry(application, instance, "false", form)
    shown = get("/orders")
    # In the rows themselves, and in the lists and objects within them.
    assert depths(nulls(shown)) >= {2, 4}
    assert nulls(get(f"/orders/{orders[0]['id']}"))
    assert [order["id"] for order in shown] == [order["id"] for order in orders]

    set_entry(application, instance, "true", form)
    assert get("/orders") == orders


def test_goes_for_mapped_rows_as_well(application: Application) -> None:
    instance, stage = application.connect(), application.stage
    token = instance["token"]
    definition = {"fields": [{"path": "number", "type": "string"}]}
    mapping = {
        "vendorName": "orders",
        "fields": [{"path": "number", "vendorPath": "increment_id"}],
        "configuration": [{"type": "passThrough", "properties": {"fromVendor": True}}],
    }
    for path, body in (
        ("/instances/objects/sales/definitions", definition),
        ("/instances/transformations/sales", mapping),
    ):
        made = stage.call("POST", path, body=body, element=token)
        assert made.status == 200, made
    before = stage.call("GET", "/sales", element=token).json()
    set_entry(application, instance, "false", "token")
    after = stage.call("GET", "/sales", element=token).json()
    assert all(row["number"] for row in before + after)
    assert nulls(before) == set()
    assert depths(nulls(after)) >= {2, 4}, after[0]
