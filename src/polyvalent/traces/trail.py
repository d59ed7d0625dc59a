"""Collect what one call to an instance says to the vendor and hears from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import structs

from polyvalent.exchange import Exchange, Request, Response
from polyvalent.traces.redact import LARGEST_BODY, LONGEST_VALUE

# A call that walks through many pages is told by its first ones.
EXCHANGES_KEPT = 12
HEADERS_KEPT = 100
LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """Hold one message to the vendor: what came back, or why nothing did."""

    request: Request
    response: Response | None = None
    base_string: str = field(default="", repr=False)
    elapsed_ms: float = 0.0
    failure: str = ""


class Trail:
    """Keep the first legs of one call, bodies cut to what a trace shows, and count the rest."""

    def __init__(self) -> None:
        self.legs: list[Leg] = []
        self.calls = 0

    def add(self, exchange: Exchange, *, base_string: str = "") -> None:
        """Keep an exchange."""
        self._keep(
            Leg(
                request=cut_request(exchange.request),
                response=cut_response(exchange.response),
                base_string=base_string,
                elapsed_ms=exchange.elapsed_ms,
            )
        )

    def add_failure(self, request: Request, *, reason: str, elapsed_ms: float) -> None:
        """Keep a request that nothing came back for."""
        self._keep(Leg(request=cut_request(request), failure=reason, elapsed_ms=elapsed_ms))

    def _keep(self, leg: Leg) -> None:
        self.calls += 1
        if len(self.legs) < EXCHANGES_KEPT:
            self.legs.append(leg)


@dataclass(frozen=True, kw_only=True)
class CallTrace:
    """Hold one call on its way to the database; nothing of it is redacted yet."""

    trace_id: str
    instance_id: int
    request: Request = field(repr=False)  # the caller's; its URL is the path and the query
    response: Response = field(repr=False)  # what the caller got
    elapsed_ms: float
    legs: Sequence[Leg] = field(repr=False)
    calls: int  # to the vendor, those left out of `legs` as well
    created_at: datetime
    secrets: Sequence[str] = field(default=(), repr=False)  # of the instance: never to be shown


def cut_request(request: Request) -> Request:
    """Return a request with no more of its body than a trace shows and one byte."""
    return structs.replace(request, body=request.body[: LARGEST_BODY + 1])


def cut_response(response: Response) -> Response:
    """Return an answer with no more of it than a trace shows and one byte of the body."""
    return structs.replace(
        response,
        headers=tuple(
            (name[:LONGEST_NAME], value[: LONGEST_VALUE + 1])
            for name, value in response.headers[:HEADERS_KEPT]
        ),
        body=response.body[: LARGEST_BODY + 1],
    )
