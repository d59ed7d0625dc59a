"""
Write and read the opaque token by which a caller asks for the next page.

It holds everything that the next page needs, and nothing secret: whoever changes one gets other
rows of the same instance or an error. Pure.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from msgspec import Struct

from polyvalent.errors import BadRequest

_TOKEN_MAX = 4000  # characters


class PageToken(Struct, frozen=True, array_like=True, kw_only=True, forbid_unknown_fields=True):
    """Say where the next page of one search begins."""

    version: int = 1
    path: str  # of the search, without hub: a token is good for one list only
    where: str = ""
    page: int = 1
    page_size: int = 1
    last: str | None = None  # cursor value of the last row given


def write_token(token: PageToken) -> str:
    """Return the token as text of letters, digits, "-" and "_"."""
    return urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def read_token(text: str, *, path: str) -> PageToken:
    """
    Read a token that `write_token` wrote for the same path.

    Raises BadRequest if it is none, or another list's.
    """
    token = _decode(text) if len(text) <= _TOKEN_MAX else None
    if token is None or token.version != 1 or token.page < 1 or token.page_size < 1:
        raise BadRequest(
            "nextPage is no page token. Send the value of the header Elements-Next-Page-Token as "
            "it came, or leave nextPage out to begin with the first page."
        )
    if token.path != path:
        raise BadRequest(
            f"nextPage belongs to a search of {token.path[:100]}, not of {path[:100]}."
        )
    return token


def _decode(text: str) -> PageToken | None:
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=PageToken)
    except ValueError:  # of every decoder here
        return None
