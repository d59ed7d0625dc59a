"""Serve ASGI applications inside this process, several at once if need be."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import uvicorn

from polyvalent.cli.bounded_http import PATIENCE, BoundedHttp, Patience
from polyvalent.errors import Misconfigured

# A call to a vendor may be under way; whoever stops the server a second time does not wait.
GRACE_S = 10


def bind(host: str, port: int, *, option: str = "--port") -> socket.socket:
    """
    Return a listening socket; port 0 takes a free one.

    Callers may connect from now on and are answered once a server takes the socket over.
    Raises Misconfigured where the address cannot be had, naming the `option` that changes it.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise Misconfigured(f"Cannot listen on {host}: {error.strerror}.") from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise Misconfigured(
            f"Cannot listen on {host} port {port}: {error.strerror}. "
            f"Choose another one with {option}; {option} 0 takes a free one."
        ) from error
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return where a socket is reached from this machine: "http://127.0.0.1:8080"."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # reads, binds not
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def serving(
    app: Any, listener: socket.socket, *, patience: Patience = PATIENCE
) -> AsyncIterator[None]:
    """
    Serve an application on a socket inside the block; afterwards the socket is closed.

    Signals are left to whoever runs the loop. Calls under way get ten seconds to end.
    """
    config = uvicorn.Config(
        app,
        # The server asks for a class, and calls it.
        http=partial(BoundedHttp, patience=patience),  # type: ignore[arg-type]
        ws="none",
        # Whom to believe about where a request came from is a setting of ours.
        proxy_headers=False,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    ticking = asyncio.create_task(server.main_loop())
    try:
        yield
    finally:
        server.should_exit = True
        await ticking
        await server.shutdown(sockets=[listener])
