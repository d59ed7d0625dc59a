"""Rows that are read with types of their own come out as rows that are read as dicts."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from polyvalent.catalog.load import load_catalog
from polyvalent.exchange import Response
from polyvalent.hub.compiled_rows import (
    LESSONS_MAX,
    REST_ANSWERS,
    Reading,
    find_reading,
    write_json,
)
from polyvalent.hub.read import read_rows
from polyvalent.hub.resolve import resolve
from polyvalent.mapping import Entry, MappedField, Mapping, Transformation, compile_mapping

MAGENTO = load_catalog().find("magento")
KEYED = resolve(MAGENTO, "GET", "/products").resource
LISTED = structs.replace(
    KEYED, collection=structs.replace(KEYED.collection, shape="list"), root_key="data.items"
)
STRICT = Entry(type="passThrough", properties={"fromVendor": False, "toVendor": False})


def mapped(*fields: tuple[str, str, str], passing: bool = False, **settings: Any) -> Mapping:
    return compile_mapping(
        None,
        Transformation(
            object_name="o",
            vendor_name="products",
            fields=tuple(
                MappedField(path=own, vendor_path=theirs, type=kind) for own, theirs, kind in fields
            ),
            configuration=() if passing else (STRICT,),
            **settings,
        ),
    )


def as_dicts(body: bytes, mapping: Mapping | None, resource=KEYED) -> bytes:
    found = read_rows(MAGENTO, resource, Response(status=200, body=body), configuration={})
    return orjson.dumps([row if mapping is None else mapping.outwards(row) for row in found])


def compiled(reading: Reading, body: bytes) -> bytes | None:
    found = reading.read(Response(status=200, body=body))
    return None if found is None else write_json([row.show() for row in found])


def learned(body: bytes, mapping: Mapping | None = None, resource=KEYED) -> Reading:
    """Return a reading that has seen a body."""
    # Of its own: those of the process remember what other tests have shown them.
    found = find_reading(MAGENTO, resource, mapping)
    assert found is not None
    reading = Reading(resource=found.resource, primary_key=found.primary_key, moves=found.moves)
    assert reading.read(Response(status=200, body=body)) is None
    return reading


def page(*rows: Any, key: str = "entity_id") -> bytes:
    return json.dumps({str(row.get(key, at)): row for at, row in enumerate(rows)}).encode()


NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.booleans()
)
SCALARS = st.one_of(st.none(), st.text(max_size=8), NUMBERS)
NAMES = st.sampled_from(["sku", "name", "a.b", "", "ü", "id2", "price", "f0", "get", "stock"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)
ROWS = st.lists(
    st.builds(
        lambda key, rest: {"entity_id": key, **rest},
        st.one_of(st.text(min_size=1, max_size=4), st.integers(0, 99)),
        st.dictionaries(NAMES, VALUES, max_size=6),
    ),
    min_size=1,
    max_size=4,
)
KINDS = st.sampled_from(["", "string", "number", "boolean", "date", "array[string]"])
FIELDS = st.lists(
    st.tuples(
        st.sampled_from(["id", "code", "title", "sku", "stock"]),
        st.one_of(NAMES.filter(lambda name: name and "." not in name), st.just("entity_id")),
        KINDS,
    ),
    max_size=5,
    unique_by=lambda item: item[0],
)
MAPPINGS = st.one_of(
    st.none(),
    st.builds(lambda fields, passing: mapped(*fields, passing=passing), FIELDS, st.booleans()),
)


@settings(max_examples=150, deadline=None)
@given(seen=ROWS, rows=ROWS, mapping=MAPPINGS)
def test_it_says_what_the_dicts_say(seen, rows, mapping):
    reading = learned(page(*seen), mapping)

    for body in (page(*seen), page(*rows), page(*rows)):
        found = compiled(reading, body)

        assert found is None or json.loads(found) == json.loads(as_dicts(body, mapping))


TYPICAL = page(
    {
        "entity_id": "1",
        "sku": "a",
        "price": "1.10",
        "name": None,
        "stock": {"qty": "2.0", "min": None, "of": [None, {"x": None, "y": "1"}]},
        "none": [],
    },
    {"entity_id": "2", "sku": 'b"\\u00fc\n', "price": None, "name": "n", "stock": None},
)


@pytest.mark.parametrize(
    "mapping",
    [
        None,
        mapped(("id", "entity_id", "string"), ("code", "sku", "string")),
        mapped(("id", "entity_id", "number"), ("price", "price", "number"), ("q", "stock", "")),
        mapped(("code", "sku", "string"), ("key", "id", ""), passing=True),
        mapped(("id", "entity_id", "string"), ("s", "stock", "string"), passing=True),
    ],
)
def test_it_writes_the_same_bytes(mapping):
    found = compiled(learned(TYPICAL, mapping), TYPICAL)

    assert found == as_dicts(TYPICAL, mapping)


def test_it_reads_rows_of_a_list_below_a_root_key():
    body = b'{"data":{"items":[{"entity_id":7,"sku":"a"},{"entity_id":8}],"count":2}}'

    found = compiled(learned(body, resource=LISTED), body)

    assert found == as_dicts(body, None, LISTED)


@pytest.mark.parametrize(
    "odd",
    [
        {"entity_id": "9", "new": "1"},
        {"entity_id": "9", "sku": 7},
        {"entity_id": "9", "sku": True},
        {"entity_id": "9", "sku": ["a"]},
        {"entity_id": "9", "sku": {"a": "b"}},
        {"entity_id": "9", "stock": {"new": "1"}},
        {"entity_id": "9", "stock": {"of": [7]}},
        {"entity_id": "9", "stock": []},
        {"entity_id": None, "sku": "a"},
        {"sku": "a"},
    ],
    ids=str,
)
def test_it_leaves_to_the_dicts_what_is_new(odd):
    reading = learned(TYPICAL)
    body = page({"entity_id": "1"}, odd)

    assert compiled(reading, body) is None
    again = compiled(reading, body)

    assert again is None or again == as_dicts(body, None)
    assert compiled(reading, TYPICAL) == as_dicts(TYPICAL, None)


@pytest.mark.parametrize(
    "text",
    ["1.10", "1e3", "-0", "-0.0", "1e16", "1e300", "18446744073709551616", "9223372036854775808"],
)
def test_it_does_not_change_numbers(text):
    reading = learned(b'{"1":{"entity_id":"1","sku":1,"price":1.5}}')
    body = b'{"1":{"entity_id":"1","sku":%s,"price":%s}}' % (text.encode(), text.encode())

    found = compiled(reading, body)

    assert found is None or found == as_dicts(body, None)


@pytest.mark.parametrize(
    "body",
    [
        b'{"1":{"entity_id":"1","sku":"a","sku":null}}',
        b'{"1":{"entity_id":"1","sku":null,"sku":"b"},"1":{"entity_id":"2"}}',
        b'{"1":{"entity_id":"1","sku":"\\ud83d\\ude00\\/\\u0000"}}',
        b'{"1":{"entity_id":"1","sku":"\xc3\xbc"}}',
    ],
)
def test_it_reads_unusual_json_as_the_dicts_do(body):
    assert compiled(learned(TYPICAL), body) == as_dicts(body, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b'{"1":{"entity_id":"1","sku":"\\ud800"}}',
        b'{"1":{"entity_id":"1","sku":"\xff"}}',
        b'{"1":{"entity_id":"1","price":1e400}}',
        b'{"1":[]}',
        b'{"1":{"entity_id":"1"}} x',
        b'{"1":{"entity_id":"1","stock":' + b"[" * 200 + b"]" * 200 + b"}}",
    ],
)
def test_it_leaves_to_the_dicts_what_is_no_page(body):
    reading = learned(TYPICAL)

    assert compiled(reading, body) is None


def test_it_has_the_rows_own_id_only():
    reading = learned(TYPICAL, mapped(("id", "entity_id", "")))

    assert compiled(reading, page({"entity_id": "1", "id": "another"})) is None


def test_it_gives_the_place_of_a_row_in_the_list():
    reading = learned(TYPICAL, mapped(("code", "sku", "")))

    found = reading.read(Response(status=200, body=TYPICAL))

    assert found is not None
    assert [row.get("entity_id") for row in found] == ["1", "2"]
    assert [row.get("id") for row in found] == ["1", "2"]
    assert [row.get("no such", "-") for row in found] == ["-", "-"]


def test_it_rests_from_a_list_that_never_looks_the_same():
    reading = learned(TYPICAL)
    for number in range(LESSONS_MAX):
        assert compiled(reading, page({"entity_id": "1", f"new{number}": "1"})) is None

    for _ in range(REST_ANSWERS):
        assert compiled(reading, TYPICAL) is None
    assert compiled(reading, TYPICAL) == as_dicts(TYPICAL, None)


@pytest.mark.parametrize(
    "row",
    [
        {"entity_id": "1", **{f"m{number}": "1" for number in range(500)}},
        {"entity_id": "1", "deep": json.loads("[" * 40 + "]" * 40)},
        {"entity_id": {"a": "b"}},
        {"entity_id": "1", "id": "2"},
    ],
    ids=["wide", "deep", "nested key", "another id"],
)
def test_it_leaves_alone_rows_that_no_type_fits(row):
    reading = learned(page(row))

    assert [compiled(reading, page(row)) for _ in range(3)] == [None] * 3


def test_it_leaves_mappings_that_do_more_than_move_to_the_dicts():
    nested = mapped(("city", "address.city", ""))

    assert find_reading(MAGENTO, KEYED, nested) is None
