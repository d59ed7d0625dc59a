"""A path with mapped names leads to the vendor's resource."""

from __future__ import annotations

import pytest

from polyvalent.catalog.load import load_catalog
from polyvalent.errors import BadRequest
from polyvalent.hub.mapped import Route, find_nothing, find_route, own_names, vendor_field
from polyvalent.mapping import Entry, MappedField, Mapping, Transformation, compile_mapping

ELEMENT = load_catalog().find("magento")
STRICT = Entry(type="passThrough", properties={"fromVendor": False, "toVendor": False})


def mapped(vendor_name: str) -> Mapping:
    return compile_mapping(
        None,
        Transformation(
            object_name="o",
            vendor_name=vendor_name,
            fields=(MappedField(path="code", vendor_path="sku"),),
            configuration=(STRICT,),
        ),
    )


MAPPINGS = {
    "goods": mapped("products"),
    "stock": mapped("stockitems"),
    "lines": mapped("/items/"),
    "odd": mapped("no such"),
    "ünïcode": mapped("products"),
    "products": mapped("orders"),
}


@pytest.mark.parametrize(
    ("path", "leads", "named"),
    [
        ("/hubs/ecommerce/goods", "/products", "goods"),
        ("/goods/7", "/products/7", "goods"),
        ("/goods/a%2Fb/", "/products/a%2Fb", "goods"),
        ("/stock", "/inventory", "stock"),
        ("/orders/7/lines", "/orders/7/items", "lines"),
        ("/goods/7/images", "/products/7/images", None),
        ("/customers", "/customers", None),
        ("/orders/goods", "/orders/goods", None),
        ("/odd", "/no%20such", "odd"),
        ("/%C3%BCn%C3%AFcode", "/products", "ünïcode"),
        # A mapped name goes before a resource.
        ("/products/7", "/orders/7", "products"),
    ],
)
def test_leads_a_path_to_the_vendor(path: str, leads: str, named: str | None) -> None:
    route = find_route(ELEMENT, path, MAPPINGS.get)
    assert route.path == leads
    assert route.mapping is (MAPPINGS[named] if named else None)


def test_changes_nothing_without_a_mapping() -> None:
    assert find_route(ELEMENT, "/goods", find_nothing) == Route(path="/goods")
    row = {"sku": "a"}
    assert Route(path="/x").outwards(row) is Route(path="/x").inwards(row) is row
    assert vendor_field(None, "sku") == "sku"
    assert own_names(None, ("sku",)) == ("sku",)


def test_sends_default_values_with_new_rows_alone() -> None:
    default = Entry(type="defaultValue", properties={"toVendor": 4})
    field = MappedField(path="kind", vendor_path="set", configuration=(default,))
    mapping = compile_mapping(
        None, Transformation(object_name="o", vendor_name="products", fields=(field,))
    )
    for creating, sent in ((True, {"set": 4, "a": 1}), (False, {"a": 1})):
        route = find_route(ELEMENT, "/o", lambda _: mapping, creating=creating)
        assert route.inwards({"a": 1}) == sent


def test_translates_the_names_of_a_query() -> None:
    mapping = MAPPINGS["goods"]
    assert vendor_field(mapping, "code") == "sku"
    assert own_names(mapping, ("sku", "name")) == ("code",)
    with pytest.raises(BadRequest, match=r"no field 'sku'\. Did you mean code\?"):
        vendor_field(mapping, "sku")
    with pytest.raises(BadRequest, match=r"no field 'cod'\. Did you mean code\?"):
        vendor_field(mapping, "cod")
    with pytest.raises(BadRequest, match=r"no field 'price'\. It has .*code"):
        vendor_field(mapping, "price")
