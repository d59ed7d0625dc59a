"""Let others see the calls that connections make: traces, counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from polyvalent.catalog.classify import classify
from polyvalent.errors import PolyvalentError, VendorTimeout, VendorUnreachable
from polyvalent.exchange import Request
from polyvalent.instances.model import Connection
from polyvalent.instances.supervise import Send, Sent

# Takes the connection, the outcome and the seconds. The outcome is "ok", a kind of failure of the
# element's table, or "timeout", "unreachable" or "broken" where no answer came.
Note = Callable[[Connection, str, float], None]


def note_nothing(connection: Connection, outcome: str, taken_s: float) -> None:
    """Let a call pass uncounted."""


def observed(send: Send, *, note: Note = note_nothing) -> Send:
    """Return a way to send that tells `note` of every call, and the connection's trail if any."""

    async def observing(connection: Connection, request: Request, deadline_s: float) -> Sent:
        clock, trail = asyncio.get_running_loop().time, connection.trail
        started_s = clock()
        try:
            sent = await send(connection, request, deadline_s)
        except PolyvalentError as error:
            taken_s = clock() - started_s
            note(connection, _kind_of(error), taken_s)
            if trail is not None:
                trail.add_failure(request, reason=error.message, elapsed_ms=taken_s * 1000)
            raise
        rule = classify(connection.element, request.method, sent.exchange.response)
        note(connection, "ok" if rule is None else rule.kind, clock() - started_s)
        if trail is not None:
            attempts = sent.reached.attempts if sent.reached is not None else ()
            for attempt in attempts:
                trail.add(attempt.exchange, base_string=attempt.base_string)
            if not attempts:
                trail.add(sent.exchange)
        return sent

    return observing


def _kind_of(error: PolyvalentError) -> str:
    if isinstance(error, VendorTimeout):
        return "timeout"
    return "unreachable" if isinstance(error, VendorUnreachable) else "broken"
