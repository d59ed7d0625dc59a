"""Small servers on the loopback device that answer as a test scripts them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest

from polyvalent.egress import Door

LOOPBACK = (ip_network("127.0.0.1/32"),)

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(
    body: bytes = b"ok", *headers: str, status: str = "200 OK", length: int | None = None
) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True)
class ThenClose:
    """Write this, perhaps nothing, and close the connection."""

    raw: bytes = b""


@dataclass(frozen=True)
class ThenHang:
    """Write this, perhaps nothing, and say no more."""

    raw: bytes = b""


@dataclass
class Store:
    """A server that gives one scripted answer after another, the last one for ever."""

    steps: list[bytes | ThenClose | ThenHang]
    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        return [head.split(b"\r\n")[0].decode() for head in self.heads]

    def headers(self, index: int = -1) -> dict[str, str]:
        lines = self.heads[index].decode().split("\r\n")[1:]
        return dict(line.split(": ", 1) for line in lines if line)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            self.bodies.append(await reader.readexactly(length))
            step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
            writer.write(step if isinstance(step, bytes) else step.raw)
            await writer.drain()
            if isinstance(step, ThenClose):
                return
            if isinstance(step, ThenHang):
                await reader.read()
                return


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[int]]]:
    """Start a server around a connection handler; return its port."""
    servers = []

    async def start(handler: Handler, tls: ssl.SSLContext | None = None) -> int:
        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, EOFError, asyncio.CancelledError):
                await handler(reader, writer)
            writer.close()

        server = await asyncio.start_server(guarded, "127.0.0.1", 0, ssl=tls)
        servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def open_store(serve) -> Callable[..., Awaitable[Store]]:
    async def start(*steps: bytes | ThenClose | ThenHang, tls=None) -> Store:
        store = Store(list(steps))
        store.port = await serve(store.handle, tls)
        return store

    return start


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """Open a door that may reach 127.0.0.1 and does not really wait between attempts."""

    async def pause(seconds: float) -> None:
        await asyncio.sleep(0)

    async with Door(allow=LOOPBACK, pause=pause, chance=lambda: 1.0) as opened:
        yield opened
    await asyncio.sleep(0.01)  # lets the servers see that the connections ended
