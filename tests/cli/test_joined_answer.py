"""The head of an answer goes out with its body, and none is kept back for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from polyvalent.cli.joined_answer import JoinedAnswer
from polyvalent.cli.local_server import bind, serving

SOON_S = 5.0
HEAD, CONTINUE = b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Written(asyncio.Transport):
    """Take what is written, a list for each time."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.packets.append(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.packets.append(b"".join(list_of_data))

    def close(self) -> None:
        self.closed = True


def test_a_head_goes_with_the_first_piece_of_its_body() -> None:
    wire = Written()
    joined = JoinedAnswer(wire)

    for body in (b"one", b"two"):
        joined.write(HEAD)
        joined.write(body)
        joined.write(b"more")
        joined.end()

    assert wire.packets == [HEAD + b"one", b"more", HEAD + b"two", b"more"]


def test_a_piece_that_looks_like_a_head_is_not_kept_back() -> None:
    wire = Written()
    joined = JoinedAnswer(wire)

    joined.write(HEAD)
    joined.write(b"")
    joined.write(HEAD)

    assert wire.packets == [HEAD, HEAD]


@pytest.mark.parametrize("ending", ["end", "close"])
def test_a_head_without_body_goes_at_the_end(ending: str) -> None:
    wire = Written()
    joined = JoinedAnswer(wire)

    joined.write(HEAD)
    assert wire.packets == []
    getattr(joined, ending)()

    assert wire.packets == [HEAD]
    assert wire.closed == (ending == "close")


def test_the_word_to_go_on_is_sent_at_once() -> None:
    wire = Written()
    joined = JoinedAnswer(wire)

    joined.write(CONTINUE)
    joined.write(HEAD)
    joined.write(b"body")

    assert wire.packets == [CONTINUE, HEAD + b"body"]


@asynccontextmanager
async def connected(app: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    async with serving(app, listener), asyncio.timeout(SOON_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.close()


def answering(*pieces: bytes, pause_s: float = 0) -> Any:
    """Make an application that answers in pieces, with a pause before each but the first."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        length = str(sum(map(len, pieces))).encode()
        headers = [(b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number, piece in enumerate(pieces, start=1):
            more = number < len(pieces)
            await send({"type": "http.response.body", "body": piece, "more_body": more})
            await asyncio.sleep(pause_s)

    return app


async def test_a_head_request_is_answered_and_the_connection_goes_on() -> None:
    async with connected(answering(b"body")) as (reader, writer):
        writer.write(GET.replace(b"GET", b"HEAD") + GET)
        assert b"content-length: 4" in await reader.readuntil(b"\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(4) == b"body"


async def test_an_empty_body_is_answered() -> None:
    async with connected(answering(b"")) as (reader, writer):
        for _ in range(2):
            writer.write(GET)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_a_stream_is_seen_while_it_is_made() -> None:
    async with connected(answering(b"one", b"two", pause_s=0.2)) as (reader, writer):
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        assert await asyncio.wait_for(reader.readexactly(3), 0.15) == b"one"
        assert await reader.readexactly(3) == b"two"


async def test_who_waits_for_the_word_to_go_on_gets_it() -> None:
    async with connected(answering(b"body")) as (reader, writer):
        writer.write(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        assert await reader.readuntil(b"\r\n\r\n") == CONTINUE
        writer.write(b"ok")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_a_request_that_is_no_http_is_refused() -> None:
    async with connected(answering(b"body")) as (reader, writer):
        writer.write(b"what?\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400")


async def test_an_application_that_breaks_is_answered_for() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError

    async with connected(broken) as (reader, writer):
        writer.write(GET)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 500")
        assert answer.endswith(b"Internal Server Error")
