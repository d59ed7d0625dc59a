"""
Lay the counts of events into buckets of equal length. Pure.

From 10:00:30 to 11:00:30 by minutes are 61 buckets: the first holds the beginning, the last the
end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from polyvalent.errors import BadRequest

INTERVALS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
BUCKETS_MAX = 45_000  # the minutes of a month
# Further out a bucket would begin or end where no calendar goes.
_YEARS = range(1970, 9999)
_START = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday


@dataclass(frozen=True, slots=True)
class Buckets:
    """Hold where buckets begin, and how long each is."""

    begin: datetime
    step: timedelta
    number: int

    def place(self, moment: datetime) -> int:
        """Return the number of the bucket that a moment falls into."""
        return (moment - self.begin) // self.step

    def begin_of(self, place: int) -> datetime:
        """Return the moment at which a bucket begins."""
        return self.begin + place * self.step

    @property
    def end(self) -> datetime:
        """Return the moment at which the last bucket ends."""
        return self.begin_of(self.number)


def make_buckets(begin: datetime | None, end: datetime, interval: str) -> Buckets:
    """
    Lay buckets over a time, both ends included; without a beginning, over an hour.

    Raises BadRequest for an interval that there is not, years before 1970 or after 9998, an end
    before its beginning, and more buckets than anybody reads.
    """
    step = INTERVALS.get(interval)
    if step is None:
        raise BadRequest(f"interval must be one of {', '.join(INTERVALS)}, not {interval[:40]!r}.")
    if any(moment.year not in _YEARS for moment in (begin or end, end)):
        raise BadRequest("from and to must lie in the years from 1970 to 9998.")
    begin = begin or end - timedelta(hours=1)
    if begin > end:
        raise BadRequest(f"from, {begin.isoformat()}, is after to, {end.isoformat()}.")
    first = _START + (begin - _START) // step * step
    number = (end - first) // step + 1
    if number > BUCKETS_MAX:
        raise BadRequest(
            f"That would be {number} buckets, and at most {BUCKETS_MAX} are answered. Take a "
            "longer interval or a shorter time."
        )
    return Buckets(begin=first, step=step, number=number)
