"""
Fill the placeholders of a polled address with a moment.

    ${date:FMT}  ${gmtDate:FMT}   by a mask of Java's SimpleDateFormat, in GMT
    ${dateTimeZone:ZONE:FMT}      as a clock of the zone shows it
    ${epoch} ${epoch:ms} ${milliseconds}   since 1970; ${epoch:s} seconds, ${epoch:us} microseconds
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from polyvalent.date_mask import compile_date_mask
from polyvalent.errors import BadRequest

_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
_START = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "us": timedelta(microseconds=1),
}

Fill = Callable[[datetime], str]


def fill_placeholders(text: str, moment: datetime) -> str:
    """
    Fill an address: "where=t>'${gmtDate:yyyy-MM-dd}'" → "where=t>'2024-03-05'".

    Raises BadRequest for a placeholder that is not known, a zone or a format that there is not.
    """
    return _PLACEHOLDER.sub(lambda found: _filler(found[1])(moment), text)


def find_zone(name: str) -> tzinfo:
    """Find a time zone by its name, "" and "GMT" being UTC; raises BadRequest."""
    if name in ("", "GMT", "UTC", "Z"):
        return UTC
    if name not in available_timezones():
        raise BadRequest(
            f"There is no time zone {name[:60]!r}; take a name such as UTC or Europe/Berlin."
        )
    return ZoneInfo(name)


def write_moment(moment: datetime, mask: str, zone: tzinfo = UTC) -> str:
    """Write a moment by a mask; raises BadRequest for a mask that cannot be used."""
    try:
        return compile_date_mask(mask, zone).write(moment)
    except ValueError as error:
        raise BadRequest(f"A date cannot be written: {error}.") from error


def _filler(inside: str) -> Fill:
    name, _, rest = inside.partition(":")
    if name in ("date", "gmtDate") and rest:
        return lambda moment: write_moment(moment, rest)
    if name == "dateTimeZone":
        zone_name, _, mask = rest.partition(":")
        if zone_name and mask:
            zone = find_zone(zone_name)
            return lambda moment: write_moment(moment, mask, zone)
    unit = _UNITS.get(rest or "ms") if name == "epoch" else None
    if inside == "milliseconds":
        unit = _UNITS["ms"]
    if unit is None:
        raise BadRequest(
            f"The placeholder ${{{inside[:80]}}} is not known. There are date, gmtDate, "
            "dateTimeZone, epoch and milliseconds, such as ${gmtDate:yyyy-MM-dd HH:mm:ss}."
        )
    step = unit
    return lambda moment: str((moment - _START) // step)
