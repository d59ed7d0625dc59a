"""A row shows what was sent, in whatever form the vendor writes it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.hub.same_row import find_differences, shows_anything


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (12.5, "12.5000"),
        ("12.50", 12.5),
        (1, "1"),
        (True, 1),
        (False, "0"),
        ("a  b ", "a b"),
        ("2026-02-03", "2026-02-03 00:00:00"),
        ("2026-02-03T04:05:06Z", "2026-02-03 04:05:06"),
        ("x" * 300, "x" * 255),
    ],
)
def test_it_takes_a_value_for_the_same_in_the_vendors_form(sent: Any, found: Any):
    assert find_differences({"a": sent}, {"a": found}) == ()


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (12.5, "12.5001"),
        ("a", "A"),
        ("ab", "a"),
        (True, "0"),
        ("2026-02-03", "2026-02-04"),
        ("NaN", "Infinity"),
        ("", "x"),
    ],
)
def test_it_sees_another_value(sent: Any, found: Any):
    assert find_differences({"a": sent, "b": 1}, {"a": found, "b": 1}) == ("a",)


@pytest.mark.parametrize("row", [{}, {"b": "x"}, {"a": None}, {"a": ["x"]}])
def test_it_learns_nothing_from_what_a_row_does_not_show(row: dict[str, Any]):
    assert find_differences({"a": "x"}, row) == ()
    assert not shows_anything({"a": "x"}, row)
    assert not shows_anything({"b": ["x"], "c": None}, {"b": "x", "c": "x"})


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.dictionaries(st.text(), scalars | st.lists(scalars)))
def test_it_finds_every_row_the_same_as_itself(row: dict[str, Any]):
    assert find_differences(row, row) == ()
