"""
Searches judged by SQLite: the rows of a simulated store, asked in our language and in SQL.

The store's rows are loaded into tables as they come, numbers and dates as such. Each query is
drawn twice, in our language and in SQL; the hub answers it page by page, pushing to the store what
the element says, and must give the same rows in the same order.
"""

from __future__ import annotations

import sqlite3
from collections import Counter as Tally
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest

from tests.hub.store_rows import Counter, open_counter

QUERIES = 2000  # over all of the lists

# Fields by kind; some of each are known to the store's filters and some are not.
LISTS: dict[str, dict[str, str]] = {
    "products": {
        "entity_id": "number",
        "price": "number",
        "special_price": "number",
        "weight": "number",
        "status": "number",
        "visibility": "number",
        "color": "number",
        "sku": "text",
        "name": "text",
        "type_id": "text",
        "meta_title": "text",
        "created_at": "date",
        "updated_at": "date",
    },
    "customers": {
        "entity_id": "number",
        "website_id": "number",
        "group_id": "number",
        "gender": "number",
        "email": "text",
        "firstname": "text",
        "lastname": "text",
        "taxvat": "text",
        "created_at": "date",
    },
    "orders": {
        "entity_id": "number",
        "customer_id": "number",
        "grand_total": "number",
        "total_paid": "number",
        "base_subtotal": "number",
        "increment_id": "text",
        "status": "text",
        "coupon_code": "text",
        "created_at": "date",
        "updated_at": "date",
    },
    "inventory": {
        "item_id": "number",
        "product_id": "number",
        "qty": "number",
        "is_in_stock": "number",
        "notify_stock_qty": "number",
        "use_config_min_qty": "number",
    },
}
KEYS = {"inventory": "item_id"}
SIGNS = ("=", "!=", "<>", "<", "<=", ">", ">=")


@pytest.fixture(scope="module", params=["strings", "native"])
def shop(request: pytest.FixtureRequest) -> Counter:
    """Give a store as older and as newer PHP answers."""
    return open_counter(
        products=160, customers=90, orders=90, seed=7, native_ints=request.param == "native"
    )


def read_value(kind: str, value: Any) -> Any:
    if value is None or kind == "text":
        return value
    if kind == "number":
        return float(value)
    return datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp()


def load(database: sqlite3.Connection, name: str, rows: list[dict[str, Any]]) -> None:
    fields = LISTS[name]
    database.execute(f"create table {name} ({', '.join(fields)})")
    marks = ", ".join("?" * len(fields))
    database.executemany(
        f"insert into {name} values ({marks})",
        [tuple(read_value(kind, row.get(field)) for field, kind in fields.items()) for row in rows],
    )


