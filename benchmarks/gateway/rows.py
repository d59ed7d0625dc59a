"""
Make the fixed answers of the store, and say how their members are renamed.

Needs nothing but the standard library: the build that polyvalent is compared with runs in an
environment of its own and reads the same names.
"""

from __future__ import annotations

import json
from typing import Any

PAGE_ROWS = 100
# The hundredth row of the store's page shows that there are more, and is not shown itself.
PAGE_SHOWN = PAGE_ROWS - 1
# The caller's name → the store's.
RENAMED = {
    "id": "entity_id",
    "code": "sku",
    "title": "name",
    "kind": "type_id",
    "set": "attribute_set_id",
    "cost_price": "cost",
    "mass": "weight",
    "link": "url_key",
    "blurb": "short_description",
    "tax": "tax_class_id",
}
# With what is renamed, all that strict mappings keep.
KEPT = (
    "price",
    "status",
    "visibility",
    "created_at",
    "updated_at",
    "description",
    "manufacturer",
    "color",
    "meta_title",
    "msrp",
)
_NULLS = ("special_price", "special_from_date", "special_to_date", "custom_design", "page_layout")
_TEXTS = (
    "meta_keyword",
    "meta_description",
    "options_container",
    "country_of_manufacture",
    "custom_layout_update",
)
_NUMBERS = (
    "msrp_enabled",
    "msrp_display_actual_price_type",
    "gift_message_available",
    "use_config_gift_message_available",
    "use_config_gift_wrapping_available",
    "url_key_create_redirect",
)


def make_row(number: int) -> dict[str, Any]:
    """Make one product of about 1 kB, with 42 members, some null, one of them nested."""
    row: dict[str, Any] = {
        "entity_id": str(number),
        "type_id": "simple",
        "attribute_set_id": "4",
        "sku": f"mug-{number:05}",
        "name": f"Mug with a picture, number {number}",
        "price": f"{10 + number % 90}.9500",
        "cost": "4.1200",
        "weight": "0.3500",
        "status": "1",
        "visibility": "4",
        "tax_class_id": "2",
        "created_at": "2026-03-01 09:30:00",
        "updated_at": "2026-10-11 17:02:41",
        "url_key": f"mug-with-a-picture-{number}",
        "description": f"A mug of white china with picture {number} on it, safe to wash.",
        "short_description": "A mug of white china.",
        "manufacturer": "17",
        "color": "3",
        "meta_title": f"Mug {number}",
        "msrp": "12.0000",
        "stock_data": {"qty": "20.0000", "is_in_stock": "1", "backorders": None},
        "tier_price": [
            {"website_id": "0", "price_qty": "10.0000", "price": "9.0000", "group": None}
        ],
    }
    row |= dict.fromkeys(_NULLS)
    row |= {name: f"{name} {number % 7}" for name in _TEXTS}
    row |= dict.fromkeys(_NUMBERS, "0")
    return row


def object_body() -> bytes:
    """Return the store's answer for one product."""
    return json.dumps(make_row(1)).encode()


def page_body() -> bytes:
    """Return the store's answer for a page of products: an object of objects, by id."""
    return json.dumps({str(n): make_row(n) for n in range(1, PAGE_ROWS + 1)}).encode()


def transformation(*, passing: bool) -> dict[str, Any]:
    """Return the transformation that does it, as the API takes it."""
    pairs = RENAMED if passing else {**RENAMED, **{name: name for name in KEPT}}
    strict = {"type": "passThrough", "properties": {"fromVendor": False, "toVendor": False}}
    return {
        "vendorName": "products",
        "fields": [{"path": own, "vendorPath": vendor} for own, vendor in pairs.items()],
        **({} if passing else {"configuration": [strict]}),
    }
