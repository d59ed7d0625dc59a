"""
Hold the documentation as values: pages, their headings, links and fenced examples.

A fence's info string says what is done with it. "bash run" is run, "json answer" is compared
with what the run before it printed as JSON, "text answer" with the text of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
OUTSIDE = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")

_FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) (.+?)\s*$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]\n]*(?:\n[^\]\n]*)?\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, kw_only=True)
class Fence:
    """Hold one fenced block: its info string as words, its text, and the line it begins at."""

    words: tuple[str, ...]
    text: str
    line: int

    @property
    def is_run(self) -> bool:
        return self.words[1:] == ("run",)

    @property
    def is_answer(self) -> bool:
        return self.words[1:] == ("answer",)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Hold one page; `path` is relative to the repository, such as "docs/glossary.md"."""

    path: str
    text: str

    @property
    def file(self) -> Path:
        return ROOT / self.path

    @property
    def prose(self) -> str:
        """Return the text without its fenced blocks."""
        return _FENCE.sub("", self.text)

    def fences(self) -> tuple[Fence, ...]:
        return tuple(
            Fence(
                words=tuple(found[1].split()),
                text=found[2],
                line=self.text.count("\n", 0, found.start()) + 1,
            )
            for found in _FENCE.finditer(self.text)
        )

    def headings(self) -> tuple[str, ...]:
        return tuple(found[2] for found in _HEADING.finditer(self.prose))

    def anchors(self) -> frozenset[str]:
        """Return what `#…` may point to, made of the headings as code hosts make it."""
        return frozenset(anchor(heading) for heading in self.headings())

    def links(self) -> Iterator[str]:
        for found in _LINK.finditer(self.prose):
            yield found[1]

    def codes(self) -> Iterator[str]:
        """Yield the text of each `code` in the prose."""
        for found in _CODE.finditer(self.prose):
            yield found[1]


def anchor(heading: str) -> str:
    """Return a heading's anchor: "What `a.b` does" → "what-ab-does"."""
    text = re.sub(r"[^\w\- ]", "", heading.lower())
    return text.replace(" ", "-")


def read_page(path: str) -> Page:
    return Page(path=path, text=(ROOT / path).read_text("utf-8"))


def pages() -> tuple[Page, ...]:
    """Return every page, in the order of their paths."""
    inside = sorted(file.relative_to(ROOT).as_posix() for file in DOCS.rglob("*.md"))
    return tuple(read_page(path) for path in (*OUTSIDE, *inside) if (ROOT / path).exists())
