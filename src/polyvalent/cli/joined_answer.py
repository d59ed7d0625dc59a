"""
Send the head of an answer together with the first piece of its body.

The server writes them one after the other, and each would go out in a packet of its own and wake
the caller: a tenth of what an answer costs. ASGI asks for it anyway: a head is not to be sent
before there is something of the body.
"""

from __future__ import annotations

import asyncio
from typing import Any

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class JoinedAnswer(asyncio.Transport):
    """
    Stand for a connection, and hold the head of each answer until more of it is written.

    Nothing but an answer is written: its head in one piece, then its body, then `end`.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._at_head = True
        self._head = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write a piece of an answer."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        elif self._at_head and data != _CONTINUE:
            self._at_head, self._head = False, bytes(data)
        else:
            self._transport.write(data)

    def end(self) -> None:
        """End an answer; what is written next is the head of another."""
        self._flush()
        self._at_head = True

    def close(self) -> None:
        """Close the connection, behind all that was written."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Say whether the connection is closed or closing."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Read no more for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the connection knows of itself, such as "peername"."""
        return self._transport.get_extra_info(name, default)

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)
