"""What the query of a search asks for, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.catalog.element import Parameter
from polyvalent.catalog.load import load_catalog
from polyvalent.errors import BadRequest
from polyvalent.hub.model import Incoming
from polyvalent.hub.page_token import PageToken, digest_query, read_token, write_token
from polyvalent.hub.resolve import resolve
from polyvalent.hub.search_query import Search, page_size_max, read_search, resource_name

MAGENTO = load_catalog().find("magento")


def read(path: str = "/products", maximum: str | None = "100", **query: Any) -> Search:
    pairs = tuple((name, str(value)) for name, value in query.items())
    incoming = Incoming(method="GET", path=path, query=pairs)
    resource = resolve(MAGENTO, "GET", path).resource
    return read_search(
        incoming, resource, element=MAGENTO, configuration={"pagination.max": maximum}
    )


def test_begins_with_the_first_page_as_large_as_it_may_be():
    search = read()

    assert (search.page, search.page_size, search.fields) == (1, 100, ())
    assert not search.continues
    assert (search.query.where, search.query.order) == ("", "")
    assert not search.query.plan.scans


def test_reads_page_and_size_and_fields():
    search = read(page=3, pageSize=20, fields="id, sku,,id ")

    assert (search.page, search.page_size, search.fields) == (3, 20, ("id", "sku"))


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

    search = read_search(incoming, resource, element=MAGENTO, configuration={})

    assert (search.page, search.page_size) == (3, 100)


def test_warns_of_a_parameter_that_looks_like_a_slip():
    assert read(wher="price > 1", pagesize="5", nonsense="x", OrderBy="sku").warnings == (
        "parameter 'wher' was ignored; did you mean where?",
        "parameter 'pagesize' was ignored; did you mean pageSize?",
        "parameter 'OrderBy' was ignored; did you mean orderBy?",
    )
    assert len(read(**{"wher" + "e" * 9000: "x"}).warnings) <= 1


def test_does_not_warn_of_a_parameter_that_the_resource_declares():
    incoming = Incoming(method="GET", path="/products", query=(("field", "x"),))
    resource = resolve(MAGENTO, "GET", "/products").resource
    parameter = Parameter(name="field", vendor_name="f", type="query", vendor_type="query")
    declared = msgspec.structs.replace(resource, parameters=(*resource.parameters, parameter))

    def warnings_of(one):
        return read_search(incoming, one, element=MAGENTO, configuration={}).warnings

    assert warnings_of(resource) == ("parameter 'field' was ignored; did you mean fields?",)
    assert warnings_of(declared) == ()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"where": "sku = 'a"}, "Error parsing query"),
        ({"where": "sku"}, "Error parsing query"),
        ({"where": "sku = 'a' sku = 'b'"}, "Error parsing query"),
        ({"orderBy": "sku up"}, "Error parsing query"),
        ({"fields": "a b"}, "Error parsing query"),
        ({"where": "skuu = 'a'"}, r"products have no field 'skuu'. Did you mean sku"),
        ({"orderBy": "prise desc"}, r"products have no field 'prise'. Did you mean price"),
        ({"fields": "id,naem"}, r"products have no field 'naem'. Did you mean name"),
        ({"where": "price > 'cheap'"}, "price is a number, and 'cheap' is none"),
        ({"where": "created_at LIKE '2024%'"}, "makes no sense: created_at is a date"),
        ({"explain": "yes"}, "explain must be true or false"),
    ],
)
def test_refuses_queries_that_it_cannot_honour(query: dict[str, str], said: str):
    with pytest.raises(BadRequest, match=said):
        read(**query)


def test_refuses_fields_that_an_object_without_custom_fields_lacks():
    with pytest.raises(BadRequest, match="orders have no field 'gift_wrap'"):
        read("/orders", where="gift_wrap = '1'")


def test_takes_names_of_fields_that_a_store_may_have_added():
    search = read(where="shirt_size = '7'", orderBy="warranty")

    assert search.query.undeclared == ("shirt_size", "warranty")


def test_takes_a_blank_where_for_none():
    assert read("/orders", where="  ").query.plan.pushed == ()


def test_calls_the_id_of_a_row_as_the_vendor_does():
    plan = read("/inventory", where="id >= 5", orderBy="id desc").query.plan

    assert [item.predicate.field for item in plan.pushed] == ["item_id"]
    assert [sort.field for sort in plan.order_pushed] == ["item_id"]


def test_keeps_what_it_compiled_in_one_form_for_all_ways_to_write_it():
    one = read(where="sku='a'  and price>=10", orderBy="price DESC").query
    other = read(where="sku = 'a' AND price >= 10", orderBy="price desc").query

    assert (one.where, one.order) == (other.where, other.order)
    assert read(where="sku='a'  and price>=10", orderBy="price DESC").query is one


def test_knows_which_of_the_fields_a_store_may_lack():
    assert read(where="updated_at > '2024-01-01'").query.optional == ("updated_at",)
    assert read(where="price > 1").query.optional == ()


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


def token(path: str = "/products", **members: Any) -> str:
    where, order = members.get("where", ""), members.get("order", "")
    given = {"page": 2, "page_size": 7, "digest": digest_query(where, order), **members}
    return write_token(PageToken(path=path, **given))


def test_continues_where_a_token_says():
    text = token(where="sku = 'a'", last="14")

    search = read(nextPage=text, page=99)

    assert (search.page, search.page_size, search.last) == (2, 7, "14")
    assert search.query.where == "sku = 'a'"
    assert search.continues
    assert read(nextPage=text, pageSize=3, where="sku='a'").page_size == 3


def test_carries_only_the_digest_of_a_long_query():
    where = f"sku = '{'x' * 3000}'"
    text = token(where=where, last="14")

    assert len(text) < 500
    assert read(nextPage=text, where=where).last == "14"
    with pytest.raises(BadRequest, match="Send the same where and orderBy again"):
        read(nextPage=text)


def test_leaves_out_values_that_would_make_a_token_too_long():
    text = token(order="name", after=("n" * 5000,), last="14")

    search = read(nextPage=text)

    assert (search.page, search.after, search.last) == (2, None, None)


@pytest.mark.parametrize(
    ("path", "query", "members", "said"),
    [
        ("/products", {"where": "sku = 'b'"}, {}, "another where"),
        ("/products", {"orderBy": "sku"}, {"where": "sku = 'b'", "last": "1"}, "another where"),
        ("/products", {"where": "sku = 'a'"}, {"where": "sku = 'b'"}, "another where"),
        ("/products", {}, {"order": "sku", "after": ("a", "b")}, "sorted otherwise"),
        ("/orders", {}, {}, "belongs to a search of /products, not of /orders"),
        ("/products", {"pageSize": 8}, {}, "continues pages of 7 rows"),
    ],
)
def test_refuses_a_token_of_another_search(
    path: str, query: dict[str, Any], members: dict[str, Any], said: str
):
    with pytest.raises(BadRequest, match=said):
        read(path, nextPage=token(**members), **query)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "!!!",
        "ä",
        "bnVsbA",
        "W10",
        "WzEsIi9wIl0x",
        write_token(PageToken(version=1, path="/p")),
        write_token(PageToken(path="/p", page=0)),
        write_token(PageToken(path="/p", page_size=-1)),
        write_token(PageToken(path="/p", offset=-1)),
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
