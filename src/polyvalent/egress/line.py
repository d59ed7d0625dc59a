"""
Hold one connection to a store: write a request, read the answer to it.

Knows HTTP/1.1 as far as one answer after another goes; what is allowed and which connection is
taken is decided elsewhere. Parsing is left to httptools, as in the server.

Source: RFC 9112; its section 6.3 says where a body ends.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

import httptools

MAX_LINE_BYTES = 32 * 1024
MAX_HEADERS = 256
# What may come before the end of a head; single lines are looked at only when they are whole.
MAX_HEAD_BYTES = 512 * 1024
_SWITCHING = 101
_FINAL = 200  # from here on a status is the last one


class BrokenOff(Exception):
    """
    Tell that the connection ended before the answer did.

    `begun` is false before the first byte of it, `in_body` true behind its head.
    """

    def __init__(self, *, begun: bool, in_body: bool) -> None:
        super().__init__()
        self.begun = begun
        self.in_body = in_body


class Garbled(Exception):
    """Tell that what came is no HTTP; `in_body` is true behind a head that was."""

    def __init__(self, *, in_body: bool) -> None:
        super().__init__()
        self.in_body = in_body


class TooLarge(Exception):
    """Tell that a body is larger than it may be."""


@dataclass(kw_only=True, slots=True)
class RawAnswer:
    """Hold an answer as it came; the body may be packed."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    encoded: bool = False  # it has a Content-Encoding


class Line(asyncio.Protocol):
    """Send one request at a time over one connection; belongs to its event loop."""

    def __init__(self) -> None:
        self.reused = False  # an earlier request was answered
        self.idle_since_s = 0.0
        self._transport: asyncio.Transport | None = None
        self._parser = self._make_parser()
        self._waiter: asyncio.Future[RawAnswer] | None = None
        self._keeps = True
        self._begin(is_head=False, room_bytes=0)

    @property
    def is_open(self) -> bool:
        """Say whether another request may be sent."""
        return self._keeps and self._transport is not None and not self._transport.is_closing()

    async def exchange(self, data: bytes, *, is_head: bool, max_body_bytes: int) -> RawAnswer:
        """
        Write a request and return the answer; `is_head` where none has a body.

        Raises BrokenOff, Garbled and TooLarge. Waits without end; given up, the connection is
        closed, because what would come next is not known.
        """
        assert self._transport is not None  # nobody has a line before it is connected
        self._begin(is_head=is_head, room_bytes=max_body_bytes)
        waiter: asyncio.Future[RawAnswer] = asyncio.get_running_loop().create_future()
        self._waiter = waiter
        self._transport.write(data)
        try:
            answer = await waiter
        except BaseException:
            self.close()
            raise
        self._waiter = None
        self.reused = True
        return answer

    def close(self) -> None:
        """Close the connection; an exchange under way fails."""
        self._keeps = False
        self._fail(BrokenOff(begun=self._begun, in_body=self._in_body))
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        # Not every loop's transports are of asyncio's class, but all of them can do the same.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end of the connection, which may be the end of a body without a length."""
        self._keeps = False
        if exc is None and self._in_body and not self._framed:
            self._finish()
        self._fail(BrokenOff(begun=self._begun, in_body=self._in_body))

    def data_received(self, data: bytes) -> None:
        """Take what came in."""
        if self._waiter is None or self._waiter.done():
            self.close()  # nothing was asked
            return
        self._begun = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(Garbled(in_body=self._in_body))
        if not self._in_body:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._fail(Garbled(in_body=False))

    def on_message_begin(self) -> None:
        """Begin to read an answer; two to one request are one too many."""
        if self._waiter is None or self._waiter.done():
            self._keeps = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer, of which nothing is kept."""
        if len(name) + len(value) > MAX_LINE_BYTES or len(self._answer.headers) >= MAX_HEADERS:
            raise ValueError("too much of a header")
        if not self._in_body:
            self._answer.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Read what the head says of the body."""
        status = self._parser.get_status_code()
        if status < _FINAL:
            return
        self._answer.status = status
        self._in_body = True
        for name, value in self._answer.headers:
            lowered = name.lower()
            if lowered == b"content-length":
                self._framed = True
                if int(value) > self._room_bytes and not self._is_head:
                    self._fail(TooLarge())
            elif lowered == b"transfer-encoding":
                self._framed = True
            elif lowered == b"content-encoding":
                self._answer.encoded = True
        if self._is_head:
            # The parser waits for the body that the head speaks of.
            self._keeps = False
            self._finish()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._room_bytes -= len(body)
        if self._room_bytes < 0:
            self._fail(TooLarge())
        elif self._waiter is not None and not self._waiter.done():
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        """End the answer, unless it was one of those that announce another (1xx)."""
        if self._in_body:
            self._keeps = self._keeps and self._parser.should_keep_alive()
            self._finish()
        else:
            self._answer.headers.clear()

    def _begin(self, *, is_head: bool, room_bytes: int) -> None:
        self._answer = RawAnswer()
        self._chunks: list[bytes] = []
        self._is_head = is_head
        self._room_bytes = room_bytes
        self._begun = self._in_body = self._framed = False
        self._head_bytes = 0

    def _make_parser(self) -> httptools.HttpResponseParser:
        parser = httptools.HttpResponseParser(self)
        # What servers in the field get wrong without harm: RFC 9112 section 2.2 allows as much.
        parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        return parser

    def _finish(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._answer.body = b"".join(self._chunks)
            self._waiter.set_result(self._answer)

    def _fail(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._keeps = False
            self._waiter.set_exception(error)
