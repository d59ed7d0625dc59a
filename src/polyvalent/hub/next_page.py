"""Read on where the vendor says how: by a token, or an address, in the body of its answer. Pure."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

from polyvalent.catalog.element import Resource
from polyvalent.errors import BadRequest, VendorFailure
from polyvalent.exchange import Exchange, split_address
from polyvalent.hub.model import Pairs
from polyvalent.hub.resolve import strip_hub
from polyvalent.hub.values import find_member, read_json

TOKEN_MAX = 2500  # characters; it travels in our own token
TRAIL_MAX = 32  # tokens that are remembered from page to page
REPEATED = (
    "the vendor gave a token for the next page that it had given before; the list ends here, "
    "although the vendor may have more rows"
)
ENDLESS = "the vendor gave a hundred empty pages in a row; the list ends here"
_DIGEST_LENGTH = 8  # hex digits


def find_next(resource: Resource, exchange: Exchange) -> str | None:
    """
    Return what asks for the vendor's next page, None on the last one.

    {"paging": {"next": "c2"}} with nextPageKey "paging.next" → "c2"; an address of the same list,
    "https://v.example/items?cursor=c2", → its query, "?cursor=c2". Null, false, 0 and the empty
    text mean the end. Raises VendorFailure for what is neither, and for the address of something
    else: calls stay where the element leads them.
    """
    value = find_member(read_json(exchange.response.body), resource.next_page_key)
    if value in (None, False, 0, "", "0"):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _unusable(resource, "is neither text nor a number")
    text = str(value)
    if len(text) > TOKEN_MAX:
        raise _unusable(resource, f"is longer than {TOKEN_MAX} characters")
    absolute = text.lower().startswith(("https://", "http://"))
    if not absolute and not ("?" in text and text[0] in "/?"):
        return text
    url = split_address(text)
    theirs, ours = url.path.rstrip("/"), urlsplit(exchange.request.url).path.rstrip("/")
    same = theirs and (theirs.endswith(ours) or ours.endswith(f"/{theirs.lstrip('/')}"))
    if not url.query or not (same or text[0] == "?"):
        raise _unusable(resource, "is an address outside this list")
    return f"?{url.query}"


def next_pairs(resource: Resource, token: str | None) -> tuple[Pairs, Pairs]:
    """
    Return the query pairs that ask for a page, and those that an address of the vendor's had.

    Raises BadRequest if the resource does not say where a token is sent.
    """
    if token is None:
        return (), ()
    if token.startswith("?"):
        return (), tuple(parse_qsl(token[1:], keep_blank_values=True))
    for item in resource.parameters:
        if item.name == "nextPage" and item.type == item.vendor_type == "query":
            return ((item.vendor_name, token),), ()
    raise BadRequest(
        f"{resource.method} {strip_hub(resource.path)} reads on by a token (nextPageKey), but "
        "has no query parameter nextPage that says where it is sent. Add one to the resource."
    )


def is_repeated(token: str, trail: tuple[str, ...]) -> bool:
    """Say whether a token is one of those that led here."""
    return _digest(token) in trail


def add_step(trail: tuple[str, ...], token: str) -> tuple[str, ...]:
    """Return the trail with one more token: the first one stays, of the others the last ones."""
    longer = (*trail, _digest(token))
    return longer if len(longer) <= TRAIL_MAX else (longer[0], *longer[2:])


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()[:_DIGEST_LENGTH]


def _unusable(resource: Resource, why: str) -> VendorFailure:
    return VendorFailure(
        f"The vendor's answer names a next page at {resource.next_page_key[:100]} that {why}, so "
        "the list cannot be read on."
    )
