"""
Fill a new store with believable data, the same for the same seed.

Prices, names and dates vary; some products lack a weight, some have a special price, the last
four are virtual, grouped, configurable and with options; some customers ordered, some orders came
from guests; stock items have other ids than their products from some point on.
"""

import random
import time
from typing import Any

from polyvalent.sandbox.magento import seed_words as words
from polyvalent.sandbox.magento.seed_orders import plant_orders
from polyvalent.sandbox.magento.state import Row, Store

DAY_S = 86400
# Products appeared one a day from this moment on.
FIRST_DAY_S = 1_700_115_200  # 2023-11-16 06:13:20 UTC


def plant(store: Store) -> None:
    """Fill all tables of an empty store; `store.options` says how many rows."""
    chance = random.Random(store.options.seed)
    store.websites = {1: "base", 2: "second"}
    store.stores = {1: ("default", 1), 2: ("german", 2)}
    store.categories = dict(words.CATEGORIES)
    count = store.options.products
    special = special_products() if count >= 20 else []
    # Rows are built with plain assignments: a hundred thousand products take seconds.
    for number in range(1, count - len(special) + 1):
        add_product(store, simple_product(number, chance), qty=stock_of(chance))
    for row, qty in special:
        add_product(store, row, qty=qty)
    for number in range(1, store.options.customers + 1):
        add_customer(store, number, chance=chance)
    plant_orders(store, chance)


def moment(at_s: float) -> str:
    """Write Unix seconds as the database does."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at_s))


def stock_of(chance: random.Random) -> int:
    """Return a quantity; one in twelve items is sold out."""
    return 0 if chance.random() < 0.08 else chance.randint(1, 500)


def simple_product(number: int, chance: random.Random) -> Row:
    """Make an ordinary product."""
    noun, prefix, category, is_clothing = chance.choice(words.KINDS)
    name = f"{chance.choice(words.STYLES)} {noun}"
    price = chance.randint(500, 199_999) / 100
    row: Row = {
        "attribute_set_id": 4,
        "type_id": "simple",
        "sku": f"{prefix}-{number:05d}",
        "created_at": moment(FIRST_DAY_S + (number - 1) % 700 * DAY_S),
        "updated_at": moment(FIRST_DAY_S + (number - 1) % 700 * DAY_S + 3 * 3600),
        "name": name,
        "material": chance.choice(("7", "8", "7,8", "9")),
        "options_container": "container1",
        "url_key": f"{name.lower().replace(' ', '-')}-{number}",
        "price": f"{price:.4f}",
        "weight": f"{chance.randint(10, 1500) / 100:.4f}" if number % 12 else None,
        "status": 2 if number % 17 == 0 else 1,
        "visibility": 1 if number % 29 == 0 else 4,
        "tax_class_id": 0 if number % 4 == 0 else 2,
        "color": chance.randint(11, 15),
        "manufacturer": chance.randint(16, 20),
        "is_eco": number % 2,
        "description": f"<p>{name}, made to last.</p>\n<p>Article {number}.</p>",
        "short_description": f"{name} in the current cut",
        "warranty": "2 years, no questions asked" if number % 6 == 0 else None,
        "special_from_date": None,
        "release_date": None,
        "_websites": [1, 2] if number % 5 == 0 else [1],
        "_categories": [category, words.PARENTS[category]],
    }
    if is_clothing:
        row["shirt_size"] = chance.randint(3, 6)
    if number % 4 == 0:
        row["special_price"] = f"{price * 0.8:.4f}"
        row["special_from_date"] = "2025-01-01 00:00:00"
        row["special_to_date"] = None
    if number % 9 == 0:
        row["_images"] = [seeded_image(number, position=1)]
    if number % 10 == 0:
        row["_tier_price"] = [tier(32000, qty=5, price=price * 0.9), tier(1, qty=10, price=price)]
    if number % 10 == 5:
        row["_store_values"] = {2: {"name": f"{name} (DE)"}}
    return row


def seeded_image(number: int, *, position: int) -> Row:
    """Make an entry of a product's gallery."""
    return {
        "id": number * 10 + position,
        "label": "",
        "position": position,
        "exclude": 0,
        "file": f"/p/{number % 10}/p{number}_{position}.jpg",
        "types": ["image", "small_image", "thumbnail"],
    }


def tier(group: int, *, qty: int, price: float) -> Row:
    """Make an entry of a product's tier prices."""
    return {
        "website_id": 0,
        "cust_group": group,
        "price": f"{price:.4f}",
        "price_qty": f"{qty:.4f}",
        "is_percent": 0,
    }


