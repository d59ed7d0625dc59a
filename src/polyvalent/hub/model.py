"""Hold what goes into a hub call and what comes out of it, as values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

from polyvalent.exchange import Exchange, Headers, Request
from polyvalent.instances.model import Connection
from polyvalent.value import Value

Pairs = tuple[tuple[str, str], ...]
Row = dict[str, Any]

# Signs a request for a connection, sends it and returns the exchange, whatever its status.
Reach = Callable[[Connection, Request], Awaitable[Exchange]]

# Is told how a page of rows was read: "compiled", by types made for its rows, or "dicts".
NoteRows = Callable[[str], None]


def note_nothing(form: str) -> None:
    """Let a page pass uncounted."""


class Incoming(Value, frozen=True, kw_only=True):
    """
    Hold one call as it came in.

    `path` is what follows the base path, percent-encoded as on the wire, with or without the hub:
    "/hubs/ecommerce/products/12" or "/products/12". `query` is decoded, in the order sent.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"headers", "body"})

    method: str
    path: str
    query: Pairs = ()
    headers: Headers = ()
    body: bytes = b""

    def parameter(self, name: str) -> str | None:
        """Return the last value of a query parameter, None if it is absent or empty."""
        found = ""
        for key, value in self.query:
            if key == name:
                found = value
        return found or None


class Answer(Value, frozen=True, kw_only=True):
    """Hold the answer to a call that went well: always status 200, a JSON body, our headers."""

    body: bytes
    headers: Headers = ()


class Page(Value, frozen=True, kw_only=True):
    """
    Hold the rows of one page, and the token of the next; None on the last page.

    `total` is how many rows the whole search has, None where that is not known.
    """

    rows: Sequence[Row]
    next_token: str | None = None
    total: int | None = None
    warnings: tuple[str, ...] = ()


PathParameters = Mapping[str, str]
