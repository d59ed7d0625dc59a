"""Leave secrets out of an exchange, so that it can be kept and shown. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from polyvalent.auth.oauth1_text import CONCEALED, conceal_base_string
from polyvalent.exchange import Exchange, Headers, Request, Response

MASK = "********"
LARGEST_BODY = 16_384
LONGEST_VALUE = 800  # of a header
QUOTED_MOST = 3  # how often a text may be quoted in another, for what is looked for in it
_SAFE_HEADERS = frozenset(
    (
        "accept",
        "accept-encoding",
        "allow",
        "cache-control",
        "connection",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "date",
        "elements-cache",
        "elements-element-instance-id",
        "elements-error",
        "elements-next-page-token",
        "elements-request-id",
        "elements-returned-count",
        "elements-total-count",
        "elements-trace-id",
        "elements-version",
        "expires",
        "host",
        "idempotent-replayed",
        "location",
        "pragma",
        "retry-after",
        "server",
        "transfer-encoding",
        "user-agent",
        "vary",
        "via",
        "x-content-type-options",
        "x-frame-options",
        "x-powered-by",
    )
)
# name=value in forms and queries, name="value" in OAuth headers, "name":"value" in JSON; a value
# in quotes ends at its quote, or where the text was cut off.
_SECRET_WORDS = (
    r"oauth_token_secret|oauth_token|oauth_verifier|oauth_signature|oauth_consumer_key|"
    r"oauth_callback|secret|"
    r"password|access_token|refresh_token|api_?key|token"
)
_SECRETS = re.compile(
    rf'(?P<head>(?<![A-Za-z])"?(?:{_SECRET_WORDS})"?\s*[=:]\s*)'
    r'(?:"(?:[^"\\]|\\.)+(?P<tail>"?)|[^"&,\s}]+)',
    re.IGNORECASE,
)
# name%3Dvalue, encoded once or more, as a URL within a URL has it (a callback with its query).
_ENCODED_SECRETS = re.compile(
    rf"(?P<head>(?:(?<![A-Za-z])|(?<=3F))(?:{_SECRET_WORDS})%(?:25)*3D)"
    r'(?:(?!%(?:25)*26|%(?:25)*22)[^"&,\s}])+',
    re.IGNORECASE,
)
# The key is masked where an instance is shown, so a trace does not show it either.
_CONCEALED = CONCEALED | {"oauth_consumer_key"}


def redact_exchange(exchange: Exchange, *, base_string: str = "") -> dict[str, Any]:
    """
    Show an exchange without its secrets.

    {"request": {"method", "url", "headers", "body"}, "response": {"status", "headers", "body"},
    "signatureBaseString": "POST&http%3A…", "elapsedMs": 12.3}
    """
    shown: dict[str, Any] = {
        "request": redact_request(exchange.request),
        "response": redact_response(exchange.response),
        "elapsedMs": round(exchange.elapsed_ms, 1),
    }
    if base_string:
        shown["signatureBaseString"] = conceal_base_string(base_string, names=_CONCEALED)
    return shown


def redact_text(text: str) -> str:
    """Mask the values of secret-bearing names in a form, a query, a header or JSON."""

    def masked(match: re.Match[str]) -> str:
        tail = match.group("tail")
        return match.group("head") + (MASK if tail is None else f'"{MASK}{tail}')

    return _ENCODED_SECRETS.sub(rf"\g<head>{MASK}", _SECRETS.sub(masked, text))


def conceal(text: str, secrets: Sequence[str]) -> str:
    """
    Mask known secrets in a text, also as they stand in addresses and in JSON.

    "key=a%2Fb", ("a/b",) → "key=********".
    """
    for secret in secrets:
        for form in _forms(secret):
            if form in text:
                text = text.replace(form, MASK)
    return text


def _forms(secret: str) -> tuple[str, ...]:
    # JSON within a text of JSON, as a store quotes what it was sent: the outermost first.
    escaped = [secret]
    for _ in range(QUOTED_MOST):
        escaped.append(json.dumps(escaped[-1], ensure_ascii=False)[1:-1])
    return tuple(dict.fromkeys((*reversed(escaped), quote(secret, safe=""), quote_plus(secret))))


def redact_request(request: Request) -> dict[str, Any]:
    """Show a request without its secrets: {"method", "url", "headers", "body"}."""
    return {
        "method": request.method,
        "url": redact_text(request.url),
        "headers": _headers(request.headers),
        "body": _body(request.body),
    }


def redact_response(response: Response) -> dict[str, Any]:
    """Show an answer without its secrets: {"status", "headers", "body"}."""
    return {
        "status": response.status,
        "headers": _headers(response.headers),
        "body": _body(response.body),
    }


def vendor_place(request: Request) -> str:
    """Name where a request went: "POST:/oauth/token"."""
    return f"{request.method}:{urlsplit(request.url).path or '/'}"


def _headers(headers: Headers) -> dict[str, str]:
    shown = {}
    for name, value in headers:
        lowered = name.lower()
        if lowered == "authorization":
            shown[name] = redact_text(value) if value.startswith("OAuth ") else MASK
        else:
            shown[name] = _short(redact_text(value)) if lowered in _SAFE_HEADERS else MASK
    return shown


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


def _body(body: bytes) -> str:
    text = body[:LARGEST_BODY].decode("utf-8", "replace").replace("\x00", "\ufffd")
    return redact_text(text) + ("…" if len(body) > LARGEST_BODY else "")
