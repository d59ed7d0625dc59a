"""Reading products: single ones, collections, store views, and what guests and customers see."""

from dataclasses import replace
from typing import Any

from polyvalent.sandbox.magento.ask import Ask, pick
from polyvalent.sandbox.magento.collection import View, select
from polyvalent.sandbox.magento.oauth_verify import PhpFatal
from polyvalent.sandbox.magento.rest_errors import ApiError, not_found
from polyvalent.sandbox.magento.state import Row, Store
from polyvalent.sandbox.magento.stock import STOCK_DEFAULTS
from polyvalent.sandbox.magento.store_time import local_iso

ENTITY_ONLY = frozenset({"stock_data", "group_price", "tier_price"})
DECIMALS = frozenset({"price", "special_price", "cost", "weight", "msrp"})
COMPUTED = frozenset(
    [
        "image_url",
        "is_saleable",
        "total_reviews_count",
        "url",
        "buy_now_url",
        "has_custom_options",
        "is_in_stock",
        "regular_price_with_tax",
        "regular_price_without_tax",
        "final_price_with_tax",
        "final_price_without_tax",
    ]
)
# Columns of a stock item that are not repeated inside a product.
NOT_IN_STOCK_DATA = {
    "item_id",
    "product_id",
    "stock_id",
    "low_stock_date",
    "stock_status_changed_auto",
}
IMAGE_CACHE = "/media/catalog/product/cache/0/image/9df78eab33525d08d6e5fb8d27136e95"
PLACEHOLDER = f"{IMAGE_CACHE}/images/catalog/product/placeholder/image.jpg"
TAX_RATES = {"New York": 8.375, "California": 8.25}  # in percent, by region


def find_product(ask: Ask, name: str = "id") -> tuple[int, Row]:
    """
    Return the product that a route names, as the caller may see it.

    Raises ApiError 404 if there is none, or none that a guest or customer may see.
    """
    text = ask.route[name]
    product_id = int(text) if text.isdigit() else 0
    row = ask.store.products.rows.get(product_id)
    if row is None or (ask.user.kind != "admin" and not is_visible(row)):
        raise not_found()
    return product_id, row


def is_visible(row: Row) -> bool:
    """Tell whether the shop shows a product: enabled, visible, and in the first website."""
    return row["status"] == 1 and row["visibility"] != 1 and 1 in row["_websites"]


def store_id(store: Store, name: str) -> int:
    """Return the id of a store view named by id or code."""
    for number, (code, _) in store.stores.items():
        if name in (str(number), code):
            return number
    raise ApiError((400, "Requested store is invalid"))


def requested_store(ask: Ask) -> int:
    """Return the store view of a call: from its route or its query, 0 if none is asked for."""
    name = ask.route.get("store") or ask.query.get("store")
    return store_id(ask.store, str(name)) if name else 0


def in_store(row: Row, view: int) -> Row:
    """Return a product row with the values of a store view on top."""
    values = row.get("_store_values", {}).get(view)
    return {**row, **values} if values else row


def retrieve(ask: Ask) -> Any:
    """Return one product."""
    product_id, row = find_product(ask)
    view = requested_store(ask)
    if view and ask.store.stores[view][1] not in row["_websites"]:
        raise not_found()
    if row["type_id"] == "grouped":
        # group_price is null for these, and the vendor's loop over it dies on PHP 7 and later.
        raise PhpFatal
    names = ask.shown()
    row = in_store(row, view)
    shown = ask.store.columns(row)
    if "created_at" in shown:
        shown["created_at"] = local_iso(row["created_at"])
    if ask.user.kind == "admin":
        shown["group_price"] = shown_prices(ask.store, row.get("_group_price", []))
        shown["tier_price"] = shown_prices(ask.store, row.get("_tier_price", []))
        shown["stock_data"] = stock_data(ask.store, product_id)
    else:
        shown |= shop_values(ask, product_id, row=row, is_entity=True)
    return pick(shown, names)


def retrieve_category_member(ask: Ask) -> Any:
    """Return the product of a product-category pair: the vendor answers with the product."""
    _, row = find_product(ask)
    names = ask.shown()
    shown = retrieve(replace(ask, resource="product", route={"id": ask.route["id"]}))
    gallery = [
        {
            "value_id": ask.store.column(image["id"]),
            "file": image["file"],
            "label": image["label"],
            "position": ask.store.column(image["position"]),
            "disabled": ask.store.column(image["exclude"]),
        }
        for image in row.get("_images", [])
    ]
    return pick(shown | {"media_gallery": {"images": gallery, "values": []}}, names)


