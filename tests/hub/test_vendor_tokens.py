"""Lists of vendors that say in their answers how to read on, or count the rows before a page."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from polyvalent.auth.oauth1_variant import STANDARD
from polyvalent.catalog.element import Element
from polyvalent.egress import Door
from polyvalent.errors import BadRequest, VendorFailure
from polyvalent.exchange import Exchange, Request, find_header
from polyvalent.hub.call import call
from polyvalent.hub.model import Incoming
from polyvalent.instances.model import Connection
from tests.hub.shop import LOOPBACK, MOMENT, run

ROWS = [{"id": n, "color": "red" if n % 3 else "blue", "size": -n % 5} for n in range(1, 12)]


@dataclass
class Vendor:
    """Give rows by offset in a token; `style` is how it tells the next one."""

    style: str = "token"
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    wraps_at: int = 0  # the token that leads back to an earlier one
    most: int = 100  # rows at once, whatever is asked for
    place: str = "/items"

    def answer(self, query: dict[str, str]) -> dict[str, Any]:
        self.asked.append(query)
        assert len(self.asked) < 200, "the walk has no end"
        limit = min(int(query.get("limit", 100)), self.most)
        begin = int(query.get("skip") or query.get("cursor", "c0").removeprefix("c"))
        rows, end = ROWS[begin : begin + limit], begin + limit
        following: Any = f"c{end}" if end < len(ROWS) else None
        if self.wraps_at and end >= self.wraps_at:
            following = f"c{self.wraps_at}"
        if self.style == "number" and following:
            following = int(following[1:])
        if self.style == "eager" and rows:
            following = f"c{end}"
        if self.style == "broken":
            following = "http://[x?cursor=1"
        if self.style == "url" and following:
            following = f"http://inside.example{self.place}?cursor={following}&limit={limit}"
        return {"rows": rows, "paging": {"next": following}}


@contextmanager
def serve(vendor: Vendor) -> Iterator[Vendor]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            raw = json.dumps(vendor.answer(dict(parse_qsl(urlsplit(self.path).query)))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    vendor.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield vendor
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def query_parameter(name: str, vendor_name: str, kind: str = "query") -> dict[str, str]:
    return {"name": name, "type": kind, "vendorName": vendor_name, "vendorType": "query"}


TOKENS = (
    query_parameter("nextPage", "cursor"),
    query_parameter("pageSize", "limit"),
    query_parameter("k", "key", "value"),
)
OFFSET = (query_parameter("page", "skip"), query_parameter("pageSize", "limit"))


def ask(vendor: Vendor, **query: Any) -> tuple[Any, Any]:
    resource: dict[str, Any] = {
        "path": "/items",
        "method": "GET",
        "vendorPath": "/items",
        "rootKey": "rows",
        "nextPageKey": "paging.next",
        "parameters": TOKENS,
    }
    settings = {"base.url": vendor.url, "pagination.type": "cursor"}
    if vendor.style == "offset":
        resource |= {"parameters": OFFSET, "nextPageKey": ""}
        settings = {"base.url": vendor.url, "pagination.type": "offset"}
    if vendor.style == "nameless":
        resource["parameters"] = TOKENS[1:]
    element = msgspec.convert(
        {
            "name": "V",
            "description": "v",
            "key": "v",
            "authentication": {"type": "custom"},
            "resources": [resource],
        },
        type=Element,
    )
    connection = Connection(
        instance_id=1,
        element=element,
        configuration=settings,
        client=None,
        token=None,
        variant=STANDARD,
    )

    async def work() -> Any:
        async with Door(allow=(LOOPBACK,)) as door:

            async def reach(_: Connection, request: Request) -> Exchange:
                return await door.send(request, deadline_s=10)

            pairs = tuple((name, str(value)) for name, value in query.items() if value is not None)
            incoming = Incoming(method="GET", path="/items", query=pairs)
            return await call(connection, incoming, reach=reach, now=lambda: MOMENT)

    answer = run(work())
    return json.loads(answer.body), lambda name: find_header(answer.headers, name)


def walk(vendor: Vendor, **query: Any) -> tuple[list[int], list[int], list[str]]:
    found: list[int] = []
    lengths: list[int] = []
    warnings: list[str] = []
    token = None
    while True:
        rows, header = ask(vendor, **query, nextPage=token)
        found += [row["id"] for row in rows]
        lengths.append(len(rows))
        warnings += [header("Elements-Error")] if header("Elements-Error") else []
        token = header("Elements-Next-Page-Token")
        if token is None:
            return found, lengths, warnings


STYLES = ["token", "number", "url", "offset"]
IDS = [row["id"] for row in ROWS]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("size", "lengths"), [(4, [4, 4, 3]), (11, [11]), (50, [11])])
def test_gives_every_row_once(style: str, size: int, lengths: list[int]) -> None:
    with serve(Vendor(style)) as vendor:
        assert walk(vendor, pageSize=size) == (IDS, lengths, [])


@pytest.mark.parametrize("style", STYLES)
def test_gives_pages_by_their_number(style: str) -> None:
    with serve(Vendor(style)) as vendor:
        pages = [ask(vendor, pageSize=3, page=page)[0] for page in range(1, 6)]
    assert [row["id"] for page in pages for row in page] == IDS
    assert [len(page) for page in pages] == [3, 3, 3, 2, 0]


@pytest.mark.parametrize("style", ["token", "number", "url"])
def test_asks_the_vendor_once_for_a_page(style: str) -> None:
    with serve(Vendor(style)) as vendor:
        walk(vendor, pageSize=4)
        told = [(query.get("cursor"), query["limit"], query["key"]) for query in vendor.asked]
    first = "" if style == "number" else "c"
    assert told == [(None, "4", "k"), (f"{first}4", "4", "k"), (f"{first}8", "4", "k")]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("most", [2, 100])
def test_filters_and_sorts_on_top(style: str, most: int) -> None:
    if style == "offset" and most < 100:
        return  # a vendor that gives fewer rows than it is asked for has to say so by itself
    with serve(Vendor(style, most=most)) as vendor:
        red = [row["id"] for row in ROWS if row["color"] == "red"]
        assert walk(vendor, where="color = 'red'", pageSize=2)[0] == red
        ordered = [row["id"] for row in sorted(ROWS, key=lambda row: (row["size"], row["id"]))]
        assert walk(vendor, orderBy="size, id", pageSize=4)[0] == ordered


def test_goes_on_within_a_page_of_a_vendor_that_gives_more_than_asked_for() -> None:
    with serve(Vendor("token", most=5)) as vendor:
        rows, header = ask(vendor, pageSize=3, where="id > 1")
        assert [row["id"] for row in rows] == [2, 3, 4]
        token = header("Elements-Next-Page-Token")
        rows, _ = ask(vendor, pageSize=4, where="id > 1", nextPage=token)
    assert [row["id"] for row in rows] == [5, 6, 7, 8]


def test_ends_with_a_warning_where_a_token_repeats() -> None:
    with serve(Vendor("token", wraps_at=8)) as vendor:
        found, _, warnings = walk(vendor, pageSize=4)
        assert found == IDS
        assert len(warnings) == 1
        assert "given before" in warnings[0]
        vendor.asked.clear()
        _, header = ask(vendor, orderBy="size", pageSize=50)
        assert "given before" in header("Elements-Error")
        assert header("Elements-Total-Count") is None


def test_gives_an_empty_last_page_where_the_vendor_has_a_token_for_it() -> None:
    with serve(Vendor("eager")) as vendor:
        assert walk(vendor, pageSize=11)[:2] == (IDS, [11, 0])


@pytest.mark.parametrize("place", ["/secrets", "/items/secret", ""])
def test_goes_nowhere_but_to_its_own_list(place: str) -> None:
    with serve(Vendor("url", place=place)) as vendor, pytest.raises(VendorFailure, match="outside"):
        ask(vendor, pageSize=4)


def test_says_that_nothing_tells_where_a_token_is_sent() -> None:
    with serve(Vendor("nameless")) as vendor:
        token = ask(vendor, pageSize=4)[1]("Elements-Next-Page-Token")
        with pytest.raises(BadRequest, match="no query parameter nextPage"):
            ask(vendor, pageSize=4, nextPage=token)


@pytest.mark.parametrize(
    ("style", "told"),
    [("token", "the vendor's tokens"), ("offset", "rows before")],
)
def test_explains_how_it_reads_on(style: str, told: str) -> None:
    with serve(Vendor(style)) as vendor:
        plan, _ = ask(vendor, orderBy="size", explain="true")
        assert plan["walk"] == told
        assert "sorted here" in plan["reasons"][0]
        assert vendor.asked == []


@pytest.mark.parametrize(("length", "fits"), [(2400, True), (2600, False)])
def test_carries_a_long_token_of_the_vendor_s(length: int, fits: bool) -> None:
    token = "c" + "4".zfill(length)
    where = " or ".join(f"color = 'shade {n}'" for n in range(40)) + " or color = 'red'"

    class Wordy(Vendor):
        def answer(self, query: dict[str, str]) -> dict[str, Any]:
            return {
                **super().answer(query),
                "paging": {"next": None if query.get("cursor") else token},
            }

    with serve(Wordy()) as vendor:
        if not fits:
            with pytest.raises(VendorFailure, match="longer than"):
                ask(vendor, pageSize=4)
            return
        vendor.most = 4
        rows, header = ask(vendor, pageSize=3, where=where)
        following = header("Elements-Next-Page-Token")
        rows, _ = ask(vendor, pageSize=3, where=where, nextPage=following)
        assert [row["id"] for row in rows] == [5, 7, 8]


def test_an_address_that_is_none_ends_the_list_in_words():
    with serve(Vendor("broken")) as vendor, pytest.raises(VendorFailure, match="outside this list"):
        ask(vendor, pageSize=3)
