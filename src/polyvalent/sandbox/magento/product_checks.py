"""
What the store demands of product data before it is written, in the vendor's words.

Attributes are checked in one fixed order; all problems are listed, not only the first.
"""

import re
from typing import Any

from polyvalent.sandbox.magento.state import Row

TYPE_NAMES = {
    "simple": "Simple Product",
    "grouped": "Grouped Product",
    "configurable": "Configurable Product",
    "virtual": "Virtual Product",
    "bundle": "Bundle Product",
    "downloadable": "Downloadable Product",
}
ATTRIBUTE_SETS = (4, 9)
REQUIRED = (
    "name",
    "price",
    "description",
    "short_description",
    "sku",
    "weight",
    "status",
    "visibility",
    "tax_class_id",
)
OPTIONS: dict[str, tuple[str, ...]] = {
    "status": ("1", "2"),
    "visibility": ("1", "2", "3", "4"),
    "tax_class_id": ("0", "2", "4"),
    "is_eco": ("0", "1"),
    "shirt_size": tuple(map(str, range(3, 7))),
    "material": tuple(map(str, range(7, 11))),
    "color": tuple(map(str, range(11, 16))),
    "manufacturer": tuple(map(str, range(16, 21))),
    "msrp_enabled": ("0", "1", "2"),
    "msrp_display_actual_price_type": ("1", "2", "3", "4"),
    "gift_message_available": ("0", "1"),
}
PRICES = ("price", "special_price", "cost", "weight", "msrp")
DATES = (
    "special_from_date",
    "special_to_date",
    "news_from_date",
    "news_to_date",
    "custom_design_from",
    "custom_design_to",
    "release_date",
)
CUSTOMER_GROUPS = ("0", "1", "2", "3")
STOCK_FLAGS = ("manage_stock", "is_in_stock", "is_qty_decimal", "enable_qty_increments")
STOCK_NUMBERS = ("qty", "min_qty", "min_sale_qty", "max_sale_qty", "notify_stock_qty")
SKU_LENGTH = 64
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
PLAIN_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?: (\d\d:\d\d:\d\d))?")
ISO_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?")


def kind_problems(data: Row) -> list[str]:
    """Check type and attribute set; with a problem here nothing else is looked at."""
    if data.get("type_id") in (None, ""):
        return ['Missing "type_id" in request.']
    if data["type_id"] not in TYPE_NAMES:
        return ["Invalid product type."]
    if data.get("attribute_set_id") in (None, ""):
        return ['Missing "attribute_set_id" in request.']
    if str(data["attribute_set_id"]) not in [str(number) for number in ATTRIBUTE_SETS]:
        return ["Invalid attribute set."]
    return []


def value_problems(data: Row, *, type_id: str, is_new: bool) -> list[str]:
    """Check all other values of a product."""
    problems = []
    required = [n for n in REQUIRED if n != "weight" or type_id == "simple"]
    for name in (*required, *[n for n in data if n not in required]):
        if name not in data:
            if is_new:
                problems.append(f'Missing "{name}" in request.')
        elif data[name] in (None, "") and name in required:
            problems.append(f'Empty value for "{name}" in request.')
        else:
            problems += attribute_problems(name, data[name], type_id=type_id)
    for name in ("group_price", "tier_price"):
        for position, entry in enumerate(data.get(name) or []):
            problems += price_problems(name, position, entry=entry)
    if isinstance(data.get("stock_data"), dict):
        problems += stock_problems(data["stock_data"])
    return problems


def attribute_problems(name: str, value: Any, *, type_id: str) -> list[str]:
    """Check one value that is there."""
    if name == "weight" and type_id not in ("simple", "bundle"):
        kind = TYPE_NAMES[type_id]
        return [f'Attribute "weight" is not applicable for product type "{kind}"']
    if value in (None, "") and value is not False:
        return []
    if name == "sku" and len(str(value)) > SKU_LENGTH:
        return [f"SKU length should be {SKU_LENGTH} characters maximum."]
    if name in OPTIONS:
        given = value if name == "material" and isinstance(value, list) else [value]
        for choice in given:
            if isinstance(choice, bool) or str(choice) not in OPTIONS[name]:
                shown = int(choice) if isinstance(choice, bool) else choice
                return [f'Invalid value "{shown}" for attribute "{name}".']
    if name in PRICES and not is_number(value, minimum=0):
        return [f'Please enter a number 0 or greater in the "{name}" field.']
    if name in DATES and stored_date(value) is None:
        return [f'Invalid date in the "{name}" field.']
    return []


def is_number(value: Any, *, minimum: float) -> bool:
    """Tell whether a value is a number of at least some size."""
    if isinstance(value, bool) or not NUMBER.fullmatch(str(value)):
        return False
    return float(value) >= minimum


def stored_date(value: Any) -> str | None:
    """
    Return how a date is stored, None if it is none.

    Anything but "2026-01-31" and "2026-01-31 12:00:00" is read in the store's locale, which takes
    the month of an ISO moment for the day: "2026-02-03T04:05:06Z" → "2026-03-02 04:05:00".
    """
    match = PLAIN_DATE.fullmatch(str(value))
    if match is not None:
        return f"{str(value)[:10]} {match.group(4) or '00:00:00'}"
    match = ISO_MOMENT.fullmatch(str(value))
    if match is None:
        return None
    year, month, day, clock = match.groups()
    return f"{year}-{day}-{month} {clock}:00" if int(day) <= 12 else None


def price_problems(name: str, position: int, *, entry: Any) -> list[str]:
    """Check one entry of the tier or group prices."""
    place = f'in the "{name}:{position}" set'
    fields = ["website_id", "cust_group", *(["price_qty"] if name == "tier_price" else []), "price"]
    entry = entry if isinstance(entry, dict) else {}
    missing = [f for f in fields if f not in entry]
    problems = [f'The "{field}" value {place} is a required field.' for field in missing]
    if "website_id" in entry and str(entry["website_id"]) not in ("0", "1", "2"):
        problems.append(f'Invalid "website_id" value {place}')
    if "cust_group" in entry and str(entry["cust_group"]) not in CUSTOMER_GROUPS:
        problems.append(f'Invalid "cust_group" value {place}')
    problems += [
        f'Please enter a number greater than 0 in the "{field}" field {place}.'
        for field in ("price_qty", "price")
        if field in entry and not (is_number(entry[field], minimum=0) and float(entry[field]) > 0)
    ]
    return problems


def stock_problems(data: Row) -> list[str]:
    """Check the stock part of a product."""
    place = 'in the "stock_data" set'
    problems = [
        f'Please enter a valid number in the "{name}" field {place}.'
        for name in STOCK_NUMBERS
        if data.get(name) not in (None, "") and not NUMBER.fullmatch(str(data[name]))
    ]
    problems += [
        f'Invalid "{name}" value {place}.'
        for name in STOCK_FLAGS
        if name in data and (isinstance(data[name], bool) or str(data[name]) not in ("0", "1"))
    ]
    return problems
