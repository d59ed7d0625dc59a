"""Seeded orders with items, addresses and comments; sums add up to the cent."""

import random
import time

from polyvalent.sandbox.magento import seed_words as words
from polyvalent.sandbox.magento.state import Row, Store

FIRST_ORDER_S = 1_730_043_200  # 2024-10-27 15:33:20 UTC
HALF_DAY_S = 43200
ADDRESS_PARTS = ("firstname", "lastname", "city", "postcode", "country_id", "telephone", "street")


def plant_orders(store: Store, chance: random.Random) -> None:
    """Store the orders: pending, processing, complete, canceled, some by guests."""
    simple = [
        i for i in store.products.ids()[:5000] if store.products.rows[i]["type_id"] == "simple"
    ]
    buyers = [i for i in store.customers.ids()[:5000] if store.address_ids[i]]
    if not simple:
        return
    for number in range(1, store.options.orders + 1):
        buyer = None if number % 6 == 0 or not buyers else chance.choice(buyers)
        status = "pending"
        if number % 7 == 0:
            status = "canceled"
        elif number % 5 == 0:
            status = "complete"
        elif number % 3 == 0:
            status = "processing"
        items = chance.sample(simple, k=min(len(simple), chance.randint(1, 4)))
        add_order(store, number, buyer=buyer, status=status, product_ids=items, chance=chance)


def money(amount: float) -> str:
    """Write an amount as the database does."""
    return f"{amount:.4f}"


def add_order(
    store: Store,
    number: int,
    *,
    buyer: int | None,
    status: str,
    product_ids: list[int],
    chance: random.Random,
) -> None:
    """Store one order with everything that belongs to it."""
    at_s = FIRST_ORDER_S + number * HALF_DAY_S
    created = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at_s))
    address, rate = order_address(store, number, buyer=buyer, chance=chance)
    items = [
        order_item(store, product_id, status=status, rate=rate, created=created, chance=chance)
        for product_id in product_ids
    ]
    for position, item in enumerate(items):
        item["item_id"] = number * 10 + position
    subtotal = sum(float(item["row_total"]) for item in items)
    tax = sum(float(item["tax_amount"]) for item in items)
    shipping = 5.0 * sum(int(float(item["qty_ordered"])) for item in items)
    total = money(subtotal + tax + shipping)
    paid = total if status in ("processing", "complete") else None
    zero = money(0)
    row: Row = {
        "entity_id": number,
        "status": status,
        "coupon_code": None,
        "shipping_description": "Flat Rate - Fixed",
        "customer_id": buyer,
    }
    for prefix in ("base_", ""):
        row |= {
            f"{prefix}discount_amount": zero,
            f"{prefix}grand_total": total,
            f"{prefix}shipping_amount": money(shipping),
            f"{prefix}shipping_tax_amount": zero,
            f"{prefix}subtotal": money(subtotal),
            f"{prefix}tax_amount": money(tax),
            f"{prefix}total_paid": paid,
            f"{prefix}total_refunded": None,
            f"{prefix}shipping_discount_amount": zero,
            f"{prefix}subtotal_incl_tax": money(subtotal + tax),
            f"{prefix}total_due": None,
        }
    row |= {
        "store_to_order_rate": "1.0000",
        "increment_id": str(100_000_000 + number),
        "base_currency_code": "USD",
        "discount_description": None,
        "remote_ip": f"203.0.113.{number % 254 + 1}",
        "store_currency_code": "USD",
        "store_name": "Main Website\nMain Website Store\nDefault Store View",
        "created_at": created,
        "updated_at": created,
        "shipping_incl_tax": money(shipping),
        "payment_method": "checkmo",
        "gift_message_from": None,
        "gift_message_to": None,
        "gift_message_body": None,
        "tax_name": f"US-{address['region']}-*-Rate 1" if tax else None,
        "tax_rate": money(rate) if tax else None,
    }
    store.orders.put(number, row)
    store.order_items[number] = items
    store.order_addresses[number] = [
        address | {"address_type": "billing"},
        address | {"address_type": "shipping"},
    ]
    plant_comments(store, number, status=status, created=created)


def order_address(
    store: Store, number: int, *, buyer: int | None, chance: random.Random
) -> tuple[Row, float]:
    """Make the address of an order and say which tax rate holds there."""
    empty: Row = {"prefix": None, "middlename": None, "suffix": None, "company": None}
    if buyer is None:
        country, region, city, postcode, phone, rate = chance.choice(words.PLACES)
        guest: Row = {
            "region": region,
            "postcode": postcode,
            "lastname": f"Guest {number}",
            "street": f"{number} {chance.choice(words.STREETS)}\nApt {number}",
            "city": city,
            "email": f"guest{number}@example.com",
            "telephone": f"{phone} 555 {number:04d}",
            "country_id": country,
            "firstname": chance.choice(words.FIRST_NAMES),
        }
        return guest | empty, rate
    source = store.addresses.rows[chance.choice(store.address_ids[buyer])]
    row: Row = {"region": source.get("region")}
    row |= {name: source[name] for name in ADDRESS_PARTS}
    row |= {"email": store.customers.rows[buyer]["email"]} | empty
    row["company"] = source.get("company")
    rates = {(place[0], place[1]): place[5] for place in words.PLACES}
    return row, rates.get((row["country_id"], row["region"]), 0.0)


def order_item(
    store: Store,
    product_id: int,
    *,
    status: str,
    rate: float,
    created: str,
    chance: random.Random,
) -> Row:
    """Make one line of an order; the id is given later."""
    product = store.products.rows[product_id]
    qty = chance.randint(1, 3)
    price = round(float(product.get("special_price") or product["price"]), 2)
    percent = rate if product["tax_class_id"] else 0.0
    total = round(price * qty, 2)
    tax = round(total * percent / 100, 2)
    incl = price + tax / qty
    done = {
        "canceled": qty if status == "canceled" else 0,
        "invoiced": qty if status in ("processing", "complete") else 0,
        "refunded": 0,
        "shipped": qty if status == "complete" else 0,
        "ordered": qty,
    }
    row: Row = {
        "item_id": 0,
        "parent_item_id": None,
        "created_at": created,
        "updated_at": created,
        "sku": product["sku"],
        "name": product["name"],
        "tax_percent": money(percent),
        "original_price": money(price),
        "base_original_price": money(price),
    }
    row |= {f"qty_{name}": money(value) for name, value in done.items()}
    for prefix in ("", "base_"):
        row |= {
            f"{prefix}price": money(price),
            f"{prefix}tax_amount": money(tax),
            f"{prefix}discount_amount": money(0),
            f"{prefix}row_total": money(total),
            f"{prefix}price_incl_tax": money(incl),
            f"{prefix}row_total_incl_tax": money(total + tax),
        }
    return row


def plant_comments(store: Store, order_id: int, *, status: str, created: str) -> None:
    """Store the history of an order."""
    history: list[tuple[str, str | None, int | None, int]] = [("pending", None, 2, 0)]
    if order_id % 2:
        history.append(("pending", f"Please leave at the door, order {order_id}", 0, 1))
    if status in ("processing", "complete"):
        history.append(("processing", "Invoice captured", None, 0))
    if status in ("complete", "canceled"):
        history.append((status, None, None, 0))
    ids = store.comment_ids.setdefault(order_id, [])
    for state, text, notified, is_visible in history:
        ids.append(
            store.comments.insert(
                {
                    "created_at": created,
                    "comment": text,
                    "is_customer_notified": notified,
                    "is_visible_on_front": is_visible,
                    "status": state,
                    "_order_id": order_id,
                }
            )
        )
