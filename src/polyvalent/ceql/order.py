"""
Put rows in the order that an `orderBy` asks for.

Nulls come first ascending and last descending, as in SQLite; then what cannot be read as its
field's kind. A field without declared kind has booleans before numbers before dates before other
text. In a list the first value counts. Rows that are equal keep the order they came in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from polyvalent.ceql.kind import (
    Kind,
    Kinds,
    kind_of,
    looks_like_date,
    looks_like_number,
    read_moment,
    read_number,
    read_text,
)
from polyvalent.ceql.match import READERS
from polyvalent.ceql.path import Row, compile_path
from polyvalent.ceql.tree import Sort

# The rank keeps values of different types from being compared with one another.
_Ranked: TypeAlias = tuple[int, Any]
OrderKey: TypeAlias = Callable[[Row], tuple[Any, ...]]

_NULL: _Ranked = (0, None)
_UNREADABLE, _READABLE, _NUMBER, _DATE, _TEXT = range(1, 6)


class _Descending:
    # Turns the order of one part of a key around; reverse=True would turn all of them.
    __slots__ = ("ranked",)

    def __init__(self, ranked: _Ranked) -> None:
        self.ranked = ranked

    def __lt__(self, other: _Descending) -> bool:
        return other.ranked < self.ranked

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and other.ranked == self.ranked

    def __hash__(self) -> int:
        return hash(self.ranked)


def compile_order(sorts: Sequence[Sort], kinds: Kinds) -> OrderKey:
    """
    Make a key for `sorted` or `heapq.nsmallest`; without sorts all rows are equal.

    sorted(rows, key=compile_order(parse_order("price desc"), {"price": "number"}))
    """
    parts = tuple(
        (compile_path(sort.field), _ranking(kind_of(kinds, sort.field)), sort.descending)
        for sort in sorts
    )

    def key(row: Row) -> tuple[Any, ...]:
        found: list[Any] = []
        for find, rank, descending in parts:
            values = find(row)
            ranked = rank(values[0]) if values else _NULL
            found.append(_Descending(ranked) if descending else ranked)
        return tuple(found)

    return key


def _ranking(kind: Kind) -> Callable[[object], _Ranked]:
    if kind == "any":
        return _rank_by_look
    read = READERS[kind]

    def rank(value: object) -> _Ranked:
        known = read(value)
        return (_READABLE, known) if known is not None else _unreadable(value)

    return rank


def _rank_by_look(value: object) -> _Ranked:
    if isinstance(value, bool):
        return (_READABLE, value)
    if isinstance(value, int | float):
        return (_NUMBER, value)
    if not isinstance(value, str):
        return _unreadable(value)
    if looks_like_number(value):
        return (_NUMBER, read_number(value))
    return (_DATE, read_moment(value)) if looks_like_date(value) else (_TEXT, value)


def _unreadable(value: object) -> _Ranked:
    return (_UNREADABLE, read_text(value) or "")
