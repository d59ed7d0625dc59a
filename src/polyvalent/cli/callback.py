"""Wait on this machine for the browser that comes back from a merchant's consent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from polyvalent.cli.local_server import bind, serving, url_of

Fields = Mapping[str, str]
Message = MutableMapping[str, Any]

PATH = "/callback"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:17px/1.5 system-ui,sans-serif;margin:20vh auto;max-width:26rem;padding:0 1rem;
color:#222}}h1{{font-size:1.3rem}}</style><h1>{title}</h1><p>{text}</p></html>"""


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Hold the address that browsers come back to, and what they brought."""

    url: str
    arrivals: asyncio.Queue[Fields] = field(repr=False)

    async def wait(self, *, token: str) -> Fields:
        """Return the query of the callback that belongs to a request token."""
        while True:
            fields = await self.arrivals.get()
            if fields.get("oauth_token") == token:
                return fields


@asynccontextmanager
async def listening(*, port: int = 0) -> AsyncIterator[Listener]:
    """Listen on 127.0.0.1 inside the block; raises Misconfigured if the port is taken."""
    socket = bind("127.0.0.1", port, option="--callback-port")
    arrivals: asyncio.Queue[Fields] = asyncio.Queue()

    async def answer(
        scope: Message,
        _: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        fields = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        known = scope["path"] == PATH and "oauth_token" in fields
        if known:
            arrivals.put_nowait(fields)
        title, text = _words(fields) if known else ("Nothing here", "This page waits for a store.")
        body = _PAGE.format(title=escape(title), text=escape(text)).encode()
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            # The address carries a verifier: it must not travel on as a referrer.
            (b"referrer-policy", b"no-referrer"),
            (b"cache-control", b"no-store"),
        ]
        status = 200 if known else 404
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    try:
        async with serving(answer, socket):
            yield Listener(url=f"{url_of(socket)}{PATH}", arrivals=arrivals)
    finally:
        socket.close()


def is_rejected(fields: Fields) -> bool:
    """Say whether the merchant declined."""
    return fields.get("rejected", "") not in ("", "0", "false")


def _words(fields: Fields) -> tuple[str, str]:
    if is_rejected(fields):
        return "Declined", "Nothing was connected. You may close this page."
    return "Thank you", "The store is being connected. You may close this page."
