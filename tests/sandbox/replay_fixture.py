"""
Build a simulated store that holds what the recordings show of the recorded store.

Every row that some recorded answer shows is taken over; rows the recordings do not show are
filled with neutral values, so that filters and pages have something to pass over. Nothing of the
recordings is kept in the repository.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from polyvalent.sandbox.magento import Store, StoreOptions

Row = dict[str, Any]
Recording = dict[str, Any]

# How many rows the recorded store had before anything was written to it.
PRODUCTS, CUSTOMERS, ORDERS = 250, 120, 60
FIRST_PRODUCT = datetime(2023, 11, 16, 6, 13, 20, tzinfo=UTC)
FIRST_ORDER = datetime(2024, 10, 27, 15, 33, 20, tzinfo=UTC)
COMPUTED = {
    "final_price_with_tax",
    "final_price_without_tax",
    "regular_price_with_tax",
    "regular_price_without_tax",
    "is_saleable",
    "image_url",
    "url",
    "buy_now_url",
    "has_custom_options",
    "total_reviews_count",
    "is_in_stock",
}
# Ids that the recorded store gave to the first new row of each kind.
NEXT_IDS = {"products": 251, "customers": 121, "addresses": 211, "comments": 194, "image": 109}


def integer_names(recordings: Iterable[Recording]) -> set[str]:
    """Return the columns that are JSON numbers in the recordings of a store with native ints."""
    names: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, int) and not isinstance(item, bool):
                    names.add(key)
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    for recording in recordings:
        walk(json_body(recording))
    return names - {"code", "is_default_billing", "is_default_shipping", "is_percent"}


def json_body(recording: Recording) -> Any:
    """Return the JSON body of a successful read, None of anything else."""
    answer, request = recording["response"], recording["request"]
    if answer["status"] != 200 or request["method"] != "GET":
        return None
    try:
        return json.loads(answer["body"] or "null")
    except ValueError:
        return None


def shift(start: datetime, *, hours: int) -> str:
    """Return a moment as the database writes it."""
    return f"{start + timedelta(hours=hours):%Y-%m-%d %H:%M:%S}"


class Fixture:
    """Fill a store from recordings."""

    def __init__(self, options: StoreOptions, integers: set[str]) -> None:
        self.store = Store(options)
        self.integers = integers
        # Orders that only their customer was shown: items and comments with fewer members.
        self.partial: dict[int, tuple[list[Row], list[Row]]] = {}

    def native(self, row: Row) -> Row:
        """Turn shown columns into stored ones."""
        return {
            key: int(value)
            if key in self.integers and isinstance(value, str) and value.lstrip("-").isdigit()
            else value
            for key, value in row.items()
        }

    def build(self, recordings: list[Recording]) -> Store:
        """Return the filled store."""
        self.plant_neutral_rows()
        for recording in recordings:
            body = json_body(recording)
            path = recording["request"]["url"].split("?")[0].replace("{base}/api/rest", "")
            parts = [part for part in path.split("/") if part]
            if body and parts:
                self.take_over(parts, body, query=recording["request"]["url"])
            if recording["name"] == "customer_orders" and body:
                for number in body:
                    self.store.orders.rows[int(number)]["customer_id"] = 1
        self.settle()
        return self.store

    def plant_neutral_rows(self) -> None:
        """Store as many rows as the recorded store had, with nothing remarkable in them."""
        store = self.store
        store.websites = {1: "base", 2: "second"}
        store.stores = {1: ("default", 1), 2: ("german", 2)}
        store.categories = {number: f"Category {number}" for number in range(1, 13)}
        for number in range(1, PRODUCTS + 1):
            self.plant_product(number)
        for number in range(1, CUSTOMERS + 1):
            store.customers.put(
                number,
                {
                    "entity_id": number,
                    "website_id": 1,
                    "email": f"customer{number}@example.com",
                    "group_id": 1,
                    "created_at": "2026-11-23 11:56:21",
                    "updated_at": "2026-11-23 11:56:21",
                    "disable_auto_group_change": 0,
                    "firstname": "Neutral",
                    "lastname": "Neutral",
                    "created_in": "Default Store View",
                },
            )
            store.address_ids[number] = []
        for number in range(1, ORDERS + 1):
            store.orders.put(
                number,
                {
                    "entity_id": number,
                    "status": "pending",
                    "customer_id": None if number % 6 == 0 else 2,
                    "increment_id": str(100_000_000 + number),
                    "created_at": shift(FIRST_ORDER, hours=12 * (number - 1)),
                    "updated_at": "2026-11-23 11:56:22",
                },
            )

    def plant_product(self, number: int) -> None:
        """Store a product with nothing remarkable in it, and its stock item."""
        store = self.store
        row = {
            "entity_id": number,
            "attribute_set_id": 4,
            "type_id": "grouped" if number == 248 else "simple",
            "sku": f"neutral{number:04d}",
            "created_at": shift(FIRST_PRODUCT, hours=24 * (number - 1)),
            "updated_at": "2026-11-23 11:56:17",
            "name": "Common Item",
            "material": "7",
            "price": "1000.0000",
            "status": 2 if number % 17 == 0 else 1,
            "visibility": 4,
            "_websites": [1, 2] if number % 5 == 0 else [1],
            "_categories": [],
        }
        if number == 248:
            del row["price"]
        store.products.put(number, row)
        store.stock.put(
            number,
            {"item_id": number, "product_id": number, "qty": "100.0000", "is_in_stock": 1},
        )
        store.stock_by_product[number] = number

    def take_over(self, parts: list[str], body: Any, *, query: str) -> None:
        """Take over what one answer shows."""
        for row in rows_of(body):
            if parts[0] == "products" and len(parts) == 1:
                self.take_product(row)
            elif parts[0] == "products" and parts[1] in ("category", "store"):
                continue
            elif parts[0] == "products" and len(parts) == 2:
                self.take_product(row | {"entity_id": parts[1]})
            elif parts[0] == "products":
                self.take_part(int(parts[1]), parts[2], row=row)
            elif parts[0] == "stockitems" and "item_id" in row:
                self.take_stock(row)
            elif parts[:2] == ["customers", "addresses"]:
                continue
            elif parts[0] == "customers" and len(parts) == 3:
                self.take_address(int(parts[1]), row)
            elif parts[0] == "customers":
                self.take_customer(row)
            elif parts[0] == "orders" and len(parts) <= 2:
                self.take_order(row)
        if "category_id=5" in query or "/category/5" in query:
            for key in body:
                self.store.products.rows[int(key)]["_categories"] = [5]

    def take_product(self, row: Row) -> None:
        """Take over a product."""
        if not row.get("entity_id"):
            return
        number = int(row["entity_id"])
        if number not in self.store.products.rows:
            self.plant_product(number)
        known = self.store.products.rows[number]
        if "stock_data" in row and "description" in row:
            # Shown completely: what is not there has no value.
            for name in [n for n in known if n not in row and not n.startswith("_")]:
                del known[name]
        if "T" in row.get("created_at", ""):
            moment = datetime.fromisoformat(row["created_at"]).astimezone(UTC)
            row = row | {"created_at": shift(moment, hours=0)}
        stock = row.get("stock_data")
        if stock:
            self.store.stock.rows[number].update(self.native(stock))
        for name in ("tier_price", "group_price"):
            if row.get(name):
                known[f"_{name}"] = [self.native(entry) for entry in row[name]]
        skipped = COMPUTED | {"stock_data", "tier_price", "group_price"}
        known.update(self.native({k: v for k, v in row.items() if k not in skipped}))

    def take_part(self, number: int, name: str, *, row: Row) -> None:
        """Take over categories, websites and images of a product."""
        product = self.store.products.rows.get(number, {})
        if name == "categories" and "category_id" in row:
            product["_categories"] = sorted({*product["_categories"], int(row["category_id"])})
        if name == "websites" and "website_id" in row:
            product["_websites"] = sorted({*product["_websites"], int(row["website_id"])})
        if name == "store" and "name" in row:
            product["_store_values"] = {2: {"name": row["name"]}}
        if name == "images" and "exclude" in row:
            gallery = product.setdefault("_images", [])
            image = self.native(row)
            image["id"] = int(row["id"])
            image["position"] = int(row["position"])
            image["exclude"] = int(row["exclude"])
            image["file"] = image.pop("url").split("/catalog/product")[1]
            if image["id"] not in [known["id"] for known in gallery]:
                gallery.append(image)

    def take_stock(self, row: Row) -> None:
        """Take over a stock item."""
        stored = self.native(row)
        self.store.stock.rows[stored["item_id"]].update(stored)

    def take_customer(self, row: Row) -> None:
        """Take over a customer."""
        if "T" in row.get("created_at", ""):
            row = {k: v for k, v in row.items() if k != "created_at"}
        if "entity_id" in row:
            self.store.customers.rows[int(row["entity_id"])].update(self.native(row))

    def take_address(self, customer_id: int, row: Row) -> None:
        """Take over an address of a customer."""
        stored = self.native(row)
        if "entity_id" not in stored or "created_at" not in stored:
            return
        number = stored["entity_id"]
        customer = self.store.customers.rows[customer_id]
        for flag, holder in (
            ("is_default_billing", "_default_billing"),
            ("is_default_shipping", "_default_shipping"),
        ):
            if stored.pop(flag):
                customer[holder] = number
        stored |= {"street": "\n".join(row["street"]), "_customer_id": customer_id}
        self.store.addresses.put(number, stored)
        self.store.address_ids[customer_id] = sorted({*self.store.address_ids[customer_id], number})

    def take_order(self, row: Row) -> None:
        """Take over an order with what is embedded in it."""
        if "entity_id" not in row:
            return
        number = int(row["entity_id"])
        stored = self.native(row)
        items = stored.pop("order_items", [])
        addresses = stored.pop("addresses", [])
        comments = stored.pop("order_comments", [])
        known = self.store.orders.rows[number]
        known.update(stored)
        if "remote_ip" not in row:
            if items and number not in self.store.order_items:
                self.partial[number] = (items, comments)
            return
        self.store.order_items[number] = [self.native(item) for item in items]
        self.store.order_addresses[number] = [self.native(address) for address in addresses]
        if number not in self.store.comment_ids:
            self.store.comment_ids[number] = [
                self.store.comments.insert(self.native(comment)) for comment in comments
            ]

    def settle(self) -> None:
        """Fill indexes, complete orders of which only a part was shown, set the next ids."""
        store = self.store
        model = store.orders.rows[1]
        for number, (items, comments) in self.partial.items():
            full = store.order_items[1][0]
            store.order_items[number] = [{**full, **self.native(item)} for item in items]
            known = {**store.comments.rows[store.comment_ids[1][0]], "is_visible_on_front": 1}
            store.comment_ids[number] = [
                store.comments.insert({**known, **self.native(comment)}) for comment in comments
            ]
        for number, row in store.orders.rows.items():
            store.orders.rows[number] = {**model, **row}
            for part in (store.order_items, store.order_addresses):
                part.setdefault(number, part.get(1, []))
        for number, row in store.products.rows.items():
            store.sku_ids[row["sku"].lower()] = number
        store.products.rows[250]["_has_options"] = True
        for number, row in store.customers.rows.items():
            store.customer_emails[row["email"].lower()] = number
        store.products.next_id = NEXT_IDS["products"]
        store.customers.next_id = NEXT_IDS["customers"]
        store.addresses.next_id = NEXT_IDS["addresses"]
        store.comments.next_id = NEXT_IDS["comments"]
        store.image_id = NEXT_IDS["image"]


def rows_of(body: Any) -> Iterator[Row]:
    """Yield the rows of an answer: of a keyed object, of a list, or the one it is."""
    if isinstance(body, list):
        yield from (row for row in body if isinstance(row, dict))
    elif isinstance(body, dict) and body and all(str(key).isdigit() for key in body):
        for key, row in body.items():
            if isinstance(row, dict):
                yield {"entity_id": key, **row}
    elif isinstance(body, dict):
        yield body
