"""
Creating, changing and deleting products, with the side effects that the vendor has.

A new product belongs to no website. An update without stock_data resets three stock settings.
"""

import re
from typing import Any

from polyvalent.sandbox.magento.ask import Ask
from polyvalent.sandbox.magento.php_values import to_int
from polyvalent.sandbox.magento.product_checks import (
    DATES,
    OPTIONS,
    PRICES,
    kind_problems,
    stored_date,
    value_problems,
)
from polyvalent.sandbox.magento.products import find_product, requested_store
from polyvalent.sandbox.magento.rest_errors import ApiError, invalid, not_found
from polyvalent.sandbox.magento.state import Row, Store
from polyvalent.sandbox.magento.stock import DECIMALS as STOCK_DECIMALS
from polyvalent.sandbox.magento.stock import STOCK_DEFAULTS

LONG_TEXTS = ("description", "short_description", "meta_keyword", "custom_layout_update")
PER_STORE = ("name", "description", "short_description", "meta_title", "meta_description")
TEXT_LENGTH = 255


def create(ask: Ask) -> str:
    """Add a simple product and return its location."""
    problems = kind_problems(ask.body)
    if not problems:
        problems = value_problems(ask.body, type_id=ask.body["type_id"], is_new=True)
    if problems:
        raise invalid(problems)
    type_id = ask.body["type_id"]
    if type_id != "simple":
        text = f"Creation of products with type '{type_id}' is not implemented"
        raise ApiError((405, text))
    store = ask.store
    sku = str(ask.body["sku"])
    demand_free_sku(store, sku, product_id=None)
    now = store.timestamp()
    row: Row = {
        "entity_id": store.products.next_id,
        "attribute_set_id": to_int(ask.body["attribute_set_id"]),
        "type_id": type_id,
        "sku": sku,
        "created_at": now,
        "updated_at": now,
        "options_container": "container1",
        "url_key": url_key(str(ask.body["name"])),
        "special_from_date": None,
        "_websites": [],
        "_categories": [],
    }
    row |= columns_of(ask.body)
    product_id = store.products.insert(row)
    store.sku_ids[sku.lower()] = product_id
    item: Row = {"item_id": store.stock.next_id, "product_id": product_id}
    item_id = store.stock.insert(item)
    store.stock_by_product[product_id] = item_id
    write_stock(store, item_id, data=ask.body.get("stock_data"))
    fail_after_all(store)
    return f"products/{product_id}"


def update(ask: Ask) -> None:
    """Change a product, or its values in one store view."""
    product_id, row = find_product(ask)
    view = requested_store(ask)
    if view and ask.store.stores[view][1] not in row["_websites"]:
        raise not_found()
    data = {k: v for k, v in ask.body.items() if k not in ("type_id", "attribute_set_id")}
    problems = value_problems(data, type_id=row["type_id"], is_new=False)
    if problems:
        raise invalid(problems)
    sku = str(data.get("sku", row["sku"]))
    demand_free_sku(ask.store, sku, product_id=product_id)
    del ask.store.sku_ids[row["sku"].lower()]
    ask.store.sku_ids[sku.lower()] = product_id
    changes = columns_of(data)
    if view:
        local = {k: changes.pop(k) for k in PER_STORE if k in changes}
        values = row.setdefault("_store_values", {})
        values[view] = {**values.get(view, {}), **local}
    changes["updated_at"] = ask.store.timestamp()
    ask.store.products.change(product_id, changes)
    write_stock(ask.store, ask.store.stock_by_product[product_id], data=data.get("stock_data"))
    fail_after_all(ask.store)


def delete(ask: Ask) -> None:
    """Remove a product and its stock item."""
    product_id, row = find_product(ask)
    ask.store.sku_ids.pop(row["sku"].lower(), None)
    ask.store.products.delete(product_id)
    item_id = ask.store.stock_by_product.pop(product_id, None)
    if item_id is not None:
        ask.store.stock.delete(item_id)


def demand_free_sku(store: Store, sku: str, *, product_id: int | None) -> None:
    """Refuse an SKU that another product has; letter case does not matter."""
    if store.sku_ids.get(sku.lower(), product_id) != product_id:
        text = 'Invalid attribute "sku": The value of attribute "SKU" must be unique'
        raise ApiError((400, text))


def fail_after_all(store: Store) -> None:
    """Report a deadlock of the indexer, though the product has been written."""
    if store.happens(store.options.deadlocks):
        raise ApiError((400, "Resource unknown error."))


def url_key(name: str) -> str:
    """Make the address part of a product from its name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def columns_of(data: Row) -> Row:
    """Turn sent values into columns."""
    row: Row = {}
    for name, value in data.items():
        if name in ("type_id", "attribute_set_id", "stock_data", "url_key_create_redirect"):
            continue
        if name in ("group_price", "tier_price"):
            row[f"_{name}"] = [price_row(name, entry) for entry in value or []]
        else:
            row[name] = column_of(name, value)
    return row


def column_of(name: str, value: Any) -> Any:
    """Turn one sent value into a column; long text is cut, four-byte characters are lost."""
    if value in (None, "", []) and value is not False:
        return None
    if name in PRICES:
        return f"{float(value):.4f}"
    if name in DATES:
        return stored_date(value)
    if name == "material":
        return ",".join(str(v) for v in (value if isinstance(value, list) else [value]))
    if name in OPTIONS:
        return to_int(value)
    text = "".join("????" if ord(c) > 0xFFFF else c for c in str(value))
    return text if name in LONG_TEXTS else text[:TEXT_LENGTH]


def price_row(name: str, entry: Row) -> Row:
    """Make an entry of the tier or group prices."""
    row: Row = {
        "website_id": to_int(entry["website_id"]),
        "cust_group": to_int(entry["cust_group"]),
        "price": f"{float(entry['price']):.4f}",
    }
    if name == "tier_price":
        return row | {"price_qty": f"{float(entry['price_qty']):.4f}", "is_percent": 0}
    return row | {"is_percent": True}


def write_stock(store: Store, item_id: int, *, data: Any) -> None:
    """Store the stock part of a product; without one, three settings fall back to the shop's."""
    if not isinstance(data, dict):
        reset = ("use_config_manage_stock", "use_config_min_sale_qty", "use_config_max_sale_qty")
        store.stock.change(item_id, dict.fromkeys(reset, 1))
        return
    changes: Row = {}
    for name, value in data.items():
        if name in ("item_id", "product_id", "stock_id") or name not in STOCK_DEFAULTS:
            continue
        if name in STOCK_DECIMALS:
            changes[name] = None if value is None else f"{float(value or 0):.4f}"
        else:
            changes[name] = to_int(value)
    store.stock.change(item_id, changes)
