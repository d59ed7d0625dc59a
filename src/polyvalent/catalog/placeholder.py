"""Know the one form of template that elements have: {name}, over keys or path parameters. Pure."""

from __future__ import annotations

import re

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def placeholders_of(text: str) -> tuple[str, ...]:
    """Return the names in braces, in order: "/orders/{id}/items" → ("id",)."""
    return tuple(_PLACEHOLDER.findall(text))
