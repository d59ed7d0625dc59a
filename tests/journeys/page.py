"""Read the examples of the reference page and compare answers with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "create-instance.md"
EXAMPLES = PAGE.parent / "create-instance"


def example(name: str, **replacements: str) -> Any:
    """Read an example with texts replaced: `example("1-token", INSERT_KEY="…")`."""
    text = (EXAMPLES / f"{name}.yaml").read_text("utf-8")
    return _replace(yaml.safe_load(text), replacements)


def differences(
    shown: Any, wanted: Any, *, varying: frozenset[str] = frozenset(), place: str = ""
) -> list[str]:
    """
    Say where an answer is not like its example: members, JSON types, values.

    The values of the places in `varying` ("id", "element.name") are compared by type only.
    """
    if type(shown) is not type(wanted):
        return [f"{place}: {type(shown).__name__} instead of {type(wanted).__name__}"]
    if isinstance(wanted, dict):
        wrong = [f"{place}: lacks {name}" for name in wanted if name not in shown]
        wrong += [f"{place}: has {name}" for name in shown if name not in wanted]
        for name in wanted.keys() & shown.keys():
            inner = f"{place}.{name}".lstrip(".")
            wrong += differences(shown[name], wanted[name], varying=varying, place=inner)
        return wrong
    if place in varying or shown == wanted:
        return []
    return [f"{place}: {shown!r} instead of {wanted!r}"]


def _replace(value: Any, replacements: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _replace(inner, replacements) for name, inner in value.items()}
    if isinstance(value, list):
        return [_replace(inner, replacements) for inner in value]
    if isinstance(value, str):
        for name, text in replacements.items():
            value = value.replace(f"<{name}>", text).replace(name, text)
    return value
