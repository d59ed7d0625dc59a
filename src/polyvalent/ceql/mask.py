"""
Compile the masks by which vendors are asked for moments, in UTC.

A mask may only leave out what is smaller than the least it has, so that it can be said which
moments look alike in it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

from msgspec import Struct

from polyvalent.date_mask import COUNTERS, compile_date_mask

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {
    "SSS": timedelta(milliseconds=1),
    "ss": timedelta(seconds=1),
    "mm": timedelta(minutes=1),
    "HH": timedelta(hours=1),
    "dd": timedelta(days=1),
}


class Mask(Struct, frozen=True):
    """Hold what writes a moment, and the smallest step that the text can tell."""

    write: Callable[[datetime], str]
    unit: timedelta

    def floor(self, moment: datetime) -> datetime:
        """Return the last moment up to this one that the mask can tell, in UTC."""
        return _EPOCH + (moment - _EPOCH) // self.unit * self.unit


@cache
def compile_mask(mask: str) -> Mask:
    """
    Compile a mask: with "yyyy-MM-dd", `write` makes "2024-02-01" of a moment.

    Raises ValueError for a word that is not known, and for a mask that leaves out something
    greater than the least it has: a year, month or day, an hour where there are minutes.
    """
    compiled = compile_date_mask(mask)
    if mask in COUNTERS:
        return Mask(compiled.write, COUNTERS[mask])
    units = [unit for word, unit in _UNITS.items() if word in compiled.words]
    whole = units == list(_UNITS.values())[-len(units) :] and "yyyy" in compiled.words
    if not whole or not compiled.words & {"MM", "MMM", "MMMM"}:
        raise ValueError(f"the date format {mask!r} leaves something out")
    return Mask(compiled.write, units[0])
