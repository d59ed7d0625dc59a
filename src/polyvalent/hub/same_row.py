"""
Find out whether a row shows what was sent, though vendors write values in forms of their own. Pure.

12.5 is read back as "12.5000", true as "1", a long text is cut, a date gets a time. Members that
the row does not show, and lists and objects, say nothing.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from polyvalent.hub.model import Row

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|[T ])")
# A text that is read back shorter was cut, if at least so much of it is there.
_CUT_LEAST = 64


def find_differences(sent: Row, row: Row) -> tuple[str, ...]:
    """Return the members that a row shows otherwise than they were sent: ("price",)."""
    return tuple(name for name in sent if _tells(sent, row, name) and not _same(sent, row, name))


def shows_anything(sent: Row, row: Row) -> bool:
    """Say whether a row shows any member that was sent."""
    return any(_tells(sent, row, name) for name in sent)


def _tells(sent: Row, row: Row, name: str) -> bool:
    return _is_scalar(sent[name]) and name in row and _is_scalar(row[name])


def _same(sent: Row, row: Row, name: str) -> bool:
    given, found = _text(sent[name]), _text(row[name])
    if given == found:
        return True
    numbers = _number(given), _number(found)
    if None not in numbers:
        return numbers[0] == numbers[1]
    dates = _DATE.match(given), _DATE.match(found)
    if dates[0] and dates[1]:
        return dates[0][0] == dates[1][0]
    return len(found) >= _CUT_LEAST and given.startswith(found)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return " ".join(str(value).split())


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
