"""Write values as a vendor wants to read them, or see that it cannot be done without loss."""

from __future__ import annotations

from polyvalent.ceql.capability import Encoding
from polyvalent.ceql.kind import Kind, looks_like_number, read_boolean, read_moment, read_number
from polyvalent.ceql.mask import compile_mask
from polyvalent.ceql.tree import Text, Value


def encode_value(value: Value, *, kind: Kind, encoding: Encoding) -> str | None:
    """
    Write a value: Text("2024-02-01T01:00:00+01:00") as date → "2024-02-01 00:00:00".

    None if it is not of the kind, or would be another one when the vendor reads it.
    """
    match kind:
        case "number":
            text = _write_number(value.text)
        case "date":
            text = _write_moment(value.text, encoding)
        case "boolean":
            text = _write_boolean(value.text, encoding)
        case _:
            text = value.text if not encoding.trims or value.text == value.text.strip() else None
    return None if text is None or _is_forbidden(text, encoding) else text


def encode_pattern(value: Value, encoding: Encoding) -> str | None:
    r"""Write a pattern: Text("a_b%") → "a\_b%" if _ is to be escaped; None if it would change."""
    parts = value.text.split("%")
    wild = encoding.wildcard
    if encoding.trims and value.text != value.text.strip():
        return None
    if wild != "%" and wild not in encoding.escaped and any(wild in part for part in parts):
        return None
    escapes = {ord(char): f"\\{char}" for char in encoding.escaped}
    text = wild.join(part.translate(escapes) for part in parts)
    return None if _is_forbidden(text, encoding) else text


def widen_moment(value: Value, *, up: bool, encoding: Encoding) -> Value | None:
    """
    Return the next moment that the date format can say, earlier or, with `up`, later.

    None if the format is not the trouble, or the calendar ends there.
    """
    moment = read_moment(value.text)
    if moment is None or not encoding.date:
        return None
    mask = compile_mask(encoding.date)
    try:
        return Text((mask.floor(moment) + (mask.unit if up else 0 * mask.unit)).isoformat())
    except OverflowError:
        return None


def _write_number(text: str) -> str | None:
    number = read_number(text)
    if number is None:
        return None
    return text if looks_like_number(text) else str(number)


def _write_moment(text: str, encoding: Encoding) -> str | None:
    moment = read_moment(text)
    if moment is None or not encoding.date:
        return None if moment is None else text
    mask = compile_mask(encoding.date)
    return mask.write(moment) if mask.floor(moment) == moment else None


def _write_boolean(text: str, encoding: Encoding) -> str | None:
    truth = read_boolean(text)
    if truth is None or not encoding.boolean:
        return None if truth is None else text
    return encoding.boolean[0 if truth else 1]


def _is_forbidden(text: str, encoding: Encoding) -> bool:
    return any(char in text for char in encoding.forbidden)
