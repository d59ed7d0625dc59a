"""
Write moments by a mask such as "yyyy-MM-dd'T'HH:mm:ssZ", in UTC.

The words are those of the element model: yyyy, MM, MMM (Feb), dd, EEE (Thu), HH, mm, ss, SSS,
Z (+0000), X however often (Z). Signs, text in single quotes and a single T stand for themselves.
The masks "epochSeconds" and "epochMillis" count from 1970.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

from msgspec import Struct

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND, _SECOND = timedelta(milliseconds=1), timedelta(seconds=1)

_WRITERS: dict[str, Callable[[datetime], str]] = {
    "yyyy": lambda at: f"{at.year:04}",
    "MM": lambda at: f"{at.month:02}",
    "MMM": lambda at: _MONTHS[at.month - 1],
    "dd": lambda at: f"{at.day:02}",
    "EEE": lambda at: _DAYS[at.weekday()],
    "HH": lambda at: f"{at.hour:02}",
    "mm": lambda at: f"{at.minute:02}",
    "ss": lambda at: f"{at.second:02}",
    "SSS": lambda at: f"{at.microsecond // 1000:03}",
    "Z": lambda _at: "+0000",
    "X": lambda _at: "Z",
}
_COUNTERS = {"epochSeconds": _SECOND, "epochMillis": _MILLISECOND}
_UNITS = {
    "SSS": _MILLISECOND,
    "ss": _SECOND,
    "mm": timedelta(minutes=1),
    "HH": timedelta(hours=1),
    "dd": timedelta(days=1),
}
_find_words = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']").finditer


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
    if mask in _COUNTERS:
        step = _COUNTERS[mask]
        return Mask(lambda at: str((at - _EPOCH) // step), step)
    writers: list[str | Callable[[datetime], str]] = []
    words = set()
    length = 0
    for found in _find_words(mask):
        word = found[0]
        length += len(word)
        if word.startswith("X"):
            word = "X"  # its length says how an offset is written, and UTC has none
        if found[2] and word not in _WRITERS and word != "T":
            raise ValueError(f"the date format {mask!r} has {word!r}, which is no word of it")
        words.add(word)
        writers.append(_WRITERS.get(word) or (word if found[1] is None else found[1] or "'"))
    units = [unit for word, unit in _UNITS.items() if word in words]
    whole = units == list(_UNITS.values())[-len(units) :] and "yyyy" in words
    if length != len(mask) or not whole or not words & {"MM", "MMM"}:
        raise ValueError(f"the date format {mask!r} leaves something out, or has an open quote")

    def write(at: datetime) -> str:
        return "".join(writer if isinstance(writer, str) else writer(at) for writer in writers)

    return Mask(write, units[0])
