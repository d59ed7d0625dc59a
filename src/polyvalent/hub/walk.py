"""
Walk over a vendor's list, piece by piece, each row once.

Where the vendor can be asked for the rows behind one, rows that appear or vanish meanwhile neither
shift nor double the others. Else the walk counts rows, and leaves out those it has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import lt
from typing import Any, cast

from msgspec import structs

from polyvalent.ceql import compile_path
from polyvalent.ceql.kind import read_number, read_numbers
from polyvalent.errors import BadRequest
from polyvalent.exchange import Exchange
from polyvalent.hub import page_bounds as bounds
from polyvalent.hub.made_call import MadeCall
from polyvalent.hub.model import Pairs, Row
from polyvalent.hub.next_page import (
    ENDLESS,
    REPEATED,
    add_step,
    find_next,
    is_repeated,
    next_pairs,
)
from polyvalent.hub.piece import Piece, Place
from polyvalent.hub.read import check, read_rows
from polyvalent.hub.search_pairs import has_cursor, search_pairs, walks_down
from polyvalent.hub.search_query import Search, vendor_page_size_max

_REFUSED_MAX = 10_000  # bytes of an answer that are looked at
_EMPTY_PAGES_MAX = 100  # in a row, where only the vendor knows the end


@dataclass(kw_only=True, slots=True)
class Walk:
    """
    Hold where a walk is.

    `by_number` if the vendor can only be asked for pages; then every piece must be of one size.
    `by_token` if its answers say how to read on.
    """

    made: MadeCall
    search: Search
    place: Place
    by_number: bool
    by_token: bool = False
    ended: bool = False
    rows_read: int = 0
    warnings: tuple[str, ...] = ()
    _empty_pages: int = 0  # in a row
    _seen: set[str] = field(default_factory=set, repr=False)
    _before: tuple[Row, ...] = field(default=(), repr=False)  # the page before

    async def read(self, size: int) -> Piece:
        """
        Read on, and return the rows; that there are none shows nothing, only `ended` does.

        Raises as `read_list`. Effects: calls the vendor.
        """
        if self.by_token:
            return await self._read_on(size)
        if self.by_number:
            return await self._read_page(size)
        found = await read_list(
            self.made, self.search, pairs=self.pairs(size), asks_optional=self.rows_read == 0
        )
        resource = self.made.match.resource
        cursors = bounds.cursors_of(resource, found)
        if None in cursors:
            # Without the field to go by, only pages are left.
            self.by_number, self.place = True, Place(offset=0)
            return await self._read_page(size)
        fresh, places = self._order(found, cast("list[str]", cursors))
        self._note(len(found), size, stands_still=not fresh)
        if fresh:
            self.place = Place(last=places[-1])
        return Piece(rows=fresh, place_of=lambda number: Place(last=places[number]))

    def pairs(self, size: int) -> Pairs:
        """Return the vendor query for the next piece."""
        page: int | None = 1
        behind: Pairs = ()
        if self.by_token:
            page, behind = None, next_pairs(self.made.match.resource, self.place.token)[0]
        elif self.by_number:
            page = (self.place.offset or 0) // size + 1
        pairs = search_pairs(
            self.made.match.resource,
            self.search.query.plan,
            page=page,
            page_size=size,
            last=self.place.last,
            first_page=first_page(self.made),
        )
        return (*pairs, *behind)

    async def _read_on(self, size: int) -> Piece:
        resource, place = self.made.match.resource, self.place
        size = place.size or size
        address = next_pairs(resource, place.token)[1]
        found, exchange = await read_page(
            self.made,
            self.search,
            pairs=() if address else self.pairs(size),
            echoed=address,
            asks_optional=self.rows_read == 0,
        )
        following = find_next(resource, exchange)
        self.rows_read += len(found)
        self._empty_pages = 0 if found else self._empty_pages + 1
        if following is not None and is_repeated(following, place.trail):
            following, self.warnings = None, (REPEATED,)
        elif following is not None and self._empty_pages >= _EMPTY_PAGES_MAX:
            following, self.warnings = None, (ENDLESS,)
        self.ended = following is None
        here = Place(token=place.token, offset=len(found), trail=place.trail, size=size)
        skip = place.offset or 0
        if following is not None:
            left = max(0, skip - len(found))
            trail = add_step(place.trail, following)
            here = Place(token=following, offset=left, trail=trail, size=size)
        self.place = here
        fresh, done = self._unseen(found, skip=skip)

        def place_of(number: int) -> Place:
            if done[number] == len(found):
                return here
            return structs.replace(place, offset=done[number], size=size)

        return Piece(rows=fresh, place_of=place_of)

    async def _read_page(self, size: int) -> Piece:
        resource = self.made.match.resource
        offset = self.place.offset or 0
        begin, skip = offset // size * size, offset % size
        pairs = self.pairs(size)
        found = await read_list(
            self.made, self.search, pairs=pairs, asks_optional=self.rows_read == 0
        )
        if bounds.repeats_last(resource) and begin > 0 and self._repeats(found):
            found = ()
        self._before = found or self._before
        self._note(len(found), size, stands_still=not found)
        self.place = Place(offset=begin + (size if not self.ended else len(found)))
        fresh, done = self._unseen(found, skip=skip)
        return Piece(rows=fresh, place_of=lambda number: Place(offset=begin + done[number]))

    def _unseen(self, found: Sequence[Row], *, skip: int) -> tuple[list[Row], list[int]]:
        # The rows that were not seen before, and how many of the page are done with each.
        rows, done = [], []
        for number, row in enumerate(found[skip:], start=skip + 1):
            at = bounds.cursor_of(self.made.match.resource, row)
            if at is None or at not in self._seen:
                rows.append(row)
                done.append(number)
            if at is not None:
                self._seen.add(at)
        return rows, done

    def _repeats(self, found: tuple[Row, ...]) -> bool:
        if found == self._before:
            return True
        resource = self.made.match.resource
        known = [bounds.cursor_of(resource, row) for row in found]
        return bool(found) and all(at is not None and at in self._seen for at in known)

    def _note(self, count: int, size: int, *, stands_still: bool) -> None:
        self.rows_read += count
        short = count < size and not bounds.ends_with_empty(self.made.match.resource)
        self.ended = stands_still or short

    def _order(self, rows: Sequence[Row], texts: list[str]) -> tuple[Sequence[Row], list[str]]:
        # Numbers are put in order, whatever order they were shown in; of other texts only the
        # vendor knows the order. What is not behind the last one has been given already.
        numbers = read_numbers(texts)
        last = self.place.last
        bound = read_number(last) if last is not None else None
        if self._moves_on(numbers, texts, bound=bound):
            self._seen.update(texts)
            return rows, texts
        pairs = zip(rows, texts, strict=True)
        fresh = [(row, at) for row, at in pairs if at not in self._seen and at != last]
        self._seen.update(texts)
        if None in numbers or (last is not None and bound is None):
            given = list({at: (row, at) for row, at in fresh}.values())
        else:
            down = walks_down(self.made.match.resource, self.search.query.plan)
            known = {
                number: (row, at) for row, at in fresh if (number := read_number(at)) is not None
            }
            given = [
                known[number]
                for number in sorted(known, reverse=down)
                if bound is None or (number < bound if down else number > bound)
            ]
        return [row for row, _ in given], [at for _, at in given]

    def _moves_on(
        self, numbers: Sequence[Any], texts: Sequence[str], *, bound: float | None
    ) -> bool:
        # As nearly every vendor gives them: upwards, and none twice.
        place = self.place.last
        if None in numbers or not numbers or (place is not None and bound is None):
            return False
        if walks_down(self.made.match.resource, self.search.query.plan):
            return False
        rising = all(map(lt, numbers, numbers[1:]))
        behind = bound is None or numbers[0] > bound
        return rising and behind and (not self._seen or self._seen.isdisjoint(texts))


def begin_walk(made: MadeCall, search: Search, *, from_start: bool = False) -> Walk:
    """Begin to walk behind the row that the search names, or at the start of the list."""
    by_token = reads_by_token(made, search)
    by_number = not by_token and (
        not has_cursor(made.match.resource, search.query.plan)
        or (search.offset is not None and search.last is None)
    )
    place = Place()
    if not from_start:
        place = Place(
            last=search.last,
            offset=search.offset,
            token=search.token,
            trail=search.trail,
            size=search.vendor_size,
        )
    return Walk(made=made, search=search, place=place, by_number=by_number, by_token=by_token)


def reads_by_token(made: MadeCall, search: Search) -> bool:
    """Say whether the vendor's answers tell how to read on, and nothing better is known."""
    resource = made.match.resource
    return bool(resource.next_page_key) and not has_cursor(resource, search.query.plan)


