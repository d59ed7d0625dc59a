"""
Send one request and read one answer, the only place that drives the HTTP client.

What is sent is what the request says, byte for byte, plus `Host`, `Content-Length` and, unless
the request has its own, `User-Agent` and `Accept-Encoding`. No redirect is followed, no cookie
kept, no proxy taken from the environment, nothing sent a second time behind our back.
"""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from types import SimpleNamespace

import aiohttp
from aiohttp.client_middlewares import ClientHandlerType
from yarl import URL

from polyvalent.egress.failure import explain_failure, too_large
from polyvalent.egress.policy import check_address
from polyvalent.egress.resolve import PinningResolver, Resolve
from polyvalent.egress.target import Target
from polyvalent.egress.unpack import unpack_body
from polyvalent.errors import BadRequest
from polyvalent.exchange import Request, Response
from polyvalent.settings import Network

# Stores on Apache close an idle connection after 5 s; a write must not meet that moment.
KEEP_ALIVE_S = 4.0
DNS_CACHE_S = 10
CONNECTIONS = 512
CONNECTIONS_PER_HOST = 32
MAX_LINE_BYTES = 32 * 1024
MAX_HEADERS = 256

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
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
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(kw_only=True, slots=True)
class Progress:
    """Note how far an attempt got, for whoever has to explain its failure."""

    connected: bool = False  # from here on the request may have been sent
    reused: bool = False  # the connection had served an earlier request


class _Stopped(aiohttp.ClientError):
    """Carry an error past the client's own second attempt."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def open_session(
    *,
    allow: tuple[Network, ...],
    resolve: Resolve,
    tls: ssl.SSLContext | None,
    connect_timeout_s: float,
) -> aiohttp.ClientSession:
    """
    Open a pool of connections in the running loop; whoever opens it closes it.

    Addresses are checked when a name is resolved and once more when a socket is made, which
    covers whatever way the client may take to an address.
    """

    def open_socket(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, place = info
        host = str(place[0])
        check_address(ip_address(host), host=host, allow=allow)
        return socket.socket(family=family, type=kind, proto=protocol)

    connector = aiohttp.TCPConnector(
        resolver=PinningResolver(resolve, allow=allow),
        ttl_dns_cache=DNS_CACHE_S,
        ssl=True if tls is None else tls,
        limit=CONNECTIONS,
        limit_per_host=CONNECTIONS_PER_HOST,
        keepalive_timeout=KEEP_ALIVE_S,
        socket_factory=open_socket,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_s),
        skip_auto_headers=_AUTOMATIC,
        max_line_size=MAX_LINE_BYTES,
        max_field_size=MAX_LINE_BYTES,
        max_headers=MAX_HEADERS,
        middlewares=(_send_once,),
        trace_configs=[_progress_trace()],
    )


async def transmit(
    session: aiohttp.ClientSession,
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
    headers = _wire_headers(request, user_agent=user_agent)
    url = _wire_url(request.url, target)
    failure: Exception
    try:
        async with session.request(
            request.method,
            url,
            headers=headers,
            data=request.body or None,
            allow_redirects=False,
            trace_request_ctx=progress,
        ) as answer:
            packed = await _read_body(answer, target=target, max_body_bytes=max_body_bytes)
            return _read_response(answer, packed, target=target, max_body_bytes=max_body_bytes)
    except _Stopped as stopped:
        failure = stopped.error
    except aiohttp.ClientError as error:
        failure = error
    # Raised out here, for the client's exceptions hold the URL and the headers.
    raise explain_failure(failure, target)


async def _read_body(
    answer: aiohttp.ClientResponse, *, target: Target, max_body_bytes: int
) -> bytes:
    announced = answer.content_length if answer.method != "HEAD" else None
    if announced is None or announced <= max_body_bytes:
        chunks: list[bytes] = []
        room = max_body_bytes
        while room >= 0:
            chunk = await answer.content.readany()
            if not chunk:
                return b"".join(chunks)
            chunks.append(chunk)
            room -= len(chunk)
    answer.close()  # the rest is not worth reading; the connection goes with it
    raise too_large(target.place, max_body_bytes)


def _read_response(
    answer: aiohttp.ClientResponse, packed: bytes, *, target: Target, max_body_bytes: int
) -> Response:
    encodings = ",".join(answer.headers.getall("Content-Encoding", ())) if packed else ""
    body = unpack_body(packed, encodings, limit_bytes=max_body_bytes, place=target.place)
    outdated = (b"content-encoding", b"content-length") if encodings else ()
    headers = tuple(
        (_decode(name), _decode(value))
        for name, value in answer.raw_headers
        if name.lower() not in outdated
    )
    return Response(status=answer.status, headers=headers, body=body)


def _decode(raw: bytes) -> str:
    # RFC 9110 section 5.5 leaves it open; what is not UTF-8 is read as ISO 8859-1.
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("iso-8859-1")


def _wire_headers(request: Request, *, user_agent: str) -> list[tuple[str, str]]:
    if not _TOKEN.fullmatch(request.method):
        raise BadRequest("The method of the outgoing call is not an HTTP method.")
    for name, value in request.headers:
        if not _TOKEN.fullmatch(name):
            raise BadRequest("A header of the outgoing call has a name that HTTP does not allow.")
        if name.lower() in _FRAMING:
            raise BadRequest(
                f"The outgoing call sets the header {name}, which follows from the connection, "
                "the URL and the body. Leave it out."
            )
        if _CONTROL.search(value):
            raise BadRequest(
                f"The header {name} of the outgoing call has a line break or another control "
                "character in its value."
            )
    headers = list(request.headers)
    if request.header("User-Agent") is None:
        headers.append(("User-Agent", user_agent))
    if request.header("Accept-Encoding") is None:
        headers.append(("Accept-Encoding", "gzip, deflate"))
    return headers


def _wire_url(url: str, target: Target) -> URL:
    # A lone "?" at the end is the one thing the client leaves out; an empty query means the same.
    doubt = BadRequest("The URL of the outgoing call cannot be read without doubt.")
    try:
        parsed = URL(url, encoded=True)
    except ValueError:
        raise doubt from None
    if parsed.raw_host != target.host or parsed.port != target.port:
        raise doubt
    return parsed


async def _send_once(
    request: aiohttp.ClientRequest, handler: ClientHandlerType
) -> aiohttp.ClientResponse:
    # The client repeats GET, PUT, DELETE and others by itself when a connection breaks, with the
    # same nonce, and for PUT and DELETE without knowing whether the first one took effect.
    stopped: _Stopped
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        stopped = _Stopped(error)
    raise stopped


def _progress_trace() -> aiohttp.TraceConfig:
    async def note_new(_: object, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.connected = True

    async def note_reused(_: object, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.connected = True
        context.trace_request_ctx.reused = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(note_new)
    trace.on_connection_reuseconn.append(note_reused)
    return trace
