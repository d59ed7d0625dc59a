"""
Say what a query means: which rows of JSON it takes. This is the reference for every vendor.

- Text is compared character by character, as its code points order it: = tells A from a. LIKE
  does not, for any alphabet; in a pattern % is any run, also an empty one, and everything else is
  itself, the _ included. These are the rules of SQLite but for the _ and letters beyond ASCII.
- Numbers, dates and booleans are compared by value however they are written, see `kind`. LIKE
  sees them as they were sent.
- A field without declared kind is compared by what both sides look like: as numbers if both do
  (12.50, not 007), as moments if both start with year, month and day, else as text.
- An absent member is null. Null is neither equal nor unequal to anything: only IS NULL finds it.
  So it is with what cannot be read as its field's kind, save that IS NULL does not find that.
- A field within a list stands for several values; a predicate holds if it holds for one of them,
  != too. IS NULL holds if there is no value but null, and IS NOT NULL if there is one.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from polyvalent.ceql.kind import (
    Kind,
    Kinds,
    kind_of,
    looks_like_date,
    looks_like_number,
    read_boolean,
    read_moment,
    read_number,
    read_text,
)
from polyvalent.ceql.path import Row, compile_path
from polyvalent.ceql.tree import And, Comparison, In, IsNull, Like, Or, Tree, Value

Match: TypeAlias = Callable[[Row], bool]
Test: TypeAlias = Callable[[object], bool]  # of one value that is not null

# Turns a value into one that compares with others of the kind, None if it is not of the kind.
READERS: Mapping[Kind, Callable[[object], Any]] = {
    "text": read_text,
    "number": read_number,
    "date": read_moment,
    "boolean": read_boolean,
}

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_match(tree: Tree | None, kinds: Kinds) -> Match:
    """
    Make a function that says whether a row is taken; None takes all.

    compile_match(parse_where("price >= 10"), {"price": "number"})({"price": "12.5000"}) → True
    """
    match tree:
        case None:
            return lambda _row: True
        case And():
            every = tuple(compile_match(part, kinds) for part in tree.parts)
            return lambda row: all(part(row) for part in every)
        case Or():
            some = tuple(compile_match(part, kinds) for part in tree.parts)
            return lambda row: any(part(row) for part in some)
        case IsNull(negated=negated):
            find = compile_path(tree.field)
            return lambda row: bool(find(row)) is negated
        case _:
            return _compile_leaf(tree, kind_of(kinds, tree.field))


def _compile_leaf(leaf: Comparison | In | Like, kind: Kind) -> Match:
    find = compile_path(leaf.field)
    test = _compile_test(leaf, kind)

    return lambda row: any(test(value) for value in find(row))


def _compile_test(leaf: Comparison | In | Like, kind: Kind) -> Test:
    match leaf:
        case Comparison():
            return _compile_comparison(leaf.operator, leaf.value, kind)
        case In():
            return _compile_in(leaf, kind)
        case Like():
            return _compile_like(leaf)


def _compile_comparison(sign: str, value: Value, kind: Kind) -> Test:
    compare = _COMPARE[sign]
    if kind == "any":
        return _compile_by_look(compare, value.text)
    read = READERS[kind]
    right = read(value.text)
    if right is None:
        return _never

    def test(left: object) -> bool:
        known = read(left)
        return known is not None and compare(known, right)

    return test


def _compile_in(leaf: In, kind: Kind) -> Test:
    if kind == "any":
        sign, join = ("!=", all) if leaf.negated else ("=", any)
        tests = [_compile_comparison(sign, value, kind) for value in leaf.values]
        return lambda left: join(test(left) for test in tests)
    read = READERS[kind]
    rights = frozenset(read(value.text) for value in leaf.values)
    if not leaf.negated:
        known = rights - {None}
        return lambda left: read(left) in known
    if None in rights:
        return _never  # whether a value differs from a null, nobody knows
    return lambda left: (value := read(left)) is not None and value not in rights


def _compile_by_look(compare: Callable[[Any, Any], bool], right: str) -> Test:
    number, truth = read_number(right), read_boolean(right)
    usual_number = number if looks_like_number(right) else None
    moment = read_moment(right) if looks_like_date(right) else None

    def test(left: object) -> bool:
        if isinstance(left, str):
            if usual_number is not None and looks_like_number(left):
                return compare(read_number(left), usual_number)
            if moment is not None and looks_like_date(left):
                return compare(read_moment(left), moment)
            return compare(left, right)
        if isinstance(left, bool) and truth is not None:
            return compare(left, truth)
        if not isinstance(left, bool) and isinstance(left, int | float) and number is not None:
            return compare(left, number)
        text = read_text(left)
        return text is not None and compare(text, right)

    return test


def _compile_like(leaf: Like) -> Test:
    first, *rest = map(re.escape, leaf.pattern.text.split("%"))
    # The leftmost place for each part is as good as any other, so nothing is tried twice: (?>…).
    places = "".join(f"(?>.*?{part})" for part in rest[:-1] if part)
    end = f".*{rest[-1]}" if rest else ""
    match = re.compile(f"{first}{places}{end}", re.IGNORECASE | re.DOTALL).fullmatch
    negated = leaf.negated

    def test(left: object) -> bool:
        text = read_text(left)
        return text is not None and (match(text) is None) is negated

    return test


def _never(_value: object) -> bool:
    return False
