"""Paths read and write the places that they name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET as MISSING

from polyvalent.errors import BadRequest
from polyvalent.mapping.path import make_reader, make_writer, parse_path

ORDER = {
    "id": "7",
    "Bill": {"City": "Oslo", "Geo": {"lat": 1.5}},
    "items": [
        {"id": "1", "sku": "a", "f": {"t": False}, "tags": ["x", "y"]},
        {"id": 2, "f": {"t": True}, "tags": []},
        {"id": 4, "sku": "c", "f": {}, "name": "C"},
    ],
}


def read(path: str, data: Any = ORDER) -> Any:
    return make_reader(parse_path(path).steps)(data)


def write(path: str, value: Any, container: Any = None, *, depth: int = 0) -> Any:
    made = {} if container is None else container
    make_writer(parse_path(path).steps, depth=depth)(made, value)
    return made


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", "7"),
        ("Bill.City", "Oslo"),
        ("Bill.Geo.lat", 1.5),
        ("Bill.Street", MISSING),
        ("id.deeper", MISSING),
        ("items[0].sku", "a"),
        ("items[1].sku", MISSING),
        ("items[9].sku", MISSING),
        ("items[*].sku", ["a", MISSING, "c"]),
        ("items[*].tags[*]", [["x", "y"], [], MISSING]),
        ("items[*].tags[*].size()", [2, 0, MISSING]),
        ("items[*].size()", 3),
        ("items.size()", 3),
        ("id[*].size()", MISSING),
        ("items[id=4].name", "C"),
        ("items[id=1].sku", "a"),
        ("items[?(@.id==2)].id", 2),
        ("items[?(@.id=='2')].id", 2),
        ("items[?(@.f.t==true)].id", 2),
        ("items[?(@.f.t==false)].sku", "a"),
        ("items[?(@.id==99)].id", MISSING),
        ("Bill[*].City", MISSING),
    ],
)
def test_reads_what_a_path_names(path: str, value: Any) -> None:
    assert read(path) == value


@pytest.mark.parametrize(
    ("path", "value", "depth", "made"),
    [
        ("a", 1, 0, {"a": 1}),
        ("a.b.c", 1, 0, {"a": {"b": {"c": 1}}}),
        ("a[*].b", [1, MISSING, 3], 1, {"a": [{"b": 1}, {}, {"b": 3}]}),
        ("a[*].b", [1, 2], 0, {"a": [{"b": 1}, {"b": 2}]}),
        ("a[*].b", 1, 0, {"a": [{"b": 1}]}),
        ("a[*]", [1, MISSING], 1, {"a": [1]}),
        ("a", [1, MISSING, 3], 1, {"a": [1, 3]}),
        ("a", [[1, MISSING], MISSING], 2, {"a": [[1]]}),
        ("a[*].b[*].c", [[1, 2], [3]], 2, {"a": [{"b": [{"c": 1}, {"c": 2}]}, {"b": [{"c": 3}]}]}),
        ("a[*][*]", [[1], [2]], 2, {"a": [[1], [2]]}),
        ("a[2]", 1, 0, {"a": [None, None, 1]}),
        ("a[1].b", 1, 0, {"a": [{}, {"b": 1}]}),
        ("a[id=4].name", "n", 0, {"a": [{"id": 4, "name": "n"}]}),
        ("a[?(@.f.t==true)].n", 1, 0, {"a": [{"f": {"t": True}, "n": 1}]}),
    ],
)
def test_writes_where_a_path_leads(path: str, value: Any, depth: int, made: Any) -> None:
    assert write(path, value, depth=depth) == made


def test_writes_beside_what_is_there() -> None:
    made = write("a[*].b", [1, 2], {"a": [{"z": 0}, 5], "c": 3}, depth=1)
    assert made == {"a": [{"z": 0, "b": 1}, {"b": 2}], "c": 3}
    assert write("a[id=4].n", 1, {"a": [{"id": "4"}]}) == {"a": [{"id": "4", "n": 1}]}
    assert write("a.b", 1, {"a": None}) == {"a": {"b": 1}}
    assert write("a[0].b", 1, {"a": [7]}) == {"a": [{"b": 1}]}


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a[",
        "a]",
        "a[]",
        "a[-1]",
        "a[100]",
        "a[0][0][0][0][0][0][0]",
        "a[9999999999]",
        "a.[0]",
        "a[0]b",
        "[0].a",
        "a[?(b==1)]",
        "a[b.=1]",
        "a.size().b",
        "a" * 501,
        ".".join("a" * 31),
    ],
)
def test_refuses_what_is_no_path(path: str) -> None:
    with pytest.raises(BadRequest, match=r"path"):
        parse_path(path)


def test_refuses_to_write_a_size() -> None:
    with pytest.raises(BadRequest, match=r"size\(\)"):
        write("a.size()", 1)


@given(st.text(alphabet="ab.[]*=?@()'1 ", max_size=20))
def test_either_reads_a_text_or_refuses_it(text: str) -> None:
    try:
        path = parse_path(text)
    except BadRequest:
        return
    assert make_reader(path.steps)({}) is MISSING
    assert path.top
