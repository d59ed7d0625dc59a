"""Values change their type where they can and stay what they are where they cannot."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.mapping import Entry, MappedField
from polyvalent.mapping.convert import inward_converter, outward_converter, type_converter

MASKED = Entry(type="dateMask", properties={"vendor": "yyyy-MM-dd HH:mm:ss"})
ENABLED = Entry(type="valueMap", properties={"values": {"1": "enabled", "2": "disabled"}})


def field(kind: str, vendor_kind: str = "", *entries: Entry) -> MappedField:
    return MappedField(
        path="a", vendor_path="b", type=kind, vendor_type=vendor_kind, configuration=entries
    )


def outwards(item: MappedField, value: Any) -> Any:
    convert = outward_converter(item)
    return value if convert is None else convert(value)


def inwards(item: MappedField, value: Any) -> Any:
    convert = inward_converter(item)
    return value if convert is None else convert(value)


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        ("number", "313.0600", 313.06),
        ("number", "7", 7),
        ("number", "-0", 0),
        ("number", "007", "007"),
        ("number", "", ""),
        ("number", "1e999", "1e999"),
        ("number", "9" * 5000, "9" * 5000),
        ("number", "٣", "٣"),
        ("number", "00Q000", "00Q000"),
        ("number", False, 0),
        ("number", None, None),
        ("string", 7, "7"),
        ("string", 0.5, "0.5"),
        ("string", True, "true"),
        ("string", {"a": 1}, {"a": 1}),
        ("boolean", "1", True),
        ("boolean", 0, False),
        ("boolean", "No", False),
        ("boolean", 2, 2),
        ("boolean", "maybe", "maybe"),
        ("array[number]", ["1", "x"], [1, "x"]),
        ("array[number]", "1", "1"),
        ("array", "1", "1"),
        ("date", "2026-01-01", "2026-01-01"),
        ("address", {"a": 1}, {"a": 1}),
        ("", "1", "1"),
    ],
)
def test_converts_or_lets_pass(kind: str, value: Any, result: Any) -> None:
    convert = type_converter(kind)
    shown = value if convert is None else convert(value)
    assert shown == result
    assert type(shown) is type(result)


@pytest.mark.parametrize(
    ("mask", "consumer", "theirs", "ours"),
    [
        ("yyyy-MM-dd HH:mm:ss", "", "2023-11-16 06:13:20", "2023-11-16T06:13:20Z"),
        ("yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd", "1980-02-03 00:00:00", "1980-02-03"),
        ("yyyy-MM-dd'T'HH:mm:ss", "", "2023-11-16T06:13:20", "2023-11-16T06:13:20Z"),
        ("dd.MM.yyyy HH:mm", "", "16.11.2023 06:13", "2023-11-16T06:13:00Z"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "", "2023-11-16T06:13:20.000Z", "2023-11-16T06:13:20Z"),
        ("yyyyMMdd", "", "20231116", "2023-11-16T00:00:00Z"),
    ],
)
def test_writes_dates_by_their_masks(mask: str, consumer: str, theirs: str, ours: str) -> None:
    properties = {"vendor": mask, **({"consumer": consumer} if consumer else {})}
    item = field("date", "date", Entry(type="dateMask", properties=properties))
    assert outwards(item, theirs) == ours
    assert inwards(item, ours) == theirs


def test_turns_dates_into_utc() -> None:
    item = field("date", "date", MASKED)
    assert outwards(item, "2023-11-15T22:13:20-08:00") == "2023-11-16T06:13:20Z"
    assert inwards(item, "2023-11-16T07:13:20+01:00") == "2023-11-16 06:13:20"
    assert inwards(item, "2023-11-16") == "2023-11-16 00:00:00"


@pytest.mark.parametrize(
    "value", ["0000-00-00 00:00:00", "soon", "", 7, None, "0001-01-01T00:00:00+05:00"]
)
def test_lets_what_is_no_date_pass(value: Any) -> None:
    item = field("date", "date", MASKED)
    assert outwards(item, value) == value
    assert inwards(item, value) == value


@pytest.mark.parametrize("mask", ["QQQ", "yyyy-yyyy", "'open", "yyyy-MM-dd HH:mm:ss a"])
def test_reads_iso_where_the_mask_makes_no_sense(mask: str) -> None:
    item = field("date", "", Entry(type="dateMask", properties={"vendor": mask}))
    assert outwards(item, "2023-11-16 06:13:20") == "2023-11-16T06:13:20Z"


def test_translates_values_by_a_map() -> None:
    item = field("string", "number", ENABLED)
    assert [outwards(item, value) for value in ("1", 2, "9", None)] == [
        "enabled",
        "disabled",
        "9",
        None,
    ]
    assert [inwards(item, value) for value in ("enabled", "disabled", "3")] == [1, 2, 3]


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_brings_a_number_back_through_text(number: float) -> None:
    item = field("string", "number")
    if "e" not in repr(number):
        assert inwards(item, outwards(item, number)) == number


@given(st.datetimes().map(lambda moment: moment.replace(microsecond=0)))
def test_brings_a_date_back_through_a_mask(moment: Any) -> None:
    item = field("date", "date", MASKED)
    text = moment.isoformat(" ")
    assert inwards(item, outwards(item, text)) == text


@given(st.sampled_from(["string", "number", "boolean", "array[string]"]), st.text(max_size=10))
def test_changes_nothing_the_second_time(kind: str, text: str) -> None:
    convert = type_converter(kind)
    assert convert is not None
    once = convert(text)
    assert convert(once) == once
