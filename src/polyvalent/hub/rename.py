"""Say a query in the vendor's names and values. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from polyvalent.ceql import Kinds, Tree
from polyvalent.ceql.kind import kind_of
from polyvalent.ceql.tree import And, Comparison, In, IsNull, Like, Or, Text, Value
from polyvalent.errors import BadRequest
from polyvalent.mapping import Mapping

Translate: TypeAlias = Callable[[str], str]


def rename_tree(
    tree: Tree | None, translate: Translate, *, kinds: Kinds, mapping: Mapping | None = None
) -> Tree | None:
    """
    Rename the fields of a condition: total >= 5 → grand_total >= 5.

    With a mapping its values become the vendor's too: status = 'enabled' → status = '1'. Dates
    stay: they are read in any form, and one written in the vendor's could lose its milliseconds.
    A pattern stays as well. `kinds` are those of the vendor's fields.
    Raises BadRequest for a comparison that words standing for others have no meaning in.
    """

    def say(own: str, field: str, value: Value) -> Value:
        if mapping is None or kind_of(kinds, field) == "date":
            return value
        text = mapping.to_vendor_value(own, value.text)
        return value if text == value.text else Text(text)

    def rename(part: Tree) -> Tree:
        match part:
            case And():
                return And(tuple(map(rename, part.parts)))
            case Or():
                return Or(tuple(map(rename, part.parts)))
            case Comparison(field=own):
                field = translate(own)
                if part.operator not in ("=", "!="):
                    _refuse_words(mapping, part)
                return Comparison(field, part.operator, say(own, field, part.value))
            case In(field=own):
                field = translate(own)
                values = tuple(say(own, field, value) for value in part.values)
                return In(field, values, part.negated)
            case Like():
                _refuse_words(mapping, part)
                return Like(translate(part.field), part.pattern, part.negated)
            case IsNull():
                return IsNull(translate(part.field), part.negated)

    return None if tree is None else rename(tree)


def _refuse_words(mapping: Mapping | None, leaf: Comparison | Like) -> None:
    # The vendor's own words, or numbers, have another order and other letters.
    if mapping is not None and mapping.looks_up(leaf.field):
        raise BadRequest(
            f"{leaf.field[:100]} of {mapping.object_name} is one of a few words, which stand for "
            "others of the vendor's. Ask with =, != or IN."
        )
