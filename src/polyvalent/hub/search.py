"""
Answer a search: the loop over the vendor's pages.

A plan that the vendor carries out whole needs one call or two. What is filtered here is read on
until the page is full, what is sorted here until the list ends; both no further than the scan
limit, and what then is not known is not claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nsmallest
from typing import Any

from msgspec import structs

from polyvalent.ceql import compile_path, write_order
from polyvalent.ceql.kind import read_number
from polyvalent.errors import BadRequest
from polyvalent.hub import page_bounds as bounds
from polyvalent.hub.compiled_rows import find_reading, write_json
from polyvalent.hub.explain import explain_search, searchable_fields
from polyvalent.hub.made_call import MadeCall, compose_answer, warn_of_empty
from polyvalent.hub.model import Answer, Page, Row
from polyvalent.hub.page_token import PageToken, digest_query, write_token
from polyvalent.hub.piece import Kept, Place
from polyvalent.hub.read import strips_nulls
from polyvalent.hub.search_pairs import has_cursor, search_pairs
from polyvalent.hub.search_query import Search, list_path, read_search
from polyvalent.hub.walk import (
    Walk,
    begin_walk,
    first_page,
    largest_page,
    read_list,
    reads_by_token,
)

SCAN_LIMIT = 10_000  # rows


async def search_rows(made: MadeCall, *, scan_limit: int = SCAN_LIMIT) -> Answer:
    """
    Answer a search with a page of rows, or with its plan where `explain` asks for that.

    Raises BadRequest: the query, or one that would read more than `scan_limit` rows of the vendor
    before anything is known; what the vendor's refusals mean. Effects: calls the vendor.
    """
    search = read_search(
        made.incoming,
        made.match.resource,
        element=made.connection.element,
        configuration=made.connection.configuration,
        mapping=made.route.mapping,
    )
    if search.explain:
        body = explain_search(made, search, scan_limit=scan_limit)
        return compose_answer(made.connection, body, warnings=search.warnings)
    if _shows_all(made, search):
        reading = find_reading(made.connection.element, made.match.resource, made.route.mapping)
        made = structs.replace(made, reading=reading)
    page = await _find_page(made, search, scan_limit)
    rows = made.show_all(page.rows, search.fields)
    headers = [("Elements-Returned-Count", str(len(rows)))]
    # A total beyond the rows means that there are more to come, so the last page tells none.
    if page.total is not None and (page.next_token is not None or page.total == len(rows)):
        headers.append(("Elements-Total-Count", str(page.total)))
    if page.next_token is not None:
        headers.append(("Elements-Next-Page-Token", page.next_token))
    warnings = (*search.warnings, *page.warnings)
    shown = rows if made.reading is None else write_json(rows)
    return compose_answer(made.connection, shown, headers=tuple(headers), warnings=warnings)


def _shows_all(made: MadeCall, search: Search) -> bool:
    """Say whether rows are shown as they come, so that nothing looks at them but their mapping."""
    query = search.query
    looks = query.plan.residual is not None or query.plan.order_here or query.optional
    return not (looks or query.undeclared or search.fields) and strips_nulls(
        made.connection.configuration
    )


async def _find_page(made: MadeCall, search: Search, scan_limit: int) -> Page:
    plan = search.query.plan
    if made.match.resource.pagination_type == "VENDOR_NOT_SUPPORTED":
        return await _cut(made, search)
    if plan.order_here:
        return await _sort(made, search, scan_limit)
    if plan.residual is not None:
        return await _scan(made, search, scan_limit)
    if reads_by_token(made, search):
        return await _scan(made, search, scan_limit)
    if has_cursor(made.match.resource, plan) and (search.page == 1 or search.last is not None):
        return await _scan(made, search, scan_limit)
    return await _number(made, search)


async def _cut(made: MadeCall, search: Search) -> Page:
    """Read the whole list and cut the page out of it, for vendors that do not page it."""
    query = search.query
    pairs = search_pairs(
        made.match.resource, query.plan, page=1, page_size=largest_page(made), last=None
    )
    found = await read_list(made, search, pairs=pairs, asks_optional=True)
    rows = [row for row in found if query.takes(row)]
    if query.plan.order_here:
        rows.sort(key=query.sort_key)
    begin = (search.page - 1) * search.page_size
    end = begin + search.page_size
    return Page(
        rows=rows[begin:end],
        next_token=_token(made, search) if end < len(rows) else None,
        total=len(rows),
        warnings=(*warn_of_empty(found), *_warn_of_fields(_unseen(search, found), len(found))),
    )


async def _scan(made: MadeCall, search: Search, scan_limit: int) -> Page:
    """Read on until the page is full and one more row is found, or the list ends."""
    query, largest = search.query, largest_page(made)
    residual = query.plan.residual is not None
    walk = begin_walk(made, search)
    skip = 0 if search.continues else (search.page - 1) * search.page_size
    # Whether more follow the vendor's token tells, unless some of it is filtered here.
    trusts = walk.by_token and not residual and not bounds.ends_with_empty(made.match.resource)
    wanted = skip + search.page_size + (0 if trusts else 1)
    kept = Kept()
    takes = query.takes if residual else None
    empty: tuple[str, ...] = ()
    unseen = frozenset(query.undeclared)
    size = largest if walk.by_number or skip or (residual and not query.plan.pushed) else wanted
    while len(kept.rows) < wanted and not walk.ended:
        if (residual or walk.by_token) and walk.rows_read >= scan_limit:
            return _stop(made, search, kept, walk, limit=scan_limit, skip=skip)
        piece = await walk.read(min(size, largest))
        empty = empty or warn_of_empty(piece.rows)
        unseen = unseen and _unseen(search, piece.rows, among=unseen)
        kept.add(piece, takes=takes)
        size = largest if residual or walk.by_number else wanted - len(kept.rows)
    page = kept.rows[skip : skip + search.page_size]
    more = len(kept.rows) > skip + len(page) or (trusts and not walk.ended)
    whole = walk.ended and not search.continues and not walk.warnings
    next_token = None
    if more and page:
        next_token = _token(made, search, place=kept.place_of(skip + len(page) - 1))
    return Page(
        rows=page,
        next_token=next_token,
        total=len(kept.rows) if whole else None,
        warnings=(
            *empty,
            *walk.warnings,
            *(_warn_of_fields(unseen, walk.rows_read) if walk.ended else ()),
        ),
    )


def _stop(
    made: MadeCall,
    search: Search,
    kept: Kept,
    walk: Walk,
    *,
    limit: int,
    skip: int,
) -> Page:
    # Everything up to here is known, and the token goes on behind it.
    if skip:
        raise BadRequest(
            f"Page {search.page} of this search lies behind more than {limit} rows that would have "
            f"to be read and filtered here. Read page by page with nextPage, or narrow the search "
            f"by what the vendor filters: {searchable_fields(made)}. explain=true shows the plan."
        )
    fitting = len(kept.rows)
    warning = (
        f"{walk.rows_read} rows were read and {fitting} of them fit; nextPage reads on from there"
    )
    return Page(
        rows=kept.rows,
        next_token=_token(made, search, place=walk.place),
        warnings=(warning,),
    )


async def _sort(made: MadeCall, search: Search, scan_limit: int) -> Page:
    """Read every row that fits and give those that come next in an order of ours."""
    query, largest = search.query, largest_page(made)
    walk = begin_walk(made, search, from_start=True)
    skip = 0 if search.after is not None else (search.page - 1) * search.page_size
    wanted = skip + search.page_size + 1
    best: list[tuple[Any, Row]] = []
    total = 0
    empty: tuple[str, ...] = ()
    unseen = frozenset(query.undeclared)
    after = _key_of_token(search)

    def key(row: Row, number: int) -> tuple[Any, ...]:
        at = bounds.cursor_of(made.match.resource, row)
        return (query.sort_key(row), _tie(at, number))

    while not walk.ended:
        if walk.rows_read >= scan_limit:
            raise _too_many_to_sort(made, search, scan_limit)
        found = (await walk.read(largest)).rows
        empty = empty or warn_of_empty(found)
        unseen = unseen and _unseen(search, found, among=unseen)
        fitting = [row for row in found if query.takes(row)]
        keyed = [(key(row, total + at), row) for at, row in enumerate(fitting)]
        total += len(fitting)
        behind = [item for item in keyed if after is None or after < item[0]]
        best = nsmallest(wanted, (*best, *behind), key=lambda item: item[0])
    page = [row for _, row in best[skip : wanted - 1]]
    token = None
    if len(best) >= wanted:
        at = bounds.cursor_of(made.match.resource, page[-1])
        after = None if at is None else query.sort_values(page[-1])
        token = _token(made, search, place=Place(last=at), after=after)
    return Page(
        rows=page,
        next_token=token,
        total=None if walk.warnings else total,
        warnings=(*empty, *walk.warnings, *_warn_of_fields(unseen, walk.rows_read)),
    )


async def _number(made: MadeCall, search: Search) -> Page:
    """Read one numbered page, and find out whether it is real and whether one follows."""
    resource, size, number = made.match.resource, search.page_size, search.page

    async def read(page: int, page_size: int, last: str | None = None) -> tuple[Row, ...]:
        pairs = search_pairs(
            resource,
            search.query.plan,
            page=page,
            page_size=page_size,
            last=last,
            first_page=first_page(made),
        )
        return await read_list(made, search, pairs=pairs, asks_optional=True)

    rows = await read(number, size)
    cursor = has_cursor(resource, search.query.plan)
    last = bounds.cursor_of(resource, rows[-1]) if cursor and rows else None
    more = False
    if last is not None and len(rows) >= size:
        more = bool(await read(1, 1, last))
    elif bounds.ends_with_empty(resource):
        more = bool(rows) and bool(await read(number + 1, size))
    elif not cursor and len(rows) >= size:
        behind = await read(number * size + 1, 1)
        more = bool(behind) and not (
            bounds.repeats_last(resource) and bounds.shares_row(resource, rows, behind)
        )
    if not more and number > 1 and rows and bounds.repeats_last(resource):
        before = await read((number - 1) * size, 1)
        if bounds.shares_row(resource, rows, before):
            return Page(rows=())
    place = Place(last=last) if last is not None else Place()
    return Page(
        rows=rows,
        next_token=_token(made, search, place=place) if more else None,
        warnings=warn_of_empty(rows),
    )


def _token(
    made: MadeCall,
    search: Search,
    *,
    place: Place | None = None,
    after: tuple[Any, ...] | None = None,
) -> str:
    query = search.query
    return write_token(
        PageToken(
            path=list_path(made.incoming),
            digest=digest_query(query.where, query.order),
            where=query.where,
            order=query.order,
            page=search.page + 1,
            page_size=search.page_size,
            last=place.last if place is not None else None,
            offset=place.offset if place is not None else None,
            after=after,
            token=place.token if place is not None else None,
            trail=place.trail if place is not None else (),
            vendor_size=place.size if place is not None else 0,
        )
    )


def _key_of_token(search: Search) -> tuple[Any, ...] | None:
    if search.after is None:
        return None
    return (search.query.key_of_values(search.after), _tie(search.last, 0))


def _tie(cursor: str | None, number: int) -> tuple[int, Any]:
    # Rows that are equal by what was asked for come as the vendor's stable order has them.
    if cursor is None:
        return (2, number)
    known = read_number(cursor)
    return (1, cursor) if known is None else (0, known)


def _too_many_to_sort(made: MadeCall, search: Search, limit: int) -> BadRequest:
    order = write_order(search.query.plan.order_here)
    filtering = made.match.resource.filtering
    pushable = filtering.sorting.fields if filtering is not None else ()
    other = f", order by {' or '.join(pushable)}, which the vendor sorts by" if pushable else ""
    return BadRequest(
        f"Ordering by {order} needs every row that fits, and {limit} rows were read without coming "
        f"to the end. Narrow the search by what the vendor filters: {searchable_fields(made)}"
        f"{other}; or raise POLYVALENT_SCAN_LIMIT. explain=true shows the plan."
    )


def _unseen(
    search: Search, rows: Sequence[Row], *, among: frozenset[str] | None = None
) -> frozenset[str]:
    names = frozenset(search.query.undeclared) if among is None else among
    return frozenset(name for name in names if not any(map(compile_path(name), rows)))


def _warn_of_fields(unseen: frozenset[str], rows_read: int) -> tuple[str, ...]:
    if not unseen or not rows_read:
        return ()
    return (f"no row that was read has {' or '.join(sorted(unseen))}",)
