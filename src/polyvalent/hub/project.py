"""Cut rows down to the members that were asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from polyvalent.ceql.kind import plain_field
from polyvalent.hub.model import Row

# A member's name → what of it is kept; None: all.
_Kept: TypeAlias = Mapping[str, "_Kept | None"]


def project(row: Row, fields: tuple[str, ...]) -> Row:
    """
    Keep only the named members, in the row's order; all when none is named.

    {"id": 1, "items": [{"sku": "a", "qty": 2}]} with ("items.sku",) → {"items": [{"sku": "a"}]}.
    A list is cut element by element, "items[*].sku" means the same. A member that has a dot in its
    name is taken at its word.
    """
    if not fields:
        return row
    kept = _plan(fields)
    if not kept:
        return {name: row[name] for name in row if name in fields}
    made: Row = {}
    for name, value in row.items():
        if name in fields:
            made[name] = value
        elif name in kept:
            made[name] = _cut(value, kept[name])
    return made


@lru_cache(maxsize=1000)
def _plan(fields: tuple[str, ...]) -> _Kept:
    # Empty where every name is a plain one.
    kept: dict[str, Any] = {}
    if not any("." in name or "[" in name for name in fields):
        return kept
    for name in fields:
        place = kept
        *outer, last = plain_field(name).split(".")
        for step in outer:
            inner = place.setdefault(step, {})
            if inner is None:  # kept whole already
                break
            place = inner
        else:
            place[last] = None
    return kept


def _cut(value: Any, kept: _Kept | None) -> Any:
    if kept is None:
        return value
    if isinstance(value, list):
        return [_cut(item, kept) for item in value]
    if isinstance(value, dict):
        return {name: _cut(item, kept[name]) for name, item in value.items() if name in kept}
    return value
