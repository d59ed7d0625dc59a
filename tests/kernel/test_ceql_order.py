"""The order of rows; random orders are judged by SQLite in test_ceql_oracle."""

from __future__ import annotations

import heapq
from itertools import pairwise
from random import Random

from polyvalent.ceql import compile_order, parse_order


def ordered(order, values, kind="any"):
    rows = [{"x": value, "at": at} for at, value in enumerate(values)]
    key = compile_order(parse_order(order), {"x": kind})
    return [row["x"] for row in sorted(rows, key=key)]


def test_nulls_come_first_ascending_and_last_descending():
    assert ordered("x", [2, None, "1"], "number") == [None, "1", 2]
    assert ordered("x desc", [2, None, "1"], "number") == [2, "1", None]


def test_what_is_not_of_the_kind_comes_after_the_nulls():
    values = ["2024-01-01", "0000-00-00", None, "1999-01-01 10:00:00", {}]

    assert ordered("x", values, "date") == [
        None,
        {},
        "0000-00-00",
        "1999-01-01 10:00:00",
        "2024-01-01",
    ]


def test_an_undeclared_field_is_ordered_by_its_look():
    values = ["b", "2024-01-01", "10", 9, True, None, "B", [], ["a", "z"], "007", {}, False]

    assert ordered("x", values) == [
        *(None, [], {}, False, True, 9, "10", "2024-01-01", "007", "B", ["a", "z"], "b"),
    ]


def test_equal_rows_keep_the_order_they_came_in():
    rows = [{"x": str(n % 3), "at": n} for n in range(12)]

    for order in ("x", "x desc"):
        found = sorted(rows, key=compile_order(parse_order(order), {}))
        assert all(a["at"] < b["at"] for a, b in pairwise(found) if a["x"] == b["x"])
    assert sorted(rows, key=compile_order((), {})) == rows


def test_the_first_of_several_fields_weighs_most():
    rows = [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 2}]

    found = sorted(rows, key=compile_order(parse_order("a, b desc"), {}))

    assert found == [{"a": 1, "b": 2}, {"a": 1, "b": 1}, {"a": 2, "b": 1}]


def test_the_key_serves_a_heap_as_well():
    random = Random(1)
    rows = [{"x": random.choice([None, "a", "b", 3, True]), "y": n % 5} for n in range(200)]
    key = compile_order(parse_order("x desc, y"), {})

    assert heapq.nsmallest(20, rows, key=key) == sorted(rows, key=key)[:20]
    assert len({key(row) for row in rows}) == len({(str(row["x"]), row["y"]) for row in rows})
