"""
Find simple conditions on one field that a larger condition implies.

(status = 'new' AND x) OR (status = 'held' AND y) implies status IN ('new', 'held'): a vendor that
cannot answer the whole may still answer that, and far fewer rows come. All of it holds for fields
within lists too, whose predicates hold if they hold for one value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from polyvalent.ceql.kind import Kinds, kind_of
from polyvalent.ceql.match import READERS
from polyvalent.ceql.tree import And, Comparison, In, IsNull, Like, Or, Tree, Value

_ORDERED = ("number", "date")  # where our order is everybody's; texts are sorted by local custom
_LOWER, _UPPER = (">", ">="), ("<", "<=")


class Fact(Struct, frozen=True):
    """Hold what is known of one field: one of these values, not below, not above."""

    values: tuple[Value, ...] | None = None
    lower: Comparison | None = None
    upper: Comparison | None = None


Facts: TypeAlias = Mapping[str, Fact]


def find_facts(tree: Tree, kinds: Kinds) -> Facts:
    """Return what a condition implies of each field; one of which nothing is known is absent."""
    match tree:
        case Comparison(field=field, operator="=", value=value):
            return {field: _listed(field, (value,), kinds)}
        case In(field=field, values=values, negated=False):
            return {field: _listed(field, values, kinds)}
        case Comparison(field=field, operator=operator):
            if operator == "!=" or _read(tree, kinds) is None:
                return {}
            lower = tree if operator in _LOWER else None
            return {field: Fact(None, lower, None if lower else tree)}
        case And():
            return _join_all([find_facts(part, kinds) for part in tree.parts], kinds)
        case Or():
            return _join_any([find_facts(part, kinds) for part in tree.parts], kinds)
        case In() | Like() | IsNull():
            return {}


def as_list(tree: Or) -> In | None:
    """Return the list that an OR of equalities on one field is: a = 1 OR a IN (2) → a IN (1, 2)."""
    values: dict[Value, None] = {}
    field = getattr(tree.parts[0], "field", None)
    for part in tree.parts:
        match part:
            case Comparison(operator="=", value=value) if part.field == field:
                values[value] = None
            case In(negated=False) if part.field == field:
                values.update(dict.fromkeys(part.values))
            case _:
                return None
    return In(str(field), tuple(values))


def drop_implied(parts: Iterable[Tree], kinds: Kinds) -> tuple[Tree, ...]:
    """
    Leave out of an AND what is said twice: price > 1 AND price > 5 → price > 5.

    What remains takes the same rows.
    """
    kept = dict.fromkeys(parts)
    tightest: dict[tuple[str, bool], Comparison] = {}
    for part in tuple(kept):
        if not isinstance(part, Comparison) or part.operator in ("=", "!="):
            continue
        if _read(part, kinds) is None:
            continue
        place = (part.field, part.operator in _LOWER)
        other = tightest.get(place)
        if other is None or _is_tighter(part, other, kinds):
            tightest[place] = part
        if other is not None:
            del kept[other if tightest[place] is part else part]
    return tuple(kept)


def bounds_of(field: str, values: tuple[Value, ...], kinds: Kinds) -> tuple[Comparison, ...]:
    """Return bounds that hold all values: (5, 1, 3) → a >= 1, a <= 5; none for texts."""
    fact = _listed(field, values, kinds)
    return tuple(bound for bound in (fact.lower, fact.upper) if bound is not None)


def readable_values(field: str, values: tuple[Value, ...], kinds: Kinds) -> tuple[Value, ...]:
    """Return the values that are of the field's kind, each once; nothing equals the others."""
    read = READERS.get(kind_of(kinds, field))
    kept = (value for value in values if read is None or read(value.text) is not None)
    return tuple(dict.fromkeys(kept))


def _listed(field: str, values: tuple[Value, ...], kinds: Kinds) -> Fact:
    kind = kind_of(kinds, field)
    known = readable_values(field, values, kinds)
    if kind not in _ORDERED or not known:
        return Fact(known)
    read = READERS[kind]
    ordered = sorted(known, key=lambda value: read(value.text))
    return Fact(known, Comparison(field, ">=", ordered[0]), Comparison(field, "<=", ordered[-1]))


def _join_all(found: list[Facts], kinds: Kinds) -> Facts:
    # Each holds: take the shorter list, the tighter bound.
    joined: dict[str, Fact] = {}
    for facts in found:
        for field, fact in facts.items():
            known = joined.get(field, _UNKNOWN)
            lists = [item for item in (known.values, fact.values) if item is not None]
            joined[field] = Fact(
                min(lists, key=len) if lists else None,
                _pick(known.lower, fact.lower, kinds, tighter=True),
                _pick(known.upper, fact.upper, kinds, tighter=True),
            )
    return joined


def _join_any(found: list[Facts], kinds: Kinds) -> Facts:
    # One holds, nobody knows which: only what all of them say, in its loosest form.
    joined = dict(found[0])
    for facts in found[1:]:
        for field in tuple(joined):
            known, fact = joined[field], facts.get(field, _UNKNOWN)
            both = known.values is not None and fact.values is not None
            values = dict.fromkeys((*(known.values or ()), *(fact.values or ())))
            loosest = Fact(
                tuple(values) if both else None,
                _pick(known.lower, fact.lower, kinds, tighter=False),
                _pick(known.upper, fact.upper, kinds, tighter=False),
            )
            if loosest == _UNKNOWN:
                del joined[field]
            else:
                joined[field] = loosest
    return joined


def _pick(
    one: Comparison | None, other: Comparison | None, kinds: Kinds, *, tighter: bool
) -> Comparison | None:
    if one is None or other is None:
        return (one or other) if tighter else None
    return one if _is_tighter(one, other, kinds) is tighter else other


def _is_tighter(one: Comparison, other: Comparison, kinds: Kinds) -> bool:
    left, right = _read(one, kinds), _read(other, kinds)
    if left == right:
        return one.operator in ("<", ">")
    return bool(left > right) is (one.operator in _LOWER)


def _read(bound: Comparison, kinds: Kinds) -> Any:
    kind = kind_of(kinds, bound.field)
    return READERS[kind](bound.value.text) if kind in _ORDERED else None


_UNKNOWN = Fact()
