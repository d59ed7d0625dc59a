"""
Split a query into what the vendor does and what is left to do here.

The rule that everything keeps to: the rows that the pushed conditions let through hold every row
that the query takes, and of them the residual takes just these. Conditions are pushed as they are
where the vendor has them, in a wider form where it has only that (> as >=, an OR as what all of
its branches imply), and not at all otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from msgspec import Struct

from polyvalent.ceql.capability import Capabilities, Filter
from polyvalent.ceql.encode import encode_pattern, encode_value, widen_moment
from polyvalent.ceql.imply import as_list, bounds_of, drop_implied, find_facts, readable_values
from polyvalent.ceql.kind import Kinds, kind_of
from polyvalent.ceql.tree import (
    And,
    Comparison,
    ComparisonOperator,
    In,
    Leaf,
    Like,
    Or,
    Sort,
    Tree,
    Value,
    all_of,
    operator_of,
    values_of,
)

Cause = Literal[
    "noFilter",  # the vendor does not filter by the field
    "noOperator",  # it does, but not so
    "wider",  # it lets more rows through
    "value",  # the value cannot be said to it
    "length",  # the list is too long for it
    "either",  # it does not take OR
    "once",  # it takes one such condition, and another went first
    "noSort",  # it does not sort by the field as we do
    "ties",  # rows that are equal by the fields would come in varying order
    "keys",  # too many fields to sort by
]

_UPPER: tuple[ComparisonOperator, ComparisonOperator] = ("<", "<=")
_LOWER: tuple[ComparisonOperator, ComparisonOperator] = (">", ">=")


class Push(Struct, frozen=True):
    """
    Hold one condition for the vendor: what it asks and its values as the vendor reads them.

    `filter` is the place, in the capabilities, of the filter that takes it.
    """

    predicate: Leaf
    values: tuple[str, ...]
    exact: bool
    filter: int = 0


class PushAny(Struct, frozen=True):
    """Hold conditions of which all of one branch must hold."""

    branches: tuple[tuple[Pushed, ...], ...]


Pushed: TypeAlias = Push | PushAny


class Reason(Struct, frozen=True):
    """Say why a part of a query is done here; `narrowed` if the vendor gets something for it."""

    part: Tree | Sort
    cause: Cause
    narrowed: bool = False


class Plan(Struct, frozen=True, kw_only=True):
    """
    Hold how a query is answered.

    The vendor gets `pushed` (all must hold) and `order_pushed`; what comes is filtered by
    `residual` and ordered by `order_here`. Where `keyset` names a field, rows come ordered by it,
    ascending, and may be read on from the last one's value.
    """

    pushed: tuple[Pushed, ...] = ()
    residual: Tree | None = None
    order_pushed: tuple[Sort, ...] = ()
    order_here: tuple[Sort, ...] = ()
    keyset: str = ""
    reasons: tuple[Reason, ...] = ()

    @property
    def scans(self) -> bool:
        """Say whether a page of the answer may need more than one page of the vendor's."""
        return self.residual is not None or bool(self.order_here)


def make_plan(
    tree: Tree | None, order: Sequence[Sort], *, capabilities: Capabilities, kinds: Kinds
) -> Plan:
    """
    Plan a query: status = 'new' AND name LIKE 'a%' → the first pushed, the second residual.

    The tree is taken as checked: a value that is not of its field's kind takes no row.
    """
    planner = _Planner(capabilities, kinds)
    pushed, residual, reasons = planner.plan_filter(tree)
    order_pushed, order_here, causes = _plan_order(tuple(order), capabilities)
    keyset = capabilities.keyset
    return Plan(
        pushed=pushed,
        residual=residual,
        order_pushed=order_pushed,
        order_here=order_here,
        keyset=keyset if order_pushed in ((), (Sort(keyset),)) else "",
        reasons=(*reasons, *causes),
    )


