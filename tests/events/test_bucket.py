"""Counts of events are laid into buckets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.errors import BadRequest
from polyvalent.events.bucket import INTERVALS, make_buckets

NOON = datetime(2024, 3, 5, 12, 0, 30, tzinfo=UTC)


def test_an_hour_of_minutes_has_61_buckets() -> None:
    buckets = make_buckets(NOON - timedelta(hours=1), NOON, "minute")
    assert buckets.number == 61
    assert buckets.place(NOON) == 60
    assert buckets.begin_of(60) == NOON.replace(second=0)


@pytest.mark.parametrize(
    ("before", "interval", "said"),
    [
        (timedelta(seconds=-1), "minute", "is after"),
        (timedelta(days=1), "second", "86401 buckets"),
        (timedelta(hours=1), "fortnight", "interval must be one of"),
    ],
)
def test_it_refuses(before: timedelta, interval: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        make_buckets(NOON - before, NOON, interval)


@pytest.mark.parametrize("interval", sorted(INTERVALS))
@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_it_refuses_years_that_no_bucket_can_be_laid_in(year: int, interval: str) -> None:
    end = datetime(year, 1 if year < 9999 else 12, 31, 23, 59, 59, tzinfo=UTC)
    if year == 1:
        end = datetime(1, 1, 1, tzinfo=UTC)
    with pytest.raises(BadRequest, match="from 1970 to 9998"):
        make_buckets(None, end, interval)


def test_it_begins_an_hour_before_the_end_unless_told() -> None:
    assert make_buckets(None, NOON, "minute") == make_buckets(
        NOON - timedelta(hours=1), NOON, "minute"
    )


@given(
    st.sampled_from(sorted(INTERVALS)),
    st.integers(0, 40_000),
    st.floats(0, 1),
    st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_every_moment_between_has_its_bucket(
    interval: str, steps: int, share: float, end: datetime
) -> None:
    length = min(INTERVALS[interval] * steps, timedelta(days=3000))
    buckets = make_buckets(end - length, end, interval)
    moment = end - length * share
    assert 0 <= buckets.place(moment) < buckets.number
    place = buckets.place(moment)
    assert buckets.begin_of(place) <= moment < buckets.begin_of(place + 1)