def shown_prices(store: Store, rows: list[Row]) -> list[Row]:
    """Show tier or group prices; the id of "all groups" and is_percent are computed values."""
    computed = ("is_percent",)
    return [
        {k: v if k in computed or v == 32000 else store.column(v) for k, v in row.items()}
        for row in rows
    ]


def stock_data(store: Store, product_id: int) -> Row:
    """Return the stock part of a product."""
    item_id = store.stock_by_product.get(product_id)
    if item_id is None:
        return {}
    row = STOCK_DEFAULTS | store.stock.rows[item_id]
    return store.columns({k: v for k, v in row.items() if k not in NOT_IN_STOCK_DATA})


def shop_values(ask: Ask, product_id: int, *, row: Row, is_entity: bool) -> Row:
    """Return what guests and customers get on top: prices as numbers, addresses, flags."""
    regular = float(row.get("price") or 0)
    special = row.get("special_price")
    final = min(regular, float(special)) if special is not None else regular
    stock = STOCK_DEFAULTS | ask.store.stock.rows.get(
        ask.store.stock_by_product.get(product_id, 0), {}
    )
    is_in_stock = bool(stock["is_in_stock"])
    base = ask.call.base_url
    taxed = 1 + tax_rate(ask) / 100 if row.get("tax_class_id") else 1.0
    image = next((i["file"] for i in row.get("_images", []) if "image" in i["types"]), None)
    values: Row = {
        "regular_price_with_tax": round(regular * taxed, 2),
        "regular_price_without_tax": round(regular, 4),
        "final_price_with_tax": round(final * taxed, 2),
        "final_price_without_tax": round(final, 4),
        "is_saleable": is_in_stock or ask.store.column(0),
        "image_url": base + (f"{IMAGE_CACHE}{image}" if image else PLACEHOLDER),
    }
    if is_entity:
        values |= {
            "is_saleable": ask.store.column(int(is_in_stock)),
            "total_reviews_count": ask.store.column(0),
            "url": f"{base}/index.php/catalog/product/view/id/{product_id}/s/{row.get('url_key')}/",
            "buy_now_url": f"{base}/index.php/checkout/cart/add/product/{product_id}/",
            "has_custom_options": bool(row.get("_has_options")),
            "is_in_stock": ask.store.column(int(is_in_stock)),
            "tier_price": [],
        }
    return values


def tax_rate(ask: Ask) -> float:
    """Return the tax in percent where a customer lives; guests are shown prices without."""
    customer = ask.store.customers.rows.get(ask.user.customer_id or 0, {})
    address = ask.store.addresses.rows.get(customer.get("_default_shipping", 0), {})
    return TAX_RATES.get(address.get("region", ""), 0.0)


def retrieve_list(ask: Ask) -> Any:
    """Return a page of products, keyed by id."""
    view_id = requested_store(ask)
    rows = ask.store.products.rows
    ids = ask.store.products.ids()
    category = ask.route.get("category_id") or ask.query.get("category_id")
    if category:
        number = int(category) if str(category).isdigit() else 0
        if number not in ask.store.categories:
            raise ApiError((400, "Category not found."))
        ids = [i for i in ids if number in rows[i]["_categories"]]
    if ask.user.kind != "admin":
        ids = [i for i in ids if is_visible(rows[i])]
    allowed = ask.allowed()
    view = View(
        ids=ids,
        row=(lambda i: in_store(rows[i], view_id)) if view_id else rows.__getitem__,
        allowed=allowed,
        is_eav=True,
        numeric=DECIMALS,
        unsortable=ENTITY_ONLY | COMPUTED,
        lookups={} if view_id else {"sku": ask.store.sku_ids.get},
        table=ask.store.products,
        scope=f"{view_id} {category} {ask.user.kind}",
    )
    names = ask.shown() - ENTITY_ONLY
    result = {}
    for product_id in select(view, ask.query):
        row = in_store(rows[product_id], view_id)
        shown = ask.store.columns(row, names)
        if ask.user.kind != "admin":
            shown |= pick(shop_values(ask, product_id, row=row, is_entity=False), names)
        result[str(product_id)] = shown
    return result
