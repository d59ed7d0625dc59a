"""
Turn the query language of a search into a plan for one resource. Pure; what was compiled is kept.

Names are the caller's: those of the mapped object if there is a mapping, and `id` for the row's id
whatever the vendor calls it. Everything in a `Query` is in the vendor's.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from polyvalent.catalog.element import Element, ElementObject, Resource
from polyvalent.ceql import (
    NOTHING,
    Capabilities,
    Kind,
    Kinds,
    Match,
    OrderKey,
    Plan,
    Row,
    Sort,
    check_fields,
    check_where,
    compile_match,
    compile_order,
    compile_path,
    fields_of,
    make_plan,
    parse_order,
    parse_where,
    write_order,
    write_where,
)
from polyvalent.ceql.kind import plain_field
from polyvalent.hub.derive import compile_derived
from polyvalent.hub.mapped import vendor_field
from polyvalent.hub.read import find_object
from polyvalent.hub.rename import rename_tree
from polyvalent.hub.same import by_identity
from polyvalent.hub.where_parameters import convert_capabilities, converts_where, vendor_names
from polyvalent.mapping import Mapping

KEPT_QUERIES = 1000
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("integer", "long", "int", "number", "float", "double", "decimal"), "number"),
    **dict.fromkeys(("date", "dateTime", "datetime"), "date"),
    **dict.fromkeys(("string", "text", ""), "text"),
    "boolean": "boolean",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """Hold what a search asks for, ready to be carried out."""

    where: str  # as the caller means it, in one form for all ways to write it
    order: str
    plan: Plan
    takes: Match = field(repr=False, compare=False)  # the residual
    sort_key: OrderKey = field(repr=False, compare=False)  # of what is sorted here
    # What a row is sorted by here, for the token of the next page, and its key again.
    sort_values: Callable[[Row], tuple[Any, ...]] = field(repr=False, compare=False)
    key_of_values: Callable[[Sequence[Any]], tuple[Any, ...]] = field(repr=False, compare=False)
    # Fields that the query is about and the vendor may lack, and those that nobody declared.
    optional: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()


def compile_query(
    where: str,
    order: str,
    *,
    element: Element,
    resource: Resource,
    mapping: Mapping | None = None,
) -> Query:
    """
    Compile `where` and `orderBy` for a list: "sku = 'a' AND qty > 5", "created_at desc".

    Raises BadRequest: what cannot be read (QueryError), a field that the object does not have, a
    value or an operator that is not of the field's kind.
    """
    shown = find_object(element, resource.object)
    return _compile(resource, shown, mapping, where=where, order=order)


def check_projection(
    fields: tuple[str, ...], *, element: Element, resource: Resource, mapping: Mapping | None
) -> None:
    """Refuse a field that the object does not have; raises BadRequest."""
    shown = find_object(element, resource.object) if fields else None
    if shown is not None and shown.fields:
        kinds = kinds_of(shown)
        named = [name if name == "id" else vendor_field(mapping, name) for name in fields]
        _check(named, kinds, shown)


def kinds_of(shown: ElementObject | None) -> Kinds:
    """Return the kinds of an object's fields; of those without fields nothing is known."""
    fields = shown.fields if shown is not None else ()
    return {item.name: _KINDS.get(item.type, "any") for item in fields}


def capabilities_of(resource: Resource) -> Capabilities:
    """Return what the vendor's list does by itself."""
    collection, filtering = resource.collection, resource.filtering
    keyset = collection.cursor_field if collection is not None and collection.rows_after else ""
    if filtering is None:
        return Capabilities(keyset=keyset) if keyset else NOTHING
    return Capabilities(filters=filtering.filters, sorting=filtering.sorting, keyset=keyset)


@by_identity(kept=KEPT_QUERIES)
def _compile(
    resource: Resource,
    shown: ElementObject | None,
    mapping: Mapping | None,
    *,
    where: str,
    order: str,
) -> Query:
    asked, asked_order = parse_where(where), parse_order(order)
    kinds = dict(kinds_of(shown))
    key = shown.primary_key_name if shown is not None else "id"

    def translate(name: str) -> str:
        found = vendor_field(mapping, name)
        return key if found == "id" and key else found

    tree = rename_tree(asked, translate, kinds=kinds, mapping=mapping)
    sorts = tuple(Sort(translate(sort.field), sort.descending) for sort in asked_order)
    named = (*fields_of(tree), *(sort.field for sort in sorts))
    undeclared: tuple[str, ...] = ()
    capabilities = capabilities_of(resource)
    if converts_where(resource):
        vendor = vendor_names(tree, kinds)
        capabilities = convert_capabilities(tree, capabilities, vendor=vendor)
        kinds.update(dict.fromkeys(vendor, "any"))
    if shown is not None and shown.fields:
        undeclared = _check(named, kinds, shown)
        kinds.update(dict.fromkeys(undeclared, "any"))
        check_where(tree, kinds, object_name=shown.name)
    plan = make_plan(tree, sorts, capabilities=capabilities, kinds=kinds)
    optional = resource.filtering.optional if resource.filtering is not None else ()
    takes, key_of = compile_match(plan.residual, kinds), compile_order(plan.order_here, kinds)
    values_of = _compile_values(plan.order_here)
    key_of_values = _take_values(plan.order_here, key_of)
    derive = compile_derived(named) if mapping is not None else None
    if derive is not None:
        takes, key_of, values_of = (_after(derive, step) for step in (takes, key_of, values_of))
    return Query(
        where=write_where(asked),
        order=write_order(asked_order),
        plan=plan,
        takes=takes,
        sort_key=key_of,
        sort_values=values_of,
        key_of_values=key_of_values,
        optional=tuple(name for name in dict.fromkeys(named) if name in optional),
        undeclared=undeclared,
    )


def _compile_values(order: Sequence[Sort]) -> Callable[[Row], tuple[Any, ...]]:
    finders = tuple(compile_path(sort.field) for sort in order)

    def read(row: Row) -> tuple[Any, ...]:
        firsts = (values[0] if values else None for values in (find(row) for find in finders))
        # Of an object it only counts that it is none of the kinds.
        return tuple({} if isinstance(value, dict) else value for value in firsts)

    return read


def _take_values(order: Sequence[Sort], key_of: OrderKey) -> Callable[[Sequence[Any]], Any]:
    # A row that has a member with a field's whole name is taken at its word, dots and all.
    names = tuple(sort.field for sort in order)
    return lambda values: key_of(dict(zip(names, values, strict=True)))


def _after(derive: Callable[[Row], Row], step: Callable[[Row], Any]) -> Callable[[Row], Any]:
    return lambda row: step(derive(row))


def _check(names: Iterable[str], kinds: Kinds, shown: ElementObject) -> tuple[str, ...]:
    """
    Refuse unknown fields, and return those that may be the store's own.

    An object with custom fields may have others than are declared, but not one that looks like a
    slip of the pen.
    """
    own: list[str] = []
    for name in dict.fromkeys(names):
        top = plain_field(name).partition(".")[0]
        if name in kinds or top in kinds or plain_field(name) in kinds:
            continue
        lowered = [known.lower() for known in kinds]
        near = difflib.get_close_matches(top.lower()[:100], lowered, n=1, cutoff=0.75)
        if not shown.custom_fields or near:
            check_fields((name,), kinds, object_name=shown.name)
        own.append(name)
    return tuple(own)
