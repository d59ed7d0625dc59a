"""
Refuse a query that an object's fields give no meaning to, before anyone is asked.

A query is checked only where the object's fields are known; a field within a known one, such as
"items.sku" where "items" is known, is left to the rows.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from polyvalent.ceql.kind import Kind, Kinds, kind_of, plain_field
from polyvalent.ceql.match import READERS
from polyvalent.ceql.tree import Leaf, Like, Operator, Tree, leaves_of, operator_of, values_of
from polyvalent.ceql.write import write_where
from polyvalent.errors import BadRequest

_TEXT_MAX = 100
_FIELDS_SHOWN_MAX = 12

# What cannot be asked of a kind; what is not listed can.
_MEANINGLESS: dict[Kind, frozenset[Operator]] = {
    "boolean": frozenset({"<", "<=", ">", ">=", "like", "notLike"}),
    "date": frozenset({"like", "notLike"}),
}
_FORM: dict[Kind, str] = {
    "number": "Write it as 250 or 99.5",
    "date": "Write it as '2024-02-01' or '2024-02-01T09:30:00Z'",
    "boolean": "Write it as 'true' or 'false'",
}
_INSTEAD: dict[Kind, str] = {
    "boolean": "Ask with = or !=",
    "date": "Ask with =, <, <=, > or >=",
}


def check_where(tree: Tree | None, kinds: Kinds, *, object_name: str) -> None:
    """
    Refuse an unknown field, an operator that its kind does not have, a value not of its kind.

    `kinds` holds every field of the object, as "any" where its kind is not known.
    Raises BadRequest, naming what to write instead.
    """
    if tree is None:
        return
    for leaf in leaves_of(tree):
        check_fields((leaf.field,), kinds, object_name=object_name)
        _check_leaf(leaf, kind_of(kinds, leaf.field))


def check_fields(fields: Iterable[str], kinds: Kinds, *, object_name: str) -> None:
    """
    Refuse an unknown field, in a projection, an order or a predicate.

    Raises BadRequest with the names that come near: "customers have no field 'emial'. Did you
    mean email?".
    """
    for field in fields:
        if not _is_known(field, kinds):
            raise BadRequest(
                f"{object_name} have no field {_cut(field)!r}. {suggest_field(field, kinds)}"
            )


def _is_known(field: str, kinds: Kinds) -> bool:
    name = plain_field(field)
    if field in kinds or name in kinds:
        return True
    while "." in name:
        name = name.rpartition(".")[0]
        if name in kinds:
            return True
    return False


def suggest_field(field: str, known: Iterable[str]) -> str:
    """Return a sentence that names the known fields which come near, else some of them."""
    # Case first: difflib finds "ENTITY_ID" far from "entity_id".
    names = list(known)
    lowered = {name.lower(): name for name in names}
    near = difflib.get_close_matches(field[:_TEXT_MAX].lower(), lowered, n=3)
    if near:
        return f"Did you mean {' or '.join(lowered[name] for name in near)}?"
    more = f" and {len(names) - _FIELDS_SHOWN_MAX} more" * (len(names) > _FIELDS_SHOWN_MAX)
    return f"It has {', '.join(names[:_FIELDS_SHOWN_MAX])}{more}."


def _check_leaf(leaf: Leaf, kind: Kind) -> None:
    if operator_of(leaf) in _MEANINGLESS.get(kind, ()):
        raise BadRequest(
            f"{_cut(write_where(leaf))} makes no sense: {_cut(leaf.field)} is a {kind}. "
            f"{_INSTEAD[kind]}."
        )
    if kind not in _FORM or isinstance(leaf, Like):
        return
    for value in values_of(leaf):
        if READERS[kind](value.text) is None:
            raise BadRequest(
                f"{_cut(leaf.field)} is a {kind}, and {_cut(value.text)!r} is none. {_FORM[kind]}."
            )


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}…"
