"""
Stock items: reading, single and multiple updates, and how quantity rules the flags.

Only what differs from STOCK_DEFAULTS is kept in a row, so that a hundred thousand items fit.
"""

import re
from typing import Any

from polyvalent.sandbox.magento.ask import Ask, pick
from polyvalent.sandbox.magento.attributes import WRITABLE_SETS, writable
from polyvalent.sandbox.magento.collection import View, select
from polyvalent.sandbox.magento.php_values import to_int
from polyvalent.sandbox.magento.rest_errors import ApiError, invalid, invalid_data, not_found
from polyvalent.sandbox.magento.state import Row, Store

STOCK_DEFAULTS: Row = {
    "item_id": 0,
    "product_id": 0,
    "stock_id": 1,
    "qty": "0.0000",
    "min_qty": "0.0000",
    "use_config_min_qty": 1,
    "is_qty_decimal": 0,
    "backorders": 0,
    "use_config_backorders": 1,
    "min_sale_qty": "1.0000",
    "use_config_min_sale_qty": 1,
    "max_sale_qty": "0.0000",
    "use_config_max_sale_qty": 1,
    "is_in_stock": 0,
    "low_stock_date": None,
    "notify_stock_qty": None,
    "use_config_notify_stock_qty": 1,
    "manage_stock": 0,
    "use_config_manage_stock": 1,
    "stock_status_changed_auto": 0,
    "use_config_qty_increments": 1,
    "qty_increments": "0.0000",
    "use_config_enable_qty_inc": 1,
    "enable_qty_increments": 0,
    "is_decimal_divided": 0,
}
DECIMALS = frozenset(
    {"qty", "min_qty", "min_sale_qty", "max_sale_qty", "notify_stock_qty", "qty_increments"}
)
FLAGS = (
    "use_config_min_qty",
    "is_qty_decimal",
    "use_config_backorders",
    "use_config_min_sale_qty",
    "use_config_max_sale_qty",
    "is_in_stock",
    "use_config_notify_stock_qty",
    "manage_stock",
    "use_config_manage_stock",
    "stock_status_changed_auto",
    "use_config_qty_increments",
    "use_config_enable_qty_inc",
    "enable_qty_increments",
    "is_decimal_divided",
)
LIMIT = 99999999.9999
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")


def full_row(store: Store, item_id: int) -> Row:
    """Return a stock item with all its columns."""
    return STOCK_DEFAULTS | store.stock.rows[item_id]


def find_item(ask: Ask) -> int:
    """Return the id that a route names."""
    text = ask.route["id"]
    item_id = int(text) if text.isdigit() else 0
    if item_id not in ask.store.stock.rows:
        raise not_found()
    return item_id


def retrieve(ask: Ask) -> Any:
    """Return one stock item."""
    row = full_row(ask.store, find_item(ask))
    return ask.store.columns(pick(row, ask.shown()))


def retrieve_list(ask: Ask) -> Any:
    """Return a page of stock items, as a list."""
    view = View(
        ids=ask.store.stock.ids(),
        row=lambda i: full_row(ask.store, i),
        allowed=ask.allowed(),
        is_eav=False,
        numeric=DECIMALS,
        key="item_id",
        lookups={"product_id": lambda text: ask.store.stock_by_product.get(number_of(text))},
        table=ask.store.stock,
    )
    ids = select(view, ask.query)
    names = ask.shown()
    return [ask.store.columns(pick(full_row(ask.store, i), names)) for i in ids]


def number_of(text: str) -> int:
    """Return the number that the database sees in a text: "12abc" is 12, "abc" is 0."""
    digits = re.match(r"\s*\d+", text)
    return int(digits.group()) if digits else 0


def update(ask: Ask) -> None:
    """Change one stock item."""
    item_id = find_item(ask)
    problems = problems_of(ask.body)
    if problems:
        raise invalid(problems)
    write(ask.store, item_id, data=ask.body)
    if ask.store.happens(ask.store.options.deadlocks):
        raise ApiError((500, "Resource internal error."))


def multi_update(ask: Ask) -> Any:
    """Change several stock items; each member succeeds or fails for itself."""
    names = writable("stock_item", user=ask.user.kind, role=ask.user.role)
    success: list[Row] = []
    errors: list[Row] = []

    def fail(item_id: Any, text: str, *, code: int = 400) -> None:
        errors.append({"item_id": item_id, "message": text, "code": code})

    for member in ask.body:
        given = member.get("item_id") if isinstance(member, dict) else None
        if given is None or isinstance(given, bool) or not re.fullmatch(r"\d+", str(given)):
            fail(None, 'Invalid value for "item_id" in request.')
            continue
        item_id = int(given)
        if item_id not in ask.store.stock.rows:
            fail(given, f"StockItem #{item_id} not found.")
            continue
        data = pick(member, names)
        problems = problems_of(data)
        if problems:
            for problem in problems:
                fail(given, problem)
            continue
        write(ask.store, item_id, data=data)
        if ask.store.happens(ask.store.options.deadlocks):
            fail(None, "Resource internal error.", code=500)
            continue
        success.append(
            {
                "item_id": ask.store.column(item_id),
                "message": "Resource updated successful.",
                "code": 200,
            }
        )
    return {k: v for k, v in (("success", success), ("error", errors)) if v}


def problems_of(data: Row) -> list[str]:
    """List what is wrong with an update; a quantity is always demanded."""
    problems = []
    qty = data.get("qty")
    # PHP calls 0.0 empty, but not 0 or "0".
    if qty is None or qty in ("", []) or (isinstance(qty, float) and qty == 0):
        problems.append("qty: Value is required and can't be empty")
    elif not is_quantity(qty):
        problems.append(
            f"qty: '{qty}' is not between '-99999999.9999' and '99999999.9999', inclusively"
        )
    for name, value in data.items():
        if name in FLAGS and (isinstance(value, bool) or str(value) not in ("0", "1")):
            problems.append(f'{name}: The "{name}" field must be set to 0 or 1.')
        elif name == "backorders" and (
            isinstance(value, bool) or str(value) not in ("0", "1", "2")
        ):
            # The vendor's message names the wrong field.
            problems.append('backorders: The "is_qty_decimal" field must be set to 0, 1, or 2.')
    return problems


def is_quantity(value: Any) -> bool:
    """Tell whether a value is a number that fits the column."""
    if isinstance(value, bool) or not NUMBER.fullmatch(str(value)):
        return False
    return abs(float(value)) <= LIMIT


def write(store: Store, item_id: int, *, data: Row) -> None:
    """
    Store an update.

    While stock is managed, a quantity at or below min_qty takes the item out of stock whatever
    flag is sent along; more quantity alone does not bring it back.
    """
    if not data:
        raise invalid_data()
    changes: Row = {}
    for name, value in data.items():
        if name in DECIMALS:
            changes[name] = None if value is None else f"{float(value):.4f}"
        elif name in WRITABLE_SETS["stock_item", "admin"]:
            changes[name] = to_int(value)
    row = full_row(store, item_id) | changes
    is_managed = row["manage_stock"] if not row["use_config_manage_stock"] else 1
    if is_managed and not row["backorders"] and float(row["qty"]) <= float(row["min_qty"]):
        changes["is_in_stock"] = 0
    store.stock.change(item_id, changes)
