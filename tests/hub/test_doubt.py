"""What a transformation names and its element does not have is said, and nothing else."""

from __future__ import annotations

import pytest

from polyvalent.catalog.load import load_catalog
from polyvalent.hub.doubt import find_doubts
from polyvalent.mapping import DefinitionField, MappedField, ObjectDefinition, Transformation

MAGENTO = load_catalog().find("magento")
DEFINITION = ObjectDefinition(object_name="people", fields=(DefinitionField(path="person.last"),))


def doubts(
    vendor_name: str, *paths: str, own: str = "person", definition: ObjectDefinition | None = None
) -> tuple[str, ...]:
    fields = tuple(MappedField(path=own, vendor_path=path) for path in paths)
    made = Transformation(object_name="people", vendor_name=vendor_name, fields=fields)
    return find_doubts(MAGENTO, made, definition)


@pytest.mark.parametrize(
    ("vendor_name", "path"),
    [
        ("customers", "entity_id"),
        ("customers", "shoe_size"),  # an attribute of this store alone
        ("stockitems", "qty"),
        ("/items/", "sku"),
        ("addresses", "country_id"),
        ("orders", "addresses[address_type=shipping].city"),
    ],
)
def test_it_does_not_doubt_what_is_there(vendor_name: str, path: str) -> None:
    assert doubts(vendor_name, path, definition=DEFINITION) == ()


@pytest.mark.parametrize(
    ("vendor_name", "path", "said"),
    [
        ("custmers", "x", "magento has no object 'custmers'; did you mean customers?"),
        ("things", "x", "magento has no object 'things'"),
        ("customers", "enttyid", "customers have no field 'enttyid'; did you mean entity_id?"),
        ("orders", "shoe_size", "orders have no field 'shoe_size'"),
    ],
)
def test_it_doubts_slips(vendor_name: str, path: str, said: str) -> None:
    assert doubts(vendor_name, path) == (said,)


def test_it_doubts_a_field_that_the_definition_lacks() -> None:
    said = "people is defined without a field 'persn'; did you mean person?"
    assert doubts("customers", "email", own="persn", definition=DEFINITION) == (said,)


def test_it_says_five_doubts_at_most() -> None:
    assert len(doubts("orders", *(f"nothing_{number}" for number in range(9)))) == 5


def test_it_does_not_doubt_what_is_shipped() -> None:
    common = load_catalog().common
    definitions = common.definitions_of("ecommerce")
    for name, made in common.transformations_of("magento").items():
        assert find_doubts(MAGENTO, made, definitions[name]) == (), name
