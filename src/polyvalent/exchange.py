"""
Hold HTTP as values: a request, a response, and the two together.

These are the only words in which the kernel, the features and the door out speak of HTTP.
A URL is text exactly as it goes on the wire; a signature covers those bytes, so nothing may
re-encode it on the way.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import SplitResult, urlsplit

from msgspec import structs

from polyvalent.value import Value

Headers = tuple[tuple[str, str], ...]


def find_header(headers: Headers, name: str) -> str | None:
    """Return the first value of a header, names compared without case; None when absent."""
    wanted = name.lower()
    for key, value in headers:
        if key.lower() == wanted:
            return value
    return None


def split_address(text: str) -> SplitResult:
    """Take an address of anybody's apart; "http://[x" and what else is none has no parts."""
    try:
        return urlsplit(text)
    except ValueError:
        return SplitResult("", "", "", "", "")


class Request(Value, frozen=True, kw_only=True):
    """
    Describe one HTTP request: `Request(method="GET", url="http://a.example/r?b=5")`.

    `template` is the path before its placeholders were filled, such as "/products/{id}", for
    whoever counts or names calls; empty where there is none. It is not sent.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""
    template: str = ""

    def __repr__(self) -> str:
        """Name method and URL without its query: that, headers and body may carry secrets."""
        return f"Request({self.method} {self.url.partition('?')[0]})"

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None."""
        return find_header(self.headers, name)

    def with_header(self, name: str, value: str) -> Request:
        """Return the request with this header set, replacing any of the same name."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return structs.replace(self, headers=(*kept, (name, value)))


class Response(Value, frozen=True, kw_only=True):
    """Describe one HTTP answer, body read whole."""

    hidden: ClassVar[frozenset[str]] = frozenset({"body"})

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None."""
        return find_header(self.headers, name)


class Exchange(Value, frozen=True, kw_only=True):
    """
    Pair a request with its answer; `elapsed_ms` is wall time on our side.

    `attempts` is how often the request was sent until this answer came.
    """

    request: Request
    response: Response
    elapsed_ms: float
    attempts: int = 1
