"""
Find out where a list ends when it is read by page numbers, for vendors that do not say. Pure.

Some vendors answer a page past the end with the last page again, and most do not tell how many
rows there are. Two small questions decide, each asked only where the answer is still open:

- is there a row behind the last one given? If so, the page is real and has a next one;
- is the row just before the page one of its rows? Then the page is the last one, repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polyvalent.catalog.element import Resource
from polyvalent.hub.compiled_rows import CompiledRow
from polyvalent.hub.model import Row


def repeats_last(resource: Resource) -> bool:
    """Say whether a page past the end comes as the last page again."""
    return resource.collection is not None and resource.collection.past_the_end == "repeatsLast"


def ends_with_empty(resource: Resource) -> bool:
    """Say whether only an empty page shows the end of a list, since any page may be short."""
    return resource.collection is not None and resource.collection.ends_with == "emptyPage"


def cursor_of(resource: Resource, row: Row) -> str | None:
    """Return the value of a row that the next page begins behind; None if it is hidden."""
    field = resource.collection.cursor_field if resource.collection is not None else ""
    value = row.get(field, row.get("id"))
    return None if value is None else str(value)


def cursors_of(resource: Resource, rows: Sequence[Any]) -> list[str | None]:
    """Return the cursor value of each row; see `cursor_of`."""
    field = resource.collection.cursor_field if resource.collection is not None else ""
    kinds = set(map(type, rows))
    if len(kinds) == 1 and issubclass(kind := kinds.pop(), CompiledRow):
        values = kind.column(rows, field)
    else:
        values = [row.get(field) for row in rows]
    if None in values:
        return [cursor_of(resource, row) for row in rows]
    return values if set(map(type, values)) == {str} else list(map(str, values))


def shares_row(resource: Resource, rows: tuple[Row, ...], others: tuple[Row, ...]) -> bool:
    """Say whether two pages have a row in common, so that one repeats the other."""
    ids = {cursor_of(resource, row) for row in rows} - {None}
    return any(cursor_of(resource, row) in ids for row in others)
