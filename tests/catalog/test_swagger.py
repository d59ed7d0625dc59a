"""The documents that describe elements are valid, and say what the element says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV31SpecValidator

from polyvalent.builder.complete import complete_brought
from polyvalent.builder.read import read_element
from polyvalent.catalog.element import Element
from polyvalent.catalog.load import load_catalog
from polyvalent.catalog.openapi import list_references, resolve_references, to_openapi
from polyvalent.catalog.swagger import find_operation, make_swagger

SERVER, BASE = "https://api.example.com:8443", "/elements/api-v2"


def describe(element: Element) -> dict[str, Any]:
    """The Swagger document of an element, judged on the way in both forms."""
    document = json.loads(json.dumps(make_swagger(element, server=SERVER, base_path=BASE)))
    OpenAPIV2SpecValidator(document).validate()
    OpenAPIV31SpecValidator(to_openapi(document)).validate()
    return document


def element_of(**members: Any) -> Element:
    given_ = {"name": "V", "description": "v", "authentication": {"type": "none"}, **members}
    return complete_brought(read_element(given_)[0], element_id=100_001)


@pytest.mark.parametrize("element", load_catalog().elements, ids=lambda element: element.key)
def test_describes_every_packaged_element(element: Element) -> None:
    document = describe(element)

    assert document["host"] == "api.example.com:8443"
    assert document["basePath"] == BASE
    assert document["schemes"] == ["https"]
    operations = [item for methods in document["paths"].values() for item in methods.values()]
    assert len(operations) == len([item for item in element.resources if item.type == "api"])
    assert set(document["definitions"]) == {"Error", *(item.name for item in element.objects)}


def test_describes_a_call_with_what_it_takes_and_gives() -> None:
    document = describe(load_catalog().find("magento"))

    listing = document["paths"]["/hubs/ecommerce/products"]["get"]
    names = [item["name"] for item in listing["parameters"]]
    assert names[0] == "Authorization"
    assert {"page", "pageSize", "nextPage", "fields"} <= set(names)
    assert listing["operationId"] == "getProducts"
    assert listing["responses"]["200"]["schema"] == {
        "type": "array",
        "items": {"$ref": "#/definitions/products"},
    }
    one = document["paths"]["/hubs/ecommerce/products/{id}"]["get"]
    assert {"name": "id", "in": "path", "required": True}.items() <= one["parameters"][1].items()
    assert one["responses"]["200"]["schema"] == {"$ref": "#/definitions/products"}
    creation = document["paths"]["/hubs/ecommerce/products"]["post"]
    body = creation["parameters"][-1]
    assert (body["in"], body["schema"]["x-vendor-objectname"]) == ("body", "products")
    product = document["definitions"]["products"]
    assert product["x-primary-key"] == "entity_id"
    assert product["x-searchable"] is True
    assert product["x-vendor-objectname"] == "products"
    assert product["properties"]["id"]["readOnly"] is True


def test_leaves_out_what_is_not_documented_or_provisions() -> None:
    element = element_of(
        resources=[
            {"path": f"/{kind}", "method": "GET", "type": kind}
            for kind in ("api", "apiNoDocumentation", "onProvision", "provisionAuthValidation")
        ]
    )
    assert list(describe(element)["paths"]) == ["/hubs/general/api"]


def test_nests_fields_as_their_names_say() -> None:
    fields = [
        {"name": "address.country", "type": "string", "required": True},
        {"name": "items[*].sku"},
        {"name": "items[*].qty", "type": "integer"},
        {"name": "tags", "type": "array"},
        {"name": "seen", "type": "date", "format": "date-time"},
    ]
    document = describe(element_of(objects=[{"name": "my orders", "fields": fields}]))
    properties = document["definitions"]["my_orders"]["properties"]
    assert properties["address"]["properties"]["country"] == {"type": "string"}
    assert properties["address"]["required"] == ["country"]
    assert set(properties["items"]["items"]["properties"]) == {"sku", "qty"}
    assert properties["tags"]["type"] == "array"
    assert properties["seen"]["format"] == "date-time"


def test_takes_models_and_what_they_refer_to() -> None:
    model = {
        "name": "contact",
        "requestName": "newContact",
        "swagger": {
            "contact": {
                "id": "contact",
                "properties": {
                    "name": {"type": "string"},
                    "owner": {"$ref": "owner"},
                    "lost": {"$ref": "#/definitions/nowhere"},
                    "odd": {"type": ["string", "null"], "nullable": 7},
                    "list": {"type": "array"},
                },
                "required": ["name", "nothing"],
            },
            "owner": {"properties": {"boss": {"type": "owner"}}},
            "newContact": {"properties": {}},
        },
    }
    element = element_of(
        resources=[
            {"path": "/contacts", "method": method, "model": model} for method in ("GET", "POST")
        ]
    )

    document = describe(element)

    definitions = document["definitions"]
    assert definitions["contact"]["properties"]["owner"] == {"$ref": "#/definitions/owner"}
    assert definitions["contact"]["properties"]["lost"] == {"type": "object"}
    assert definitions["contact"]["required"] == ["name"]
    operation = find_operation(document, "get_contacts")
    assert operation is not None
    assert set(list_references(operation, definitions)) == {"contact", "owner", "Error"}
    resolved = resolve_references(definitions["contact"], definitions, seen=("contact",))
    assert resolved["properties"]["owner"]["properties"]["boss"] == {"type": "object"}
    creation = document["paths"]["/hubs/general/contacts"]["post"]["parameters"][-1]
    assert creation["schema"]["allOf"] == [{"$ref": "#/definitions/newContact"}]


def test_gives_every_operation_a_name_of_its_own() -> None:
    element = element_of(
        resources=[
            {"path": path, "method": "GET", "operationId": "same"} for path in ("/a", "/b", "/c")
        ]
    )
    document = describe(element)
    names = [methods["get"]["operationId"] for methods in document["paths"].values()]
    assert len(set(names)) == 3


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("type", "properties", "items", "$ref", "required", "a", "x-b"))
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    model=anything | st.fixed_dictionaries({"name": st.just("m"), "swagger": anything}),
    field=st.text(min_size=1, max_size=12),
    reference=anything,
)
def test_describes_whatever_a_model_says(model: Any, field: str, reference: Any) -> None:
    members = {
        "objects": [{"name": "o", "fields": [{"name": field, "reference": reference}]}],
        "resources": [{"path": "/o/{id}", "method": "PATCH", "object": "o", "model": model}],
    }
    described = describe(element_of(**members))
    assert "/hubs/general/o/{id}" in described["paths"]
