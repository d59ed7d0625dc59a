"""Give requests their spans, around everything else that is done for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from polyvalent.api.edge import Receive, Scope, Send
from polyvalent.api.operation import BASE_PATH, Progress
from polyvalent.exchange import Headers
from polyvalent.spans.model import Spans

Serve = Callable[[Scope, Receive, Send], Awaitable[None]]


async def answer_in_span(
    spans: Spans, serve: Serve, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer a request inside a span that learns its route, its status and its id."""
    progress: Progress = scope["progress"]
    status, request_id = 500, ""

    async def note(message: MutableMapping[str, Any]) -> None:
        nonlocal status, request_id
        if message["type"] == "http.response.start":
            status = message["status"]
            request_id = dict(message["headers"]).get(b"Elements-Request-Id", b"").decode()
        await send(message)

    with spans.of_request(scope["method"], _headers(scope)) as end:
        try:
            await serve(scope, receive, note)
        finally:
            operation = progress.operation
            route = "" if operation is None else f"{BASE_PATH}{operation.path}"
            end(route=route, status=status, request_id=request_id)


def _headers(scope: Scope) -> Headers:
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    )
