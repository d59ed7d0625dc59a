"""How a search is put into the vendor's query pairs."""

from __future__ import annotations

import pytest
from msgspec import structs

from polyvalent.catalog.element import Resource
from polyvalent.catalog.load import load_catalog
from polyvalent.hub.query import compile_query
from polyvalent.hub.resolve import resolve
from polyvalent.hub.search_pairs import search_pairs

MAGENTO = load_catalog().find("magento")
PRODUCTS = resolve(MAGENTO, "GET", "/products").resource


def pairs(
    where: str = "",
    order: str = "",
    *,
    resource: Resource = PRODUCTS,
    last: str | None = None,
) -> list[str]:
    plan = compile_query(where, order, element=MAGENTO, resource=resource).plan
    found = search_pairs(resource, plan, page=2, page_size=6, last=last, first_page=0)
    return [f"{name}={value}" for name, value in found]


def test_asks_for_rows_in_a_stable_order_with_conditions_and_cursor():
    assert pairs("sku = '{last}'", last="9") == [
        "order=entity_id",
        "dir=asc",
        "filter[1][attribute]=sku",
        "filter[1][eq]={last}",
        "filter[0][attribute]=entity_id",
        "filter[0][gt]=9",
        "page=1",
        "limit=6",
    ]


def test_walks_down_where_the_greatest_come_first():
    assert pairs(order="entity_id desc", last="9")[:4] == [
        "order=entity_id",
        "dir=desc",
        "filter[0][attribute]=entity_id",
        "filter[0][lt]=9",
    ]


def test_gives_each_value_of_a_list_a_pair():
    assert pairs("status in (1, 2)")[2:5] == [
        "filter[1][attribute]=status",
        "filter[1][in][0]=1",
        "filter[1][in][1]=2",
    ]


def test_says_something_where_an_operator_has_no_value():
    assert pairs("special_price is not null")[2:4] == [
        "filter[1][attribute]=special_price",
        "filter[1][notnull]=1",
    ]


def test_sends_an_empty_text_as_one():
    assert pairs("sku = ''")[3] == "filter[1][eq]="


@pytest.mark.parametrize(("count", "first", "last"), [(10, "0", "9"), (11, "10", "20")])
def test_numbers_the_values_of_a_list_with_as_many_digits_each(count: int, first: str, last: str):
    found = pairs(f"entity_id in ({','.join(str(n) for n in range(count))})")[3 : 3 + count]

    assert found[0].startswith(f"filter[1][in][{first}]=")
    assert found[-1].startswith(f"filter[1][in][{last}]=")


def test_numbers_conditions_with_as_many_digits_each():
    where = " and ".join(f"name like '%{letter}%'" for letter in "abcdefghij")

    assert [pair for pair in pairs(where) if "attribute" in pair] == [
        f"filter[{number}][attribute]=name" for number in range(10, 20)
    ]


def test_joins_a_list_by_commas_where_its_pairs_have_no_number():
    assert PRODUCTS.filtering is not None
    filtering = structs.replace(PRODUCTS.filtering, list_pairs=(("{field}", "in:{value}"),))
    resource = structs.replace(PRODUCTS, filtering=filtering)

    assert pairs("status in (1, 2)", resource=resource)[2] == "status=in:1,2"
