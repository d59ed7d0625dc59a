"""
Watch the calls to vendors, whoever makes them: for an instance, or to make one.

A place that fails all the time is left alone, every call is counted by what came of it, and has a
span where spans are sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from polyvalent.catalog.classify import classify
from polyvalent.catalog.element import Element
from polyvalent.egress import BrokenAnswer, DeadlinePassed, NotConnected
from polyvalent.egress.breaker import Breaker, place_of
from polyvalent.egress.retry import PASSING_STATUSES
from polyvalent.errors import PolyvalentError, VendorTimeout, VendorUnreachable
from polyvalent.exchange import Exchange, Request
from polyvalent.spans.model import EndCall, Spans

# Takes the element, the outcome and the seconds. The outcome is "ok", a kind of failure of the
# element's table, or "timeout", "unreachable" or "broken" where no answer came.
Note = Callable[[Element, str, float], None]


def note_nothing(element: Element, outcome: str, taken_s: float) -> None:
    """Let a call pass uncounted."""


@dataclass(frozen=True, kw_only=True)
class Lookout:
    """Hold what watches the calls of one process."""

    breaker: Breaker
    note: Note = note_nothing
    spans: Spans | None = None

    def calling(
        self, element: Element, request: Request, *, whose: int = 0, blames: bool = True
    ) -> Watched:
        """
        Watch one call inside a block, which gives the answer to what it was given.

        `whose` is the organization of the instance that is called for, 0 where one is being made.
        With `blames` false what comes of it is not held against the place.
        The block raises VendorBusy while the place rests.
        """
        return Watched(
            element,
            request,
            place=self.breaker.calling(place_of(request.url), whose=whose, blames=blames),
            span=None if self.spans is None else self.spans.of_call(request, element=element.key),
            note=self.note,
        )


class Watched:
    """
    Watch one call, as a block; what it gives is called with the answer and its attempts.

    Every call to a store passes here, and a class takes a fraction of a generator's time.
    """

    __slots__ = (
        "_attempts",
        "_element",
        "_end",
        "_exchange",
        "_failed",
        "_note",
        "_place",
        "_request",
        "_span",
        "_started_s",
    )

    def __init__(
        self,
        element: Element,
        request: Request,
        *,
        place: AbstractContextManager[Callable[[bool], None]],
        span: AbstractContextManager[EndCall] | None,
        note: Note,
    ) -> None:
        self._element, self._request = element, request
        self._place, self._span, self._note = place, span, note
        self._exchange: Exchange | None = None
        self._end: EndCall | None = None
        self._attempts = 1

    def __call__(self, exchange: Exchange, *, attempts: int) -> None:
        """Take what came, and how often the call was sent until it came."""
        self._exchange, self._attempts = exchange, attempts

    def __enter__(self) -> Self:
        """Begin; raises VendorBusy while the place rests."""
        self._failed = self._place.__enter__()
        if self._span is not None:
            try:
                self._end = self._span.__enter__()
            except BaseException as error:
                self._place.__exit__(type(error), error, error.__traceback__)
                raise
        self._started_s = asyncio.get_running_loop().time()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End, and tell what came of it."""
        try:
            if isinstance(error, PolyvalentError):
                self._tell_failure(error)
            elif error is None and self._exchange is not None:
                self._tell_answer(self._exchange)
        finally:
            try:
                if self._span is not None:
                    self._span.__exit__(kind, error, traceback)
            finally:
                self._place.__exit__(kind, error, traceback)

    def _tell_failure(self, error: PolyvalentError) -> None:
        if _is_failure(error):
            self._failed(True)
        self._tell(_kind_of(error), status=None, attempts=_attempts_of(error))

    def _tell_answer(self, exchange: Exchange) -> None:
        response = exchange.response
        self._failed(response.status in PASSING_STATUSES)
        rule = classify(self._element, self._request.method, response)
        kind = "ok" if rule is None else rule.kind
        self._tell(kind, status=response.status, attempts=self._attempts)

    def _tell(self, kind: str, *, status: int | None, attempts: int) -> None:
        self._note(self._element, kind, asyncio.get_running_loop().time() - self._started_s)
        if self._end is not None:
            self._end(kind, status=status, attempts=attempts)


def _is_failure(error: PolyvalentError) -> bool:
    # An unknown name or a bad certificate fails at once and says so best itself; a store whose
    # answer is more than we read, or not packed as we can read it, is at work.
    if isinstance(error, NotConnected):
        return not error.lasting
    if isinstance(error, BrokenAnswer):
        return not error.whole
    return isinstance(error, DeadlinePassed)


def _attempts_of(error: PolyvalentError) -> int:
    if isinstance(error, NotConnected | BrokenAnswer | DeadlinePassed):
        return error.attempts
    return 0  # refused before anything was sent


def _kind_of(error: PolyvalentError) -> str:
    if isinstance(error, VendorTimeout):
        return "timeout"
    return "unreachable" if isinstance(error, VendorUnreachable) else "broken"