class Drawer:
    """Draw queries twice: in our language, and in SQL with its parameters."""

    def __init__(self, name: str, rows: list[dict[str, Any]], random: Random) -> None:
        self.fields = LISTS[name]
        self.random = random
        self.values = {
            field: [row[field] for row in rows if row.get(field) is not None] or ["1"]
            for field in self.fields
        }

    def query(self, depth: int = 3) -> tuple[str, str, tuple[Any, ...]]:
        random = self.random
        if depth == 0 or random.random() < 0.45:
            return self.predicate()
        join = random.choice(["and", "or"])
        parts = [self.query(depth - 1) for _ in range(random.randint(2, 3))]
        ours = f" {join} ".join(f"({text})" for text, *_ in parts)
        sql = f" {join} ".join(f"({text})" for _, text, _ in parts)
        return ours, sql, tuple(value for *_, values in parts for value in values)

    def predicate(self) -> tuple[str, str, tuple[Any, ...]]:
        random = self.random
        field = random.choice(list(self.fields))
        kind = self.fields[field]
        choice = random.random()
        if choice < 0.1:
            test = random.choice(["is null", "is not null"])
            return f"{field} {test}", f"{field} {test}", ()
        if choice < 0.3:
            negated = random.choice(["", "not "])
            count = random.choice([1, 2, 3, 12, 45])
            pairs = [self.value(field) for _ in range(count)]
            ours = f"{field} {negated}in ({', '.join(text for text, _ in pairs)})"
            marks = ", ".join("?" * count)
            return ours, f"{field} {negated}in ({marks})", tuple(value for _, value in pairs)
        if kind == "text" and choice < 0.6:
            return self.like(field)
        signs = SIGNS[:3] if kind == "text" and choice < 0.8 else SIGNS
        sign = random.choice(signs)
        text, value = self.value(field)
        return f"{field} {sign} {text}", f"{field} {sign} ?", (value,)

    def like(self, field: str) -> tuple[str, str, tuple[Any, ...]]:
        random = self.random
        text = str(random.choice(self.values[field]))
        start = random.randrange(max(1, len(text)))
        piece = text[start : start + random.randint(1, 4)]
        if not piece.isascii():
            piece = "o"
        piece = random.choice([piece, piece.upper(), f"{piece[:1]}_", f"{piece}\\", piece])
        pattern = random.choice(["%{}%", "{}%", "%{}", "{}", "%{}%%"]).format(piece)
        negated = random.choice(["", "", "not "])
        sql = pattern.replace("\\", "\\\\").replace("_", "\\_")
        quoted = pattern.replace("'", "''")
        return f"{field} {negated}like '{quoted}'", f"{field} {negated}like ? escape '\\'", (sql,)

    def value(self, field: str) -> tuple[str, Any]:
        random = self.random
        kind = self.fields[field]
        known = random.choice(self.values[field])
        if kind == "text":
            text = random.choice([known, known, known.upper(), known.lower(), f"{known} ", "", "z"])
            return "'" + text.replace("'", "''") + "'", text
        if kind == "number":
            number = float(known) + random.choice([0, 0, 0, 1, -1, 0.5, 0.01])
            whole = number.is_integer()
            forms = [str(number), f"{number:.4f}", f"'{number:.2f}'"] + whole * [str(int(number))]
            text = random.choice(forms)
            return text, float(text.strip("'"))
        at = datetime.fromisoformat(known).replace(tzinfo=UTC)
        at += random.choice([0, 0, 1, -1, 86400, 0.5]) * timedelta(seconds=1)
        zone = timezone(timedelta(hours=random.choice([0, -8, 5.5])))
        form: Callable[[], str] = random.choice(
            [at.isoformat, at.astimezone(zone).isoformat, lambda: at.isoformat().replace("T", " ")]
        )
        return f"'{form()}'", at.timestamp()

    def order(self) -> str:
        random = self.random
        count = random.choice([0, 0, 1, 1, 2, 3])
        fields = random.sample(list(self.fields), count)
        return ", ".join(f"{field}{random.choice(['', ' asc', ' desc'])}" for field in fields)


@pytest.mark.parametrize("name", LISTS)
def test_searches_give_the_rows_that_sqlite_gives_in_the_same_order(shop: Counter, name: str):
    rows = shop.walk(f"/{name}", pageSize=100)
    key = KEYS.get(name, "entity_id")
    database = sqlite3.connect(":memory:")
    load(database, name, rows)
    random = Random(f"{name} 1")
    drawer = Drawer(name, rows, random)
    tally: Tally[str] = Tally()
    for _ in range(QUERIES // len(LISTS) // 2):
        ours, sql, values = drawer.query()
        order = drawer.order()
        size = random.choice([3, 40, 100, 100])
        page = random.choice([None, None, 1, 2])

        by = f"{order}, {key}" if order else key
        expected = [
            int(number)
            for (number,) in database.execute(
                f"select {key} from {name} where {sql} order by {by}", values
            )
        ]
        tally["some" if 0 < len(expected) < len(rows) else "none or all"] += 1
        query = {"where": ours, "orderBy": order or None, "pageSize": size, "fields": "id"}
        if page is None:
            found = shop.walk(f"/{name}", **query) if size > 3 else shop.ask(f"/{name}", **query)[0]
            expected = expected if size > 3 else expected[:3]
        else:
            found, _ = shop.ask(f"/{name}", page=page, **query)
            expected = expected[(page - 1) * size : page * size]

        assert [int(row["id"]) for row in found] == expected, (ours, order, shop.sent)
        tally["narrowed"] += any("filter[1]" in call for call in shop.sent)
    database.close()

    # Queries that take nothing, or that the store sees nothing of, would show little.
    assert tally["some"] > 0.3 * QUERIES / 8, tally
    assert tally["narrowed"] > 0.3 * QUERIES / 8, tally
