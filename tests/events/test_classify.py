"""What became of a row is told from its dates and from what it was before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.events.classify import Verdict, classify, decide, digest_row, read_moment
from polyvalent.events.member import find_value
from polyvalent.events.model import EventType
from polyvalent.events.poll_configuration import DateField, Polled

SINCE = datetime(2024, 3, 5, 9, 0, tzinfo=UTC)
NOW = SINCE + timedelta(hours=1)
MASK = "yyyy-MM-dd HH:mm:ss"


def polled(**more: Any) -> Polled:
    return Polled(
        name="orders",
        url="/orders",
        id_field="id",
        **{
            "updated": DateField(path="u", mask=MASK),
            "created": DateField(path="c", mask=MASK),
            **more,
        },
    )


@pytest.mark.parametrize(
    ("updated", "created", "more", "type_"),
    [
        ("2024-03-05 09:10:00", "2024-03-05 09:10:00", {}, "CREATED"),
        ("2024-03-05 09:10:10", "2024-03-05 09:10:00", {}, "CREATED"),
        ("2024-03-05 09:10:11", "2024-03-05 09:10:00", {}, "UPDATED"),
        ("2024-03-05 09:10:02", "2024-03-05 09:10:00", {"tolerance_s": 1}, "UPDATED"),
        ("2024-03-05 09:10:00", "2020-01-01 00:00:00", {}, "UPDATED"),
        ("2024-03-05 09:00:00", "2024-03-05 09:00:00", {}, None),
        ("2024-03-05 08:00:00", "2024-03-05 08:00:00", {}, None),
        ("2024-03-05 09:10:00", "2020-01-01 00:00:00", {"by_updated": False}, None),
        ("2024-03-05 09:10:00", None, {}, "UPDATED"),
        (None, "2024-03-05 09:10:00", {"updated": None}, "CREATED"),
        (None, None, {}, None),
        ("2024-03-05 11:00:00", "2020-01-01 00:00:00", {}, "UPDATED"),
        ("2024-03-05 11:00:00", "2020-01-01 00:00:00", {"until_now": True}, None),
    ],
)
def test_dates_tell(updated: Any, created: Any, more: dict[str, Any], type_: Any) -> None:
    row = {"id": 1, "u": updated, "c": created}
    assert classify(row, polled(**more), since=SINCE, now=NOW).type == type_


def test_dates_are_read_in_their_zone_and_form() -> None:
    berlin = DateField(path="['Modified Time']", mask=MASK, zone="Europe/Berlin")
    assert read_moment({"Modified Time": "2024-03-05 10:00:00"}, berlin) == SINCE
    nested = DateField(path="_info.lastUpdated", mask=MASK)
    assert read_moment({"_info": {"lastUpdated": "2024-03-05T10:00:00+01:00"}}, nested) == SINCE
    assert read_moment({"_info": {"lastUpdated": SINCE.timestamp()}}, nested) == SINCE
    assert read_moment({"_info": {"lastUpdated": int(SINCE.timestamp() * 1000)}}, nested) == SINCE
    assert read_moment({"_info": None}, nested) is None
    assert read_moment({"_info": {"lastUpdated": "soon"}}, nested) is None


def test_members_are_found_by_their_paths() -> None:
    row = {"a": {"b": [{"x y": 7}]}, "c.d": 8}
    assert find_value(row, "a.b[0]['x y']") == 7
    assert find_value(row, "c.d") == 8
    assert find_value(row, "a.b[3].x") is None


SAME = Verdict(type=None, changed_at=SINCE)
CREATED = Verdict(type=EventType.CREATED, changed_at=NOW)
UPDATED = Verdict(type=EventType.UPDATED, changed_at=NOW)
DATELESS = Verdict(type=None, changed_at=None)
LATER = Verdict(type=None, changed_at=NOW, later=True)


@pytest.mark.parametrize(
    ("verdict", "known", "complete", "whole", "event"),
    [
        (CREATED, None, False, False, "CREATED"),
        (UPDATED, None, False, True, "UPDATED"),
        (UPDATED, "d", True, False, None),  # reported by the poll before
        (CREATED, "x", True, False, "UPDATED"),  # was seen before it was changed again
        (SAME, "x", True, True, "UPDATED"),  # changed without its date
        (SAME, None, True, True, "CREATED"),  # came with an old date
        (SAME, None, True, False, None),
        (SAME, None, False, True, None),  # it was there before anybody looked
        (DATELESS, None, False, True, None),
        (DATELESS, None, True, True, "CREATED"),
        (DATELESS, "x", True, True, "UPDATED"),
        (DATELESS, "d", True, True, None),
        (LATER, "x", True, True, None),
    ],
)
def test_digests_tell_what_dates_do_not(
    verdict: Verdict, known: Any, complete: bool, whole: bool, event: Any
) -> None:
    assert decide(verdict, digest="d", known=known, complete=complete, whole=whole) == event


rows = st.dictionaries(st.text(), st.integers(-(2**53), 2**53) | st.text() | st.none())


@given(rows, rows)
def test_digests_are_equal_exactly_for_equal_rows(one: dict[str, Any], other: Any) -> None:
    assert digest_row(one) == digest_row(dict(reversed(one.items())))
    assert (digest_row(one) == digest_row(other)) == (one == other)


@given(st.integers(-7200, 7200), st.integers(0, 7200))
def test_a_row_is_reported_exactly_if_it_changed_since(offset_s: int, age_s: int) -> None:
    updated = SINCE + timedelta(seconds=offset_s)
    created = updated - timedelta(seconds=age_s)
    row = {"u": f"{updated:%Y-%m-%d %H:%M:%S}", "c": f"{created:%Y-%m-%d %H:%M:%S}"}
    found = classify(row, polled(), since=SINCE, now=NOW).type
    assert (found is not None) == (offset_s > 0)
    assert found is None or (found is EventType.CREATED) == (age_s <= 10)
