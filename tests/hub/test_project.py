"""What is left of a row when only some members were asked for."""

from __future__ import annotations

from typing import Any

import pytest

from polyvalent.hub.project import project

ROW = {
    "id": 1,
    "sku": "a",
    "billing": {"city": "Lyon", "zip": "1"},
    "items": [{"sku": "b", "qty": 2}, {"qty": 1}, "odd"],
    "a.b": 7,
}


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ((), ROW),
        (("sku", "id", "nope"), {"id": 1, "sku": "a"}),
        (("billing.city",), {"billing": {"city": "Lyon"}}),
        (("billing.city", "billing"), {"billing": ROW["billing"]}),
        (("billing", "billing.city"), {"billing": ROW["billing"]}),
        (("items.sku", "id"), {"id": 1, "items": [{"sku": "b"}, {}, "odd"]}),
        (("items[*].sku",), {"items": [{"sku": "b"}, {}, "odd"]}),
        (("billing.city.name",), {"billing": {"city": "Lyon"}}),
        (("a.b",), {"a.b": 7}),
        (("nope.city",), {}),
    ],
)
def test_keeps_the_members_that_are_named(fields: tuple[str, ...], left: dict[str, Any]):
    assert project(ROW, fields) == left
