"""Documents of other APIs become elements that can be kept, or errors that say why not."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.builder.complete import complete_brought
from polyvalent.builder.convert.convert import convert_document
from polyvalent.builder.read import read_element
from polyvalent.catalog.check import check_element
from polyvalent.catalog.element import Element, Resource
from polyvalent.catalog.load import load_catalog
from polyvalent.catalog.openapi import to_openapi
from polyvalent.catalog.swagger import make_swagger
from polyvalent.errors import BadRequest

PET = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "readOnly": True},
        "name": {"type": "string"},
        "born": {"type": "string", "format": "date"},
        "price": {"type": "number"},
        "owner": {"$ref": "#/definitions/Owner"},
        "tags": {"type": "array", "items": {"$ref": "#/definitions/Tag"}},
    },
}
SWAGGER: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "Pet Shop", "version": "1", "description": "Pets.\n\nAnd more of it."},
    "host": "pets.example.com",
    "basePath": "/v2/",
    "schemes": ["http", "https"],
    "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    "security": [{"key": []}],
    "consumes": ["application/json"],
    "produces": ["application/json"],
    "paths": {
        "/pets": {
            "parameters": [{"name": "X-Shop", "in": "header", "type": "string"}],
            "get": {
                "summary": "List pets",
                "parameters": [
                    {"name": "status", "in": "query", "type": "string", "required": True},
                    {"name": "fields", "in": "query", "type": "string"},
                ],
                "responses": {
                    "200": {
                        "description": "ok",
                        "schema": {
                            "type": "object",
                            "properties": {
                                "total": {"type": "integer"},
                                "pets": {"type": "array", "items": {"$ref": "#/definitions/Pet"}},
                            },
                        },
                    }
                },
            },
            "post": {
                "operationId": "addPet",
                "parameters": [
                    {"name": "pet", "in": "body", "schema": {"$ref": "#/definitions/Pet"}}
                ],
                "responses": {
                    "201": {"description": "made", "schema": {"$ref": "#/definitions/Pet"}}
                },
            },
        },
        "/pets/{petId}": {
            "get": {
                "parameters": [
                    {"name": "petId", "in": "path", "required": True, "type": "integer"}
                ],
                "responses": {
                    "200": {"description": "ok", "schema": {"$ref": "#/definitions/Pet"}}
                },
            },
            "delete": {
                "parameters": [
                    {"name": "petId", "in": "path", "required": True, "type": "integer"}
                ],
                "responses": {"204": {"description": "gone"}},
            },
            "options": {"responses": {"200": {"description": "ok"}}},
        },
        "/pets/{petId}/photo": {
            "post": {
                "consumes": ["multipart/form-data"],
                "parameters": [
                    {"name": "petId", "in": "path", "required": True, "type": "integer"},
                    {"name": "file", "in": "formData", "type": "file", "required": True},
                    {"name": "title", "in": "formData", "type": "string"},
                ],
                "responses": {"200": {"description": "ok"}},
            }
        },
        "/report": {
            "get": {
                "produces": ["text/csv"],
                "responses": {"200": {"description": "ok", "schema": {"type": "string"}}},
            }
        },
        "/me": {"get": {"responses": {"200": {"description": "ok", "schema": {"type": "object"}}}}},
    },
    "definitions": {
        "Pet": PET,
        "Owner": {
            "type": "object",
            "properties": {
                "email": {"type": "string"},
                "pets": {"type": "array", "items": {"$ref": "#/definitions/Pet"}},
            },
        },
        "Tag": {"type": "object", "properties": {"label": {"type": "string"}}},
    },
}
OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Café", "version": "1"},
    "servers": [
        {
            "url": "https://{region}.cafe.example/{stage}",
            "variables": {
                "region": {"default": "eu", "enum": ["eu", "us"]},
                "stage": {"default": "live"},
            },
        },
        {"url": "https://test.cafe.example"},
    ],
    "security": [{"oauth": []}, {"token": []}],
    "paths": {
        "/v1/orders": {
            "get": {
                "parameters": [
                    {"$ref": "#/components/parameters/Page"},
                    {"name": "pageSize", "in": "query", "schema": {"type": "integer"}},
                ],
                "responses": {
                    "2XX": {
                        "description": "ok",
                        "content": {
                            "application/hal+json": {
                                "schema": {
                                    "type": "array",
                                    "items": {"$ref": "#/components/schemas/Order"},
                                }
                            }
                        },
                    }
                },
            },
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/NewOrder"}}
                    }
                },
                "responses": {
                    "201": {"description": "made", "headers": {"Location": {"schema": {}}}}
                },
            },
        },
        "/v1/orders/{number}/receipt": {
            "put": {
                "requestBody": {"content": {"application/pdf": {"schema": {}}}},
                "responses": {"200": {"description": "ok"}},
            },
            "post": {
                "responses": {"200": {"description": "ok", "content": {"text/html": {}}}},
            },
        },
    },
    "components": {
        "parameters": {
            "Page": {"name": "page", "in": "query", "schema": {"type": ["integer", "null"]}}
        },
        "securitySchemes": {
            "oauth": {
                "type": "oauth2",
                "flows": {
                    "authorizationCode": {
                        "authorizationUrl": "https://a.example/authorize",
                        "tokenUrl": "https://a.example/token",
                        "scopes": {"read": "Read", "write": "Write"},
                    }
                },
            },
            "token": {"type": "http", "scheme": "Bearer"},
        },
        "schemas": {
            "NewOrder": {
                "type": "object",
                "required": ["total"],
                "properties": {"total": {"type": "number"}},
            },
            "Order": {
                "allOf": [
                    {"$ref": "#/components/schemas/NewOrder"},
                    {
                        "type": "object",
                        "properties": {
                            "number": {"type": "string"},
                            "parent": {"$ref": "#/components/schemas/Order"},
                        },
                    },
                ]
            },
        },
    },
}
UNPAGED = (
    "the document does not say how 1 list is paged: one answer of the vendor counts as the whole "
    "list until you declare the parameters page and pageSize and set paginationType to "
    "VENDOR_SUPPORTED"
)


def convert(document: Any) -> tuple[Element, tuple[str, ...]]:
    """Convert, and keep the result as POST /elements would; it has no fault."""
    exported, warnings = convert_document(json.dumps(document).encode())
    element, unknown = read_element(exported)
    assert unknown == ()
    kept = complete_brought(element, element_id=2000)
    assert check_element(kept) == ()
    return kept, warnings


def find(element: Element, method: str, path: str, kind: str = "api") -> Resource:
    (found,) = (
        item
        for item in element.resources
        if (item.method, item.path, item.type) == (method, path, kind)
    )
    return found


def changed(document: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(document), **members}


def test_converts_swagger() -> None:
    element, warnings = convert(SWAGGER)

    assert (element.key, element.name, element.hub) == ("petshop", "Pet Shop", "general")
    assert element.description == "Pets."
    assert element.authentication.type == "custom"
    defaults = {entry.key: entry.default_value for entry in element.configuration}
    assert defaults["base.url"] == "https://pets.example.com/v2"
    (key,) = element.parameters
    assert (key.name, key.type, key.vendor_name, key.vendor_type) == (
        "api.key",
        "configuration",
        "X-Key",
        "header",
    )
    pets = find(element, "GET", "/hubs/general/pets")
    assert (pets.vendor_path, pets.root_key, pets.object) == ("/pets", "pets", "pets")
    assert pets.pagination_type == "VENDOR_NOT_SUPPORTED"
    assert [(item.name, item.vendor_name, item.type) for item in pets.parameters] == [
        ("X-Shop", "X-Shop", "header"),
        ("status", "status", "query"),
        ("vendorFields", "fields", "query"),
    ]
    one = find(element, "GET", "/hubs/general/pets/{petId}")
    assert [(item.name, item.data_type) for item in one.parameters] == [("petId", "integer")]
    photo = find(element, "POST", "/hubs/general/pets/{petId}/photo")
    assert [(item.name, item.vendor_type) for item in photo.parameters] == [
        ("petId", "path"),
        ("file", "multipart"),
        ("title", "multipart"),
    ]
    proof = find(element, "GET", "/hubs/general/me", "provisionAuthValidation")
    assert proof.vendor_path == "/me"
    assert warnings == (
        UNPAGED,
        "left out 1: GET /report: its answer is text/csv, not JSON",
        "left out 1 call by HEAD, OPTIONS or TRACE",
    )


def test_takes_the_fields_of_schemas_without_going_in_circles() -> None:
    element, _ = convert(SWAGGER)
    (pets,) = (item for item in element.objects if item.name == "pets")

    assert pets.primary_key_name == "id"
    assert [(item.name, item.type, item.required) for item in pets.fields] == [
        ("id", "integer", False),
        ("name", "string", True),
        ("born", "date", False),
        ("price", "double", False),
        ("owner", "object", False),
        ("owner.email", "string", False),
        ("owner.pets", "array", False),
        ("tags", "array", False),
        ("tags[*].label", "string", False),
    ]
    assert pets.fields[0].read_only
    assert pets.fields[0].primary_key


def test_converts_openapi() -> None:
    element, warnings = convert(OPENAPI)

    assert element.key == "caf"
    entries = {entry.key: entry for entry in element.configuration}
    assert (
        entries["base.url"].default_value == "https://{server.region}.cafe.example/{server.stage}"
    )
    assert entries["server.region"].type == "COMBO"
    assert entries["server.stage"].default_value == "live"
    # Of the two ways the one that instances can take.
    assert element.authentication.type == "custom"
    assert entries["access.token"].type == "PASSWORD"
    assert element.parameters[0].name == "Bearer ${configuration.access.token}"
    orders = find(element, "GET", "/hubs/general/v1/orders")
    assert orders.pagination_type == "VENDOR_SUPPORTED"
    assert [item.name for item in orders.parameters] == ["page", "pageSize"]
    made = find(element, "POST", "/hubs/general/v1/orders")
    assert made.writing is not None
    assert made.writing.id_from == "location"
    receipt = find(element, "PUT", "/hubs/general/v1/orders/{number}/receipt")
    assert [(item.name, item.type, item.data_type) for item in receipt.parameters] == [
        ("number", "path", "string"),
        ("body", "body", "binary"),
    ]
    names = {item.name: [field.name for field in item.fields] for item in element.objects}
    assert names == {"orders": ["total", "number", "parent"], "ordersReceipt": []}
    assert warnings == (
        "of 2 servers the first one is used; base.url of an instance may name another",
        "no field looks like the id of orders; set primaryKeyName where there is one",
        "left out 1: POST /v1/orders/{number}/receipt: its answer is text/html, not JSON",
    )


def test_takes_yaml_as_openapi_means_it() -> None:
    text = yaml.safe_dump(SWAGGER, sort_keys=False).replace("'200':", "200:")
    text += "x-times: {a: 2020-13-45, b: 089, on: yes, c: 1_0, d: .5, e: 2020-01-01}\n"

    assert convert_document(text.encode())[0] == convert_document(json.dumps(SWAGGER).encode())[0]


@pytest.mark.parametrize("newer", [False, True])
def test_converts_what_the_platform_says_of_an_element(newer: bool) -> None:
    ours = load_catalog().find("magento")
    document = make_swagger(ours, server="https://p.example", base_path="/elements/api-v2")

    element, _ = convert(to_openapi(document) if newer else document)

    told = {(item.method, item.path) for item in ours.resources if item.type == "api"}
    assert {(item.method, item.path) for item in element.resources if item.type == "api"} == told
    assert element.hub == "ecommerce"
    for item in ours.objects:
        (same,) = (one for one in element.objects if one.name == item.name)
        known = {field.name for field in same.fields}
        assert {field.name for field in item.fields} <= known, item.name
    orders = find(element, "GET", "/hubs/ecommerce/orders")
    assert {"page", "pageSize"} <= {item.name for item in orders.parameters}


@pytest.mark.parametrize(
    ("scheme", "kind", "sent"),
    [
        ({"type": "basic"}, "basic", []),
        ({"type": "apiKey", "in": "query", "name": "k"}, "custom", [("api.key", "k", "query")]),
        (
            {"type": "oauth2", "authorizationUrl": "https://a/b", "tokenUrl": "https://a/t"},
            "oauth2",
            [],
        ),
        ({"type": "mutualTLS"}, "custom", []),
    ],
)
def test_converts_ways_to_authenticate(
    scheme: dict[str, Any], kind: str, sent: list[tuple[str, str, str]]
) -> None:
    element, warnings = convert(changed(SWAGGER, securityDefinitions={"key": scheme}))

    assert element.authentication.type == kind
    assert [(p.name, p.vendor_name, p.vendor_type) for p in element.parameters] == sent
    told = " ".join(warnings)
    assert ("oauth2 cannot be made yet" in told) == (kind == "oauth2")
    assert ("is of a kind that is not converted" in told) == (scheme["type"] == "mutualTLS")


def test_converts_two_keys_that_go_together() -> None:
    schemes = {
        "a": {"type": "apiKey", "in": "header", "name": "X-App"},
        "b": {"type": "apiKey", "in": "cookie", "name": "sid"},
    }
    element, _ = convert(
        changed(SWAGGER, securityDefinitions=schemes, security=[{"a": [], "b": []}])
    )

    assert [(p.name, p.vendor_name) for p in element.parameters] == [
        ("api.key.x-app", "X-App"),
        ("sid=${configuration.api.key.sid}", "Cookie"),
    ]


def test_asks_each_instance_for_an_address_that_the_document_lacks() -> None:
    element, _ = convert({k: v for k, v in SWAGGER.items() if k != "host"})

    (address,) = (entry for entry in element.configuration if entry.key == "base.url")
    assert address.default_value is None
    assert address.required
    assert find(element, "GET", "/hubs/general/pets").vendor_path == "/v2/pets"


def test_puts_a_scheme_in_the_place_of_a_variable() -> None:
    scheme = {"enum": ["http", "https"], "default": "http"}
    server = {"url": "{scheme}://{host}/v1", "variables": {"scheme": scheme}}

    element, _ = convert(changed(OPENAPI, servers=[server]))

    entries = {entry.key: entry for entry in element.configuration}
    assert entries["base.url"].default_value == "https://{server.host}/v1"
    assert entries["server.host"].required
    assert "server.scheme" not in entries


def test_reads_rows_that_are_told_in_older_ways() -> None:
    products = {"properties": {"product_id": {"type": "string"}, "size": {}}}
    element, warnings = convert(
        with_schema(
            {
                "properties": {
                    "count": {"type": "integer"},
                    "rows": {"type": "array", "items": [PRODUCT]},
                }
            },
            Product=products,
        )
    )

    (listed,) = (item for item in element.resources if item.type == "api")
    assert listed.root_key == "rows"
    (shown,) = element.objects
    assert [(item.name, item.type) for item in shown.fields] == [
        ("product_id", "string"),
        ("size", "string"),
    ]
    assert any("like the id of a" in text for text in warnings)
    with pytest.raises(BadRequest, match="its answer is a string"):
        convert(with_schema({"type": "string"}))


def test_gives_a_key_that_can_be_kept() -> None:
    for title, key in (("Магазин", "petsexamplecom"), ("42", "api42"), ("Keys", "apikeys")):
        element, _ = convert(changed(SWAGGER, info={"title": title, "version": "1"}))
        assert element.key == key


PRODUCT = {"$ref": "#/definitions/Product"}


def with_schema(schema: Any, **definitions: Any) -> dict[str, Any]:
    document = changed(SWAGGER)
    document["paths"] = {"/a": {"get": {"responses": {"200": {"schema": schema}}}}}
    document["definitions"] = definitions
    return document


def entangled() -> dict[str, Any]:
    """Sixty schemas, each twice the one before: 2^60 of them."""
    schemas = {
        f"S{n}": {"allOf": [{"$ref": f"#/definitions/S{n + 1}"}] * 2, "type": "object"}
        for n in range(60)
    }
    return with_schema({"$ref": "#/definitions/S0"}, **schemas, S60={"type": "object"})


def chained(length: int) -> dict[str, Any]:
    """Schemas of which each is a reference to the next."""
    schemas = {f"S{n}": {"$ref": f"#/definitions/S{n + 1}"} for n in range(length)}
    return with_schema({"$ref": "#/definitions/S0"}, **schemas, **{f"S{length}": {}})


def wide(fields: int, branches: int) -> dict[str, Any]:
    """One schema of many fields, laid upon itself many times."""
    many = {"properties": {f"p{n}": {} for n in range(fields)}}
    return with_schema({"allOf": [{"$ref": "#/definitions/W"}] * branches}, W=many)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"<definitions xmlns='http://schemas.xmlsoap.org/wsdl/'/>", "WSDL"),
        (b'{"swagger": "2.0",}', "not JSON: .* line 1"),
        (b"a: [1", "not YAML: .* line"),
        (b"a: &x [1]\nb: *x\n", "YAML alias"),
        (b"a: &x [*x]", "YAML alias"),
        (b"a: \xff", "neither JSON nor YAML"),
        (b"[" * 100_000, "JSON|nested"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "nested"),
        (b"- " * 300 + b"1", "nested"),
        (b"[]", "one object"),
        (b'{"swaggerVersion": "1.2"}', "version '1.2'"),
        (b'{"a": 1}', "of no version"),
        (b'{"swagger": "2.0"}', "info.title"),
        (b'{"swagger": "2.0", "info": {"title": "x"}}', "no operation"),
        (
            json.dumps(with_schema({"$ref": "https://evil.example/x.json#/a"})).encode(),
            "GET /a: https://evil.example/x.json#/a refers to another document",
        ),
        (json.dumps(with_schema({"$ref": "other.yaml"})).encode(), "another document"),
        (json.dumps(with_schema({"$ref": "#/definitions/No"})).encode(), "has nothing at"),
        (
            json.dumps(
                with_schema(
                    {"$ref": "#/definitions/A"},
                    A={"$ref": "#/definitions/B"},
                    B={"$ref": "#/definitions/A"},
                )
            ).encode(),
            "leads to itself",
        ),
        (json.dumps(entangled()).encode(), "too large or too entangled"),
        (json.dumps(chained(20_000)).encode(), "more than 100 references"),
        (json.dumps(wide(2_000, 50_000)).encode(), "too large or too entangled"),
        (b"swagger: !!bool zz", "neither JSON nor YAML"),
        (b"swagger: !!timestamp zz", "neither JSON nor YAML"),
    ],
)
def test_says_why_a_document_is_not_converted(content: bytes, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        convert_document(content)


def test_leaves_out_what_it_cannot_call() -> None:
    document = changed(SWAGGER)
    ok = {"responses": {"200": {"description": "ok"}}}
    document["paths"] |= {
        "/": {"get": ok},
        "/x?y=1": {"get": ok},
        "/pets/": {"get": ok},
        "/servers": {"get": {**ok, "servers": [{"url": "https://else.example"}]}},
        "/cookie": {"get": {**ok, "parameters": [{"in": "cookie", "name": "c", "required": True}]}},
        "/file": {"get": {"responses": {"200": {"schema": {"type": "file"}}}}},
    }

    _, warnings = convert(document)

    told = " ".join(warnings)
    assert "left out 7: " in told
    for part in ("its path is the address itself", "'?'", "the same path", "server of its own"):
        assert part in told


JUNK = (None, 0, -1.5, True, "", "x", [], {}, [None], {"": 1}, {"$ref": 5}, {"$ref": "#"}, "#/")


@given(st.integers(0, 2**32), st.sampled_from([SWAGGER, OPENAPI]))
def test_refuses_or_converts_whatever_it_is_given(seed: int, document: dict[str, Any]) -> None:
    rng = random.Random(seed)
    broken = copy.deepcopy(document)
    for _ in range(rng.randint(1, 4)):
        place: Any = broken
        while True:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            if not keys:
                break
            key = rng.choice(list(keys))
            if isinstance(place[key], dict | list) and place[key] and rng.random() < 0.85:
                place = place[key]
                continue
            place[key] = copy.deepcopy(rng.choice(JUNK))
            break
    try:
        exported, _ = convert_document(json.dumps(broken).encode())
    except BadRequest:
        return
    element, _ = read_element(exported)
    complete_brought(element, element_id=2000)
