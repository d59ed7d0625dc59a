"""
Send one request and read one answer, byte for byte.

What is sent is what the request says, plus `Host`, `Content-Length` and, unless the request has
its own, `User-Agent` and `Accept-Encoding`. No redirect is followed, no cookie kept, no proxy
taken from the environment, nothing sent a second time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from polyvalent.egress.failure import explain_answer, too_large
from polyvalent.egress.line import BrokenOff, Garbled, RawAnswer, TooLarge
from polyvalent.egress.pool import Pool
from polyvalent.egress.target import AUTHORITY_END, SCHEME_PORTS, Target
from polyvalent.egress.unpack import unpack_body
from polyvalent.errors import BadRequest
from polyvalent.exchange import Headers, Request, Response

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_OUTDATED = ("content-encoding", "content-length")  # by the unpacking of a body
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FRAMING = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Where these have no body, a server may wait for one unless it is told (RFC 9110, section 8.6).
_WITH_LENGTH = frozenset(("POST", "PUT", "PATCH"))


@dataclass(kw_only=True, slots=True)
class Progress:
    """Note how far an attempt got, for whoever has to explain its failure."""

    connected: bool = False  # from here on the request may have been sent
    reused: bool = False  # the connection had served an earlier request


async def transmit(
    pool: Pool,
    request: Request,
    *,
    target: Target,
    user_agent: str,
    max_body_bytes: int,
    progress: Progress,
) -> Response:
    """
    Send a request once and return the answer, its body unpacked.

    Where the body was packed (`Content-Encoding`), that header and `Content-Length` are left
    out of the response, for they do not describe its body any more.

    Raises BadRequest for a request that cannot be sent as it is, AddressRefused, NotConnected
    and BrokenAnswer. Waits without end: the deadline is the caller's.
    """
    data = _write(request, target=target, user_agent=user_agent)
    line = await pool.take(target)
    progress.connected, progress.reused = True, line.reused
    try:
        answer = await line.exchange(
            data, is_head=request.method == "HEAD", max_body_bytes=max_body_bytes
        )
    except (BrokenOff, Garbled) as error:
        raise explain_answer(error, target) from None
    except TooLarge:
        raise too_large(target.place, max_body_bytes) from None
    finally:
        pool.give_back(target, line)
    return _read_response(answer, target=target, max_body_bytes=max_body_bytes)


def _read_response(answer: RawAnswer, *, target: Target, max_body_bytes: int) -> Response:
    headers = _decode_all(answer.headers)
    body = answer.body
    if body and answer.encoded:
        encodings = ",".join(v for name, v in headers if name.lower() == "content-encoding")
        body = unpack_body(body, encodings, limit_bytes=max_body_bytes, place=target.place)
        headers = tuple(pair for pair in headers if pair[0].lower() not in _OUTDATED)
    return Response(status=answer.status, headers=headers, body=body)


def _decode_all(raw: Sequence[tuple[bytes, bytes]]) -> Headers:
    # RFC 9110 section 5.5 leaves it open; what is not UTF-8 is read as ISO 8859-1.
    try:
        return tuple([(name.decode(), value.decode()) for name, value in raw])
    except UnicodeDecodeError:
        return tuple([(_decode(name), _decode(value)) for name, value in raw])


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("iso-8859-1")


def _write(request: Request, *, target: Target, user_agent: str) -> bytes:
    method = request.method
    if not _TOKEN.fullmatch(method):
        raise BadRequest("The method of the outgoing call is not an HTTP method.")
    port = "" if target.port == SCHEME_PORTS[target.scheme] else f":{target.port}"
    host = f"[{target.host}]" if ":" in target.host else target.host
    lines = [f"{method} {_path(request.url)} HTTP/1.1", f"Host: {host}{port}"]
    own_agent = own_encoding = False
    for name, value in request.headers:
        lowered = name.lower()
        if not _TOKEN.fullmatch(name):
            raise BadRequest("A header of the outgoing call has a name that HTTP does not allow.")
        if lowered in _FRAMING:
            raise BadRequest(
                f"The outgoing call sets the header {name}, which follows from the connection, "
                "the URL and the body. Leave it out."
            )
        if _CONTROL.search(value):
            raise BadRequest(
                f"The header {name} of the outgoing call has a line break or another control "
                "character in its value."
            )
        own_agent = own_agent or lowered == "user-agent"
        own_encoding = own_encoding or lowered == "accept-encoding"
        lines.append(f"{name}: {value}")
    if not own_agent:
        lines.append(f"User-Agent: {user_agent}")
    if not own_encoding:
        lines.append("Accept-Encoding: gzip, deflate")
    if request.body or method in _WITH_LENGTH:
        lines.append(f"Content-Length: {len(request.body)}")
    head = "\r\n".join((*lines, "", "")).encode("utf-8", "replace")
    return head + request.body if request.body else head


def _path(url: str) -> str:
    # What follows the host, as it is: the door has read the URL and found it sound.
    begin = url.index("://") + 3
    found = AUTHORITY_END.search(url, begin)
    path = "" if found is None else url[found.start() :]
    return path if path.startswith("/") else f"/{path}"
