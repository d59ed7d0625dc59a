"""Read the `where` of a list of elements. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from polyvalent.ceql import Kinds, Match, Tree, compile_match, fields_of, parse_where
from polyvalent.ceql.tree import And, Comparison
from polyvalent.errors import BadRequest

_FLAGS = (
    "active",
    "deleted",
    "typeOauth",
    "trialAccount",
    "transformationsEnabled",
    "bulkDownloadEnabled",
    "bulkUploadEnabled",
    "cloneable",
    "private",
    "extended",
    "abridged",
)
_KINDS: Kinds = {
    "id": "number",
    "key": "text",
    "name": "text",
    "description": "text",
    "image": "text",
    "hub": "text",
    "authentication.type": "text",
    **dict.fromkeys(_FLAGS, "boolean"),
}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Say which elements are wanted, and whether without their definitions."""

    match: Match
    abridged: bool

    def takes(self, shown: Mapping[str, Any]) -> bool:
        """Say whether an element, as lists show it, is wanted."""
        # How elements are shown is no reason to leave one out.
        return self.match({**shown, "abridged": self.abridged})


def read_selection(where: str) -> Selection:
    """
    Read a `where`: "private = 'true' AND abridged = 'true'".

    `abridged` is no attribute: it says how the elements are shown, without their definitions
    unless it is 'false'. Raises BadRequest for what cannot be read, and unknown fields.
    """
    tree = parse_where(where)
    unknown = [name for name in fields_of(tree) if name not in _KINDS]
    if unknown:
        raise BadRequest(
            f"Elements cannot be searched by {', '.join(unknown)[:200]}, only by "
            f"{', '.join(_KINDS)}."
        )
    return Selection(match=compile_match(tree, _KINDS), abridged=_abridged(tree) != "false")


def _abridged(tree: Tree | None) -> str:
    parts = tree.parts if isinstance(tree, And) else (tree,)
    for part in parts:
        if isinstance(part, Comparison) and part.field == "abridged" and part.operator == "=":
            return part.value.text.lower()
    return ""
