"""Servers that are no healthy store: they answer as told, or stand in front of a store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from tests.journeys.stage import ask, serving


def answering(
    status: int = 200,
    body: bytes = b"",
    *,
    content_type: str = "text/html",
    headers: tuple[tuple[str, str], ...] = (),
    pause_s: float = 0,
) -> Any:
    """An application that gives every request the same answer."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(pause_s)
        raw = [(b"content-type", content_type.encode())]
        raw += [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    return app


def generous(*, pause_s: float = 0) -> Any:
    """A store without rows that hands out credentials to anybody, as often as asked."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(pause_s)
        is_rest = scope["path"].startswith("/api/rest")
        kind = b"application/json" if is_rest else b"application/x-www-form-urlencoded"
        body = "[]" if is_rest else f"oauth_token={uuid4().hex}&oauth_token_secret={uuid4().hex}"
        headers = [(b"content-type", kind)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})

    return app


@contextmanager
def in_front_of(
    store_url: str, change: Callable[[str, dict[str, str]], dict[str, str]]
) -> Iterator[tuple[str, list[str]]]:
    """
    Serve a proxy that passes requests on to a store with headers changed: path, headers → headers.

    Gives its address, and the requests it has seen: ["POST /oauth/initiate", …].
    """
    seen: list[str] = []
    guard = threading.Lock()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        path = scope["raw_path"].decode().partition("?")[0]
        with guard:
            seen.append(f"{scope['method']} {path}")
        query = scope["query_string"].decode()
        reply = await asyncio.to_thread(
            ask,
            store_url + path + (f"?{query}" if query else ""),
            scope["method"],
            body=message.get("body") or None,
            headers=change(path, headers),
        )
        raw = [
            (name.encode(), value.encode())
            for name, value in reply.headers.items()
            if name not in ("content-length", "transfer-encoding")
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        await send({"type": "http.response.body", "body": reply.body})

    with serving(app, date_header=False) as url:
        yield url, seen
