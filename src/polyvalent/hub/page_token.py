"""
Write and read the opaque token by which a caller asks for the next page.

It holds everything that the next page needs, and nothing secret: whoever changes one gets other
rows of the same instance or an error. Pure.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from polyvalent.errors import BadRequest

VERSION = 2
_TOKEN_MAX = 4000  # characters; beyond, what it can do without is left out
_READ_MAX = 8000  # characters; a vendor's token cannot be left out
_CARRIED_MAX = 1200  # characters of a query; of a longer one only the digest travels


class PageToken(Struct, frozen=True, array_like=True, kw_only=True, forbid_unknown_fields=True):
    """Say where the next page of one search begins."""

    version: int = VERSION
    path: str  # of the search, without hub: a token is good for one list only
    # Of where and orderBy, in the one form that `write_where` gives them.
    digest: str = ""
    where: str = ""
    order: str = ""
    page: int = 1
    page_size: int = 1
    last: str | None = None  # cursor value of the last row given
    # How many of the vendor's rows are done with; behind `token`, if there is one.
    offset: int | None = None
    # Where rows are sorted here: what the last one given was sorted by.
    after: tuple[Any, ...] | None = None
    # Where the vendor reads on by tokens: its token, those that led there, the size it was asked.
    token: str | None = None
    trail: tuple[str, ...] = ()
    vendor_size: int = 0


def digest_query(where: str, order: str) -> str:
    """Return what tells one query from another; empty for none."""
    if not where and not order:
        return ""
    return sha256(f"{where}\n{order}".encode()).hexdigest()[:24]


def write_token(token: PageToken) -> str:
    """
    Return the token as text of letters, digits, "-" and "_".

    A long query is left out; the caller then sends it again, as callers do anyhow. Values to
    sort by that would make the token too long are left out as well: the page's number remains.
    """
    if len(token.where) + len(token.order) > _CARRIED_MAX:
        token = msgspec.structs.replace(token, where="", order="")
    text = _encode(token)
    if len(text) > _TOKEN_MAX and token.after is not None:
        text = _encode(msgspec.structs.replace(token, after=None, last=None))
    return text


def read_token(text: str, *, path: str) -> PageToken:
    """
    Read a token that `write_token` wrote for the same path.

    Raises BadRequest if it is none, or another list's.
    """
    token = _decode(text) if len(text) <= _READ_MAX else None
    if token is None or not _is_sound(token):
        raise BadRequest(
            "nextPage is no page token. Send the value of the header Elements-Next-Page-Token as "
            "it came, or leave nextPage out to begin with the first page."
        )
    if token.path != path:
        raise BadRequest(
            f"nextPage belongs to a search of {token.path[:100]}, not of {path[:100]}."
        )
    return token


def _is_sound(token: PageToken) -> bool:
    return (
        token.version == VERSION
        and token.page >= 1
        and token.page_size >= 1
        and (token.offset is None or 0 <= token.offset < 10**12)
        and 0 <= token.vendor_size < 10**6
    )


def _encode(token: PageToken) -> str:
    return urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def _decode(text: str) -> PageToken | None:
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=PageToken)
    except (ValueError, RecursionError):  # of every decoder here
        return None
