"""Hold what one page of a list brought, and put its rows in order. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from operator import attrgetter
from typing import Any

from polyvalent.bulk.receipt import PageFacts, are_rising
from polyvalent.exchange import Exchange
from polyvalent.hub.compiled_rows import CompiledRow
from polyvalent.hub.model import Row


@dataclass(frozen=True, kw_only=True, slots=True)
class New:
    """Hold the new rows of a page; without keys where one of its rows has none."""

    rows: Sequence[Row] = ()
    keys: Sequence[str] = ()
    done: Sequence[int] = ()
    marks: tuple[int, ...] = ()
    keyless: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Hold the new rows of one page, and where the next one begins: a JSON value."""

    rows: Sequence[Row]
    keys: Sequence[str]  # of the rows; empty where some have none
    numbers: Sequence[int] | None
    facts: PageFacts
    place: dict[str, Any]
    # Without a key to go by: the place of the whole page, and how many of the vendor's rows are
    # done with each row.
    begin: dict[str, Any] = field(default_factory=dict)
    done: Sequence[int] = ()
    marks: tuple[int, ...] = ()
    vendor_time_s: float | None = None


def column(rows: Sequence[Any], name: str) -> list[Any]:
    """Return a member of each row, None where it is absent."""
    if rows and isinstance(rows[0], CompiledRow):
        place = rows[0].places.get(name)
        return [None] * len(rows) if place is None else list(map(attrgetter(place), rows))
    return [row.get(name) for row in rows]


def in_order(
    rows: Sequence[Row], numbers: Sequence[int], *, bound: int | None, down: bool
) -> tuple[Sequence[Row], Sequence[int], bool]:
    """Return rows in the order of their numbers, each once and behind a bound; say if any moved."""
    # Usually everything is as it should be, and nothing needs to be moved.
    if not numbers:
        return rows, numbers, False
    if not down and are_rising(numbers) and (bound is None or numbers[0] > bound):
        return rows, numbers, False
    known = dict(zip(numbers, rows, strict=True))
    kept = [
        number
        for number in sorted(known, reverse=down)
        if bound is None or (number < bound if down else number > bound)
    ]
    moved = kept != [number for number in numbers if number in set(kept)]
    return [known[number] for number in kept], kept, moved


def as_numbers(keys: Sequence[Any]) -> list[int] | None:
    """Return keys as numbers; None if one would not come back as it was."""
    try:
        numbers = list(map(int, keys))
    except (ValueError, TypeError):
        return None
    # "007" and 1.5 would not come back as they were.
    return numbers if list(map(str, numbers)) == list(map(str, keys)) else None


def as_number(text: str) -> int | None:
    """Return a key as a number, None if it is none."""
    try:
        return int(text)
    except ValueError:
        return None


def vendor_time_s(exchange: Exchange) -> float | None:
    """Return the moment of an answer by the vendor's clock, None if it does not tell."""
    try:
        return parsedate_to_datetime(exchange.response.header("Date") or "").timestamp()
    except (TypeError, ValueError):
        return None
