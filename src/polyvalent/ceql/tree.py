"""
Hold a query as a tree of frozen nodes.

A tree knows what was written, not what it means: that depends on the kinds of the fields, see
`match`. `And` and `Or` hold two parts or more and never a part of their own sort; build them with
`all_of` and `any_of`, which see to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

ComparisonOperator = Literal["=", "!=", "<", "<=", ">", ">="]

# Every operator as one word: what capabilities, plans and explanations call it.
Operator = Literal[
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "notIn",
    "like",
    "notLike",
    "isNull",
    "isNotNull",
]


class Text(Struct, frozen=True):
    """Hold a value that was written in quotes: 'O''Hara' is `Text("O'Hara")`."""

    text: str


class Number(Struct, frozen=True):
    """Hold a number as it was written: 99.50 is `Number("99.50")`."""

    text: str


class Bareword(Struct, frozen=True):
    """Hold any other value without quotes: paid, true, 2017-02-28T16:11:29-06:00."""

    text: str


Value: TypeAlias = Text | Number | Bareword


class Comparison(Struct, frozen=True):
    """Compare a field with a value: price >= 10."""

    field: str
    operator: ComparisonOperator
    value: Value


class In(Struct, frozen=True):
    """Look for a field's value in a list: status in ('new', 'paid'), or not in it."""

    field: str
    values: tuple[Value, ...]
    negated: bool = False


class Like(Struct, frozen=True):
    """Compare a field with a pattern in which % is any run: name like '%mug%', or not like it."""

    field: str
    pattern: Value
    negated: bool = False


class IsNull(Struct, frozen=True):
    """Ask whether a field has no value, or has one: deleted_at is null, is not null."""

    field: str
    negated: bool = False


class And(Struct, frozen=True):
    """Demand all of its parts."""

    parts: tuple[Tree, ...]


class Or(Struct, frozen=True):
    """Demand one of its parts."""

    parts: tuple[Tree, ...]


Leaf: TypeAlias = Comparison | In | Like | IsNull
Tree: TypeAlias = Comparison | In | Like | IsNull | And | Or


class Sort(Struct, frozen=True):
    """Order by one field."""

    field: str
    descending: bool = False


class Statement(Struct, frozen=True, kw_only=True):
    """Hold a whole statement; no `fields` is *, no `where` is every row."""

    object: str
    fields: tuple[str, ...] = ()
    where: Tree | None = None
    order: tuple[Sort, ...] = ()
    limit: int | None = None
    offset: int | None = None


def all_of(parts: Iterable[Tree]) -> Tree:
    """Join parts by AND, flat; a part alone stays what it is. There must be one at least."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(parts: Iterable[Tree]) -> Tree:
    """Join parts by OR, flat; a part alone stays what it is. There must be one at least."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def leaves_of(tree: Tree) -> Iterator[Leaf]:
    """Yield the predicates of a tree from left to right."""
    if isinstance(tree, And | Or):
        for part in tree.parts:
            yield from leaves_of(part)
    else:
        yield tree


def fields_of(tree: Tree | None) -> tuple[str, ...]:
    """Return the fields that a tree asks for, each once, in the order of the text."""
    return tuple(dict.fromkeys(leaf.field for leaf in leaves_of(tree))) if tree else ()


def operator_of(leaf: Leaf) -> Operator:
    """Return a predicate's operator as one word: `In("a", (...), negated=True)` → "notIn"."""
    match leaf:
        case Comparison():
            return leaf.operator
        case In():
            return "notIn" if leaf.negated else "in"
        case Like():
            return "notLike" if leaf.negated else "like"
        case IsNull():
            return "isNotNull" if leaf.negated else "isNull"


def values_of(leaf: Comparison | In | IsNull) -> tuple[Value, ...]:
    """Return the values that a predicate compares with; none for IS NULL."""
    match leaf:
        case Comparison():
            return (leaf.value,)
        case In():
            return leaf.values
        case IsNull():
            return ()
