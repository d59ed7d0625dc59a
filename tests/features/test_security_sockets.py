"""A connection that never completes a request is ended, and holds little until then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from polyvalent.cli import bounded_http
from polyvalent.cli.bounded_http import PATIENCE, Patience
from polyvalent.cli.local_server import bind, serving

MEBIBYTE = b"a" * 1024 * 1024
PATIENCE_S = 5.0


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the length of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connected(
    app: Any = echo, patience: Patience = PATIENCE
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    async with serving(app, listener, patience=patience):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.close()


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\nX"])
async def test_ends_a_head_without_end(start: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(start)
        for _ in range(50):
            writer.write(MEBIBYTE)
            await asyncio.sleep(0.01)
        # What arrives after the end resets the connection, with or without the answer.
        with suppress(ConnectionError):
            answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
            assert answer.startswith(b"HTTP/1.1 400")
        assert writer.is_closing() or reader.at_eof() or reader.exception() is not None


async def test_ends_many_small_headers() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n")
        line = b"X: %s\r\n" % (b"a" * 1000)
        for _ in range(bounded_http.LARGEST_HEAD_BYTES // len(line) + 100):
            writer.write(line)
        assert (await asyncio.wait_for(reader.readline(), PATIENCE_S)).startswith(b"HTTP/1.1 400")


async def test_takes_a_large_head_and_a_large_body_and_the_next_request() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nX: %s\r\nContent-Length: %d\r\n\r\n"
    async with connected() as (reader, writer):
        for _ in range(3):
            writer.write(head % (b"a" * 200_000, 3 * len(MEBIBYTE)) + MEBIBYTE * 3)
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
            assert answer.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(7) == str(3 * len(MEBIBYTE)).encode()


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT",
    ],
    ids=["silence", "head", "body", "second head"],
)
async def test_ends_a_connection_that_stays_silent(start: bytes) -> None:
    async with connected(patience=Patience(head_s=0.2, body_s=0.3)) as (reader, writer):
        writer.write(start)
        await asyncio.wait_for(reader.read(), PATIENCE_S)


async def test_leaves_an_answer_the_time_it_takes() -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.6)
        await echo(scope, receive, send)

    async with connected(slow, Patience(head_s=0.2, body_s=0.2)) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), PATIENCE_S)).startswith(b"HTTP/1.1 200")
