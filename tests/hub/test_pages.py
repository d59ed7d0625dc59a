"""
Pages of a vendor that repeats its last page, for every number of rows and size of page.

The vendor here is a function: it orders by id, filters by "behind this id", and answers a page
past the end with the last page again, as recordings of such stores show.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from polyvalent.exchange import Exchange, Request, Response, find_header
from polyvalent.hub.call import call
from polyvalent.hub.model import Incoming
from polyvalent.instances.model import Connection
from tests.hub.shop import MOMENT, connect, run

MAXIMUM = 6  # of the vendor, small so that every case is near
CONNECTION = connect("https://shop.example/api/rest")


@dataclass(kw_only=True)
class Vendor:
    ids: list[int]
    repeats: bool = True
    calls: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, _: Connection, request: Request) -> Exchange:
        query = dict(parse_qsl(urlsplit(request.url).query))
        self.calls.append(query)
        limit, page = int(query["limit"]), int(query["page"])
        assert 1 <= limit <= MAXIMUM, "the vendor would refuse this"
        assert page >= 1
        behind = int(query.get("filter[0][gt]", 0))
        ids = [number for number in self.ids if number > behind]
        last_page = max(1, -(-len(ids) // limit))
        page = min(page, last_page) if self.repeats else page
        chosen = ids[(page - 1) * limit : page * limit]
        body = {str(number): {"entity_id": str(number)} for number in chosen} or []
        return Exchange(
            request=request,
            response=Response(status=200, body=json.dumps(body).encode()),
            elapsed_ms=1,
        )


def ask(vendor: Vendor, connection: Connection, **query: Any) -> tuple[list[int], str | None]:
    incoming = Incoming(
        method="GET",
        path="/products",
        query=tuple((name, str(value)) for name, value in query.items() if value is not None),
    )
    answer = run(call(connection, incoming, reach=vendor, now=lambda: MOMENT))
    ids = [int(row["id"]) for row in json.loads(answer.body)]
    assert find_header(answer.headers, "Elements-Returned-Count") == str(len(ids))
    token = find_header(answer.headers, "Elements-Next-Page-Token")
    assert token is None or token
    return ids, token


def limited(maximum: int) -> Connection:
    """Return a connection whose vendor and instance both give `maximum` rows at most."""
    element = structs.replace(
        CONNECTION.element,
        configuration=tuple(
            structs.replace(item, default_value=str(maximum))
            if item.key == "pagination.max"
            else item
            for item in CONNECTION.element.configuration
        ),
    )
    settings = {**CONNECTION.configuration, "pagination.max": str(maximum)}
    return replace(CONNECTION, element=element, configuration=settings)


LIMITED = limited(MAXIMUM)
IDS = st.lists(st.integers(1, 500), unique=True, max_size=30).map(sorted)
SIZES = st.integers(1, MAXIMUM)


@given(IDS, SIZES)
@example([1, 2, 3, 4, 5, 6], MAXIMUM)
@example([1, 2, 3, 4], 2)
@example([], 3)
def test_gives_every_row_once_by_tokens(ids: list[int], size: int):
    vendor = Vendor(ids=ids)
    found: list[int] = []
    token: str | None = None
    pages = 0

    while True:
        page, token = ask(vendor, LIMITED, pageSize=size, nextPage=token)
        found += page
        pages += 1
        if token is None:
            break

    assert found == ids
    assert pages == max(1, -(-len(ids) // size))


@given(IDS, SIZES, st.integers(1, 40))
@example([1, 2, 3, 4], 2, 3)
@example([1, 2, 3], 2, 3)
@example([1], 1, 2)
def test_gives_each_numbered_page_its_rows_and_a_token_only_before_more(
    ids: list[int], size: int, page: int
):
    found, token = ask(Vendor(ids=ids), LIMITED, pageSize=size, page=page)

    begin = (page - 1) * size
    assert found == ids[begin : begin + size]
    assert (token is not None) == (begin + size < len(ids))


@given(IDS, SIZES, st.integers(1, 5))
def test_goes_on_from_a_numbered_page_by_its_token(ids: list[int], size: int, page: int):
    vendor = Vendor(ids=ids)

    _, token = ask(vendor, LIMITED, pageSize=size, page=page)
    if token is not None:
        found, _ = ask(vendor, LIMITED, nextPage=token)
        assert found == ids[page * size : (page + 1) * size]


@given(IDS, st.integers(1, 3))
def test_joins_two_pages_to_one_of_twice_the_size(ids: list[int], size: int):
    vendor = Vendor(ids=ids)

    halves = [ask(vendor, LIMITED, pageSize=size, page=page)[0] for page in (1, 2)]

    assert halves[0] + halves[1] == ask(vendor, LIMITED, pageSize=2 * size, page=1)[0]


@given(IDS, SIZES, st.integers(1, 40))
def test_asks_the_vendor_three_times_at_most(ids: list[int], size: int, page: int):
    vendor = Vendor(ids=ids)

    ask(vendor, LIMITED, pageSize=size, page=page)

    assert len(vendor.calls) <= 3
    if page == 1 and size < MAXIMUM:
        assert len(vendor.calls) == 1


def test_keeps_its_place_when_rows_are_deleted_between_two_pages():
    vendor = Vendor(ids=[1, 2, 3, 4, 5])
    _, token = ask(vendor, LIMITED, pageSize=2)

    vendor.ids.remove(1)

    assert ask(vendor, LIMITED, nextPage=token)[0] == [3, 4]


def test_lets_an_instance_ask_for_less_than_the_vendor_gives():
    settings = {**LIMITED.configuration, "pagination.max": "3"}
    vendor = Vendor(ids=list(range(1, 10)))

    found, token = ask(vendor, replace(LIMITED, configuration=settings), pageSize=50)

    assert (found, bool(token), len(vendor.calls)) == ([1, 2, 3], True, 1)


@given(IDS, SIZES)
def test_pages_by_number_where_a_vendor_has_no_cursor(ids: list[int], size: int):
    resources = tuple(
        structs.replace(
            item,
            collection=structs.replace(
                item.collection, cursor_field="", rows_after=(), past_the_end="empty"
            ),
        )
        if item.collection is not None
        else item
        for item in LIMITED.element.resources
    )
    element = structs.replace(LIMITED.element, resources=resources)
    connection = replace(LIMITED, element=element)
    vendor = Vendor(ids=ids, repeats=False)
    found: list[int] = []
    token: str | None = None

    while True:
        page, token = ask(vendor, connection, pageSize=size, nextPage=token)
        found += page
        if token is None:
            break

    assert found == ids