async def read_list(
    made: MadeCall, search: Search, *, pairs: Pairs, asks_optional: bool = False
) -> tuple[Any, ...]:
    """Read one page of the vendor's; see `read_page`."""
    return (await read_page(made, search, pairs=pairs, asks_optional=asks_optional))[0]


async def read_page(
    made: MadeCall,
    search: Search,
    *,
    pairs: Pairs,
    echoed: Pairs = (),
    asks_optional: bool = False,
) -> tuple[tuple[Any, ...], Exchange]:
    """
    Read one page of the vendor's, with its exchange.

    Rows are dicts, or compiled where the call has a reading.

    With `asks_optional`, the rows must show the fields that the query is about and the vendor may
    lack. Raises BadRequest where the vendor lacks them, and what its refusal means.
    Effects: calls the vendor.
    """
    element, resource, query = made.connection.element, made.match.resource, search.query
    exchange = await made.send(made.match, pairs=pairs, echoed=echoed)
    filtering = resource.filtering
    if query.optional and filtering is not None and filtering.refused_by:
        text = exchange.response.body[:_REFUSED_MAX].decode(errors="replace")
        if exchange.response.status >= 400 and filtering.refused_by in text:
            raise _lacking(made, query.optional)
    check(element, exchange)
    compiled = made.reading.read(exchange.response) if made.reading is not None else None
    made.note_rows("dicts" if compiled is None else "compiled")
    if compiled is not None:
        return compiled, exchange
    rows = read_rows(
        element, resource, exchange.response, configuration=made.connection.configuration
    )
    if asks_optional and query.optional and rows:
        missing = [name for name in query.optional if not _occurs(name)(rows)]
        if missing:
            raise _lacking(made, tuple(missing))
    return rows, exchange


def first_page(made: MadeCall) -> int | None:
    """Return the vendor's number of the first page; None if it counts the rows before a page."""
    configuration = made.connection.configuration
    by_offset = configuration.get("pagination.type") == "offset"
    if by_offset or configuration.get("pagination.offset") == "true":
        return None
    text = made.connection.configuration.get("pagination.page.startindex") or "1"
    return int(text) if text in ("0", "1") else 1


def largest_page(made: MadeCall) -> int:
    """Return how many rows the vendor gives at once."""
    return vendor_page_size_max(made.connection.element, made.match.resource)


def _occurs(name: str) -> Callable[[Sequence[Row]], bool]:
    find = compile_path(name)
    return lambda rows: any(find(row) for row in rows)


def _lacking(made: MadeCall, fields: tuple[str, ...]) -> BadRequest:
    element, resource = made.connection.element, made.match.resource
    return BadRequest(
        f"This {element.name} does not tell {' and '.join(fields)} of {resource.object}: its "
        "version is older than the one that brought it, or the vendor's user may not see it. Ask "
        "by other fields."
    )
