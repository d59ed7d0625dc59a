"""Common resources are defined once a hub, documented, and mapped by elements."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from polyvalent.catalog.common_resources import HUBS_FOLDER, load_common_resources
from polyvalent.catalog.load import ELEMENTS_FOLDER, find_element_folders, load_catalog
from polyvalent.errors import Misconfigured
from polyvalent.mapping import compile_mapping

COMMON = load_catalog().common
NAMES = ("commerce-customers", "commerce-inventory", "commerce-orders", "commerce-products")


def test_defines_the_resources_of_stores() -> None:
    assert tuple(COMMON.definitions_of("ecommerce")) == NAMES
    assert COMMON.definitions_of("crm") == {}
    assert COMMON.find_definition("commerce-orders") in COMMON.all_definitions()
    assert COMMON.find_definition("contacts") is None


def test_documents_every_field() -> None:
    for definition in COMMON.all_definitions():
        assert definition.description, definition.object_name
        paths = [field.path for field in definition.fields]
        assert len(set(paths)) == len(paths)
        assert paths[0] == "id"
        for field in definition.fields:
            assert field.description.endswith("."), (definition.object_name, field.path)
            assert field.type in ("string", "number", "boolean", "date")


@pytest.mark.parametrize("folder", find_element_folders(), ids=lambda folder: folder.name)
def test_every_store_maps_every_resource(folder: Path) -> None:
    assert tuple(COMMON.transformations_of(folder.name)) == NAMES


def test_turns_amounts_into_texts_and_moments_into_utc() -> None:
    """Integers and floats are what newer stores send; single rows carry the store's own zone."""
    transformation = COMMON.transformations_of("magento")["commerce-products"]
    mapping = compile_mapping(COMMON.find_definition("commerce-products"), transformation)
    shown = mapping.outwards(
        {
            "entity_id": 7,
            "status": 1,
            "visibility": "4",
            "price": 12.5,
            "special_from_date": "2026-02-03 00:00:00",
            "created_at": "2023-11-15T22:13:20-08:00",
            "updated_at": "2023-11-16 06:13:20",
            "own_attribute": "x",
        }
    )
    assert shown == {
        "id": "7",
        "status": "enabled",
        "visibility": "everywhere",
        "price": "12.5",
        "specialPriceFrom": "2026-02-03",
        "createdAt": "2023-11-16T06:13:20Z",
        "updatedAt": "2023-11-16T06:13:20Z",
    }


def test_parts_the_addresses_of_an_order() -> None:
    transformation = COMMON.transformations_of("magento")["commerce-orders"]
    mapping = compile_mapping(COMMON.find_definition("commerce-orders"), transformation)
    shown = mapping.outwards(
        {
            "entity_id": "3",
            "grand_total": "129.9000",
            "store_currency_code": "EUR",
            "addresses": [
                {"address_type": "billing", "city": "Oslo", "postcode": "0150"},
                {"address_type": "shipping", "city": "Bergen"},
            ],
            "order_items": [{"item_id": "1", "qty_ordered": "2.0000", "price": "64.9500"}],
            "order_comments": [{"created_at": "2023-11-16 06:13:20", "is_customer_notified": "1"}],
        }
    )
    assert shown == {
        "id": "3",
        "total": "129.9000",
        "currency": "EUR",
        "billingAddress": {"city": "Oslo", "postalCode": "0150"},
        "shippingAddress": {"city": "Bergen"},
        "items": [{"id": "1", "quantity": 2.0, "price": "64.9500"}],
        "comments": [{"createdAt": "2023-11-16T06:13:20Z", "notified": True}],
    }


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("path: sku,", "path: article,", "has no field 'article'"),
        ("vendorPath: sku", "vendorPath: sku..a", "cannot be read"),
        ("vendorPath: sku", "vendorPth: sku", "vendorPth is not a member"),
        ("objectName: commerce-products", "objectName: commerce-goods", "no object of the hub"),
        ("vendorName: products", "vendorName: [products]", "Expected `str`"),
    ],
)
def test_refuses_a_transformation_that_does_not_fit(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    folder = tmp_path / "magento"
    shutil.copytree(ELEMENTS_FOLDER / "magento" / "transformations", folder / "transformations")
    file = folder / "transformations" / "commerce-products.yaml"
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after), "utf-8")
    with pytest.raises(Misconfigured, match=r"commerce-products\.yaml") as error:
        load_common_resources([("ecommerce", folder)])
    assert message in error.value.message


def test_refuses_a_definition_in_the_wrong_file(tmp_path: Path) -> None:
    shutil.copytree(HUBS_FOLDER / "ecommerce", tmp_path / "ecommerce")
    (tmp_path / "ecommerce" / "commerce-orders.yaml").rename(tmp_path / "ecommerce" / "x.yaml")
    with pytest.raises(Misconfigured, match="another name"):
        load_common_resources([], hubs_folder=tmp_path)
