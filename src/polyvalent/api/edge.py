"""
Stand between the wire and the operations: request id, body limit, errors, CORS, one log line.

The only place where unexpected errors are caught. What goes out and what is logged carries no
query string and no header of the request: both may hold secrets.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from time import perf_counter
from traceback import format_tb
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import orjson
import structlog

from polyvalent.api.operation import Answer, Call, Progress, Stream
from polyvalent.api.platform import Platform
from polyvalent.api.router import Router
from polyvalent.api.stream import send_stream
from polyvalent.errors import (
    BadRequest,
    MethodNotAllowed,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    PayloadTooLarge,
    PolyvalentError,
    Unavailable,
)
from polyvalent.exchange import Headers, Response, find_header

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

REQUEST_ANSWERED = "request.answered"
REQUEST_BROKE = "request.broke"

REQUEST_ID_BYTES = 12
FRAMES_SHOWN = 20
JSON = "application/json;charset=UTF-8"
EXPOSED = (
    "Elements-Returned-Count, Elements-Total-Count, Elements-Request-Id, "
    "Elements-Next-Page-Token, Elements-Trace-Id, Elements-Error, Content-Disposition"
)
ALLOWED_HEADERS = (
    "Authorization, Content-Type, Accept, Elements-Async-Request, Elements-Async-Callback-Url, "
    "Elements-Schedule-Request, Elements-Version, Elements-Formula-Instance-Id, Idempotency-Key"
)
_DEFECT = (
    "polyvalent failed to answer this request; that is a defect of ours, not of the request. "
    "Tell the operator the requestId: the log has the cause under it."
)
_MISCONFIGURED = (
    "This platform is not set up right and cannot answer this request. Tell its operator the "
    "requestId: the log has the reason under it."
)
# The name of a problem is a fixed word; what stands beside it may be anything.
_PROBLEM = re.compile(r"\boauth_problem=([a-z_]{4,40})\b")
_log = structlog.get_logger("polyvalent.api")


class Edge:
    """Answer requests below the API's base path, as an ASGI application."""

    def __init__(self, router: Router, *, platform_of: Callable[[Scope], Platform]) -> None:
        self._router = router
        self._platform_of = platform_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens on the way."""
        started_at = perf_counter()
        request_id = make_request_id()
        method, path = scope["method"], _path(scope)
        headers = tuple(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        )
        platform = self._platform_of(scope)
        outcome: Headers = ()
        told: dict[str, Any] = {}
        progress: Progress = scope["progress"]
        stream: Stream | None = None
        try:
            status, body, outcome = 200, b"", ()
            if method == "OPTIONS":
                outcome = _preflight(self._router.methods(path))
            else:
                answer = await self._answer(
                    platform,
                    scope,
                    receive,
                    headers=headers,
                    path=path,
                    request_id=request_id,
                    progress=progress,
                )
                status, outcome = answer.status, answer.headers
                if isinstance(answer.content, Stream):
                    stream = answer.content
                else:
                    body = answer.content if isinstance(answer.content, bytes) else _dump(answer)
        except PolyvalentError as error:
            status, body, outcome = _failed(error, request_id)
            told = _told(error, status)
        except Exception as error:  # noqa: BLE001  # the edge: a defect must still be answered
            _log.error(
                REQUEST_BROKE,
                request_id=request_id,
                method=method,
                path=_shown(path),
                **_trace(error),
            )
            status = 500
            body = orjson.dumps({"requestId": request_id, "message": _DEFECT})
            told = {"error": type(error).__qualname__}
        answered = Response(
            status=status,
            headers=(
                ("Content-Type", JSON if stream is None else stream.content_type),
                ("Elements-Request-Id", request_id),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
                *outcome,
                *_cors(headers),
            ),
            body=b"" if method == "HEAD" else body,
        )
        if stream is None:
            await _send(send, answered)
        else:
            try:
                await send_stream(send, receive, answered, stream)
            except PolyvalentError as error:
                # It began well, so the status is out; the caller sees that the end is missing.
                told = _told(error, error.status)
                _log.error(REQUEST_BROKE, request_id=request_id, reason=error.message)
        elapsed_ms = (perf_counter() - started_at) * 1000
        note = _log.info if status < 500 else _log.warning
        note(
            REQUEST_ANSWERED,
            request_id=request_id,
            method=method,
            path=_shown(path),
            status=status,
            ms=round(elapsed_ms, 1),
            **told,
        )
        operation = progress.operation
        platform.metrics.note_answer(
            status,
            method=method,
            operation="none" if operation is None else operation.path,
            elapsed_ms=elapsed_ms,
        )
        for watcher in progress.watchers:
            watcher(answered, elapsed_ms)

    async def _answer(
        self,
        platform: Platform,
        scope: Scope,
        receive: Receive,
        *,
        headers: Headers,
        path: str,
        request_id: str,
        progress: Progress,
    ) -> Answer:
        def pieces(most_bytes: int) -> AsyncIterator[bytes]:
            return _read_pieces(
                scope, receive, most_bytes=most_bytes, setting="POLYVALENT_UPLOAD_MAX_BYTES"
            )

        call = Call(
            platform=platform,
            method=scope["method"],
            path=path,
            raw_path=_raw_path(scope),
            path_parameters={},
            query=_query(scope["query_string"]),
            headers=headers,
            body=b"",
            request_id=request_id,
            progress=progress,
            pieces=pieces,
        )

        async def read(most_bytes: int) -> bytes:
            return await _read(scope, receive, most_bytes=most_bytes)

        return await self._router.answer(call, read=read)


def make_request_id() -> str:
    """Draw the name of one request: 24 hex digits."""
    return os.urandom(REQUEST_ID_BYTES).hex()


def _chain(error: BaseException) -> str:
    """Name an error and what it came from: "Unavailable from DBAPIError from OSError"."""
    chain: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(chain) < 5:
        chain.append(type(cause).__qualname__)
        cause = cause.__cause__ or cause.__context__
    return " from ".join(chain)


def _told(error: PolyvalentError, status: int) -> dict[str, Any]:
    """
    Say for the log what kind of refusal it was, from names alone: a text may quote a secret.

    {"error": "VendorRefused", "problem": "signature_invalid"}; from 500 on with what it came from.
    """
    told = {"error": _chain(error) if status >= 500 else type(error).__qualname__}
    if problem := _PROBLEM.search(error.provider_message or ""):
        told["problem"] = problem[1]
    return told


def _trace(error: Exception) -> dict[str, Any]:
    """Show where a defect arose: types and source lines, but no values, which may be secrets."""
    # The last frames tell where; a recursion has a thousand more of the same.
    frames = format_tb(error.__traceback__, limit=-FRAMES_SHOWN)
    return {"error": _chain(error), "frames": "".join(frames)}


def _path(scope: Scope) -> str:
    """Return the decoded path below the base path."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return (path.removeprefix(root) if root else path).rstrip("/") or "/"


