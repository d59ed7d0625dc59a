"""What the query of a search asks for, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.catalog.load import load_catalog
from polyvalent.errors import BadRequest
from polyvalent.hub.model import Incoming, Predicate, Search
from polyvalent.hub.page_token import PageToken, read_token, write_token
from polyvalent.hub.resolve import resolve
from polyvalent.hub.search_query import page_size_max, read_search, resource_name

MAGENTO = load_catalog().find("magento")


def read(path: str = "/products", maximum: str | None = "100", **query: Any) -> Search:
    pairs = tuple((name, str(value)) for name, value in query.items())
    incoming = Incoming(method="GET", path=path, query=pairs)
    resource = resolve(MAGENTO, "GET", path).resource
    return read_search(incoming, resource, configuration={"pagination.max": maximum})


def test_begins_with_the_first_page_as_large_as_it_may_be():
    assert read() == Search(page=1, page_size=100)


def test_reads_page_and_size_and_fields():
    search = read(page=3, pageSize=20, fields="id, sku,,id ")

    assert search == Search(page=3, page_size=20, fields=("id", "sku"))


def test_clamps_a_page_that_is_too_large_and_warns():
    search = read(pageSize=250)

    assert search.page_size == 100
    assert search.warnings == ("pageSize 250 is above the maximum; 100 was used",)


@pytest.mark.parametrize("name", ["page", "pageSize"])
@pytest.mark.parametrize("value", ["0", "-1", "abc", "1.5", "1e3", "٣", " 1", "9" * 10, "00"])
def test_refuses_numbers_that_are_none(name: str, value: str):
    with pytest.raises(BadRequest, match=f"{name} must be a whole number from 1"):
        read(**{name: value})


def test_takes_the_last_of_repeated_parameters_and_ignores_empty_and_unknown_ones():
    incoming = Incoming(
        method="GET",
        path="/products",
        query=(("page", "2"), ("page", "3"), ("pageSize", ""), ("nonsense", "x"), ("limit", "0")),
    )
    resource = resolve(MAGENTO, "GET", "/products").resource

    assert read_search(incoming, resource, configuration={}) == Search(page=3, page_size=100)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("sku = 'a'", "a"),
        ("sku='a b'", "a b"),
        ("  sku  =  'it''s'  ", "it's"),
        ('sku = "a\'b"', "a'b"),
        ("sku = abc-1", "abc-1"),
        ("sku = 12", "12"),
        ("sku = ''", ""),
        ("sku = 'a AND b'", "a AND b"),
        ("sku='{value}{n}'", "{value}{n}"),
    ],
)
def test_reads_one_condition(where: str, value: str):
    search = read(where=where)

    assert search.predicates == (Predicate(field="sku", operator="=", value=value),)
    assert search.where == where


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("sku > 'a'", "Error parsing query"),
        ("sku = 'a' AND sku = 'b'", "Error parsing query"),
        ("sku = 'a", "Error parsing query"),
        ("sku = 'it's'", "Error parsing query"),
        ("sku LIKE 'a%'", "Error parsing query"),
        ("sku", "Error parsing query"),
        ("= 'a'", "Error parsing query"),
        ("name = 'a'", "cannot be searched by name, only by sku"),
    ],
)
def test_refuses_conditions_that_it_cannot_honour(where: str, said: str):
    with pytest.raises(BadRequest, match=said):
        read(where=where)


def test_refuses_where_and_order_on_lists_that_have_neither():
    with pytest.raises(BadRequest, match="/orders cannot be searched by where"):
        read("/orders", where="status = 'pending'")
    with pytest.raises(BadRequest, match="/orders cannot be ordered by orderBy"):
        read("/orders", orderBy="created_at desc")


def test_takes_a_blank_where_for_none():
    assert read("/orders", where="  ").predicates == ()


@pytest.mark.parametrize(
    ("setting", "size"),
    [
        (None, 100),
        ("", 100),
        ("50", 50),
        ("0", 100),
        ("-5", 100),
        ("true", 100),
        ("many", 100),
        ('{"ordersItems": 20, "default": 30}', 20),
        ('{"orders": 20, "default": 30}', 30),
        ('{"orders": 20}', 100),
        ("[]", 100),
    ],
)
def test_reads_the_largest_page_from_its_setting(setting: str | None, size: int):
    resource = resolve(MAGENTO, "GET", "/orders/1/items").resource

    assert resource_name(resource) == "ordersItems"
    assert page_size_max(resource, setting) == size


def test_continues_where_a_token_says():
    token = write_token(
        PageToken(path="/products", where="sku = 'a'", page=2, page_size=7, last="14")
    )

    search = read(nextPage=token, page=99)

    assert (search.page, search.page_size, search.last) == (2, 7, "14")
    assert search.predicates == (Predicate(field="sku", operator="=", value="a"),)
    assert read(nextPage=token, pageSize=3, where="sku = 'a'").page_size == 3


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("/products", {"where": "sku = 'b'"}, "another where"),
        ("/orders", {}, "belongs to a search of /products, not of /orders"),
        ("/products", {"pageSize": 8}, "continues pages of 7 rows"),
    ],
)
def test_refuses_a_token_of_another_search(path: str, query: dict[str, Any], said: str):
    token = write_token(PageToken(path="/products", page=2, page_size=7))

    with pytest.raises(BadRequest, match=said):
        read(path, nextPage=token, **query)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "!!!",
        "ä",
        "bnVsbA",
        "W10",
        "WzEsIi9wIl0x",
        write_token(PageToken(version=2, path="/p")),
        write_token(PageToken(path="/p", page=0)),
        write_token(PageToken(path="/p", page_size=-1)),
        "A" * 5000,
    ],
)
def test_refuses_what_is_no_token(text: str):
    with pytest.raises(BadRequest, match="nextPage is no page token"):
        read_token(text, path="/p")


@given(
    st.text(max_size=40),
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.none() | st.text(max_size=20),
)
def test_reads_back_every_token_it_wrote(where: str, page: int, size: int, last: str | None):
    token = PageToken(path="/p", where=where, page=page, page_size=size, last=last)

    assert read_token(write_token(token), path="/p") == token
    assert write_token(token).replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=80))
def test_answers_any_token_with_a_search_or_a_bad_request(text: str):
    with suppress(BadRequest):
        assert read_token(text, path="/p").path == "/p"
