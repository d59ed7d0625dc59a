"""
Vendors that do not keep to the rules: no walk is endless, no row is lost or doubled.

The vendor is a function over rows in memory that filters, orders and pages as it is told, and then
misbehaves as the test's draw says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from polyvalent.catalog.element import Filtering
from polyvalent.ceql import (
    Filter,
    Sorting,
    compile_match,
    compile_order,
    parse_order,
    parse_where,
)
from polyvalent.exchange import Exchange, Request, Response
from polyvalent.hub.call import call
from polyvalent.hub.model import Incoming
from polyvalent.instances.model import Connection
from tests.hub.shop import MOMENT, run
from tests.hub.test_pages import limited

MAXIMUM = 6
KINDS = {"entity_id": "number", "id": "number", "price": "number", "name": "text"}
NUMBERS = Filter(
    fields=("entity_id", "price"), exact=("=", ">", ">="), superset=("<", "<="), values_max=3
)
WHERES = ["", "price > 2", "price < 4", "name = 'a'", "name != 'a' or price = 1", "price is null"]
ORDERS = ["", "id desc", "id", "price", "price desc, name", "name desc"]


@dataclass(kw_only=True)
class Vendor:
    rows: list[dict[str, Any]]
    repeats: bool = False  # the last page for ever, whatever was asked for
    shuffles: bool = False  # the rows of a page, as objects with numbers for keys do
    short: bool = False  # pages with fewer rows than asked for, although more follow
    deaf: bool = False  # to "behind this row": gives the first page for ever
    seed: int = 0
    calls: int = 0
    last_page: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, _: Connection, request: Request) -> Exchange:
        self.calls += 1
        assert self.calls < 600, "the walk has no end"
        chosen = self.choose(dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True)))
        return Exchange(
            request=request,
            response=Response(status=200, body=json.dumps(chosen).encode()),
            elapsed_ms=1,
        )

    def choose(self, query: dict[str, str]) -> list[dict[str, Any]]:
        limit, page = int(query["limit"]), int(query["page"])
        assert 1 <= limit <= MAXIMUM, "the vendor would refuse this"
        random = Random(f"{self.seed} {self.calls}")
        rows = [row for row in self.rows if self.takes(row, query)]
        down = query["dir"] == "desc"
        rows.sort(key=compile_order(parse_order(query["order"]), KINDS), reverse=down)
        size = random.randint(1, limit) if self.short else limit
        chosen = rows[(page - 1) * limit :][:size]
        if self.repeats and not chosen:
            chosen = self.last_page
        self.last_page = chosen
        return random.sample(chosen, len(chosen)) if self.shuffles else chosen

    def takes(self, row: dict[str, Any], query: dict[str, str]) -> bool:
        for name, text in query.items():
            if not name.endswith("[attribute]"):
                continue
            entry = name.removesuffix("[attribute]")
            if self.deaf and entry == "filter[0]":
                continue
            for sign, word in (("=", "eq"), (">", "gt"), (">=", "gteq"), ("<", "lt")):
                asked = query.get(f"{entry}[{word}]")
                if asked is not None and not compile_match(
                    parse_where(f"{text} {sign} '{asked}'"), KINDS
                )(row):
                    return False
        return True


def element_with(**collection: Any) -> Connection:
    """Return a connection whose products are listed as arrays, by a vendor of few skills."""
    connection = limited(MAXIMUM)
    filtering = Filtering(
        filters=(NUMBERS,),
        sorting=Sorting(fields=("entity_id",), unique=("entity_id",)),
        operators=tuple(
            (sign, word)
            for sign, word in (("=", "eq"), (">", "gt"), (">=", "gteq"), ("<", "lt"), ("<=", "le"))
        ),
        pairs=(("filter[{n}][attribute]", "{field}"), ("filter[{n}][{operator}]", "{value}")),
        list_pairs=(("none[{i}]", "{value}"),),
        order_pairs=(("order", "{field}"), ("dir", "{direction}")),
    )
    resources = tuple(
        structs.replace(
            item,
            collection=structs.replace(item.collection, shape="array", **collection),
            filtering=filtering,
        )
        if item.path.endswith("/products") and item.method == "GET"
        else item
        for item in connection.element.resources
    )
    return replace(connection, element=structs.replace(connection.element, resources=resources))


BY_CURSOR = element_with()
BY_CURSOR_SHORT = element_with(ends_with="emptyPage")
NO_CURSOR = {"cursor_field": "", "rows_after": (), "rows_before": ()}
BY_NUMBER = element_with(**NO_CURSOR, past_the_end="empty")
BY_NUMBER_REPEATING = element_with(**NO_CURSOR)

ROWS = st.lists(
    st.tuples(st.integers(1, 200), st.none() | st.integers(0, 6), st.sampled_from(["a", "A", "b"])),
    unique_by=lambda row: row[0],
    max_size=25,
).map(
    lambda rows: [
        {"entity_id": str(number), "price": price, "name": name} for number, price, name in rows
    ]
)
QUERIES = st.tuples(st.sampled_from(WHERES), st.sampled_from(ORDERS), st.integers(1, MAXIMUM))


def expect(rows: list[dict[str, Any]], where: str, order: str) -> list[int]:
    known = sorted(rows, key=lambda row: int(row["entity_id"]))
    taken = list(filter(compile_match(parse_where(where), KINDS), known))
    named = [replace_id(sort) for sort in parse_order(order)]
    taken.sort(key=compile_order(named, KINDS))
    return [int(row["entity_id"]) for row in taken]


def replace_id(sort: Any) -> Any:
    return structs.replace(sort, field="entity_id") if sort.field == "id" else sort


def walk(vendor: Vendor, connection: Connection, where: str, order: str, size: int) -> list[int]:
    found: list[int] = []
    token: str | None = None
    for _ in range(200):
        query = {"where": where, "orderBy": order, "pageSize": size, "nextPage": token}
        incoming = Incoming(
            method="GET",
            path="/products",
            query=tuple((name, str(value)) for name, value in query.items() if value is not None),
        )
        answer = run(call(connection, incoming, reach=vendor, now=lambda: MOMENT))
        rows = json.loads(answer.body)
        assert len(rows) <= size
        found += [int(row["id"]) for row in rows]
        token = dict(answer.headers).get("Elements-Next-Page-Token")
        if token is None:
            return found
        assert len(rows) == size, "only the last page may be short"
    raise AssertionError("the pages have no end")


@given(ROWS, QUERIES, st.booleans(), st.booleans(), st.integers(0, 9))
def test_gives_every_row_once_by_cursor(rows, query, repeats, shuffles, seed):
    where, order, size = query
    vendor = Vendor(rows=rows, repeats=repeats, shuffles=shuffles, seed=seed)

    assert walk(vendor, BY_CURSOR, where, order, size) == expect(rows, where, order)


@given(ROWS, QUERIES, st.booleans(), st.integers(0, 9))
def test_gives_every_row_once_where_any_page_may_be_short(rows, query, shuffles, seed):
    where, order, size = query
    vendor = Vendor(rows=rows, short=True, shuffles=shuffles, seed=seed)

    assert walk(vendor, BY_CURSOR_SHORT, where, order, size) == expect(rows, where, order)


@given(ROWS, QUERIES)
@example([{"entity_id": str(n), "price": 1, "name": "a"} for n in range(1, 13)], ("", "", 6))
@example([{"entity_id": str(n), "price": 1, "name": "a"} for n in range(1, 13)], ("", "id desc", 4))
def test_gives_every_row_once_by_page_numbers(rows, query):
    where, order, size = query

    found = walk(Vendor(rows=rows), BY_NUMBER, where, order, size)

    assert found == expect(rows, where, order)


@given(ROWS, QUERIES)
@example([{"entity_id": str(n), "price": 3, "name": "a"} for n in range(1, 13)], ("", "", 6))
def test_gives_every_row_once_by_page_numbers_where_the_last_page_comes_again(rows, query):
    where, order, size = query

    found = walk(Vendor(rows=rows, repeats=True), BY_NUMBER_REPEATING, where, order, size)

    assert found == expect(rows, where, order)


@pytest.mark.parametrize("where", WHERES)
@pytest.mark.parametrize("order", ORDERS)
def test_ends_and_doubles_nothing_where_the_vendor_is_deaf(where: str, order: str):
    rows = [{"entity_id": str(n), "price": n % 5, "name": "a"} for n in range(1, 20)]

    found = walk(Vendor(rows=rows, deaf=True), BY_CURSOR, where, order, 4)

    assert len(found) == len(set(found))
