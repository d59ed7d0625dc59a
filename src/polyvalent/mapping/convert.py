"""
Turn values of one type into another; what cannot be turned comes back unchanged.

Types are string, number, boolean, date, array and array[<type>]; any other converts nothing.
Three configuration entries of a field go further; they are extensions of the platform's format:

- `dateMask`, properties `vendor` and `consumer`: how a date is written on each side, such as
  "yyyy-MM-dd HH:mm:ss"; see `date_mask`. Without `vendor` the vendor writes ISO 8601, without
  `consumer` callers see ISO 8601 in UTC. A date without an offset is UTC;
- `valueMap`, property `values`: {"1": "enabled", "2": "disabled"}, the vendor's value to ours;
- `defaultValue`, properties `fromVendor` and `toVendor`: the value in place of an absent one.

Amounts of money are best left strings: a number cannot hold "313.0600".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from polyvalent.date_mask import DateMask, compile_date_mask
from polyvalent.mapping.model import Entry, MappedField, find_entry

Convert: TypeAlias = Callable[[Any], Any]

ISO_SECONDS = "yyyy-MM-dd'T'HH:mm:ssX"
_ARRAY = re.compile(r"array\[\s*(\w+)\s*\]")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBER_CHARACTERS_MAX = 300
_TRUE = frozenset(("1", "true", "yes"))
_FALSE = frozenset(("0", "false", "no"))
# Masks that the standard library reads and writes by itself, some ten times faster.
_QUICK = {"yyyy-MM-dd HH:mm:ss": " ", "yyyy-MM-dd'T'HH:mm:ss": "T"}
_QUICK_LENGTH = 19


def outward_converter(field: MappedField) -> Convert | None:
    """Return the function from the vendor's value of a field to ours, None where none is needed."""
    steps: list[Convert] = []
    values = value_map(field.configuration)
    if values:
        steps.append(_look_up(values))
    mask = find_entry(field.configuration, "dateMask")
    if field.type == "date" and mask is not None:
        steps.append(
            _date(
                str(mask.properties.get("vendor") or ""),
                str(mask.properties.get("consumer") or ISO_SECONDS),
            )
        )
    elif field.type and not values:
        steps += _to_type(field.type)
    return _chain(steps)


def inward_converter(field: MappedField) -> Convert | None:
    """Return the function from our value of a field to the vendor's, None where none is needed."""
    steps: list[Convert] = []
    values = {_key(ours): theirs for theirs, ours in value_map(field.configuration).items()}
    mask = find_entry(field.configuration, "dateMask")
    if field.type == "date" and mask is not None:
        steps.append(
            _date(
                str(mask.properties.get("consumer") or ""),
                str(mask.properties.get("vendor") or ISO_SECONDS),
            )
        )
    if values:
        steps.append(_look_up(values))
    if field.vendor_type and field.vendor_type != "date":
        steps += _to_type(field.vendor_type)
    return _chain(steps)


def value_map(entries: tuple[Entry, ...]) -> Mapping[str, Any]:
    """Return what a valueMap entry holds: the vendor's values, as text, to ours."""
    entry = find_entry(entries, "valueMap")
    values = entry.properties.get("values") if entry is not None else None
    return values if isinstance(values, dict) else {}


def type_converter(kind: str) -> Convert | None:
    """Return the function that turns a value into a type, None for types that convert nothing."""
    return _chain(_to_type(kind))


def array_item(kind: str) -> str:
    """Return the type of a list's entries: "array[number]" → "number"; empty for other types."""
    found = _ARRAY.fullmatch(kind)
    return found.group(1) if found is not None else ""


def to_number(value: Any) -> Any:
    """Turn "313.0600" → 313.06, "7" → 7, true → 1; "007" and "n/a" stay as they are."""
    if type(value) is bool:
        return int(value)
    if type(value) is str and len(value) <= _NUMBER_CHARACTERS_MAX and _NUMBER.fullmatch(value):
        number: int | float = float(value) if not value.lstrip("-").isdigit() else int(value)
        # 1e999 has no number in JSON.
        return number if number not in (float("inf"), float("-inf")) else value
    return value


def to_text(value: Any) -> Any:
    """Turn 7 → "7", 0.5 → "0.5", true → "true"; objects, lists and null stay."""
    kind = type(value)
    if kind is bool:
        return "true" if value else "false"
    return str(value) if kind in (int, float) else value


def to_boolean(value: Any) -> Any:
    """Turn 1, "1", "true", "yes" → true and their opposites → false; all else stays."""
    kind = type(value)
    if kind is int and value in (0, 1):
        return value == 1
    if kind is str:
        low = value.lower()
        return True if low in _TRUE else False if low in _FALSE else value
    return value


def date_reader(mask: str) -> Callable[[str], datetime | None]:
    """
    Return a function that reads dates of a mask, or of ISO 8601 whatever the mask.

    The result is aware; a date without an offset is UTC. None if it is no such date.
    """

    def read(text: str) -> datetime | None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

    compiled = None if not mask or mask in _QUICK else _compile(mask)
    if compiled is None:
        return read
    read_masked = compiled.read
    return lambda text: read_masked(text) or read(text)


def date_writer(mask: str) -> Callable[[datetime], str]:
    """Return a function that writes moments by a mask, in UTC; ISO 8601 if it makes no sense."""
    if mask in _QUICK:
        letter = _QUICK[mask]
        return lambda moment: moment.isoformat(letter, "seconds")[:_QUICK_LENGTH]
    compiled = None if mask == ISO_SECONDS else _compile(mask)
    if compiled is not None:
        return compiled.write
    return lambda moment: moment.isoformat("T", "seconds")[:_QUICK_LENGTH] + "Z"


def _compile(mask: str) -> DateMask | None:
    try:
        return compile_date_mask(mask)
    except ValueError:
        return None


def _date(source: str, target: str) -> Convert:
    read, write = date_reader(source), date_writer(target)
    # The form that most databases print needs no taking apart, only to be a real date.
    quick = source in _QUICK and target == ISO_SECONDS
    letter = _QUICK.get(source, "")

    def convert(value: Any) -> Any:
        if type(value) is not str:
            return value
        if quick and len(value) == _QUICK_LENGTH and value[10] == letter and value[4] == "-":
            try:
                datetime.fromisoformat(value)
            except ValueError:
                return value
            if value[13] == ":":
                return f"{value[:10]}T{value[11:]}Z"
        moment = read(value)
        if moment is None:
            return value
        try:
            return write(moment.astimezone(UTC) if moment.tzinfo is not UTC else moment)
        except OverflowError:  # the first and last hours of the calendar
            return value

    return convert


def _to_type(kind: str) -> list[Convert]:
    inner = array_item(kind)
    if inner:
        convert = type_converter(inner)
        if convert is None:
            return []
        each = convert  # known to be there from here on
        return [lambda value: [each(item) for item in value] if type(value) is list else value]
    known: dict[str, Convert] = {"string": to_text, "number": to_number, "boolean": to_boolean}
    return [known[kind]] if kind in known else []


def _look_up(values: Mapping[str, Any]) -> Convert:
    def convert(value: Any) -> Any:
        key = _key(value)
        return values.get(key, value) if key is not None else value

    return convert


def _key(value: Any) -> Any:
    return to_text(value) if type(value) in (str, int, float, bool) else None


def _chain(steps: list[Convert]) -> Convert | None:
    if len(steps) < 2:
        return steps[0] if steps else None
    first, *others = steps
    rest = _chain(others)
    assert rest is not None  # there is at least one other
    return lambda value: rest(first(value))