def special_products() -> list[tuple[Row, int]]:
    """Make one product of each other kind, with its quantity."""
    common: Row = {
        "attribute_set_id": 4,
        "created_at": "2025-11-03 09:00:00",
        "updated_at": "2025-11-03 09:00:00",
        "options_container": "container1",
        "status": 1,
        "visibility": 4,
        "special_from_date": None,
        "_websites": [1],
        "_categories": [2],
    }
    rows: list[tuple[dict[str, Any], int]] = [
        ({"type_id": "virtual", "sku": "GIFT-ADVICE", "name": "Gift advice", "price": "99.0000",
          "tax_class_id": 0, "url_key": "gift-advice"}, 0),
        ({"type_id": "grouped", "sku": "STARTER-SET", "name": "Starter set",
          "url_key": "starter-set"}, 0),
        ({"type_id": "configurable", "sku": "SHIRT-ANY", "name": "Shirt in any color",
          "price": "49.9000", "tax_class_id": 2, "color": None, "url_key": "shirt-any"}, 0),
        ({"type_id": "simple", "sku": "PEN-ENGRAVED", "name": "Engraved pen", "price": "19.0000",
          "weight": "0.1000", "tax_class_id": 2, "url_key": "engraved-pen",
          "_has_options": True}, 1000),
    ]  # fmt: skip
    return [
        (
            common
            | {"description": f"{row['name']}.", "short_description": str(row["name"])}
            | row,
            qty,
        )
        for row, qty in rows
    ]


def add_product(store: Store, row: Row, *, qty: int) -> int:
    """Store a product with its stock item; item ids run ahead of product ids from 100 on."""
    product_id = store.products.next_id
    store.products.put(product_id, {"entity_id": product_id, **row})
    store.sku_ids[row["sku"].lower()] = product_id
    for image in row.get("_images", []):
        store.image_id = max(store.image_id, image["id"])
    if product_id == 100:
        store.stock.next_id += 3
    item_id = store.stock.next_id
    item: Row = {"item_id": item_id, "product_id": product_id, "is_in_stock": 1 if qty else 0}
    if row["type_id"] == "simple":
        item |= {"qty": f"{qty:.4f}", "manage_stock": 1, "use_config_min_sale_qty": 0}
    store.stock.put(item_id, item)
    store.stock_by_product[product_id] = item_id
    return product_id


def add_customer(store: Store, number: int, *, chance: random.Random) -> None:
    """Store a customer with none to three addresses."""
    first, last = chance.choice(words.FIRST_NAMES), chance.choice(words.LAST_NAMES)
    created = moment(FIRST_DAY_S + number * 5 * 3600)
    email = f"customer{number}@{chance.choice(words.MAIL_DOMAINS)}"
    row: Row = {
        "entity_id": number,
        "website_id": 2 if number % 12 == 0 else 1,
        "email": email,
        "group_id": 2 if number % 40 == 0 else 1,
        "created_at": created,
        "updated_at": created,
        "disable_auto_group_change": 0,
        "firstname": first,
        "lastname": last,
        "created_in": "Default Store View",
    }
    if number % 3 == 0:
        row |= {"dob": f"19{60 + number % 40}-04-13 00:00:00", "gender": 1 + number % 2}
    if number % 40 == 0:
        row["confirmation"] = f"{chance.getrandbits(128):032x}"
    store.customers.put(number, row)
    store.customer_emails[email] = number
    store.address_ids[number] = []
    for position in range(0 if number % 8 == 0 else chance.randint(1, 3)):
        add_address(store, row, chance=chance, is_first=position == 0)


def add_address(store: Store, customer: Row, *, chance: random.Random, is_first: bool) -> None:
    """Store an address; the first one of a customer is the default of both kinds."""
    country, region, city, postcode, prefix, _ = chance.choice(words.PLACES)
    address_id = store.addresses.next_id
    row: Row = {
        "entity_id": address_id,
        "created_at": customer["created_at"],
        "updated_at": customer["updated_at"],
        "firstname": customer["firstname"],
        "lastname": customer["lastname"],
        "city": city,
        "postcode": postcode,
        "country_id": country,
        "telephone": f"{prefix} 555 {address_id % 10000:04d}",
        "street": f"{chance.randint(1, 199)} {chance.choice(words.STREETS)}",
        "_customer_id": customer["entity_id"],
    }
    if region is not None:
        row["region"] = region
    if chance.random() < 0.2:
        row["company"] = chance.choice(words.COMPANIES)
        row["street"] += f"\nSuite {address_id % 40 + 1}"
    store.addresses.put(address_id, row)
    store.address_ids[customer["entity_id"]].append(address_id)
    if is_first:
        customer["_default_billing"] = customer["_default_shipping"] = address_id
