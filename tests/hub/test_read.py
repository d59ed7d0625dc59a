"""What comes out of a vendor's answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs

from polyvalent.catalog.element import Resource
from polyvalent.catalog.load import load_catalog
from polyvalent.errors import BadRequest, NotFound, VendorFailure
from polyvalent.exchange import Exchange, Request, Response
from polyvalent.hub.model import Incoming
from polyvalent.hub.objects import describe_fields, describe_objects, list_objects
from polyvalent.hub.read import (
    find_created_id,
    is_created,
    read_row,
    read_rows,
)
from polyvalent.hub.resolve import resolve
from polyvalent.hub.write import doubt_hint, read_body

MAGENTO = load_catalog().find("magento")


def rows(body: str, resource: Resource | None = None, **configuration: str) -> Any:
    return read_rows(
        MAGENTO,
        resource or resolve(MAGENTO, "GET", "/products").resource,
        Response(status=200, body=body.encode()),
        configuration=configuration,
    )


def test_keeps_the_vendors_order_of_keyed_rows():
    found = rows('{"9":{"entity_id":"9"},"10":{"entity_id":"10"},"2":{"entity_id":"2"}}')

    assert [row["id"] for row in found] == ["9", "10", "2"]


def test_takes_the_key_where_the_row_hides_its_id():
    assert rows('{"7":{"sku":"a"},"8":[]}') == ({"id": "7", "sku": "a"}, {"id": "8"})


def test_puts_the_id_first_and_keeps_its_type():
    found = rows('{"7":{"sku":"a","entity_id":7}}')

    assert list(found[0].items()) == [("id", 7), ("sku", "a"), ("entity_id", 7)]


@pytest.mark.parametrize("body", ["[]", "{}"])
def test_reads_an_empty_list(body: str):
    assert rows(body) == ()


def test_leaves_out_nulls_at_every_depth_unless_told():
    body = '{"1":{"entity_id":"1","a":null,"b":{"c":null,"d":[null,{"e":null}]}}}'

    assert rows(body)[0] == {"id": "1", "entity_id": "1", "b": {"d": [None, {}]}}
    kept = rows(body, **{"filter.response.nulls": "false"})[0]
    assert json.dumps(kept) == json.dumps({"id": "1", **json.loads(body)["1"]})


@pytest.mark.parametrize("nulls", ["true", "false"])
def test_refuses_rows_nested_deeper_than_any_row_is(nulls: str):
    deep = '{"a":' * 120 + "1" + "}" * 120
    with pytest.raises(VendorFailure, match="another shape"):
        rows(f'{{"1":{deep}}}', **{"filter.response.nulls": nulls})


@pytest.mark.parametrize("body", ["", "<html>", "7", '"x"', "null", "{", "\ufeff[]"])
def test_refuses_what_holds_no_rows(body: str):
    with pytest.raises(VendorFailure):
        rows(body)


@pytest.mark.parametrize(
    ("root", "body"),
    [
        ("data", '{"data":[{"entity_id":1}]}'),
        (".data[*]", '{"data":[{"entity_id":1}]}'),
        ("|data", '{"data":[{"entity_id":1}]}'),
        ("request|data", '{"data":[{"entity_id":1}]}'),
        ("a[0].b.c", '{"a":[{"b":{"c":[{"entity_id":1}]}}]}'),
        ("request|", '[{"entity_id":1}]'),
    ],
)
def test_finds_rows_below_a_root(root: str, body: str):
    resource = structs.replace(
        resolve(MAGENTO, "GET", "/products").resource, root_key=root, collection=None
    )

    assert rows(body, resource) == ({"id": 1, "entity_id": 1},)


@pytest.mark.parametrize("root", ["nope", "a[5]", "a.b"])
def test_refuses_a_root_that_is_missing(root: str):
    resource = structs.replace(resolve(MAGENTO, "GET", "/products").resource, root_key=root)

    with pytest.raises(VendorFailure):
        rows('{"a":[]}', resource)


def test_reads_a_row_whose_fields_are_all_hidden():
    resource = resolve(MAGENTO, "GET", "/products/1").resource

    assert read_row(MAGENTO, resource, Response(status=200, body=b"[]"), configuration={}) == {}
    with pytest.raises(VendorFailure):
        read_row(MAGENTO, resource, Response(status=200, body=b"[1]"), configuration={})


@pytest.mark.parametrize(
    ("path", "status", "location", "created"),
    [
        ("/products", 302, "/api/rest/products/251", "251"),
        ("/products", 302, "https://shop.example/api/rest/products/251/?x=1#y", "251"),
        ("/products", 302, "https://shop.example/api/rest/products", None),
        ("/products", 302, "/login", None),
        ("/products", 302, "/", None),
        ("/products", 302, None, None),
        ("/products", 302, "http://[x", None),
        ("/products", 301, "/api/rest/products/251", None),
        ("/customers/2/addresses", 302, "/api/rest/customers/addresses/211", "211"),
        ("/orders/1/comments", 302, "/api/rest/orders/comments/194", "194"),
    ],
)
def test_tells_a_creation_from_a_redirect(
    path: str, status: int, location: str | None, created: str | None
):
    resource = resolve(MAGENTO, "POST", path).resource
    exchange = Exchange(
        request=Request(method="POST", url=f"http://shop.example/api/rest{path}"),
        response=Response(
            status=status, headers=() if location is None else (("location", location),)
        ),
        elapsed_ms=1,
    )

    assert is_created(MAGENTO, resource, exchange) is (created is not None)
    if created is not None:
        assert find_created_id(MAGENTO, resource, exchange) == created


def test_finds_a_new_id_in_the_body_by_default():
    resource = structs.replace(resolve(MAGENTO, "POST", "/products").resource, writing=None)
    request = Request(method="POST", url="http://shop.example/products")

    def find(body: bytes) -> str | None:
        response = Response(status=200, body=body)
        exchange = Exchange(request=request, response=response, elapsed_ms=1)
        return find_created_id(MAGENTO, resource, exchange)

    assert find(b'{"entity_id":5}') == "5"
    assert find(b'{"other":5}') is None
    assert find(b"") is None
    assert find(b"[]") is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no body"),
        (b"  \n", "no body"),
        (b'{"a":', "not JSON: .* at line 1, column"),
        (b"{'a': 1}", "not JSON"),
        (b"\xff", "not JSON"),
        (b'"\\ud800"', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "one JSON object"),
        (b"null", "one JSON object"),
        (b"1", "one JSON object"),
    ],
)
def test_refuses_bodies_that_are_no_object(body: bytes, said: str):
    with pytest.raises(BadRequest, match=said):
        read_body(Incoming(method="POST", path="/products", body=body))


@pytest.mark.parametrize(
    ("method", "path", "sent", "look"),
    [
        ("POST", "/products", {"sku": "a'b"}, "GET /products?where=sku = 'a''b'."),
        ("POST", "/hubs/x/customers", {"email": "e@x"}, "GET /customers?where=email = 'e@x'."),
        ("POST", "/products", {"name": "a"}, "GET /products and look for the row."),
        ("POST", "/products", {"sku": {"x": 1}}, "GET /products and look for the row."),
        ("PATCH", "/products/5", {"sku": "a"}, "GET /products/5."),
        ("DELETE", "/customers/5", {}, "GET /customers/5."),
    ],
)
def test_says_how_to_find_out_about_a_write(
    method: str, path: str, sent: dict[str, Any], look: str
):
    hint = doubt_hint(resolve(MAGENTO, method, path), Incoming(method=method, path=path), sent=sent)

    assert hint.startswith("Whether it was written is unknown.")
    assert hint.endswith(look)


def test_lists_objects_that_have_a_list():
    assert list_objects(MAGENTO) == ("customers", "inventory", "orders", "products")
    assert describe_objects(MAGENTO)[1] == {
        "name": "inventory",
        "vendorName": "stockitems",
        "type": "vendor",
    }


def test_describes_a_field_in_every_method_that_carries_it():
    fields = {item["vendorPath"]: item for item in describe_fields(MAGENTO, "customers")["fields"]}

    assert fields["email"] == {
        "type": "string",
        "vendorPath": "email",
        "vendorNativeType": "string",
        "vendorRequired": True,
        "vendorReadOnly": False,
        "hidden": False,
        "method": [
            {"name": "GET", "response": True, "request": False},
            {"name": "POST", "response": True, "request": True},
            {"name": "PATCH", "response": True, "request": True},
            {"name": "PUT", "response": True, "request": True},
        ],
    }
    assert fields["entity_id"]["type"] == "number"
    assert fields["entity_id"]["method"][1] == {"name": "POST", "response": True, "request": False}
    assert fields["created_at"]["type"] == "date"


def test_knows_no_custom_fields_and_no_unknown_objects():
    assert describe_fields(MAGENTO, "orders", custom_only=True) == {"fields": []}
    with pytest.raises(NotFound, match="Its objects: customers"):
        describe_fields(MAGENTO, "nope")
