"""Let the trail of a connection see the calls that are made for it."""

from __future__ import annotations

import asyncio

from polyvalent.errors import PolyvalentError
from polyvalent.exchange import Request
from polyvalent.instances.model import Connection
from polyvalent.instances.supervise import Send, Sent


def observed(send: Send) -> Send:
    """Return a way to send that tells the connection's trail, if it has one, of every call."""

    async def observing(connection: Connection, request: Request, deadline_s: float) -> Sent:
        trail = connection.trail
        if trail is None:
            return await send(connection, request, deadline_s)
        clock = asyncio.get_running_loop().time
        started_s = clock()
        try:
            sent = await send(connection, request, deadline_s)
        except PolyvalentError as error:
            taken_ms = (clock() - started_s) * 1000
            trail.add_failure(request, reason=error.message, elapsed_ms=taken_ms)
            raise
        attempts = sent.reached.attempts if sent.reached is not None else ()
        for attempt in attempts:
            trail.add(attempt.exchange, base_string=attempt.base_string)
        if not attempts:
            trail.add(sent.exchange)
        return sent

    return observing
