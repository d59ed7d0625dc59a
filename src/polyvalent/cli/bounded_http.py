"""
Bound what a connection may make the server hold before a request is complete.

The HTTP parser takes a head of any length, and the server waits for it, and for a body, for ever;
so anybody who can connect could fill the memory with one endless header or hold every connection
open with silence.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from polyvalent.cli.joined_answer import JoinedAnswer

# Addresses with a long configuration in their query are the largest heads there are.
LARGEST_HEAD_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Hold how long a client may take to send a head, and a body after it."""

    head_s: float = 20.0
    body_s: float = 120.0


PATIENCE = Patience()


class BoundedHttp(HttpToolsProtocol):
    """Serve HTTP within bounds; the server's interface asks for a subclass."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        patience: Patience = PATIENCE,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._patience = patience
        self._head_bytes = 0
        self._in_head = True
        self._may_take_s: float | None = None  # what the rest of a request has; None between two
        self._timer: asyncio.TimerHandle | None = None
        self._timed_s: float | None = None  # what the timer was set for

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request no longer than for any other."""
        self._joined = JoinedAnswer(transport)
        super().connection_made(self._joined)
        self._may_take_s = self._patience.head_s
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._may_take_s = None
        self._wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and refuse a head that has no end."""
        self._head_bytes += len(data)
        super().data_received(data)
        self._wait()
        too_long = self._in_head and self._head_bytes > LARGEST_HEAD_BYTES
        if too_long and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Begin to count and to wait for a head."""
        super().on_message_begin()
        self._head_bytes, self._in_head = 0, True
        self._may_take_s = self._patience.head_s

    def on_headers_complete(self) -> None:
        """Wait for the body from here on."""
        self._in_head = False
        self._may_take_s = self._patience.body_s
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stop waiting: the answer is ours to give."""
        self._may_take_s = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Let go of what is left of an answer."""
        self._joined.end()
        super().on_response_complete()

    def _wait(self) -> None:
        # Most requests come whole, in one piece, and need no timer.
        if self._may_take_s == self._timed_s:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timed_s = self._may_take_s
        if self._timed_s is not None:
            self._timer = self.loop.call_later(self._timed_s, self._give_up)

    def _give_up(self) -> None:
        self._timer = self._timed_s = None
        self.transport.close()
