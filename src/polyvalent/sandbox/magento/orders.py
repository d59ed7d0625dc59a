"""Orders with their items, addresses and comments: read-only but for new comments."""

from typing import Any

from polyvalent.sandbox.magento.ask import Ask, pick
from polyvalent.sandbox.magento.collection import View, select
from polyvalent.sandbox.magento.php_values import to_int
from polyvalent.sandbox.magento.rest_errors import not_found
from polyvalent.sandbox.magento.state import Row

DECIMALS = frozenset(
    [
        "base_discount_amount",
        "base_grand_total",
        "base_shipping_amount",
        "base_shipping_tax_amount",
        "base_subtotal",
        "base_tax_amount",
        "base_total_paid",
        "base_total_refunded",
        "discount_amount",
        "grand_total",
        "shipping_amount",
        "shipping_tax_amount",
        "store_to_order_rate",
        "subtotal",
        "tax_amount",
        "total_paid",
        "total_refunded",
        "base_shipping_discount_amount",
        "base_subtotal_incl_tax",
        "base_total_due",
        "shipping_discount_amount",
        "subtotal_incl_tax",
        "total_due",
        "shipping_incl_tax",
        "qty_canceled",
        "qty_invoiced",
        "qty_ordered",
        "qty_refunded",
        "qty_shipped",
        "price",
        "base_price",
        "original_price",
        "base_original_price",
        "tax_percent",
        "row_total",
        "base_row_total",
        "price_incl_tax",
        "base_price_incl_tax",
        "row_total_incl_tax",
        "base_row_total_incl_tax",
    ]
)
JOINED = frozenset(
    [
        "payment_method",
        "tax_name",
        "tax_rate",
        "gift_message_from",
        "gift_message_to",
        "gift_message_body",
        "addresses",
        "order_items",
        "order_comments",
    ]
)


def find_order(ask: Ask, name: str = "id") -> int:
    """Return the id that a route names; customers see only their own orders."""
    text = ask.route[name]
    order_id = int(text) if text.isdigit() else 0
    row = ask.store.orders.rows.get(order_id)
    is_foreign = ask.user.kind == "customer" and (
        row is None or row["customer_id"] != ask.user.customer_id
    )
    if row is None or is_foreign:
        raise not_found()
    return order_id


def comment_rows(ask: Ask, order_id: int) -> list[Row]:
    """Return the comments of an order; customers see what is meant for them."""
    rows = [ask.store.comments.rows[i] for i in ask.store.comment_ids.get(order_id, [])]
    if ask.user.kind == "customer":
        rows = [row for row in rows if row["is_visible_on_front"]]
    return rows


def complete(ask: Ask, order_id: int, *, names: set[str]) -> Row:
    """
    Return an order with its embedded lists.

    The same `attrs` narrow the members of the lists, and one that is left without an attribute
    is fatal, even where the list itself is not asked for.
    """
    shown = ask.store.columns(ask.store.orders.rows[order_id])
    parts = (
        ("addresses", "order_address", ask.store.order_addresses.get(order_id, [])),
        ("order_items", "order_item", ask.store.order_items.get(order_id, [])),
        ("order_comments", "order_comment", comment_rows(ask, order_id)),
    )
    for name, resource, rows in parts:
        if not ask.allowed(resource):
            continue
        part_names = ask.shown(resource)
        if rows:
            shown[name] = [ask.store.columns(row, part_names) for row in rows]
    return pick(shown, names)


def retrieve(ask: Ask) -> Any:
    """Return one order."""
    return complete(ask, find_order(ask), names=ask.shown())


def retrieve_list(ask: Ask) -> Any:
    """Return a page of orders, keyed by id."""
    rows = ask.store.orders.rows
    ids = ask.store.orders.ids()
    if ask.user.customer_id is not None:
        ids = [i for i in ids if rows[i]["customer_id"] == ask.user.customer_id]
    view = View(
        ids=ids,
        row=rows.__getitem__,
        allowed=ask.allowed(),
        is_eav=False,
        numeric=DECIMALS,
        unfilterable=JOINED,
        table=ask.store.orders,
        scope=str(ask.user.customer_id),
    )
    chosen = select(view, ask.query)
    names = ask.shown()
    return {str(i): complete(ask, i, names=names) for i in chosen}


def part_of(ask: Ask, rows: list[Row]) -> Any:
    """Return a page of an order's children, as a list."""
    view = View(
        ids=list(range(len(rows))),
        row=rows.__getitem__,
        allowed=ask.allowed(),
        is_eav=False,
        numeric=DECIMALS,
        key="",
    )
    names = ask.shown()
    return [ask.store.columns(pick(rows[i], names)) for i in select(view, ask.query)]


def retrieve_items(ask: Ask) -> Any:
    """Return the items of an order."""
    return part_of(ask, ask.store.order_items.get(find_order(ask), []))


def retrieve_addresses(ask: Ask) -> Any:
    """Return the addresses of an order."""
    return part_of(ask, ask.store.order_addresses.get(find_order(ask, "order_id"), []))


def retrieve_address(ask: Ask) -> Any:
    """Return the billing or the shipping address of an order."""
    for row in ask.store.order_addresses.get(find_order(ask, "order_id"), []):
        if row["address_type"] == ask.route["address_type"]:
            return ask.store.columns(pick(row, ask.shown()))
    raise not_found()


def retrieve_comments(ask: Ask) -> Any:
    """Return the comments of an order."""
    return part_of(ask, comment_rows(ask, find_order(ask)))


def retrieve_comment(ask: Ask) -> Any:
    """Return one comment by its own id."""
    text = ask.route["id"]
    row = ask.store.comments.rows.get(int(text) if text.isdigit() else 0)
    if row is None:
        raise not_found()
    return ask.store.columns(pick(row, ask.shown()))


def create_comment(ask: Ask) -> str:
    """Add a comment to an order; its status is stored unchecked and changes nothing."""
    order_id = find_order(ask)
    notified = ask.body.get("is_customer_notified")
    row: Row = {
        "created_at": ask.store.timestamp(),
        "comment": ask.body.get("comment"),
        "is_customer_notified": None if notified is None else to_int(notified),
        "is_visible_on_front": to_int(ask.body.get("is_visible_on_front")),
        "status": ask.body.get("status"),
        "_order_id": order_id,
    }
    comment_id = ask.store.comments.insert(row)
    ask.store.comment_ids.setdefault(order_id, []).append(comment_id)
    return f"orders/comments/{comment_id}"
