"""
Watch the calls to vendors, whoever makes them: for an instance, or to make one.

A place that fails all the time is left alone, every call is counted by what came of it, and has a
span where spans are sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

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


class Outcome:
    """Take the answer to a call, and how often the call was sent until it came."""

    __slots__ = ("attempts", "exchange")

    def __init__(self) -> None:
        self.exchange: Exchange | None = None
        self.attempts = 1

    def __call__(self, exchange: Exchange, *, attempts: int) -> None:
        """Take what came."""
        self.exchange, self.attempts = exchange, attempts


@dataclass(frozen=True, kw_only=True)
class Lookout:
    """Hold what watches the calls of one process."""

    breaker: Breaker
    note: Note = note_nothing
    spans: Spans | None = None

    @contextmanager
    def calling(
        self, element: Element, request: Request, *, blames: bool = True
    ) -> Iterator[Outcome]:
        """
        Watch one call inside the block, which gives the answer to what is yielded.

        With `blames` false what comes of it is not held against the place.
        Raises VendorBusy while the place rests.
        """
        with (
            self.breaker.calling(place_of(request.url), blames=blames) as failed,
            self._span(element, request) as end,
        ):
            clock = asyncio.get_running_loop().time
            started_s, outcome = clock(), Outcome()
            try:
                yield outcome
            except PolyvalentError as error:
                if _is_failure(error):
                    failed(True)
                kind = _kind_of(error)
                self.note(element, kind, clock() - started_s)
                if end is not None:
                    end(kind, status=None, attempts=_attempts_of(error))
                raise
            if outcome.exchange is None:
                return
            response = outcome.exchange.response
            failed(response.status in PASSING_STATUSES)
            rule = classify(element, request.method, response)
            kind = "ok" if rule is None else rule.kind
            self.note(element, kind, clock() - started_s)
            if end is not None:
                end(kind, status=response.status, attempts=outcome.attempts)

    def _span(self, element: Element, request: Request) -> AbstractContextManager[EndCall | None]:
        if self.spans is None:
            return nullcontext()
        return self.spans.of_call(request, element=element.key)


def _is_failure(error: PolyvalentError) -> bool:
    # An unknown name or a bad certificate fails at once and says so best itself.
    if isinstance(error, NotConnected):
        return not error.lasting
    return isinstance(error, BrokenAnswer | DeadlinePassed)


def _attempts_of(error: PolyvalentError) -> int:
    if isinstance(error, NotConnected | BrokenAnswer | DeadlinePassed):
        return error.attempts
    return 0  # refused before anything was sent


def _kind_of(error: PolyvalentError) -> str:
    if isinstance(error, VendorTimeout):
        return "timeout"
    return "unreachable" if isinstance(error, VendorUnreachable) else "broken"