def _plan_order(
    order: tuple[Sort, ...], capabilities: Capabilities
) -> tuple[tuple[Sort, ...], tuple[Sort, ...], tuple[Reason, ...]]:
    # Pages are lost or doubled where the vendor may swap equal rows between two calls, so an order
    # is pushed only when it is total: it ends with a unique field, if need be one that we add.
    sorting, keyset = capabilities.sorting, capabilities.keyset
    if not order:
        return (), (), ()
    keys: list[Sort] = []
    for sort in order:
        if sort.field not in (*sorting.fields, *([] if sort.descending else [keyset])):
            return (), order, (Reason(sort, "noSort"),)
        keys.append(sort)
        if sort.field == keyset or sort.field in sorting.unique:
            break
    else:
        if not keyset:
            return (), order, (Reason(order[-1], "ties"),)
        keys.append(Sort(keyset))
    if len(keys) > sorting.keys_max:
        cause: Cause = "keys" if len(order) > sorting.keys_max else "ties"
        return (), order, (Reason(order[-1], cause),)
    return tuple(keys), (), ()


class _Narrowed(Struct, frozen=True):
    # What the vendor gets for a condition; `exact` if nothing of it is left to do here.
    pushed: tuple[Pushed, ...] = ()
    exact: bool = False
    cause: Cause = "noFilter"


