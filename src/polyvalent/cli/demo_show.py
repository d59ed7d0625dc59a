"""Show the requests and answers of the demo: readable, colored, secrets shortened."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.text import Text

from polyvalent.cli.ask_platform import Question, Reply
from polyvalent.cli.show import colored_json, print_note

# What is shown of a secret: enough to see it again further down.
SHOWN_LENGTH = 8
LONGEST_TEXT = 64
INDENT = "  "
CUT = "…"
# Where an explanation turns from what was refused to its causes, the likeliest first.
_TURNS = re.compile(r"(?=\b(?:Most likely|What to do|Otherwise|Or): )")


@dataclass(frozen=True, kw_only=True)
class Screen:
    """Hold a console and the secrets that are shortened on it; quiet, it shows nothing."""

    console: Console
    quiet: bool = False
    secrets: set[str] = field(default_factory=set, repr=False)

    def hide(self, *secrets: str) -> None:
        """Shorten these texts from now on."""
        self.secrets.update(secrets)

    def shorten(self, text: str) -> str:
        """Return text with every known secret cut: "7b0d297b…"."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, f"{secret[:SHOWN_LENGTH]}{CUT}")
        return text

    def step(self, number: int, title: str) -> None:
        """Begin a step."""
        if self.quiet:
            return
        self.console.print()
        self.console.print()
        line = Text(f"{number}  ", style="bold cyan")
        self.console.print(line.append(title, style="bold"))

    def note(self, text: str) -> None:
        """Say a sentence about what comes or came."""
        if not self.quiet:
            print_note(self.console, self.shorten(text))

    def explanation(self, text: str) -> None:
        """Show why something was refused, each cause and remedy in a paragraph of its own."""
        if self.quiet:
            return
        for part in _TURNS.split(text):
            print_note(self.console, part.strip())

    def gap(self) -> None:
        """Leave a line free."""
        if not self.quiet:
            self.console.print()

    def question(self, question: Question) -> None:
        """Show a request as the curl command that would send it."""
        if self.quiet:
            return
        self.console.print()
        lines = [self.shorten(line) for line in curl_lines(question)]
        for index, line in enumerate(lines):
            more = " \\" if index < len(lines) - 1 else ""
            prompt = Text(f"{INDENT}$ " if index == 0 else f"{INDENT}    ", style="dim")
            text = prompt.append(line, style="cyan" if index == 0 else "default")
            self.console.print(text.append(more, style="dim"), soft_wrap=True)

    def reply(self, reply: Reply, *, lines: Sequence[str], note: str = "") -> None:
        """Show an answer's status, time and the lines chosen from it."""
        if self.quiet:
            return
        self.console.print()
        good = reply.status == 200
        line = Text(INDENT).append(str(reply.status), style="bold green" if good else "bold yellow")
        line.append(f"  {reply.elapsed_ms:.0f} ms", style="dim")
        if note:
            line.append(f"  {note}", style="dim")
        self.console.print(line)
        for text in map(self.shorten, lines):
            is_json = text.lstrip()[:1] in ("{", "}", '"', "[", "]", CUT)
            shown = Text(INDENT).append_text(colored_json(text) if is_json else Text(text))
            self.console.print(shown, soft_wrap=True)


def curl_lines(question: Question) -> Iterator[str]:
    """
    Yield the parts of the curl command for a call, one a line; the URL begins with $API.

    curl -G "$API/elements/shop/oauth/token" / --data-urlencode 'apiKey=…' / …
    """
    method = "" if question.method == "GET" else f"-X {question.method} "
    flag = "-G " if question.query else ""
    yield f'curl {method}{flag}"$API{question.path}"'
    if question.authorization:
        yield f"-H 'Authorization: {question.authorization}'"
    for name, value in question.query.items():
        yield f"--data-urlencode {shlex.quote(f'{name}={value}')}"
    if question.body is not None:
        yield "-H 'Content-Type: application/json'"
        text = json.dumps(question.body, indent=2, ensure_ascii=False)
        first, *rest = text.splitlines()
        yield "\n".join((f"-d '{first}", *(f"{INDENT}    {line}" for line in rest))) + "'"


def object_lines(content: Mapping[str, Any], *, names: Sequence[str] = ()) -> list[str]:
    """Write the named members of an object, or all, one a line, and count those left out."""
    chosen = {name: content[name] for name in (names or content) if name in content}
    lines = ["{"]
    for name, value in chosen.items():
        lines.append(f"  {json.dumps(name)}: {_short(value)},")
    left = len(content) - len(chosen)
    if left:
        lines.append(f"  {CUT} {left} more")
    else:
        lines[-1] = lines[-1].removesuffix(",")
    return [*lines, "}"]


def row_lines(rows: Sequence[Mapping[str, Any]], *, names: Sequence[str]) -> list[str]:
    """Write one line a row with the named members of it."""
    return [
        "{"
        + ", ".join(f"{json.dumps(name)}: {_short(row[name])}" for name in names if name in row)
        + "}"
        for row in rows
    ]


def callback_lines(url: str) -> list[str]:
    """Write an address with its query parameters one a line."""
    parts = urlsplit(url)
    query = parts.query.split("&")
    first = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return [first, *(f"  {'?' if i == 0 else '&'}{pair}" for i, pair in enumerate(query))]


def _short(value: Any) -> str:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        value = f"{value[:LONGEST_TEXT]}{CUT}"
    if isinstance(value, list) and len(value) > 3:
        return f"[{CUT} {len(value)} entries]"
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict) and len(text) > LONGEST_TEXT:
        named = {name: value[name] for name in ("id", "key", "name") if name in value}
        shown = json.dumps(named, ensure_ascii=False).removesuffix("}")
        rest = f"{CUT} {len(value) - len(named)} more"
        return f"{shown}, {rest}}}" if named else f"{{{rest}}}"
    return text
