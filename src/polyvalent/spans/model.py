"""Say what spans are told of requests and vendor calls: names and numbers, never what was said."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from polyvalent.exchange import Headers, Request


class EndRequest(Protocol):
    """Ends the span of a request."""

    def __call__(self, *, route: str, status: int, request_id: str) -> None:
        """Tell what came of it; `route` has placeholders: "/instances/{id}"."""


class EndCall(Protocol):
    """Ends the span of a call to a vendor."""

    def __call__(self, outcome: str, *, status: int | None, attempts: int) -> None:
        """Tell what came of it, "ok" or a kind of failure, and how often it was sent."""


class Spans(Protocol):
    """Gives requests and vendor calls their spans, and sends them."""

    def of_request(self, method: str, headers: Headers) -> AbstractContextManager[EndRequest]:
        """Span a request that came in, as a part of the caller's trace if it names one."""

    def of_call(self, request: Request, *, element: str) -> AbstractContextManager[EndCall]:
        """Span a call to a vendor, as a part of the request under way if there is one."""

    async def close(self) -> None:
        """Send what waits to be sent, for a few seconds at most."""
