"""What is asked of the vendor."""

from __future__ import annotations

from itertools import pairwise

import pytest
from msgspec import structs

from polyvalent.catalog.element import Parameter, VerificationRead
from polyvalent.catalog.load import load_catalog
from polyvalent.errors import BadRequest
from polyvalent.exchange import Request
from polyvalent.hub.build import build_request, build_verification
from polyvalent.hub.model import Incoming
from polyvalent.hub.resolve import resolve

MAGENTO = load_catalog().find("magento")
BASE = {"base.url": "https://shop.example/api/rest/", "region": "eu"}


def build(method: str, path: str, *parameters: Parameter, **incoming: object) -> Request:
    match = resolve(MAGENTO, method, path)
    resource = structs.replace(match.resource, parameters=(*match.resource.parameters, *parameters))
    return build_request(
        MAGENTO,
        resource,
        configuration=BASE,
        path_parameters=match.path_parameters,
        incoming=Incoming(method=method, path=path, **incoming),  # type: ignore[arg-type]
        body=incoming.get("body", b""),  # type: ignore[arg-type]
    )


def parameter(name: str, kind: str, vendor_name: str, vendor_kind: str) -> Parameter:
    return Parameter(name=name, type=kind, vendor_name=vendor_name, vendor_type=vendor_kind)


def test_joins_address_and_encoded_path():
    request = build("GET", "/orders/7/addresses/a%2Fb%3F%20ä")

    assert request.url == "https://shop.example/api/rest/orders/7/addresses/a%2Fb%3F%20%C3%A4"
    assert request.headers == (("Accept", "application/json"),)


def test_makes_no_more_of_a_call_than_may_be_sent():
    """Ten names that each stand for ten of the next make ten thousand million of the last."""
    names = "abcdefghij"
    chain = [
        parameter(f"{{{after}}}" * 10, "value", name, "bodyToken")
        for name, after in pairwise(names)
    ]
    long = f'{{"x": "{"y" * 100_000}"}}'.encode()
    for given, body in (
        (chain, b"{a}"),
        ([parameter("x", "bodyField", f"m{n}", "bodyField") for n in range(400)], long),
        ([parameter("x", "bodyField", f"m{n}", "header") for n in range(400)], long),
        ([parameter("x", "bodyField", f"m{n}", "query") for n in range(400)], long),
        ([parameter("x", "bodyField", f"m{n}", "form") for n in range(400)], long),
        ([parameter("x", "bodyField", f"m{n}", "multipart") for n in range(400)], long),
        ([parameter("${body.x}" * 400, "value", "m", "header")], long),
    ):
        with pytest.raises(BadRequest, match="make more of the call"):
            build("PATCH", "/products/5", *given, body=body)

    request = build("PATCH", "/products/5", parameter("1", "value", "a", "bodyToken"), body=b"{a}")
    assert request.body == b"1"


def test_sends_the_body_as_it_came():
    body = b'{"big": 123456789012345678901234567890, "price": 1.50}'

    request = build("PATCH", "/products/5", body=body)

    assert (request.method, request.body) == ("PUT", body)
    assert request.header("Content-Type") == "application/json"


@pytest.mark.parametrize(
    ("given", "query"),
    [
        (parameter("0", "value", "limit", "query"), "limit=0"),
        (parameter("region", "configuration", "r", "query"), "r=eu"),
        (parameter("missing", "configuration", "r", "query"), ""),
        (parameter("X-Store", "header", "store", "query"), "store=b%20c"),
        (parameter("kind", "query", "k", "query"), "k=x%2By%26z"),
        (parameter("kind", "query", "k", "no-op"), ""),
        (parameter("pageSize", "query", "limit", "query"), ""),
    ],
)
def test_puts_values_where_parameters_say(given: Parameter, query: str):
    request = build(
        "GET",
        "/products/5",
        given,
        query=(("kind", "x+y&z"), ("pageSize", "3")),
        headers=(("x-store", "b c"),),
    )

    assert request.url.partition("?")[2] == query


def test_puts_values_into_headers_in_place_of_its_own():
    request = build("GET", "/products/5", parameter("text/xml", "value", "accept", "header"))

    assert ("accept", "text/xml") in request.headers


def test_leaves_response_parameters_alone():
    given = structs.replace(parameter("a", "value", "b", "query"), source="response")

    assert build("GET", "/products/5", given).url.endswith("/products/5")


def test_says_what_a_vendor_path_lacks():
    match = resolve(MAGENTO, "GET", "/products/5")

    with pytest.raises(BadRequest, match=r"nothing gives \{id\}"):
        build_request(
            MAGENTO,
            match.resource,
            configuration=BASE,
            path_parameters={},
            incoming=Incoming(method="GET", path="/products/5"),
        )


def test_builds_a_verification_read():
    read = VerificationRead(vendor_path="/products", query=(("limit", "1"),))

    request = build_verification(MAGENTO, read, configuration=BASE)

    assert request.url == "https://shop.example/api/rest/products?limit=1"
    assert request.header("Accept") == "application/json"
