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
# Every pattern looks ahead over a bounded number of characters, so that no text takes long.
_UNSEEN_START = re.compile(r"<(script|style|head)\b|<!--", re.IGNORECASE)
_ENDS = {
    **{
        name: re.compile(rf"</{name}\s{{0,20}}>", re.IGNORECASE)
        for name in ("script", "style", "head", "title")
    },
    "": re.compile("-->"),
}
_TITLE_START = re.compile(r"<title[^<>]{0,200}>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,2000}>")
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
    if "<" not in text and "&" not in text:
        return text
    text = text[:_MARKUP_MAX]
    seen = html.unescape(_TAG.sub(" ", _drop_unseen(text)))
    return seen if seen.strip() else html.unescape(_TAG.sub(" ", _find_title(text)))


def _find_title(text: str) -> str:
    start = _TITLE_START.search(text)
    end = _ENDS["title"].search(text, start.end()) if start else None
    return text[start.end() : end.start()] if start and end else ""


def _drop_unseen(text: str) -> str:
    # An end that is not there is looked for once, whatever number of beginnings there are.
    kept, place = [], 0
    endless: set[str] = set()
    for start in _UNSEEN_START.finditer(text):
        name = (start.group(1) or "").lower()
        if start.start() < place or name in endless:
            continue
        end = _ENDS[name].search(text, start.end())
        if end is None:
            endless.add(name)
            continue
        kept.append(text[place : start.start()])
        place = end.end()
    return " ".join((*kept, text[place:]))


def _squeeze(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
