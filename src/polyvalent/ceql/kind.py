"""
Read a value as its field's kind: text, number, date, boolean.

Stores write one value in many ways: "12.5000" and 12.5, "2024-02-01 00:00:00" and
2024-02-01T01:00:00+01:00, "1" and true. Each reader turns all of them into one comparable value,
or None for what is not of the kind.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias

# "any": not declared; both sides are compared by what they look like.
Kind = Literal["any", "text", "number", "date", "boolean"]
Kinds: TypeAlias = Mapping[str, Kind]

_SHORT = 18  # digits
_NUMBER_LENGTH_MAX = 100
_DATE_LENGTH_MAX = 40

# An epoch number from here on counts milliseconds: as seconds it would be the year 5138.
_EPOCH_MS_FROM = 100_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_is_integer = re.compile(r"[+-]?[0-9]+").fullmatch
_is_decimal = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch
_is_usual_number = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?").fullmatch
_starts_like_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:$|[T ])").match
_is_short_date = re.compile(r"[0-9]{4}(?:-[0-9]{2})?").fullmatch
_find_space_before_zone = re.compile(r"\s+(?=Z$|[+-][0-9]{2}:?[0-9]{0,2}$)", re.IGNORECASE)

_starts_ordinal = re.compile(r"([0-9]{4})-([0-9]{3})(?=$|[T ])").match
_is_at_24 = re.compile(r"(.{8,10}[T ])24((?::?00(?::?00(?:[.,]0+)?)?)?(?:Z|[+-].*)?)").fullmatch

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_INDEX = re.compile(r"\[[^\]]*\]")


def kind_of(kinds: Kinds, field: str) -> Kind:
    """
    Return the kind of a field, "any" if it is not declared.

    items[*].sku, items[0].sku and items.sku are one field.
    """
    return kinds.get(field) or kinds.get(plain_field(field)) or "any"


def plain_field(field: str) -> str:
    """Return a field's name without brackets: "items[*].sku" → "items.sku"."""
    return _INDEX.sub("", field) if "[" in field else field


def read_text(value: object) -> str | None:
    """Read a value as text, as it was sent: 5 → "5", true → "true"; an object or list is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def read_number(value: object) -> int | float | None:
    """
    Read a number: "12.5000" → 12.5, " 7 " → 7, true → 1, "7 pieces" → None.

    Whole numbers stay whole, however long, since ids must not lose a digit.
    """
    if isinstance(value, str):
        if len(value) < _SHORT and value.isdigit() and value.isascii():
            return int(value)  # as nearly all ids are
        text = value.strip()
        if len(text) > _NUMBER_LENGTH_MAX:
            return None
        if _is_integer(text):
            return int(text)
        if not _is_decimal(text):
            return None
        value = float(text)
    if isinstance(value, int):
        return int(value)
    return value if isinstance(value, float) and math.isfinite(value) else None


def read_numbers(texts: Sequence[str]) -> list[int | float | None]:
    """Read each text as `read_number` does, all at once where they are plain, as ids are."""
    joined = "".join(texts)
    if joined.isdigit() and joined.isascii() and all(texts) and max(map(len, texts)) < _SHORT:
        return list(map(int, texts))
    return list(map(read_number, texts))


def read_boolean(value: object) -> bool | None:
    """Read a boolean: "true", "1", 1 and true are true; "false", "0", 0 and false are false."""
    if isinstance(value, str):
        return _BOOLEANS.get(value.strip().lower())
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else None


def read_moment(value: object) -> datetime | None:
    """
    Read a moment: any ISO 8601 form, the form of SQL, or an epoch number; in UTC.

    "2024-02-01", "2024-02-01 00:00:00" and "2024-02-01T01:00+0100" are one moment: without a zone
    it is UTC, without a time midnight. "2024" and "2024-02" are their beginnings, "20240201" a
    day; any other number counts seconds from 1970, or milliseconds from 100 000 000 000 on.
    What no calendar has, such as "0000-00-00 00:00:00", is None.
    """
    if isinstance(value, str):
        text = value.strip()
        if len(text) > _DATE_LENGTH_MAX:
            return None
        if len(text) >= 10 and text[4] == "-":  # nearly all of them
            return _from_text(text)
        if _is_short_date(text):
            text = f"{text}-01-01"[:10]
        elif _is_integer(text) and len(text) != 8:
            return _from_epoch(int(text))
        return _from_text(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _from_epoch(value)


def looks_like_number(text: str) -> bool:
    """Say whether a text is a number as people write it: 12.50 is, 007 and 1e5 are codes."""
    return len(text) <= _NUMBER_LENGTH_MAX and _is_usual_number(text) is not None


def looks_like_date(text: str) -> bool:
    """Say whether a text is a date beyond doubt: it starts with year, month and day."""
    return _starts_like_date(text) is not None and read_moment(text) is not None


def _from_text(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        found = _from_rare_text(text)
        if found is None:
            return None
        moment = found
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


def _from_rare_text(text: str) -> datetime | None:
    """Read what the library does not: a blank before the zone, days of the year, 24 o'clock."""
    tidy = _find_space_before_zone.sub("", text).upper()
    try:
        if (ordinal := _starts_ordinal(tidy)) is not None:
            day = date(int(ordinal[1]), 1, 1) + timedelta(days=int(ordinal[2]) - 1)
            if day.year != int(ordinal[1]):
                return None
            tidy = f"{day.isoformat()}{tidy[ordinal.end() :]}"
        late = _is_at_24(tidy)
        if late is not None:
            tidy = f"{late[1]}00{late[2]}"
        moment = datetime.fromisoformat(tidy) if tidy != text else None
        return moment if moment is None or late is None else moment + timedelta(days=1)
    except (ValueError, OverflowError):
        return None


def _from_epoch(number: float) -> datetime | None:
    whole_ms = number if abs(number) >= _EPOCH_MS_FROM else number * 1000
    try:
        return _EPOCH + timedelta(milliseconds=whole_ms)
    except (OverflowError, ValueError):
        return None
