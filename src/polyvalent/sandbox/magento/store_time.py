"""
The store's time zone: the database holds UTC, some answers show Pacific time.

Worked out by the rule in force since 2007, so that no time zone database is needed.
"""

from datetime import UTC, datetime, timedelta


def local_iso(text: str) -> str:
    """
    Show a UTC column in the store's time zone.

    local_iso("2023-11-16 06:13:20") → "2023-11-15T22:13:20-08:00"
    """
    moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    hours = offset_hours(moment)
    local = moment + timedelta(hours=hours)
    return f"{local:%Y-%m-%dT%H:%M:%S}-{-hours:02d}:00"


def offset_hours(moment: datetime) -> int:
    """Return the distance of US Pacific time from UTC: -8, in summer -7."""
    begin = sunday(moment.year, month=3, number=2) + timedelta(hours=10)
    end = sunday(moment.year, month=11, number=1) + timedelta(hours=9)
    return -7 if begin <= moment < end else -8


def sunday(year: int, *, month: int, number: int) -> datetime:
    """Return midnight UTC of the n-th Sunday of a month."""
    first = datetime(year, month, 1, tzinfo=UTC)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (number - 1))
