"""
Know what the parameters of a PostgreSQL URL mean to its driver, and what its failures mean.

URLs are written for libpq, which most hosts of databases hand out; the driver has other words
for some parameters and none for others. A parameter is either obeyed or refused by its name.

Source: PostgreSQL 18, "Connection Strings" and appendix A; asyncpg, `connect`, 2026-11.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from sqlalchemy.engine import URL

from polyvalent.errors import Misconfigured

DEFAULT_PORT = 5432
# A process that is stopped, or whose machine is gone, in the middle of a transaction must not keep
# its rows locked: PostgreSQL ends the transaction, and the process finds its connection closed.
ABANDONED_AFTER_S = 10
_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_UNDERSTOOD = (
    "sslmode", "ssl", "sslrootcert", "connect_timeout", "application_name", "channel_binding",
    "host", "port",
)  # fmt: skip


def check_parameters(url: URL) -> URL:
    """
    Return the URL with libpq's word for TLS turned into the driver's: sslmode → ssl.

    Raises Misconfigured, naming a parameter that is not understood, never the URL.
    """
    query = {name: _last(value) for name, value in url.query.items()}
    for name in query:
        if name not in _UNDERSTOOD:
            raise Misconfigured(
                f"The database URL has the parameter {name[:40]!r}, which is not understood. "
                f"Known are {', '.join(_UNDERSTOOD)}."
            )
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    if (mode := query.get("ssl")) is not None and mode not in _MODES:
        raise Misconfigured(
            f"The database URL has sslmode={mode[:40]}; it must be one of {', '.join(_MODES)}."
        )
    if query.get("channel_binding") == "require":
        raise Misconfigured(
            "The database URL has channel_binding=require, which the driver cannot do. Leave it "
            "out and take sslmode=verify-full, which proves the server as well."
        )
    _seconds(query.get("connect_timeout"))
    return url.set(query=query)


def split_parameters(url: URL) -> tuple[URL, dict[str, Any]]:
    """
    Return the URL without what the driver takes as arguments, and those arguments.

    `?application_name=a&ssl=verify-full` → {"server_settings": {"application_name": "a", ...},
    "ssl": <a context that proves the server>}. Raises Misconfigured if a certificate file cannot
    be read. Effects: reads that file.
    """
    query = dict(url.query)
    arguments: dict[str, Any] = {}
    settings = {"idle_in_transaction_session_timeout": f"{ABANDONED_AFTER_S}s"}
    if name := query.pop("application_name", None):
        settings["application_name"] = _last(name)
    arguments["server_settings"] = settings
    if seconds := _seconds(_last(query.pop("connect_timeout", ""))):
        arguments["timeout"] = seconds
    query.pop("channel_binding", None)
    root = _last(query.pop("sslrootcert", ""))
    mode = _last(query.get("ssl", ""))
    if mode.startswith("verify-") or (root and mode == "require"):
        query.pop("ssl")
        arguments["ssl"] = _context(root, proves_name=mode == "verify-full")
    return url.set(query=query), arguments


def why_silent(error: BaseException, *, url: URL) -> str:
    """
    Say why a PostgreSQL cannot be used, in a sentence for the operator; "" if that is not known.

    Names host, port, user and database, never the password. Not for callers of the API.
    """
    host = url.host or _last(url.query.get("host", "")) or "localhost"
    place = host if host.startswith("/") else f"{host} port {url.port or DEFAULT_PORT}"
    for cause in _chain(error):
        state = getattr(cause, "sqlstate", None) or ""
        if state == "3D000":
            return f"There is no database {url.database!r} at {place}; create it first."
        if state.startswith("28"):
            return (
                f"The server at {place} does not let the user {url.username!r} in: user, password "
                "or the server's pg_hba.conf is not right."
            )
        if state == "53300":
            return f"The server at {place} has no connection left."
        if isinstance(cause, socket.gaierror):
            return f"The host {host} is unknown: its name cannot be looked up."
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"The certificate of {place} is not trusted: {cause.verify_message}."
        if isinstance(cause, TimeoutError):
            return f"No answer came from {place} in time."
        if isinstance(cause, FileNotFoundError):
            return f"Nothing listens at {place}."
        number = getattr(cause, "errno", None)
        if isinstance(cause, ConnectionRefusedError) or number == errno.ECONNREFUSED:
            return f"Nothing listens at {place}: the connection was refused."
        if isinstance(cause, ConnectionError) and "SSL" in str(cause):
            return f"The server at {place} speaks no TLS, which sslmode asks for."
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [getattr(cause, "orig", None), cause.__cause__, cause.__context__]
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions


def _last(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else value[-1]


def _seconds(text: str | None) -> float:
    if not text:
        return 0.0
    try:
        return float(int(text))
    except ValueError:
        raise Misconfigured(
            f"The database URL has connect_timeout={text[:40]}; it must be seconds, such as 10."
        ) from None


def _context(root: str, *, proves_name: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=root if root not in ("", "system") else None)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(
            f"The certificate file {root} of sslrootcert cannot be used: "
            f"{error.strerror or 'it holds no certificate'}."
        ) from error
    context.check_hostname = proves_name
    return context