@dataclass(frozen=True, slots=True)
class _Planner:
    capabilities: Capabilities
    kinds: Kinds

    def plan_filter(
        self, tree: Tree | None
    ) -> tuple[tuple[Pushed, ...], Tree | None, tuple[Reason, ...]]:
        if tree is None:
            return (), None, ()
        parts = drop_implied(tree.parts if isinstance(tree, And) else (tree,), self.kinds)
        found = [(at, part, self.narrow(part)) for at, part in enumerate(parts)]
        # What is done with when pushed goes first, if the vendor takes but one of a sort.
        found.sort(key=lambda item: not item[2].exact)
        pushed: dict[Pushed, None] = {}
        taken: set[tuple[str, str]] = set()
        left: list[tuple[int, Tree, Reason]] = []
        for at, part, narrowed in found:
            free = [item for item in narrowed.pushed if not self._is_taken(item, pushed, taken)]
            clash = len(free) < len(narrowed.pushed)
            for item in free:
                pushed[item] = None
                if isinstance(item, Push):
                    taken.add((item.predicate.field, operator_of(item.predicate)))
            if clash or not narrowed.exact:
                cause = "once" if clash else narrowed.cause
                left.append((at, part, Reason(part, cause, narrowed=bool(free))))
        left.sort(key=lambda item: item[0])
        residual = all_of(part for _, part, _ in left) if left else None
        return tuple(pushed), residual, tuple(reason for *_, reason in left)

    def narrow(self, tree: Tree) -> _Narrowed:
        """Find conditions for the vendor that take every row that the tree takes."""
        match tree:
            case And():
                parts = [self.narrow(part) for part in tree.parts]
                pushed = tuple(item for part in parts for item in part.pushed)
                return _Narrowed(pushed, all(part.exact for part in parts), _first_cause(parts))
            case Or():
                return self._narrow_or(tree)
            case Comparison(operator="="):
                return self._narrow_list(tree, (tree.value,))
            case In(negated=False):
                return self._narrow_list(tree, tree.values)
            case Comparison(operator="<" | "<=" | ">" | ">="):
                return self._narrow_bound(tree)
            case _:
                asked = self._ask(tree)
                if isinstance(asked, Push):
                    return _Narrowed((asked,), asked.exact, "wider")
                return _Narrowed(cause=asked)

    def _narrow_or(self, tree: Or) -> _Narrowed:
        listed = as_list(tree)
        if listed is not None:
            return self._narrow_list(listed, listed.values)
        if self.capabilities.any_of:
            parts = [self.narrow(part) for part in tree.parts]
            if all(part.pushed for part in parts):
                whole = PushAny(tuple(part.pushed for part in parts))
                return _Narrowed((whole,), all(p.exact for p in parts), _first_cause(parts))
        pushed: list[Pushed] = []
        for field, fact in find_facts(tree, self.kinds).items():
            found: tuple[Pushed, ...] = ()
            if fact.values:
                found = self._narrow_list(In(field, fact.values), fact.values).pushed
            pushed += found or self._push_bounds(fact.lower, fact.upper)
        return _Narrowed(tuple(pushed), cause="either")

    def _narrow_list(self, leaf: Comparison | In, values: tuple[Value, ...]) -> _Narrowed:
        field = leaf.field
        known = readable_values(field, values, self.kinds)
        if not known:
            return _Narrowed(cause="value")
        asked = self._ask(Comparison(field, "=", known[0])) if len(known) == 1 else None
        if not isinstance(asked, Push):
            listed = self._ask(In(field, known))
            asked = asked if asked and not isinstance(listed, Push) else listed
        if isinstance(asked, Push):
            return _Narrowed((asked,), asked.exact, "wider")
        return _Narrowed(self._push_bounds(*bounds_of(field, known, self.kinds)), cause=asked)

    def _narrow_bound(self, bound: Comparison) -> _Narrowed:
        asked = self._ask(bound)
        if isinstance(asked, Push):
            return _Narrowed((asked,), asked.exact, "wider")
        for wider in self._widen(bound, asked):
            found = self._ask(wider)
            if isinstance(found, Push):
                return _Narrowed((found,), cause=asked)
        return _Narrowed(cause=asked)

    def _push_bounds(self, *bounds: Comparison | None) -> tuple[Pushed, ...]:
        known = (bound for bound in bounds if bound is not None)
        return tuple(item for bound in known for item in self._narrow_bound(bound).pushed)

    def _widen(self, bound: Comparison, cause: Cause) -> Iterator[Comparison]:
        up = bound.operator in ("<", "<=")
        strict, loose = _UPPER if up else _LOWER
        if cause == "value" and kind_of(self.kinds, bound.field) == "date":
            for _, item in self._filters(bound):
                moment = widen_moment(bound.value, up=up, encoding=item.encoding)
                if moment is not None:
                    # The moment itself is out of bounds already, so strict takes enough.
                    yield Comparison(bound.field, strict, moment)
                    yield Comparison(bound.field, loose, moment)
        elif bound.operator == strict:
            yield Comparison(bound.field, loose, bound.value)

    def _ask(self, leaf: Leaf) -> Push | Cause:
        # Put a predicate to the vendor just as it stands, or say why that cannot be.
        operator = operator_of(leaf)
        cause: Cause = "noFilter"
        for place, item in self._filters(leaf):
            if operator not in item.exact and operator not in item.superset:
                cause = "noOperator" if cause == "noFilter" else cause
                continue
            values = self._encode(leaf, item)
            if isinstance(values, tuple):
                return Push(leaf, values, operator in item.exact, place)
            cause = values
        return cause

    def _filters(self, leaf: Leaf) -> list[tuple[int, Filter]]:
        field = leaf.field
        if "[" in field:
            field = field.replace("[*]", "").replace("[]", "")
        filters = self.capabilities.filters
        return [(place, item) for place, item in enumerate(filters) if field in item.fields]

    def _encode(self, leaf: Leaf, item: Filter) -> tuple[str, ...] | Cause:
        encoding = item.encoding
        if isinstance(leaf, Like):
            pattern = encode_pattern(leaf.pattern, encoding)
            return "value" if pattern is None else (pattern,)
        if isinstance(leaf, In) and item.values_max and len(leaf.values) > item.values_max:
            return "length"
        values = values_of(leaf)
        kind = kind_of(self.kinds, leaf.field)
        found = [encode_value(value, kind=kind, encoding=encoding) for value in values]
        said = tuple(text for text in found if text is not None)
        return said if len(said) == len(found) else "value"

    def _is_taken(
        self, item: Pushed, pushed: dict[Pushed, None], taken: set[tuple[str, str]]
    ) -> bool:
        if item in pushed or isinstance(item, PushAny):
            return False
        place = (item.predicate.field, operator_of(item.predicate))
        return place in taken and self.capabilities.filters[item.filter].once


def _first_cause(parts: list[_Narrowed]) -> Cause:
    return next((part.cause for part in parts if not part.exact), "wider")
