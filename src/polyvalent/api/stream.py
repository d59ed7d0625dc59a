"""Send bodies that are too long to hold, and find out which part of one is asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from polyvalent.api.operation import Call, Stream
from polyvalent.errors import RangeNotSatisfiable
from polyvalent.exchange import Response

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def send_stream(
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    answer: Response,
    stream: Stream,
) -> None:
    """
    Send an answer whose body is made while it is sent; stop making it when the caller hangs up.

    Raises PolyvalentError where the rest of it cannot be made: the caller gets less than was
    announced, and notices.
    """
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    raw.append((b"content-length", str(stream.size_bytes).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    gone = asyncio.ensure_future(_wait_until_gone(receive))
    try:
        async for piece in stream.pieces:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()


async def _wait_until_gone(
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def read_range(call: Call, *, size_bytes: int, etag: str) -> tuple[int, int] | None:
    """
    Return the first byte asked for and the one behind the last; None for the whole.

    "bytes=100-" of 250 → (100, 250). What is no range of bytes, several of them, and one of
    another version (If-Range) count as the whole. Raises RangeNotSatisfiable for a range behind
    the end. Source: RFC 9110, 14.
    """
    found = _RANGE.fullmatch((call.header("Range") or "").replace(" ", ""))
    version = call.header("If-Range")
    if found is None or not any(found.groups()) or (version is not None and version != etag):
        return None
    first, last = found.groups()
    if not first:
        begin, end = max(0, size_bytes - int(last)), size_bytes
    else:
        begin, end = int(first), min(size_bytes, int(last) + 1 if last else size_bytes)
        if last and int(last) < begin:
            return None
    if begin >= size_bytes or begin >= end:
        error = RangeNotSatisfiable(
            f"The range begins behind the end: there are {size_bytes} bytes, and nothing is left."
        )
        error.headers = (("Content-Range", f"bytes */{size_bytes}"),)
        raise error
    return begin, end
