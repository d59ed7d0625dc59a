"""How folders of data become a catalog, and what is said when they cannot."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from polyvalent.catalog.element import Authentication, Element, Resource
from polyvalent.catalog.load import complete_element, load_catalog, load_element, load_hubs
from polyvalent.errors import Misconfigured, NotFound

ELEMENT = """
    id: 7
    key: shop
    name: Shop
    description: A shop.
    hub: ecommerce
    authentication: { type: basic }
    configuration:
      - { key: store.url, name: Address, description: Where it is. }
"""
ORDERS = """
    - path: /orders
      method: get
      vendorPath: /o
      parameters: [{ name: page, type: query, vendorName: p, vendorType: query }]
    - { path: "/orders/{id}", method: PATCH, vendorPath: "/o/{id}", vendorMethod: PUT }
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        file = folder / f"{name.replace('__', '/')}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
    return folder


def test_finds_elements_by_key_and_by_id():
    catalog = load_catalog()

    assert catalog.find("magento") is catalog.find("356")


@pytest.mark.parametrize("name", ["", "999", "Magento", "356 ", "0356"])
def test_names_the_known_keys_when_an_element_is_unknown(name: str):
    with pytest.raises(NotFound, match="Known keys: magento"):
        load_catalog().find(name)


def test_lists_elements_of_a_hub():
    catalog = load_catalog()

    assert [item.key for item in catalog.elements_of("ecommerce")] == ["magento"]
    assert catalog.elements_of("crm") == ()


def test_knows_every_hub_and_numbers_them_apart():
    hubs = load_hubs()

    listed = (
        "messaging documents esignature idmanagement marketing pointofsale general finance "
        "questback ocr monitoring db sageaccounting sagepayroll native fsa helpdesk ecommerce "
        "collaboration conferencing payment billing expense employee scheduling crm analytics erp "
        "social humancapital screening"
    )
    assert [hub.key for hub in hubs] == listed.split()
    assert len({hub.id for hub in hubs}) == len(hubs)
    assert all(hub.active and hub.name and hub.description for hub in hubs)
    assert load_catalog().find_hub("ecommerce").resources[0].path == "/customers"
    with pytest.raises(NotFound, match="Known keys: messaging"):
        load_catalog().find_hub("nope")


def test_completes_paths_methods_and_numbers(tmp_path: Path):
    write(tmp_path / "shop", element=ELEMENT, resources__orders=ORDERS)

    element = load_catalog(tmp_path).find("shop")

    orders, order = element.resources
    assert (orders.path, orders.method, orders.vendor_method) == (
        "/hubs/ecommerce/orders",
        "GET",
        "GET",
    )
    assert (order.path, order.vendor_method) == ("/hubs/ecommerce/orders/{id}", "PUT")
    numbers = [element.configuration[0].id, orders.id, order.id, orders.parameters[0].id]
    assert len(set(numbers)) == 4
    assert all(10**9 <= number < 2 * 10**9 for number in numbers)
    assert orders.parameters[0].resource_id == orders.id


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("/parts", "/hubs/general/parts"),
        ("parts/{id}", "/hubs/general/parts/{id}"),
        ("hubs/general/parts", "/hubs/general/parts"),
        ("/hubs/other/parts", "/hubs/other/parts"),
    ],
)
def test_puts_a_hub_before_a_path_with_or_without_its_slash(written: str, path: str):
    element = complete_element(
        Element(
            name="Depot",
            description="Parts.",
            authentication=Authentication(type="none"),
            resources=(Resource(path=written, method="GET"),),
        )
    )
    assert [resource.path for resource in element.resources] == [path]


def test_numbers_depend_on_names_and_not_on_neighbours(tmp_path: Path):
    first = load_element(write(tmp_path / "a", element=ELEMENT, resources__orders=ORDERS))
    more = "- { path: /a, method: GET, vendorPath: /a }\n" + dedent(ORDERS)

    second = load_element(write(tmp_path / "b", element=ELEMENT, resources__orders=more))

    assert [item.id for item in second.resources[1:]] == [item.id for item in first.resources]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"element": "id: [1"}, r"element\.yaml: line \d"),
        ({"element": ""}, r"element\.yaml: is empty"),
        ({"element": "id: 1\nid: 2"}, r"element\.yaml: line 2: 'id' stands here twice"),
        ({"element": "id: 1"}, r"element\.yaml: .*missing required field"),
        ({"element": ELEMENT + "    nmae: x\n"}, r"element\.yaml: \$\.nmae is not a member"),
        (
            {"element": ELEMENT + "      - { key: a, name: b, requird: true }\n"},
            r"\$\.configuration\[1\]\.requird",
        ),
        (
            {"element": ELEMENT, "resources__orders": ORDERS.replace("/o\n", "5\n")},
            r"orders\.yaml: .*\$\[0\]\.vendorPath",
        ),
        (
            {"element": ELEMENT, "objects__orders": "name: orders\nfields: [{ nam: a }]"},
            r"orders\.yaml: \$\.fields\[0\]\.nam",
        ),
        ({"element": ELEMENT.replace("ecommerce", "shops")}, "unknown hub: shops"),
        ({"element": "!!python/object:os.system {}"}, r"element\.yaml"),
    ],
)
def test_names_file_and_place_of_a_fault(tmp_path: Path, files: dict[str, str], said: str):
    write(tmp_path / "shop", **files)

    with pytest.raises(Misconfigured, match=said):
        load_catalog(tmp_path)


def test_refuses_two_elements_of_one_name(tmp_path: Path):
    write(tmp_path / "a", element=ELEMENT)
    write(tmp_path / "b", element=ELEMENT.replace("key: shop", "key: other"))

    with pytest.raises(Misconfigured, match="'7'"):
        load_catalog(tmp_path)


def test_refuses_what_is_not_utf8(tmp_path: Path):
    write(tmp_path / "shop", element=ELEMENT)
    (tmp_path / "shop" / "element.yaml").write_bytes(b"name: \xff")

    with pytest.raises(Misconfigured, match="cannot be read"):
        load_catalog(tmp_path)
