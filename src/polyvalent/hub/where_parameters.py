"""
Put conditions into query parameters of the vendor's, where a resource asks for that. Pure.

A parameter `where` with the converter `toQueryParameters` means: status = 'open' AND shop = 3 goes
out as status=open&shop=3. Whether the vendor heeds them is not said, so a field of the object is
looked at here once more; a name that the object does not have is the vendor's alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from polyvalent.catalog.element import Resource
from polyvalent.ceql import Capabilities, Filter, Kinds, Tree
from polyvalent.ceql.kind import plain_field
from polyvalent.ceql.tree import And, Comparison

CONVERTER = "toQueryParameters"


def converts_where(resource: Resource) -> bool:
    """Say whether conditions of a search go out as query parameters of their own."""
    return resource.filtering is None and any(
        item.name == "where"
        and item.type == item.vendor_type == "query"
        and item.converter == CONVERTER
        for item in resource.parameters
    )


def vendor_names(tree: Tree | None, kinds: Kinds) -> frozenset[str]:
    """
    Return the names in a query that only the vendor knows: those of equalities that must all hold.

    Of an object without fields nothing is known, so that no name is the vendor's alone.
    """
    if not kinds:
        return frozenset()
    return frozenset(
        item.field
        for item in _equalities(tree)
        if plain_field(item.field).partition(".")[0] not in kinds and item.field not in kinds
    )


def convert_capabilities(
    tree: Tree | None, capabilities: Capabilities, *, vendor: frozenset[str]
) -> Capabilities:
    """Return what the vendor can do of one query, if its equalities are sent as parameters."""
    names = {item.field for item in _equalities(tree)}
    filters = (
        Filter(fields=tuple(sorted(vendor)), exact=("=",), once=True),
        Filter(fields=tuple(sorted(names - vendor)), superset=("=",), once=True),
    )
    return Capabilities(filters=filters, sorting=capabilities.sorting, keyset=capabilities.keyset)


def _equalities(tree: Tree | None) -> Iterator[Comparison]:
    match tree:
        case And():
            for part in tree.parts:
                yield from _equalities(part)
        case Comparison(operator="="):
            yield tree
