"""Find what a vendor itself says about a failure, whatever shape its answer has. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from polyvalent.exchange import Response

WORDS_MAX = 500  # characters
_BODY_MAX_BYTES = 200_000
_MARKUP_MAX = 10_000  # characters of a page that are looked at: what it says stands at its top
_DEPTH_MAX = 8

# Members that carry a sentence, in the error bodies of many vendors.
_SENTENCES = frozenset(
    (
        "message",
        "msg",
        "error",
        "errors",
        "errormessage",
        "error_message",
        "error_description",
        "detail",
        "details",
        "description",
        "title",
        "reason",
    )
)
_UNSEEN = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]{0,2000}>")
_MARKUP = re.compile(r"\s*<(!doctype|html|\?xml|[a-z][a-z0-9]*[\s>/])", re.IGNORECASE)


def provider_message(response: Response) -> str | None:
    """
    Return the vendor's own words about a failure, at most 500 characters, None if there are none.

    {"messages":{"error":[{"code":404,"message":"Resource not found."}]}} → "Resource not found."
    `<html>…<h1>502 Bad Gateway</h1>…` → "502 Bad Gateway"; other text comes as it is. Repeated
    sentences come once, several are joined by "; ".
    """
    text = response.body[:_BODY_MAX_BYTES].decode("utf-8", errors="replace").strip()
    if not text:
        return None
    words = _squeeze(_read(text))
    if not words:
        return None
    return words if len(words) <= WORDS_MAX else words[: WORDS_MAX - 1] + "…"


def _read(text: str) -> str:
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _strip_markup(text) if _MARKUP.match(text) else text
    sentences = dict.fromkeys(_collect(data, depth=0))
    return "; ".join(sentences) if sentences else text


def _collect(data: Any, *, depth: int, told: bool = False) -> Iterator[str]:
    if depth > _DEPTH_MAX:
        return
    if isinstance(data, str):
        if told and data.strip():
            yield _squeeze(_strip_markup(data))
    elif isinstance(data, dict):
        for name, value in data.items():
            yield from _collect(value, depth=depth + 1, told=str(name).lower() in _SENTENCES)
    elif isinstance(data, list):
        for item in data:
            yield from _collect(item, depth=depth + 1, told=told)


def _strip_markup(text: str) -> str:
    text = text[:_MARKUP_MAX]
    title = _TITLE.search(text)
    body = _TAG.sub(" ", _UNSEEN.sub(" ", text))
    seen = html.unescape(body)
    if not seen.strip() and title is not None:
        return html.unescape(_TAG.sub(" ", title.group(1)))
    return seen


def _squeeze(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
