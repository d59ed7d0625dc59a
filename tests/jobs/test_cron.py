"""Schedules mean what they mean in Quartz."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from polyvalent.errors import BadRequest
from polyvalent.jobs.cron import read_schedule

SATURDAY = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def times(text: str, number: int, *, zone: str = "UTC", after: datetime = SATURDAY) -> list[str]:
    schedule, found, moment = read_schedule(text, zone=zone), [], after
    for _ in range(number):
        following = schedule.next_after(moment)
        if following is None:
            break
        moment = following
        found.append(f"{moment:%Y-%m-%dT%H:%M:%S}")
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 * * * * ?", ["2026-11-28T12:01:00", "2026-11-28T12:02:00"]),
        ("0/30 * * * * ?", ["2026-11-28T12:00:30", "2026-11-28T12:01:00"]),
        ("0 0/15 8-9 * * ?", ["2026-11-29T08:00:00", "2026-11-29T08:15:00"]),
        ("0 30 8 ? * MON-FRI", ["2026-11-30T08:30:00", "2026-12-01T08:30:00"]),
        ("0 30 8 ? * 2-6", ["2026-11-30T08:30:00", "2026-12-01T08:30:00"]),
        ("0 0 12 ? * 1", ["2026-11-29T12:00:00", "2026-12-06T12:00:00"]),
        ("0 0 12 ? * SUN,7", ["2026-11-29T12:00:00", "2026-12-05T12:00:00"]),
        ("0 0 12 L * ?", ["2026-11-30T12:00:00", "2026-12-31T12:00:00"]),
        ("0 0 12 15W * ?", ["2026-12-15T12:00:00", "2027-01-15T12:00:00"]),
        ("0 15 10 ? * 6L", ["2026-12-25T10:15:00", "2027-01-29T10:15:00"]),
        ("0 15 10 ? * 6#3", ["2026-12-18T10:15:00", "2027-01-15T10:15:00"]),
        ("0 15 10 ? * L", ["2026-12-05T10:15:00", "2026-12-12T10:15:00"]),
        ("0 0 12 1/5 * ?", ["2026-12-01T12:00:00", "2026-12-06T12:00:00"]),
        ("0 0 0 1 JAN ? 2028", ["2028-01-01T00:00:00"]),
        ("0 0 0 1 1 ? 2020", []),
    ],
)
def test_a_schedule_has_these_times(text: str, expected: list[str]):
    assert times(text, 2) == expected


def test_a_schedule_keeps_to_the_clock_of_its_zone():
    before = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    # 08:00 in Berlin is 07:00 UTC until the clocks are set forward on the 29th, then 06:00.
    assert times("0 0 8 * * ?", 2, zone="Europe/Berlin", after=before) == [
        "2026-03-29T06:00:00",
        "2026-03-30T06:00:00",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("* * * * *", "6 or 7 fields"),
        ("", "6 or 7 fields"),
        ("61 * * * * ?", "second"),
        ("0 * 25 * * ?", "hour"),
        ("0 * * 32 * ?", "day of month"),
        ("0 * * ? 13 *", "month"),
        ("0 * * ? * 8", "day of week"),
        ("0 * * ? * 0", "day of week"),
        ("0 0 12 1 * 2", "one of the two must be ?"),
        ("0 0 12 LW * ?", "LW"),
        ("0 0 12 L-3 * ?", "L-n"),
        ("0 0 12 x * ?", "day of month"),
        ("0 " * 200, "6 or 7 fields"),
    ],
)
def test_a_schedule_that_is_wrong_is_refused_with_its_field(text: str, said: str):
    with pytest.raises(BadRequest) as caught:
        read_schedule(text)
    assert said in caught.value.message


def test_a_zone_that_is_unknown_is_refused():
    with pytest.raises(BadRequest, match="time zone"):
        read_schedule("0 * * * * ?", zone="Mars/Phobos")