def _shown(path: str) -> str:
    """Return a path for the log; control characters would steer the terminal that shows it."""
    return path if path.isprintable() else ascii(path)[1:-1]


def _raw_path(scope: Scope) -> str:
    """Return the path below the base path, percent-encoded as on the wire."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    text = raw.partition(b"?")[0].decode("latin-1")
    root: str = scope.get("root_path", "")
    if not text.startswith(root):
        # "/elements/api%2Dv2/…": two readers would understand two paths.
        raise NotFound(f"The paths of the API begin with {root}, without percent-encoding.")
    return text.removeprefix(root) or "/"


def _query(raw: bytes) -> tuple[tuple[str, str], ...]:
    if not raw:
        return ()
    try:
        text = raw.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except (UnicodeDecodeError, ValueError) as error:
        raise BadRequest(
            "The query string cannot be read: it must be percent-encoded UTF-8 with at most 1000 "
            "parameters."
        ) from error
    if b"\x00" in unquote_to_bytes(raw):
        raise BadRequest("The query string holds a NUL character.")
    return tuple(pairs)


async def _read(scope: Scope, receive: Receive, *, most_bytes: int) -> bytes:
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        piece, more = await _read_piece(receive)
        size += len(piece)
        if size > most_bytes:
            raise _too_large(scope, most_bytes, setting="POLYVALENT_MAX_BODY_BYTES")
        pieces.append(piece)
    return b"".join(pieces)


async def _read_pieces(
    scope: Scope, receive: Receive, *, most_bytes: int, setting: str
) -> AsyncIterator[bytes]:
    size, more = 0, True
    while more:
        piece, more = await _read_piece(receive)
        size += len(piece)
        if size > most_bytes:
            raise _too_large(scope, most_bytes, setting=setting)
        yield piece


async def _read_piece(receive: Receive) -> tuple[bytes, bool]:
    # A piece of the body, and whether another follows.
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Unavailable("The caller hung up before the request was complete.")
    return message.get("body", b""), message.get("more_body", False)


def _too_large(scope: Scope, most_bytes: int, *, setting: str) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"The request body is larger than {most_bytes} bytes, the most that is read here "
        f"(setting {setting}), at {scope['method']}."
    )


def _dump(answer: Answer) -> bytes:
    return orjson.dumps(answer.content)


def _failed(error: PolyvalentError, request_id: str) -> tuple[int, bytes, Headers]:
    message = error.message
    if isinstance(error, Misconfigured):
        # Written for the operator: it may name files and settings, which callers need not know.
        _log.error(REQUEST_BROKE, request_id=request_id, reason=message)
        message = _MISCONFIGURED
    body = {"requestId": request_id, "message": message}
    if error.provider_message:
        body["providerMessage"] = error.provider_message
    if isinstance(error, OutcomeUnknown):
        body["outcome"] = error.outcome
    headers: Headers = error.headers
    if isinstance(error, MethodNotAllowed) and error.allowed:
        headers = (*headers, ("Allow", ", ".join(error.allowed)))
    text = orjson.dumps({name: _encodable(value) for name, value in body.items()})
    return error.status, text, headers


def _encodable(text: str) -> str:
    """Replace half characters (lone surrogates), which JSON text cannot carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _preflight(methods: tuple[str, ...]) -> Headers:
    return (
        ("Allow", ", ".join((*methods, "OPTIONS"))),
        ("Access-Control-Allow-Methods", ", ".join(methods)),
        ("Access-Control-Allow-Headers", ALLOWED_HEADERS),
        ("Access-Control-Max-Age", "600"),
    )


def _cors(headers: Headers) -> Headers:
    if find_header(headers, "origin") is None:
        return ()
    # Any origin may call, since what lets a caller in is a header and never a cookie.
    return (
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", EXPOSED),
    )


async def _send(send: Send, answer: Response) -> None:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    raw.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})
