"""What elements that were brought along may ask of the engine: chains, bodies, roots, scripts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from polyvalent.auth.oauth1_variant import STANDARD
from polyvalent.catalog.element import Element
from polyvalent.errors import BadRequest
from polyvalent.exchange import Exchange, Request, Response
from polyvalent.hub.call import call
from polyvalent.hub.model import Incoming
from polyvalent.instances.model import Connection

BASE = "https://v.example"


@dataclass
class Vendor:
    """Answer calls in order, and keep what was asked."""

    answers: list[Any]
    asked: list[Request] = field(default_factory=list)

    async def reach(self, _: Connection, request: Request) -> Exchange:
        self.asked.append(request)
        body = json.dumps(self.answers.pop(0)).encode()
        return Exchange(request=request, response=Response(status=200, body=body), elapsed_ms=1)


def element_of(*resources: dict[str, Any], **members: Any) -> Element:
    return msgspec.convert(
        {
            "name": "V",
            "description": "v",
            "key": "v",
            "authentication": {"type": "custom"},
            "resources": [
                {"method": "GET", "vendorPath": "/x", "vendorMethod": item["method"], **item}
                if "method" in item
                else {"method": "GET", "vendorMethod": "GET", "vendorPath": "/x", **item}
                for item in resources
            ],
            **members,
        },
        type=Element,
    )


async def ask(
    element: Element,
    vendor: Vendor,
    method: str,
    path: str,
    *,
    body: Any = None,
    query: tuple[tuple[str, str], ...] = (),
    headers: tuple[tuple[str, str], ...] = (),
) -> Any:
    connection = Connection(
        instance_id=1,
        element=element,
        configuration={"base.url": BASE, "shop": "blue"},
        client=None,
        token=None,
        variant=STANDARD,
    )
    answer = await call(
        connection,
        Incoming(
            method=method,
            path=path,
            query=query,
            headers=headers,
            body=b"" if body is None else json.dumps(body).encode(),
        ),
        reach=vendor.reach,
        now=lambda: datetime(2026, 11, 23, tzinfo=UTC),
    )
    return json.loads(answer.body)


def parameter(name: str, kind: str, vendor_name: str, vendor_kind: str, **more: Any) -> Any:
    return {
        "name": name,
        "type": kind,
        "vendorName": vendor_name,
        "vendorType": vendor_kind,
        **more,
    }


@pytest.mark.parametrize(
    ("root", "answer", "rows"),
    [
        ("data", {"data": [{"id": 1}]}, [{"id": 1}]),
        ("|data", {"data": [{"id": 1}]}, [{"id": 1}]),
        (".workers[*]", {"workers": [{"id": 1}, {"id": 2}]}, [{"id": 1}, {"id": 2}]),
        (
            "groups[*].people",
            {"groups": [{"people": [{"id": 1}]}, {"people": [{"id": 2}]}]},
            [{"id": 1}, {"id": 2}],
        ),
        (
            "events[0].data.output.worker",
            {"events": [{"data": {"output": {"worker": [{"id": 3}]}}}]},
            [{"id": 3}],
        ),
        ("", {"count": 7}, {"count": 7}),
    ],
)
async def test_finds_rows_below_a_root(root: str, answer: Any, rows: Any) -> None:
    element = element_of({"path": "/people", "rootKey": root})
    assert await ask(element, Vendor([answer]), "GET", "/people") == rows


async def test_makes_the_calls_of_a_chain_and_answers_with_the_last() -> None:
    element = element_of(
        {"path": "/me", "vendorPath": "/session", "nextResource": "GET:/me/{id}"},
        {
            "path": "/me/{id}",
            "vendorPath": "/people/{ticket}",
            "rootKey": "person",
            "type": "apiNoDocumentation",
            "parameters": [
                parameter("data.ticket", "prevBodyField", "ticket", "path"),
                parameter("surname", "bodyField", "last_name", "bodyField", source="response"),
            ],
        },
    )
    vendor = Vendor([{"data": {"ticket": "t/1"}}, {"person": {"id": 4, "last_name": "Noether"}}])

    shown = await ask(element, vendor, "GET", "/me")

    assert shown == {"id": 4, "surname": "Noether"}
    assert [item.url for item in vendor.asked] == [f"{BASE}/session", f"{BASE}/people/t%2F1"]


@pytest.mark.parametrize(("calls", "fits"), [(5, True), (6, False)])
async def test_makes_five_calls_at_most(calls: int, fits: bool) -> None:
    links = [
        {"path": f"/n{n}", "nextResource": f"GET:/n{n + 1}" if n < calls else ""}
        for n in range(1, calls + 1)
    ]
    vendor = Vendor([[{"id": n}] for n in range(1, calls + 1)])
    if fits:
        assert await ask(element_of(*links), vendor, "GET", "/n1") == [{"id": 5}]
        assert len(vendor.asked) == 5
    else:
        with pytest.raises(BadRequest, match="more than 5"):
            await ask(element_of(*links), vendor, "GET", "/n1")
        assert vendor.asked == []


async def test_refuses_a_chain_that_leads_nowhere_or_in_a_circle() -> None:
    for following in ("GET:/nowhere", "GET:/a", "nonsense"):
        element = element_of({"path": "/a", "nextResource": following})
        with pytest.raises(BadRequest):
            await ask(element, Vendor([]), "GET", "/a")


@pytest.mark.parametrize("place", ["element", "resource", "chain"])
async def test_says_that_scripts_are_not_run_yet(place: str) -> None:
    hooks = [{"type": "preRequest", "body": "done()"}]
    first = {"path": "/a", "nextResource": "GET:/b"}
    element = element_of(
        first | ({"hooks": hooks} if place == "resource" else {}),
        {"path": "/b", "hooks": hooks if place == "chain" else []},
        hooks=hooks if place == "element" else [],
    )
    vendor = Vendor([])
    with pytest.raises(BadRequest, match="scripts, which are not run yet"):
        await ask(element, vendor, "GET", "/a")


async def test_runs_past_scripts_for_events() -> None:
    element = element_of({"path": "/a"}, hooks=[{"type": "event", "body": "x"}])
    assert await ask(element, Vendor([[]]), "GET", "/a") == []


@pytest.mark.parametrize(
    ("parameters", "sent", "content_type"),
    [
        ([], {"name": "Mug", "size": {"cm": 9}}, "application/json"),
        (
            [parameter("body", "body", "body", "body")],
            {"name": "Mug", "size": {"cm": 9}},
            "application/json",
        ),
        (
            [
                parameter("name", "bodyField", "item.title", "bodyField"),
                parameter("shop", "configuration", "item.shop", "bodyField"),
                parameter("X-Tag", "header", "tag", "bodyField"),
            ],
            {"item": {"title": "Mug", "shop": "blue"}, "tag": "t"},
            "application/json",
        ),
        (
            [
                parameter("body", "body", "body", "body"),
                parameter("new", "value", "kind", "bodyField"),
            ],
            {"name": "Mug", "size": {"cm": 9}, "kind": "new"},
            "application/json",
        ),
        (
            [
                parameter("name", "bodyField", "title", "form"),
                parameter("size", "bodyField", "size", "form"),
            ],
            "title=Mug&size=%7B%22cm%22%3A9%7D",
            "application/x-www-form-urlencoded",
        ),
        (
            [
                parameter(
                    "shop=${configuration.shop} ${body.name} ${header.no}", "value", "b", "body"
                ),
                parameter("text/plain", "value", "Content-Type", "header"),
            ],
            "shop=blue Mug ${header.no}",
            "text/plain",
        ),
        (
            [
                parameter("<a>{title}</a>", "value", "b", "body"),
                parameter("name", "bodyField", "title", "bodyToken"),
                parameter("application/xml", "value", "Content-Type", "header"),
            ],
            "<a>Mug</a>",
            "application/xml",
        ),
    ],
)
async def test_builds_the_body_that_parameters_say(
    parameters: list[Any], sent: Any, content_type: str
) -> None:
    element = element_of({"path": "/items", "method": "POST", "parameters": parameters})
    vendor = Vendor([{"id": 9}])

    shown = await ask(
        element,
        vendor,
        "POST",
        "/items",
        body={"name": "Mug", "size": {"cm": 9}},
        headers=(("x-tag", "t"),),
    )

    assert shown["id"] == 9
    request = vendor.asked[0]
    body = request.body.decode()
    assert (body if isinstance(sent, str) else json.loads(body)) == sent
    assert request.header("Content-Type") == content_type


async def test_lays_a_root_around_what_it_sends() -> None:
    element = element_of({"path": "/items", "method": "POST", "rootKey": "item.inner|item"})
    vendor = Vendor([{"item": {"id": 3, "name": "Mug"}}])

    shown = await ask(element, vendor, "POST", "/items", body={"name": "Mug"})

    assert json.loads(vendor.asked[0].body) == {"item": {"inner": {"name": "Mug"}}}
    assert shown == {"id": 3, "name": "Mug"}


@pytest.mark.parametrize(
    ("vendor_path", "url"),
    [
        ("", f"{BASE}?k=1"),
        ("/a", f"{BASE}/a?k=1"),
        ("a", f"{BASE}/a?k=1"),
        ("/a?b=2", f"{BASE}/a?b=2&k=1"),
        ("@other.example/a", f"{BASE}/@other.example/a?k=1"),
        (":99/a", f"{BASE}/:99/a?k=1"),
    ],
)
async def test_stays_at_the_vendor_s_address(vendor_path: str, url: str) -> None:
    resource = {
        "path": "/a/{id}",
        "vendorPath": vendor_path,
        "parameters": [parameter("1", "value", "k", "query")],
    }
    vendor = Vendor([{"id": 1}])
    await ask(element_of(resource), vendor, "GET", "/a/1")
    assert vendor.asked[0].url == url


async def test_writes_without_a_body_where_no_parameter_takes_one() -> None:
    hold = {
        "path": "/orders/{id}/hold",
        "method": "POST",
        "vendorPath": "/orders/{id}/hold",
        "parameters": [parameter("id", "path", "id", "path")],
    }
    vendor = Vendor([{"ok": True}])

    assert await ask(element_of(hold), vendor, "POST", "/orders/7/hold") == {"ok": True}
    assert (vendor.asked[0].url, vendor.asked[0].body) == (f"{BASE}/orders/7/hold", b"")
    with pytest.raises(BadRequest, match="no body"):
        await ask(element_of({**hold, "parameters": []}), Vendor([]), "POST", "/orders/7/hold")


async def test_cuts_pages_out_of_a_list_that_the_vendor_does_not_page() -> None:
    element = element_of({"path": "/all", "paginationType": "VENDOR_NOT_SUPPORTED"})
    vendor = Vendor([[{"id": n} for n in range(1, 8)]] * 2)

    first = await ask(element, vendor, "GET", "/all", query=(("pageSize", "3"),))
    third = await ask(element, vendor, "GET", "/all", query=(("pageSize", "3"), ("page", "3")))

    assert [row["id"] for row in (*first, *third)] == [1, 2, 3, 7]


@pytest.mark.parametrize("answer", [{"state": "cancelled"}, {}])
async def test_answers_a_post_that_makes_no_row(answer: Any) -> None:
    resource = {"path": "/items/{id}/cancel", "method": "POST", "writing": {"idFrom": "none"}}

    found = await ask(
        element_of(resource), Vendor([answer]), "POST", "/items/7/cancel", body={"why": "x"}
    )

    assert found == answer


STATUS = {"name": "status", "type": "string"}
OPEN = {"id": 1, "status": "open"}


@pytest.mark.parametrize(
    ("where", "query", "rows"),
    [
        ("status = 'open'", "status=open", [OPEN]),
        # The vendor heeds or leaves it: a field of the rows is looked at once more.
        ("status = 'open' AND id > 1", "status=open", []),
        # A name that is no field is the vendor's own.
        ("updated_at_min = '2024-01-01' AND status='open'", None, [OPEN]),
        ("status = 'open' OR id = 2", "", [OPEN, {"id": 2, "status": "shut"}]),
        ("status = 'a' AND status = 'open'", "status=a", []),
    ],
)
async def test_sends_conditions_as_parameters_where_it_is_told_so(
    where: str, query: str | None, rows: Any
) -> None:
    converter = parameter(
        "where", "query", "converter:toQueryParameters", "query", converter="toQueryParameters"
    )
    sizes = [parameter("page", "query", "p", "query"), parameter("pageSize", "query", "n", "query")]
    element = element_of(
        {"path": "/items", "object": "items", "parameters": [converter, *sizes]},
        objects=[{"name": "items", "fields": [{"name": "id", "type": "integer"}, STATUS]}],
    )
    vendor = Vendor([[OPEN, {"id": 2, "status": "shut"}], []])

    assert await ask(element, vendor, "GET", "/items", query=(("where", where),)) == rows

    sent = vendor.asked[0].url.partition("?")[2]
    told = "&".join(pair for pair in sent.split("&") if pair[:2] not in ("p=", "n="))
    expected = {"updated_at_min=2024-01-01&status=open", "status=open&updated_at_min=2024-01-01"}
    assert told in expected if query is None else told == query


async def test_knows_no_vendor_s_name_where_it_must_filter_itself() -> None:
    converter = parameter("where", "query", "where", "query", converter="toQueryParameters")
    element = element_of(
        {"path": "/items", "object": "items", "parameters": [converter]},
        objects=[{"name": "items", "fields": [STATUS]}],
    )

    for where in ("since > '2024'", "since = 'a' OR status = 'b'"):
        with pytest.raises(BadRequest, match="no field 'since'"):
            await ask(element, Vendor([]), "GET", "/items", query=(("where", where),))
