"""
Read schedules written as Quartz cron, and find their times. Pure but for the time-zone database.

    ┌ second  ┌ minute  ┌ hour  ┌ day of month  ┌ month  ┌ day of week  ┌ year, may be left out
    0         30        8       ?               *        MON-FRI

Days of the week are 1 for Sunday to 7 for Saturday, or their names; one of the two days is `?`.
`L`, `15W`, `6L` and `6#3` mean what they mean in Quartz; `LW` and `L-3` are refused.

Source: Quartz 2.5, CronExpression, 2026-11. croniter counts days from 0 and knows no `?`.
"""
# ruff: noqa: PLC0415  # croniter costs memory that most servers need not spend

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from polyvalent.errors import BadRequest

LONGEST = 200  # characters
_FIELDS = ("second", "minute", "hour", "day of month", "month", "day of week", "year")
_NUMBER = re.compile(r"(?<![#/\d])\d+")  # not the 3 of 6#3 or of */3
_REFUSED = re.compile(r"\bLW\b|\bL-\d|\bC\b", re.IGNORECASE)
_LAST_DAY = re.compile(r"^([1-7])L$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Hold a schedule that has been read; `text` is what was written."""

    text: str
    zone: str
    _expression: str

    def next_after(self, moment: datetime) -> datetime | None:
        """
        Return the first time of the schedule after a moment, both UTC; None if there is none.

        Where clocks are set forward, times in the gap are skipped or moved behind it.
        """
        from croniter import CroniterError, croniter

        local = moment.astimezone(ZoneInfo(self.zone))
        try:
            times = croniter(self._expression, local, second_at_beginning=True)
            found: datetime = times.get_next(datetime)
        except CroniterError:
            return None  # such as a year that has passed
        return found.astimezone(moment.tzinfo)


def read_schedule(text: str, *, zone: str = "UTC") -> Schedule:
    """
    Read a schedule: "0 30 8 ? * MON-FRI" → every working day at 08:30:00.

    Raises BadRequest, saying which field is wrong.
    """
    from croniter import croniter

    if zone not in available_timezones():
        raise BadRequest(
            f"There is no time zone {zone[:60]!r}; take a name such as UTC or Europe/Berlin."
        )
    fields = text.split()
    if len(text) > LONGEST or len(fields) not in (6, 7):
        raise BadRequest(
            f"The schedule {text[:LONGEST]!r} must have 6 or 7 fields: second, minute, hour, day "
            "of month, month, day of week and perhaps a year, such as 0 0/15 * * * ? for every "
            "quarter of an hour."
        )
    if _REFUSED.search(text):
        raise BadRequest(f"The schedule {text!r} uses LW, L-n or C, which are not understood here.")
    days, weekdays = fields[3], fields[5]
    if days not in ("?", "*") and weekdays not in ("?", "*"):
        raise BadRequest(
            f"The schedule {text!r} names days of the month and days of the week; one of the two "
            "must be ?."
        )
    ours = [field.replace("?", "*") for field in fields]
    ours[5] = _weekdays(ours[5], text)
    expression = " ".join(ours)
    for at, name in enumerate(_FIELDS[: len(fields)]):
        alone = ["*"] * len(fields)
        alone[at] = ours[at]
        if not croniter.is_valid(" ".join(alone), second_at_beginning=True):
            raise BadRequest(f"The {name} of the schedule {text!r} is wrong: {fields[at]!r}.")
    return Schedule(text=text, zone=zone, _expression=expression)


def _weekdays(field: str, text: str) -> str:
    def shift(found: re.Match[str]) -> str:
        number = int(found[0])
        if not 1 <= number <= 7:
            raise BadRequest(
                f"The day of week of the schedule {text!r} is wrong: 1 is Sunday, 7 Saturday."
            )
        return str(number - 1)

    if field.upper() == "L":
        return "6"  # alone it means Saturday
    last = _LAST_DAY.match(field)
    if last is not None:
        return f"L{int(last[1]) - 1}"
    return _NUMBER.sub(shift, field)
