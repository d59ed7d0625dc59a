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
    text = value.text
    if kind == "number":
        number = read_number(text)
        if number is None or looks_like_number(text):
            return None if number is None else text
        return str(number)
    if kind == "date":
        moment = read_moment(text)
        if moment is None or not encoding.date:
            return None if moment is None else text
        mask = compile_mask(encoding.date)
        return mask.write(exact) if (exact := mask.floor(moment)) == moment else None
    if kind == "boolean":
        truth = read_boolean(text)
        if truth is None or not encoding.boolean:
            return None if truth is None else text
        return encoding.boolean[0 if truth else 1]
    return text if _survives(text, encoding) else None


def encode_pattern(value: Value, encoding: Encoding) -> str | None:
    r"""Write a pattern: Text("a_b%") → "a\_b%" if _ is to be escaped; None if it would change."""
    parts = value.text.split("%")
    wild = encoding.wildcard
    if not _survives(value.text, encoding):
        return None
    if wild != "%" and wild not in encoding.escaped and any(wild in part for part in parts):
        return None
    escapes = {ord(char): f"\\{char}" for char in encoding.escaped}
    return wild.join(part.translate(escapes) for part in parts)


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


def _survives(text: str, encoding: Encoding) -> bool:
    if encoding.trims and text != text.strip():
        return False
    return not any(char in text for char in encoding.forbidden)
