"""Answer a search: the loop over the vendor's pages."""

from __future__ import annotations

from polyvalent.hub import page_bounds as bounds
from polyvalent.hub.made_call import MadeCall, compose_answer, warn_of_empty
from polyvalent.hub.model import Answer, Page, Pairs, Row, Search
from polyvalent.hub.page_token import PageToken, write_token
from polyvalent.hub.read import check, keep_equal, read_rows
from polyvalent.hub.search_query import list_path, read_search, vendor_page_size_max
from polyvalent.instances.model import Connection


async def search_rows(made: MadeCall) -> Answer:
    """Answer a search with a page of rows. Raises as `call`. Effects: calls the vendor."""
    resource = made.match.resource
    search = read_search(
        made.incoming,
        resource,
        configuration=made.connection.configuration,
        mapping=made.route.mapping,
    )
    if resource.pagination_type == "VENDOR_NOT_SUPPORTED":
        page = await _slice(made, search)
    else:
        page = await _page(made, search)
    warnings = [*search.warnings, *page.warnings]
    headers = [("Elements-Returned-Count", str(len(page.rows)))]
    if page.next_token is not None:
        headers.append(("Elements-Next-Page-Token", page.next_token))
    rows = [made.show(row, search.fields) for row in page.rows]
    return compose_answer(made.connection, rows, headers=tuple(headers), warnings=tuple(warnings))


async def _slice(made: MadeCall, search: Search) -> Page:
    """Read the whole list and cut the page out of it, for vendors that do not page it."""
    rows = await _rows(made, ())
    begin = (search.page - 1) * search.page_size
    end = begin + search.page_size
    token = _token(made, search, page=search.page + 1) if end < len(rows) else None
    return Page(rows=rows[begin:end], next_token=token, warnings=warn_of_empty(rows))


async def _page(made: MadeCall, search: Search) -> Page:
    """Read one page from the vendor, and find out whether it is real and whether one follows."""
    element, resource = made.connection.element, made.match.resource
    first_page = _first_page(made.connection)
    vendor_max = vendor_page_size_max(element, resource)
    size = bounds.first_size(resource, search, vendor_max=vendor_max)
    pairs = bounds.main_pairs(resource, search, size=size, first_page=first_page)
    found = await _rows(made, pairs)
    rows = found[: search.page_size]
    last = bounds.cursor_of(resource, rows[-1]) if rows else None
    more = len(found) > search.page_size
    if last is not None and bounds.needs_row_behind(resource, search, asked=size, rows=len(found)):
        more = bool(
            await _rows(
                made, bounds.behind_pairs(resource, search, last=last, first_page=first_page)
            )
        )
    if not more and bounds.needs_row_before(resource, search, rows=len(rows)):
        before = await _rows(made, bounds.before_pairs(resource, search, first_page=first_page))
        if bounds.is_repeated(resource, rows, before):
            return Page(rows=())
    token = None
    if bounds.has_cursor(resource):
        token = _token(made, search, page=search.page + 1, last=last) if more else None
    elif len(found) >= search.page_size:
        token = _token(made, search, page=search.page + 1)
    kept = keep_equal(rows, search.predicates)
    return Page(rows=kept, next_token=token, warnings=warn_of_empty(rows))


async def _rows(made: MadeCall, pairs: Pairs) -> tuple[Row, ...]:
    exchange = await made.send(made.match, pairs=pairs)
    check(made.connection.element, exchange)
    return read_rows(
        made.connection.element,
        made.match.resource,
        exchange.response,
        configuration=made.connection.configuration,
    )


def _first_page(connection: Connection) -> int:
    text = connection.configuration.get("pagination.page.startindex") or "1"
    return int(text) if text in ("0", "1") else 1


def _token(made: MadeCall, search: Search, *, page: int, last: str | None = None) -> str:
    return write_token(
        PageToken(
            path=list_path(made.incoming),
            where=search.where,
            page=page,
            page_size=search.page_size,
            last=last,
        )
    )
