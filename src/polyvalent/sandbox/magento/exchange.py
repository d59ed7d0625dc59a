"""
One request and one answer, as plain values.

Everything behind the network edge takes a Call and returns an Answer; nothing there waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

HTML = "text/html; charset=UTF-8"
FORM = "application/x-www-form-urlencoded"

NO_CACHE = (
    ("Expires", "Thu, 19 Nov 1981 08:52:00 GMT"),
    ("Cache-Control", "no-store, no-cache, must-revalidate"),
    ("Pragma", "no-cache"),
)


@dataclass(frozen=True, kw_only=True)
class Call:
    """Hold one request; header names are lower case, the path is kept as it was sent."""

    method: str
    scheme: str  # of the connection, before any X-Forwarded-Proto
    root: str  # sub-directory the store is installed in: "" or "/shop"
    path: str  # decoded, below the root: "/api/rest/products"
    raw_path: str  # as sent, with the root, without the query
    query: str  # as sent, without "?"
    headers: Mapping[str, str]
    body: bytes

    @property
    def host(self) -> str:
        """Return the Host header as sent, with its port."""
        return self.headers.get("host", "localhost")

    @cached_property
    def base_url(self) -> str:
        """Return the address of the store's front page without a trailing slash."""
        return f"{self.scheme}://{self.host}{self.root}"

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Return the cookies by name."""
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, sep, value in pairs if sep}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Hold one response; Content-Length, Date and Server are added at the edge."""

    status: int = 200
    content_type: str = HTML
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = field(default=())


def redirect(location: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Answer 302 to a location."""
    return Answer(status=302, headers=(("Location", location), *headers, *NO_CACHE))
