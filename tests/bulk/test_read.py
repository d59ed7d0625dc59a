"""Whatever a vendor does with its pages, rows are read once each, and no read is endless."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from math import ceil
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from polyvalent.bulk.model import Asked
from polyvalent.bulk.plan import make_read_plan
from polyvalent.bulk.read import Reader
from polyvalent.bulk.receipt import Tally, distinct_of, note_page
from polyvalent.catalog.element import Limits
from polyvalent.errors import BadRequest
from polyvalent.exchange import Exchange, Request, Response
from polyvalent.hub.access import Opened
from polyvalent.instances.model import Connection
from polyvalent.transformations.resolve import NOTHING
from tests.hub.test_unruly_vendors import (
    BY_CURSOR,
    BY_CURSOR_SHORT,
    BY_NUMBER,
    BY_NUMBER_REPEATING,
    MAXIMUM,
    NO_CURSOR,
    Vendor,
    element_with,
)

IDS = st.lists(st.integers(1, 200), unique=True, max_size=40)
FULL = list(range(1, 4 * MAXIMUM + 1))


def rows_of(ids: list[int]) -> list[dict[str, Any]]:
    return [{"entity_id": str(number), "price": 1, "name": "a"} for number in ids]


def make_reader(vendor: Any, connection: Connection, *, order: str = "", **more: Any) -> Reader:
    element = structs.replace(
        connection.element,
        objects=tuple(
            structs.replace(item, bulk_download_enabled=True) for item in connection.element.objects
        ),
    )
    connection = replace(connection, element=element)
    opened = Opened(
        instance=None,  # type: ignore[arg-type]
        element=element,
        connection=connection,
        mappings=NOTHING,
    )
    access: Any = SimpleNamespace(reach=vendor)
    plan = make_read_plan(access, opened, Asked(object="products", order=order))
    return Reader(plan=plan, **more)


def read(reader: Reader) -> tuple[list[int], Tally]:
    async def go_on() -> tuple[list[int], Tally]:
        found: list[int] = []
        tally = Tally()
        while not reader.ended:
            page = await reader.fetch()
            note_page(tally, page.facts)
            found += [int(row["id"]) for row in page.rows]
        await reader.close()
        return found, tally

    return asyncio.run(go_on())


@given(IDS, st.booleans(), st.booleans(), st.sampled_from(["", "id desc"]), st.integers(0, 9))
@example(FULL, True, True, "", 0)
@example(FULL, False, False, "id desc", 0)
def test_it_reads_each_row_once_behind_keys(ids, repeats, shuffles, order, seed):
    vendor = Vendor(rows=rows_of(ids), repeats=repeats, shuffles=shuffles, seed=seed)

    found, tally = read(make_reader(vendor, BY_CURSOR, order=order))

    assert found == sorted(ids, reverse=bool(order))
    assert distinct_of(tally) == len(ids)
    assert vendor.calls <= ceil(len(ids) / MAXIMUM) + 1
    if ids:
        assert (tally.lowest, tally.highest) == (str(min(ids)), str(max(ids)))
        assert tally.missing_keys == max(ids) - min(ids) + 1 - len(ids)


@given(IDS, st.booleans(), st.integers(0, 9))
def test_it_reads_each_row_once_where_any_page_may_be_short(ids, shuffles, seed):
    vendor = Vendor(rows=rows_of(ids), short=True, shuffles=shuffles, seed=seed)

    found, tally = read(make_reader(vendor, BY_CURSOR_SHORT))

    assert found == sorted(ids)
    assert tally.repeated_rows == 0


@given(IDS, st.booleans())
@example(FULL, True)
@example(FULL, False)
def test_it_reads_each_row_once_by_numbers(ids, repeats):
    connection = BY_NUMBER_REPEATING if repeats else BY_NUMBER
    vendor = Vendor(rows=rows_of(ids), repeats=repeats)

    found, tally = read(make_reader(vendor, connection))

    assert found == sorted(ids)
    assert distinct_of(tally) == len(ids)
    assert vendor.calls <= ceil(len(ids) / MAXIMUM) + 1


def test_it_ends_where_a_vendor_is_deaf_to_keys():
    vendor = Vendor(rows=rows_of(FULL), deaf=True)

    found, tally = read(make_reader(vendor, BY_CURSOR))

    assert found == FULL[:MAXIMUM]
    assert tally.repeated_rows == MAXIMUM


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_it_goes_on_at_any_place(cut):
    whole, _ = read(make_reader(Vendor(rows=rows_of(FULL)), BY_CURSOR))

    async def begin() -> tuple[list[int], dict[str, Any] | None]:
        reader = make_reader(Vendor(rows=rows_of(FULL)), BY_CURSOR)
        pages = [await reader.fetch() for _ in range(cut)]
        return [int(row["id"]) for page in pages for row in page.rows], pages[-1].place

    first, place = asyncio.run(begin())
    rest, _ = read(make_reader(Vendor(rows=rows_of(FULL)), BY_CURSOR, place=place))

    assert first + rest == whole


@dataclass(kw_only=True)
class Telling:
    """A vendor that tells how many rows it has, and counts how many pages it makes at once."""

    rows: list[dict[str, Any]]
    at_once: int = 0
    most: int = 0
    calls: int = 0
    asked: list[int] = field(default_factory=list)

    async def __call__(self, _: Connection, request: Request) -> Exchange:
        query = dict(parse_qsl(urlsplit(request.url).query))
        page, limit = int(query["page"]), int(query["limit"])
        self.calls += 1
        self.asked.append(page)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        # Later pages are ready sooner, so that order is the reader's own doing.
        await asyncio.sleep(0.01 / page)
        self.at_once -= 1
        body = {"rows": self.rows[(page - 1) * limit : page * limit], "count": len(self.rows)}
        return Exchange(
            request=request,
            response=Response(status=200, body=json.dumps(body).encode()),
            elapsed_ms=1,
        )


def telling(*, parallel: int) -> Connection:
    connection = element_with(**NO_CURSOR, past_the_end="empty", total_key="count")
    element = structs.replace(
        connection.element,
        limits=Limits(parallel_reads=parallel),
        resources=tuple(
            structs.replace(item, root_key="rows")
            if item.path.endswith("/products") and item.method == "GET"
            else item
            for item in connection.element.resources
        ),
    )
    return replace(connection, element=element)


@pytest.mark.parametrize("parallel", [1, 3])
@pytest.mark.parametrize("count", [0, 1, MAXIMUM, 7 * MAXIMUM, 7 * MAXIMUM + 2])
def test_it_asks_for_several_pages_at_once_where_that_is_safe(parallel, count):
    vendor = Telling(rows=rows_of(list(range(1, count + 1))))

    found, tally = read(make_reader(vendor, telling(parallel=parallel)))

    assert found == list(range(1, count + 1))
    assert (tally.total_before, tally.total_after) == (count, count)
    assert vendor.most <= parallel
    assert vendor.most == parallel or count <= MAXIMUM * parallel
    assert vendor.calls <= ceil(count / MAXIMUM) + 1
    assert len(set(vendor.asked)) == len(vendor.asked)


def test_it_reads_rows_whose_key_is_hidden_by_number_and_says_so():
    vendor = Vendor(rows=[{"price": n, "name": "a", "entity_id": str(n)} for n in range(1, 9)])

    async def hide(connection: Connection, request: Request) -> Exchange:
        exchange = await vendor(connection, request)
        rows = [{"name": row["name"]} for row in json.loads(exchange.response.body)]
        return structs.replace(
            exchange, response=Response(status=200, body=json.dumps(rows).encode())
        )

    async def count() -> tuple[int, Tally]:
        reader = make_reader(hide, BY_CURSOR)
        tally, rows = Tally(), 0
        while not reader.ended:
            page = await reader.fetch()
            note_page(tally, page.facts)
            rows += len(page.rows)
        return rows, tally

    rows, tally = asyncio.run(count())
    assert rows == 8
    assert tally.keyless_rows == 8


def test_it_is_not_sorted_by_what_the_vendor_does_not_sort_by():
    with pytest.raises(BadRequest, match="cannot be sorted by price"):
        make_reader(Vendor(rows=[]), BY_CURSOR, order="price")


@pytest.mark.parametrize("hidden", [False, True])
def test_it_ends_where_a_vendor_is_deaf_to_page_numbers(hidden):
    # It says that it answers nothing behind the end, and gives the first page for ever.
    rows = rows_of(FULL[:MAXIMUM])
    calls = []

    async def repeat(_: Connection, request: Request) -> Exchange:
        calls.append(request.url)
        assert len(calls) < 9, "the read has no end"
        shown = [{"name": "a"} for _ in rows] if hidden else rows
        body = json.dumps(shown).encode()
        return Exchange(request=request, response=Response(status=200, body=body), elapsed_ms=1)

    found, tally = read(make_reader(repeat, BY_NUMBER)) if not hidden else (None, None)
    if hidden:
        assert asyncio.run(count_rows(make_reader(repeat, BY_NUMBER))) == MAXIMUM
        assert len(calls) == 2
    else:
        assert found == FULL[:MAXIMUM]
        assert tally is not None
        assert tally.repeated_rows == 3 * MAXIMUM
        assert len(calls) == 4


async def count_rows(reader: Reader) -> int:
    rows = 0
    while not reader.ended:
        rows += len((await reader.fetch()).rows)
    return rows
