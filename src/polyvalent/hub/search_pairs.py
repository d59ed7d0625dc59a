"""Put a search into the vendor's query pairs, as the resource's `filtering` says. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from polyvalent.catalog.element import Collection, Filtering, Resource
from polyvalent.ceql import Plan, Push, PushAny, Sort, operator_of
from polyvalent.hub.model import Pairs

_NO_VALUE = "1"  # in place of the value that IS NULL lacks


def search_pairs(
    resource: Resource,
    plan: Plan,
    *,
    page: int | None,
    page_size: int,
    last: str | None = None,
    first_page: int | None = 1,
) -> Pairs:
    """
    Return the vendor query pairs for some rows of a search.

    The order, the conditions, the rows behind `last` if given, then page and size in the vendor's
    words. `page` counts from 1, None where the vendor reads on by a token; `first_page` is the
    vendor's number of the first one, None where it counts the rows before a page.
    """
    collection, filtering = resource.collection, resource.filtering
    pairs = [*_order_pairs(collection, filtering, plan)]
    if filtering is not None:
        pairs += _condition_pairs(filtering, plan)
    elif plan.pushed:  # as parameters of their own, see `where_parameters`
        pushed = [item for item in plan.pushed if not isinstance(item, PushAny)]
        pairs += [(item.predicate.field, item.values[0]) for item in pushed]
    if collection is not None and last is not None:
        behind = collection.rows_before if walks_down(resource, plan) else collection.rows_after
        pairs += [(name, insert(text, {"last": last})) for name, text in behind]
    numbers = {"pageSize": page_size}
    if page is not None:
        numbers["page"] = (page - 1) * (page_size if first_page is None else 1) + (first_page or 0)
    for item in resource.parameters:
        if item.name in numbers and item.type == "query" and item.vendor_type == "query":
            pairs.append((item.vendor_name, str(numbers[item.name])))
    return tuple(pairs)


def has_cursor(resource: Resource, plan: Plan) -> bool:
    """Say whether rows come in an order in which they can be asked for by "behind this one"."""
    return bool(plan.keyset) or walks_down(resource, plan)


def walks_down(resource: Resource, plan: Plan) -> bool:
    """Say whether rows come by the cursor's field, the greatest first, and can be walked so."""
    collection = resource.collection
    return (
        collection is not None
        and bool(collection.rows_before)
        and plan.order_pushed == (Sort(collection.cursor_field, descending=True),)
    )


def insert(template: str, parts: Mapping[str, str]) -> str:
    """Fill a template in one pass: a value that looks like a placeholder stays what it is."""
    text = ""
    rest = template
    while True:
        before, brace, rest = rest.partition("{")
        text += before
        if not brace:
            return text
        name, closed, after = rest.partition("}")
        if closed and name in parts:
            text += parts[name]
            rest = after
        else:
            text += brace


def _order_pairs(
    collection: Collection | None, filtering: Filtering | None, plan: Plan
) -> Iterator[tuple[str, str]]:
    if not plan.order_pushed or filtering is None or not filtering.order_pairs:
        yield from collection.stable_order if collection is not None else ()
        return
    for number, sort in enumerate(plan.order_pushed, start=1):
        parts = {
            "n": str(number),
            "field": sort.field,
            "direction": filtering.directions[sort.descending],
        }
        for name, text in filtering.order_pairs:
            yield insert(name, parts), insert(text, parts)


def _condition_pairs(filtering: Filtering, plan: Plan) -> Iterator[tuple[str, str]]:
    operators = dict(filtering.operators)
    pushed = [item for item in plan.pushed if not isinstance(item, PushAny)]
    for item, number in zip(pushed, _numbers(len(pushed), start=1), strict=True):
        operator = operator_of(item.predicate)
        parts = {
            "n": number,
            "field": item.predicate.field,
            "operator": operators[operator],
            "value": ",".join(item.values) or _NO_VALUE,
        }
        if operator in ("in", "notIn"):
            yield from _list_pairs(filtering.list_pairs, item, parts)
        else:
            if item.values:
                parts["value"] = item.values[0]
            for name, text in filtering.pairs:
                yield insert(name, parts), insert(text, parts)


def _list_pairs(templates: Pairs, item: Push, parts: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in templates:
        if "{i}" not in name + text:
            yield insert(name, parts), insert(text, parts)
            continue
        for value, index in zip(item.values, _numbers(len(item.values), start=0), strict=True):
            each = {**parts, "i": index, "value": value}
            yield insert(name, each), insert(text, each)


def _numbers(count: int, *, start: int) -> tuple[str, ...]:
    # As many digits in each: "a[10]" comes before "a[2]" for some who sign names, not for others.
    first, room = start, 10 - start
    while count > room:
        first = 10 if first < 10 else first * 10
        room = first * 9
    return tuple(str(number) for number in range(first, first + count))
