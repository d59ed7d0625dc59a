"""
Show things on the terminal: blocks of labelled lines, lists, JSON, lines to copy.

Values that are meant to be copied are never broken over lines by us.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.table import Table
from rich.text import Text

# Wide enough that nothing is cut where nobody looks.
PIPED_WIDTH = 200


def open_console(*, stderr: bool = False) -> Console:
    """Return a console: colored on a terminal, plain and wide where it is piped."""
    stream = sys.stderr if stderr else sys.stdout
    if stream.isatty() or os.environ.get("COLUMNS"):
        return Console(highlight=False, stderr=stderr)
    return Console(highlight=False, stderr=stderr, width=PIPED_WIDTH)


def print_json(value: Any, *, indent: bool = True) -> None:
    """Print a value as JSON and send it on its way at once."""
    options = orjson.OPT_INDENT_2 if indent else 0
    print(orjson.dumps(value, option=options).decode(), flush=True)


def print_title(console: Console, text: str, *, style: str = "bold cyan") -> None:
    """Print a heading with air around it."""
    console.print()
    console.print(Text(f"  {text}", style=style))
    console.print()


def print_pairs(console: Console, pairs: Mapping[str, str]) -> None:
    """Print labelled values, one a line: labels dimmed, values as they are."""
    width = max(map(len, pairs), default=0)
    for label, value in pairs.items():
        line = Text("  ")
        line.append(f"{label:<{width}}  ", style="dim")
        line.append(value)
        console.print(line, soft_wrap=True)


def print_copies(console: Console, lines: Iterable[str]) -> None:
    """Print lines that are meant to be pasted into a shell."""
    for line in lines:
        console.print(Text(f"  {line}", style="green"), soft_wrap=True)


def print_note(console: Console, text: str) -> None:
    """Print a sentence, wrapped to the terminal and indented like the rest."""
    room = max(20, min(console.width, 100) - 2)
    for line in Text(text).wrap(console, room):
        line.rstrip()
        console.print(Text("  ").append_text(line))


def first_sentence(text: str) -> str:
    """Cut a message to its first sentence: "It failed. Wait." → "It failed."."""
    found = re.match(r".+?[.!?](?=\s+[A-Z])", text, re.DOTALL)
    return " ".join((found[0] if found else text).split())


def print_list(
    console: Console, *, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]
) -> None:
    """Print rows under headings."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def colored_json(text: str) -> Text:
    """Return JSON text with its parts colored."""
    return JSONHighlighter()(Text(text))
