"""
Read a vendor's list page by page, each row once, in memory for a few pages.

Behind the last key where the vendor can be asked so: then rows that appear or vanish meanwhile
neither shift nor double others. Else as the vendor's answers say, one page after the other. Else by
page number; the pages of a vendor that tells how many rows it has, and is safe with it, are asked
for several at a time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from polyvalent.bulk.marks import Marks, mark_of
from polyvalent.bulk.page import New, Page, as_number, as_numbers, column, in_order, vendor_time_s
from polyvalent.bulk.plan import ReadPlan
from polyvalent.bulk.receipt import PageFacts, fingerprint
from polyvalent.errors import BadRequest, VendorRefused
from polyvalent.exchange import Exchange
from polyvalent.hub.compiled_rows import Reading
from polyvalent.hub.model import Row
from polyvalent.hub.next_page import (
    REPEATED,
    add_step,
    find_next,
    is_repeated,
    next_pairs,
)
from polyvalent.hub.page_bounds import ends_with_empty, repeats_last
from polyvalent.hub.read import check, read_rows
from polyvalent.hub.search_pairs import search_pairs, walks_down
from polyvalent.hub.values import find_member, read_json
from polyvalent.hub.walk import first_page

_STALE_PAGES_MAX = 3  # in a row, with nothing new
_STALE_TOKENS_MAX = 100  # the same where only the vendor knows the end
_ENDLESS = (
    f"{_STALE_TOKENS_MAX} pages in a row brought nothing new, and each named a next one; the read "
    "ended there"
)
_STALE = (400, 404)  # how a token that is too old is refused
_REFUSED_MAX = 10_000  # bytes of an answer that are looked at


class CannotFilter(Exception):
    """Tell that the vendor does not know a field that the query is about."""


@dataclass(kw_only=True)
class Reader:
    """
    Walk over a list; `place` is where it is, None at the start.

    {"last": "1234"}, {"page": 7} or {"token": "c2", "trail": […]}, with {"skip": 3} rows of the
    page that are done, or behind {"stale": 2} pages with nothing new. `marks` are those of the rows
    read before. `changed_since` is the start of the read as the vendor writes
    moments: of rows that changed or came later is told how many there are.
    """

    plan: ReadPlan
    place: dict[str, Any] | None = None
    marks: Marks = field(default_factory=Marks, repr=False)
    changed_since: str | None = None
    reading: Reading | None = None  # of rows that are only written again
    ended: bool = False
    total: int | None = None
    _before: str = ""  # the fingerprint of the page before
    _ahead: deque[asyncio.Task[Exchange]] = field(default_factory=deque, repr=False)

    async def fetch(self) -> Page:
        """
        Read the next page; `ended` says that there is none behind it.

        Raises CannotFilter at the first page, and what the vendor's refusals mean. Effects: calls
        the vendor.
        """
        plan = self.plan
        by_key = plan.way == "keyset" and not (self.place and "page" in self.place)
        by_token = plan.way == "token"
        exchange = await (
            self._ask() if by_key else self._ask_on() if by_token else self._next_numbered()
        )
        self._check(exchange)
        compiled = self.reading.read(exchange.response) if self.reading is not None else None
        rows: Sequence[Any] = (
            compiled
            if compiled is not None
            else read_rows(
                plan.element,
                plan.resource,
                exchange.response,
                configuration=plan.made.connection.configuration,
            )
        )
        self._note_total(exchange)
        if by_key:
            page = self._behind_last(exchange, rows)
            if page is not None:
                return page
            # Without the key to go by, only pages are left.
            self.place = {"page": 1}
        return self._led_on(exchange, rows) if by_token else self._numbered(exchange, rows)

    async def close(self) -> None:
        """Let go of pages that were asked for and are not needed."""
        while self._ahead:
            task = self._ahead.popleft()
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task

    def _behind_last(self, exchange: Exchange, rows: Sequence[Row]) -> Page | None:
        collection = self.plan.resource.collection
        assert collection is not None  # a keyset has its field there
        named = collection.cursor_field
        found = column(rows, named)
        if None in found:
            found = [row.get(named, row.get("id")) for row in rows]
        if None in found:
            return None
        last = self.place["last"] if self.place else None
        received = len(rows)
        numbers: Sequence[int] | None = as_numbers(found)
        reordered = False
        if numbers is not None and (last is None or as_number(last) is not None):
            down = walks_down(self.plan.resource, self.plan.query.plan)
            bound = None if last is None else as_number(last)
            rows, numbers, reordered = in_order(rows, numbers, bound=bound, down=down)
            keys: Sequence[str] = list(map(str, numbers))
            marks: tuple[int, ...] = ()
        else:
            numbers = None
            fresh = [(row, key) for row, key in zip(rows, map(str, found), strict=True)]
            fresh, marks = self._unseen(fresh)
            rows, keys = [row for row, _ in fresh], [key for _, key in fresh]
        short = received < self.plan.page_size
        self.ended = not rows or (short and not ends_with_empty(self.plan.resource))
        if keys:
            self.place = {"last": keys[-1]}
        return self._page(
            exchange,
            rows,
            keys=keys,
            numbers=numbers,
            marks=marks,
            received=received,
            short=short and not self.ended,
            reordered=reordered,
        )

    def _numbered(self, exchange: Exchange, rows: Sequence[Row]) -> Page:
        place = self.place or {"page": 1}
        number, skip = int(place["page"]), int(place.get("skip", 0))
        received, size, resource = len(rows), self.plan.page_size, self.plan.resource
        told = fingerprint(exchange.response.body)
        found = self._find_new(rows, skip=skip)
        # Rows without keys are known again by their page alone.
        same = bool(rows) and number > 1 and told == self._before
        repeated = same and (repeats_last(resource) or bool(found.keyless))
        if repeated:
            found = New(keyless=found.keyless)
        self._before = told
        new = found.rows
        short = received < size
        # Rows that came meanwhile may have moved known ones here; they do not do so for ever.
        stale = 0 if new else int(place.get("stale", 0)) + 1
        stands_still = stale >= (1 if repeats_last(resource) else _STALE_PAGES_MAX)
        whole = self.plan.way == "whole"
        self.ended = (
            whole
            or not rows
            or repeated
            or stands_still
            or (short and not ends_with_empty(resource))
        )
        self.place = {"page": number + 1, **({"stale": stale} if stale else {})}
        return self._page(
            exchange,
            new,
            keys=found.keys,
            numbers=as_numbers(found.keys) if found.keys else None,
            marks=found.marks,
            received=received - (skip if not repeated else 0),
            short=short and not self.ended,
            reordered=False,
            keyless=found.keyless,
            begin={"page": number},
            done=found.done,
        )

    def _led_on(self, exchange: Exchange, rows: Sequence[Row]) -> Page:
        place = self.place or {}
        skip, trail = int(place.get("skip", 0)), tuple(place.get("trail", ()))
        found = self._find_new(rows, skip=skip)
        following = find_next(self.plan.resource, exchange)
        stale = 0 if found.rows else int(place.get("stale", 0)) + 1
        stopped = ""
        if following is not None and is_repeated(following, trail):
            stopped = REPEATED
        elif following is not None and stale >= _STALE_TOKENS_MAX:
            stopped = _ENDLESS
        self.ended = following is None or bool(stopped)
        begin: dict[str, Any] = {name: place[name] for name in ("token", "trail") if name in place}
        self.place = {**begin, "skip": len(rows)}
        if following is not None and not stopped:
            self.place = {"token": following, "trail": list(add_step(trail, following))}
            self.place |= {"stale": stale} if stale else {}
        return self._page(
            exchange,
            found.rows,
            keys=found.keys,
            numbers=as_numbers(found.keys) if found.keys else None,
            marks=found.marks,
            received=max(0, len(rows) - skip),
            short=not self.ended and len(rows) < self.plan.page_size,
            reordered=False,
            keyless=found.keyless,
            begin=begin,
            done=found.done,
            stopped=stopped,
        )

    def _find_new(self, rows: Sequence[Row], *, skip: int) -> New:
        """Find the rows that were not seen before, behind those that are done with."""
        named = self.plan.key_field
        found = [row.get(named, row.get("id")) for row in rows]
        keyless = sum(key is None for key in found)
        if keyless:
            places = range(skip + 1, len(rows) + 1)
            return New(rows=list(rows[skip:]), done=places, keyless=keyless)
        new, keys, done, marks = [], [], [], []
        for number, row in enumerate(rows[skip:], start=skip + 1):
            key = str(found[number - 1])
            mark = mark_of(key)
            if self.marks.add(mark):
                new.append(row)
                keys.append(key)
                done.append(number)
                marks.append(mark)
        return New(rows=new, keys=keys, done=done, marks=tuple(marks))

    def _page(
        self,
        exchange: Exchange,
        rows: Sequence[Row],
        *,
        keys: Sequence[str],
        numbers: Sequence[int] | None,
        marks: tuple[int, ...],
        received: int,
        short: bool,
        reordered: bool,
        keyless: int = 0,
        begin: dict[str, Any] | None = None,
        done: Sequence[int] = (),
        stopped: str = "",
    ) -> Page:
        facts = PageFacts(
            fingerprint=fingerprint(exchange.response.body),
            received=received,
            repeated=received - len(rows),
            short=short,
            reordered=reordered,
            keyless=keyless,
            changed=self._count_later(rows, self.plan.changed_field),
            created=self._count_later(rows, self.plan.created_field),
            total=self.total,
            stopped=stopped,
            keys=keys,
            numbers=numbers,
        )
        return Page(
            rows=rows,
            keys=keys,
            numbers=numbers,
            facts=facts,
            place=dict(self.place or {}),
            begin=begin or {},
            done=done,
            marks=marks,
            vendor_time_s=vendor_time_s(exchange),
        )

    def _unseen(
        self, rows: Sequence[tuple[Row, str]]
    ) -> tuple[list[tuple[Row, str]], tuple[int, ...]]:
        fresh: list[tuple[Row, str]] = []
        marks: list[int] = []
        for row, key in rows:
            mark = mark_of(key)
            if self.marks.add(mark):
                fresh.append((row, key))
                marks.append(mark)
        return fresh, tuple(marks)

    def _count_later(self, rows: Sequence[Row], name: str | None) -> int:
        """Count the rows whose date lies behind the start of the read."""
        since = self.changed_since
        if name is None or since is None:
            return 0
        told = [value for value in column(rows, name) if isinstance(value, str)]
        # Moments of one vendor sort as texts. Most pages have none that is so late.
        if not told or max(told).replace("T", " ", 1)[:19] <= since:
            return 0
        return sum(value.replace("T", " ", 1)[:19] > since for value in told)

    def _check(self, exchange: Exchange) -> None:
        plan = self.plan
        filtering = plan.resource.filtering
        if plan.query.optional and filtering is not None and filtering.refused_by:
            text = exchange.response.body[:_REFUSED_MAX].decode(errors="replace")
            if exchange.response.status >= 400 and filtering.refused_by in text:
                raise CannotFilter
        try:
            check(plan.element, exchange)
        except VendorRefused as error:
            if self.place is None or "token" not in self.place or error.status not in _STALE:
                raise
            raise BadRequest(
                "The vendor does not take its own token for the next page: tokens may hold for a "
                f"while only, and this job stood still. {error.message} Start the download again."
            ) from error

    def _note_total(self, exchange: Exchange) -> None:
        collection = self.plan.resource.collection
        if collection is None:
            return
        if collection.total_header:
            told = exchange.response.header(collection.total_header)
        elif collection.total_key:
            told = find_member(read_json(exchange.response.body), collection.total_key)
        else:
            return
        self.total = int(str(told)) if str(told).isdigit() else None

    async def _ask(self, *, page: int = 1) -> Exchange:
        plan = self.plan
        last = self.place.get("last") if self.place else None
        pairs = search_pairs(
            plan.resource,
            plan.query.plan,
            page=page,
            page_size=plan.page_size,
            last=last if plan.way == "keyset" else None,
            first_page=first_page(plan.made),
        )
        return await plan.made.send(plan.made.match, pairs=(*pairs, *plan.extra))

    async def _ask_on(self) -> Exchange:
        """Ask for the page that the one before named, or the first one."""
        plan, token = self.plan, (self.place or {}).get("token")
        pairs, address = next_pairs(plan.resource, token)
        if not address:
            asked = search_pairs(
                plan.resource,
                plan.query.plan,
                page=None,
                page_size=plan.page_size,
                last=None,
                first_page=first_page(plan.made),
            )
            pairs = (*asked, *plan.extra, *pairs)
        return await plan.made.send(plan.made.match, pairs=pairs, echoed=address)

    async def _next_numbered(self) -> Exchange:
        number = int(self.place["page"]) if self.place else 1
        if not self._ahead:
            self._ahead.append(asyncio.create_task(self._ask(page=number)))
        limits = self.plan.element.limits
        at_once = limits.parallel_reads if limits is not None else 1
        if self.total is not None and at_once > 1:
            pages = -(-self.total // self.plan.page_size)
            while len(self._ahead) < at_once and number + len(self._ahead) <= pages:
                ahead = self._ask(page=number + len(self._ahead))
                self._ahead.append(asyncio.create_task(ahead))
        return await self._ahead.popleft()
