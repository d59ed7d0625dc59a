"""
Query strings the way PHP reads and writes them: brackets make arrays.

parse("a[b]=1&a[c][]=2") → {"a": {"b": "1", "c": {"0": "2"}}}; arrays are dicts with text keys.
"""

import re
from typing import Any
from urllib.parse import quote_plus, unquote_plus

KEYS = re.compile(r"\[([^\]]*)\]")


def parse(text: str) -> dict[str, Any]:
    """Read a query string; later values overwrite earlier ones of the same name."""
    result: dict[str, Any] = {}
    for part in text.split("&"):
        name, _, value = part.partition("=")
        name = unquote_plus(name)
        if not name:
            continue
        first, bracket, _ = name.partition("[")
        keys = [first.replace(".", "_").replace(" ", "_")]
        if bracket:
            keys += KEYS.findall(name[len(first) :])
        place(result, keys, value=unquote_plus(value))
    return result


def place(target: dict[str, Any], keys: list[str], *, value: str) -> None:
    """Put a value into nested arrays; an empty key takes the next number."""
    for position, given in enumerate(keys):
        key = given
        if key == "" and position > 0:
            numbers = [int(k) for k in target if k.isdigit()]
            key = str(max(numbers, default=-1) + 1)
        if position == len(keys) - 1:
            target[key] = value
            return
        if not isinstance(target.get(key), dict):
            target[key] = {}
        target = target[key]


def build(value: Any, prefix: str = "") -> str:
    """Write nested data as a query string; nulls are left out, true is 1 and false 0."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    parts = []
    for key, item in items:
        name = f"{prefix}[{key}]" if prefix else str(key)
        if item is None:
            continue
        if isinstance(item, (dict, list)):
            inner = build(item, name)
            if inner:
                parts.append(inner)
        else:
            shown = int(item) if isinstance(item, bool) else item
            parts.append(f"{quote_plus(name)}={quote_plus(str(shown))}")
    return "&".join(parts)
