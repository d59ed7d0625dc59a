"""
Know percent-encoding, and how to write a query that no two readers understand differently.

Only letters, digits and `-._~` stay as they are. Knows nothing of signatures or URLs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes

from polyvalent.errors import UnsignableRequest

_is_plain = re.compile(r"[A-Za-z0-9._~-]*").fullmatch
_ENCODED = {code: f"%{code:02X}" for code in range(128) if not _is_plain(chr(code))}
# Plain, or encoded with capitals and only where needed. Possessive, so it cannot backtrack.
_is_normal = re.compile(
    r"(?:[A-Za-z0-9._~-]++"
    r"|%(?:[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]))*+"
).fullmatch


def percent_encode(text: str) -> str:
    """
    Encode text as UTF-8, every byte that is not unreserved as `%XX` in capitals.

    "Ladies + Gentlemen" → "Ladies%20%2B%20Gentlemen", "☃" → "%E2%98%83"

    Raises UnsignableRequest if the text is not valid Unicode (a lone surrogate).

    Source: RFC 5849, section 3.6; RFC 3986, section 2.3.
    """
    if _is_plain(text):
        return text
    if text.isascii():
        return text.translate(_ENCODED)
    try:
        return quote(text, safe="~")
    except UnicodeEncodeError:
        raise UnsignableRequest(
            "A text to be encoded holds half a character (a lone surrogate): send valid Unicode."
        ) from None


def encode_query(pairs: Iterable[tuple[str, str]]) -> str:
    """
    Write names and values as a query or form body that can be read in one way only.

    (("filter[1][in][0]", "a=b c"), ("q", "")) → "filter%5B1%5D%5Bin%5D%5B0%5D=a%3Db%20c&q="
    Spaces become `%20` and never `+`; every pair has exactly one `=`. The order is kept.

    Raises UnsignableRequest as `percent_encode` does.
    """
    return "&".join([f"{percent_encode(name)}={percent_encode(value)}" for name, value in pairs])


def index_array(name: str, values: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """
    Spell an array with explicit indexes, since repeated names are signed in three ways.

    ("attrs", ("sku", "name")) → (("attrs[0]", "sku"), ("attrs[1]", "name"))
    """
    return tuple((f"{name}[{index}]", value) for index, value in enumerate(values))


def normalize_text(encoded: str) -> str:
    """
    Decode one name or value of a query, a plus being a space, and encode it in the one way.

    "r+b" → "r%20b", "%7e" → "~", "a[]" → "a%5B%5D". Bytes that are not UTF-8 stay the bytes
    they are. The text must be ASCII.
    """
    if _is_normal(encoded):
        return encoded
    return quote_from_bytes(unquote_to_bytes(encoded.replace("+", " ")), safe="~")
