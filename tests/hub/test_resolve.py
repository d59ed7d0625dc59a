"""Which resource a path means."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.catalog.element import Authentication, Element, Resource
from polyvalent.catalog.load import complete_element, load_catalog
from polyvalent.errors import BadRequest, MethodNotAllowed, NotFound
from polyvalent.hub.resolve import find_resource, resolve, split_path, top_resources

MAGENTO = load_catalog().find("magento")


@pytest.mark.parametrize(
    ("path", "vendor_path", "values"),
    [
        ("/products", "/products", {}),
        ("/hubs/ecommerce/products", "/products", {}),
        ("/hubs/crm/products", "/products", {}),
        ("/hubs/an%2Fy/products/", "/products", {}),
        ("/hubs/hubs/products", "/products", {}),
        ("/products/12", "/products/{id}", {"id": "12"}),
        ("/orders/7/addresses/billing", None, {"id": "7", "addressType": "billing"}),
        ("/orders/7/addresses/a%2Fb%20c", None, {"id": "7", "addressType": "a/b c"}),
    ],
)
def test_finds_the_resource_whatever_the_hub(path: str, vendor_path: str | None, values: dict):
    match = resolve(MAGENTO, "GET", path)

    assert vendor_path in (None, match.resource.vendor_path)
    assert dict(match.path_parameters) == values


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/",
        "",
        "/hubs",
        "/hubs/products",
        "/hubs/ecommerce/",
        "/Products",
        "/products//categories",
        "/orders/7/addresses/..",
        "/orders/7/addresses/%2E%2E",
        "/orders/7/addresses/.",
        "/products/1/2/3",
        "/hubs/crm/notarealobjectname",
    ],
)
def test_calls_an_unknown_path_a_bad_request(path: str):
    with pytest.raises(BadRequest, match="Its resources: customers, addresses, inventory, orders"):
        resolve(MAGENTO, "GET", path)


def test_lists_the_methods_that_a_path_takes():
    with pytest.raises(MethodNotAllowed, match="/orders takes GET, not POST") as caught:
        resolve(MAGENTO, "POST", "/hubs/x/orders")
    assert caught.value.allowed == ("GET",)

    with pytest.raises(MethodNotAllowed) as caught:
        resolve(MAGENTO, "POST", "/products/5")
    assert caught.value.allowed == ("GET", "PATCH", "PUT", "DELETE")


@pytest.mark.parametrize("row", ["abc", "1a", "-1", "1.0", "٣", "store%2F1", "1" * 30])
def test_calls_an_id_that_is_no_number_unknown(row: str):
    with pytest.raises(NotFound, match=r"id of /products/\{id\} is a number"):
        resolve(MAGENTO, "GET", f"/products/{row}")


def element(*resources: Resource) -> Element:
    return complete_element(
        Element(
            name="E",
            description="d",
            authentication=Authentication(type="basic"),
            resources=resources,
        )
    )


def test_prefers_a_literal_segment_to_a_placeholder():
    chosen = element(
        Resource(path="/a/{id}", method="GET", vendor_path="/row"),
        Resource(path="/a/count", method="GET", vendor_path="/count"),
        Resource(path="/a/{id}", method="DELETE", vendor_path="/row"),
    )

    assert resolve(chosen, "GET", "/a/count").resource.vendor_path == "/count"
    assert resolve(chosen, "GET", "/a/other").resource.vendor_path == "/row"
    with pytest.raises(MethodNotAllowed, match="takes GET"):
        resolve(chosen, "DELETE", "/a/count")


def test_keeps_resources_for_provisioning_out_of_reach():
    hidden = element(Resource(path="/on-refresh", method="GET", type="onRefresh"))

    with pytest.raises(BadRequest):
        resolve(hidden, "GET", "/on-refresh")


def test_says_so_when_a_resource_has_no_implementation():
    with pytest.raises(BadRequest) as caught:
        resolve(element(Resource(path="/a", method="GET", kind="java")), "GET", "/a")

    assert caught.value.message == "This API is not currently supported for this element"


def test_finds_a_resource_by_its_declared_path():
    found = find_resource(MAGENTO, "GET", "/products/{id}")

    assert found is not None
    assert found.path == "/hubs/ecommerce/products/{id}"
    assert find_resource(MAGENTO, "GET", "/products/{other}") is None


def test_names_the_resources_at_the_top():
    assert top_resources(MAGENTO) == ("customers", "addresses", "inventory", "orders", "products")


@given(st.text(max_size=60), st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "X"]))
def test_answers_any_path_with_a_match_or_an_error_of_ours(path: str, method: str):
    with suppress(BadRequest, MethodNotAllowed, NotFound):
        assert resolve(MAGENTO, method, f"/{path}").resource.method == method


def test_cuts_before_it_decodes():
    assert split_path("/hubs/x/a/b%2Fc/") == ("a", "b/c")
