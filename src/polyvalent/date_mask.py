"""
Write and read moments by a mask of Java's SimpleDateFormat, such as "yyyy-MM-dd'T'HH:mm:ssXXX".

    yyyy yy    year, 2026, 26          HH H     hour from 0        SSS  milliseconds
    MM M       month, 02, 2            hh h     hour from 1 to 12  Z    offset, +0100
    MMM MMMM   month, Feb, February    a        AM, PM             X    offset, +01 or Z; two of
    dd d       day                     mm m     minute                  them +0100, three +01:00
    EEE EEEE   day of week             ss s     second             z    GMT, the zone's name

Text in single quotes stands for itself, '' for a quote, and so does a T alone and every sign.
"epochSeconds" and "epochMillis" count from 1970. Names are English, whatever the machine speaks.

Source: Java 21, SimpleDateFormat; the element model's dateMask, queryDateFormat and ${date:…}.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from msgspec import Struct

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND, _SECOND = timedelta(milliseconds=1), timedelta(seconds=1)
COUNTERS = {"epochSeconds": _SECOND, "epochMillis": _MILLISECOND}
LONGEST_MASK = 200  # characters
# A quoted text, a word of one letter, a sign.
_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']")

Write = Callable[[datetime], str]
Read = Callable[[str], "datetime | None"]


class DateMask(Struct, frozen=True):
    """
    Hold what writes and what reads moments of one mask.

    `write` takes an aware moment, `read` gives one in UTC, None for what is no such date; a date
    without an offset is of the mask's zone. `words` are the mask's, quoted text left out.
    """

    text: str
    write: Write
    read: Read
    words: frozenset[str]


@lru_cache(maxsize=512)
def compile_date_mask(mask: str, zone: tzinfo = UTC) -> DateMask:
    """
    Compile a mask; "yyyy-MM-dd" makes "2024-02-01" of a moment, as a clock of the zone shows it.

    Raises ValueError for a word that is not known, for an open quote and for more than 200
    characters.
    """
    if mask in COUNTERS:
        return _counter(mask)
    if len(mask) > LONGEST_MASK:
        raise ValueError(f"the date format {mask[:60]!r} is longer than {LONGEST_MASK} characters")
    writers: list[str | Write] = []
    words: list[str] = []
    pattern = ""
    place = 0
    while place < len(mask):
        found = _PIECE.match(mask, place)
        if found is None:
            raise ValueError(f"the date format {mask!r} has an open quote")
        place = found.end()
        word, quoted = found[0], found[1]
        if quoted is not None or found[2] is None or word == "T":
            literal = word if quoted is None else quoted.replace("''", "'") or "'"
            writers.append(literal)
            pattern += re.escape(literal)
            continue
        if word not in _WORDS:
            raise ValueError(f"the date format {mask!r} has {word!r}, which is no word of it")
        write, form = _WORDS[word]
        writers.append(write)
        # A word that stands twice is read where it stands first. What it takes the second time it
        # keeps: else a mask of many such words would try all the ways to divide a run of digits.
        pattern += f"(?>{form})" if word in words else f"(?P<w{len(words)}>{form})"
        words.append(word)
    reader = re.compile(pattern, re.ASCII | re.IGNORECASE)

    def write_moment(moment: datetime) -> str:
        at = moment.astimezone(zone)
        return "".join(item if isinstance(item, str) else item(at) for item in writers)

    def read_text(text: str) -> datetime | None:
        found = reader.fullmatch(text)
        if found is None:
            return None
        read = {word: found[f"w{at}"] for at, word in enumerate(words) if f"w{at}" in groups}
        try:
            return _moment(read, zone)
        except (ValueError, OverflowError):
            return None

    groups = reader.groupindex
    return DateMask(text=mask, write=write_moment, read=read_text, words=frozenset(words))


def _counter(mask: str) -> DateMask:
    step = COUNTERS[mask]

    def read(text: str) -> datetime | None:
        try:
            return _EPOCH + int(text) * step
        except (ValueError, OverflowError):
            return None

    return DateMask(
        text=mask, write=lambda at: str((at - _EPOCH) // step), read=read, words=frozenset()
    )


def _offset(at: datetime, *, colon: bool, zulu: bool, minutes: bool = True) -> str:
    offset = at.utcoffset() or timedelta()
    if zulu and not offset:
        return "Z"
    total = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(total), 60)
    sign = "-" if total < 0 else "+"
    return f"{sign}{hours:02}{':' * (colon and minutes)}{f'{rest:02}' if minutes else ''}"


def _twelve(at: datetime) -> int:
    return at.hour % 12 or 12


_SIGNED = r"Z|[+-]\d\d(?::?\d\d)?"
_MONTH_NAMES = "|".join((*_MONTHS, *(name[:3] for name in _MONTHS)))
_DAY_NAMES = "|".join((*_DAYS, *(name[:3] for name in _DAYS)))
# Of each word: what writes it, and what it looks like.
_WORDS: dict[str, tuple[Write, str]] = {
    "yyyy": (lambda at: f"{at.year:04}", r"\d{4}"),
    "yy": (lambda at: f"{at.year % 100:02}", r"\d\d"),
    "y": (lambda at: f"{at.year:04}", r"\d{4}"),
    "MM": (lambda at: f"{at.month:02}", r"\d\d"),
    "M": (lambda at: str(at.month), r"\d{1,2}"),
    "MMM": (lambda at: _MONTHS[at.month - 1][:3], _MONTH_NAMES),
    "MMMM": (lambda at: _MONTHS[at.month - 1], _MONTH_NAMES),
    "dd": (lambda at: f"{at.day:02}", r"\d\d"),
    "d": (lambda at: str(at.day), r"\d{1,2}"),
    **{word: (lambda at: _DAYS[at.weekday()][:3], _DAY_NAMES) for word in ("E", "EE", "EEE")},
    "EEEE": (lambda at: _DAYS[at.weekday()], _DAY_NAMES),
    "HH": (lambda at: f"{at.hour:02}", r"\d\d"),
    "H": (lambda at: str(at.hour), r"\d{1,2}"),
    "hh": (lambda at: f"{_twelve(at):02}", r"\d\d"),
    "h": (lambda at: str(_twelve(at)), r"\d{1,2}"),
    "a": (lambda at: "AM" if at.hour < 12 else "PM", "AM|PM"),
    "mm": (lambda at: f"{at.minute:02}", r"\d\d"),
    "m": (lambda at: str(at.minute), r"\d{1,2}"),
    "ss": (lambda at: f"{at.second:02}", r"\d\d"),
    "s": (lambda at: str(at.second), r"\d{1,2}"),
    "SSS": (lambda at: f"{at.microsecond // 1000:03}", r"\d{3}"),
    "S": (lambda at: str(at.microsecond // 1000), r"\d{1,3}"),
    "Z": (lambda at: _offset(at, colon=False, zulu=False), _SIGNED),
    3 * "X": (lambda at: _offset(at, colon=True, zulu=True), _SIGNED),
    2 * "X": (lambda at: _offset(at, colon=False, zulu=True), _SIGNED),
    "X": (lambda at: _offset(at, colon=False, zulu=True, minutes=False), _SIGNED),
    "z": (lambda at: "GMT" if not at.utcoffset() else str(at.tzname()), r"GMT|UTC|Z"),
}


_OFFSETS = ("Z", 3 * "X", 2 * "X", "X", "z")


def _moment(read: dict[str, str], zone: tzinfo) -> datetime:
    def number(*words: str, default: int) -> int:
        return next((int(read[word]) for word in words if word in read), default)

    year = number("yyyy", "y", default=1970)
    if "yy" in read and "yyyy" not in read:
        year = 2000 + int(read["yy"])
    month = number("MM", "M", default=1)
    for word in ("MMM", "MMMM"):
        if word in read:
            month = [name[:3].lower() for name in _MONTHS].index(read[word][:3].lower()) + 1
    hour = number("HH", "H", default=-1)
    if hour < 0:
        hour = number("hh", "h", default=0)
        if "hh" in read or "h" in read:
            if not 1 <= hour <= 12:
                raise ValueError(hour)
            hour = hour % 12 + (12 if read.get("a", "").upper() == "PM" else 0)
    at = datetime(
        year,
        month,
        number("dd", "d", default=1),
        hour,
        number("mm", "m", default=0),
        number("ss", "s", default=0),
        number("SSS", "S", default=0) * 1000,
        tzinfo=_zone(read, zone),
    )
    return at.astimezone(UTC)


def _zone(read: dict[str, str], zone: tzinfo) -> tzinfo:
    signed = next((read[word] for word in _OFFSETS if word in read), None)
    if signed is None:
        return zone
    if signed[0] not in "+-":
        return UTC
    digits = signed[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-offset if signed[0] == "-" else offset)
