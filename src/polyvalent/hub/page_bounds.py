"""
Find out where a list ends, for vendors that do not say. Pure.

Some vendors answer a page past the end with the last page again, and none of them tells how many
rows there are. Three small questions decide, each asked only where the answer is still open:

- the first page is asked for one row more than wanted: if it comes, there is a next page;
- is there a row behind the last one given? If so, the page is real and has a next one;
- is the row just before the page one of its rows? Then the page is the last one, repeated.
"""

from __future__ import annotations

from polyvalent.catalog.element import Resource
from polyvalent.hub.build import search_pairs
from polyvalent.hub.model import Pairs, Row, Search


def has_cursor(resource: Resource) -> bool:
    """Say whether rows can be asked for by "behind this one"."""
    collection = resource.collection
    return collection is not None and bool(collection.cursor_field and collection.rows_after)


def repeats_last(resource: Resource) -> bool:
    """Say whether a page past the end comes as the last page again."""
    return resource.collection is not None and resource.collection.past_the_end == "repeatsLast"


def first_size(resource: Resource, search: Search, *, vendor_max: int) -> int:
    """Return how many rows to ask for: one more than wanted where that tells what follows."""
    spare = has_cursor(resource) and _begins_anywhere(search) and search.page_size < vendor_max
    return search.page_size + 1 if spare else search.page_size


def main_pairs(resource: Resource, search: Search, *, size: int, first_page: int) -> Pairs:
    """Return the vendor query for the page itself."""
    page = 1 if search.last is not None else search.page
    return search_pairs(
        resource, search, page=page, page_size=size, last=search.last, first_page=first_page
    )


def behind_pairs(resource: Resource, search: Search, *, last: str, first_page: int) -> Pairs:
    """Return the vendor query for the one row behind the page."""
    return search_pairs(resource, search, page=1, page_size=1, last=last, first_page=first_page)


def before_pairs(resource: Resource, search: Search, *, first_page: int) -> Pairs:
    """Return the vendor query for the one row before the page; the page is not the first."""
    row_number = (search.page - 1) * search.page_size
    return search_pairs(
        resource, search, page=row_number, page_size=1, last=None, first_page=first_page
    )


def needs_row_behind(resource: Resource, search: Search, *, asked: int, rows: int) -> bool:
    """Say whether a full page leaves open if another follows."""
    return has_cursor(resource) and asked == search.page_size and rows >= asked


def needs_row_before(resource: Resource, search: Search, *, rows: int) -> bool:
    """Say whether the page may be the last one, repeated; known only for pages asked by number."""
    return repeats_last(resource) and not _begins_anywhere(search) and rows > 0


def is_repeated(resource: Resource, rows: tuple[Row, ...], before: tuple[Row, ...]) -> bool:
    """Say whether the row before a page is one of its own, so that the page lies past the end."""
    ids = {cursor_of(resource, row) for row in rows}
    return any(cursor_of(resource, row) in ids for row in before)


def cursor_of(resource: Resource, row: Row) -> str | None:
    """Return the value of a row that the next page begins behind; None if it is hidden."""
    field = resource.collection.cursor_field if resource.collection is not None else ""
    value = row.get(field, row.get("id"))
    return None if value is None else str(value)


def _begins_anywhere(search: Search) -> bool:
    # True where the page does not depend on a page number: the first one, or behind a row.
    return search.page == 1 or search.last is not None
