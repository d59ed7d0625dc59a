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
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request no longer than for any other."""
        super().connection_made(transport)
        self._wait(self._patience.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and refuse a head that has no end."""
        self._head_bytes += len(data)
        super().data_received(data)
        too_long = self._in_head and self._head_bytes > LARGEST_HEAD_BYTES
        if too_long and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Begin to count and to wait for a head."""
        super().on_message_begin()
        self._head_bytes, self._in_head = 0, True
        self._wait(self._patience.head_s)

    def on_headers_complete(self) -> None:
        """Wait for the body from here on."""
        self._in_head = False
        self._wait(self._patience.body_s)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stop waiting: the answer is ours to give."""
        self._stop_waiting()
        super().on_message_complete()

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        self.transport.close()
