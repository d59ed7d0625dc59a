"""Every command line that a page shows is one that the program takes."""

from __future__ import annotations

import re
import shlex
from typing import Any

import typer.main

from polyvalent.cli.main import app
from tests.docs.pages import Page, pages

CALL = re.compile(r"(?:^|[\s(])(?:(?:\.\./)?bin/)?polyvalent ((?:[a-z-]|<[^>]+>).*)")
# What ends a command within a line of shell.
END = re.compile(r"\s(?:[|&;>]|\d?>|#)")


def command_lines(page: Page) -> list[str]:
    """Return what follows the program's name wherever a page calls it."""
    text = "\n".join(
        fence.text.replace("\\\n", " ") for fence in page.fences() if fence.words[:1] == ("bash",)
    )
    lines = [*text.splitlines(), *(code for code in page.codes() if "polyvalent " in code)]
    return [found[1] for line in lines if (found := CALL.search(line))]


def fault_of(line: str) -> str | None:
    """Say what the program would not take of a command line; None if nothing."""
    words = shlex.split(
        END.split(f"{line} ")[0].replace("…", "x").replace("<", "").replace(">", "")
    )
    command: Any = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    known = {name for item in command.params for name in (*item.opts, *item.secondary_opts)}
    known |= {"--help", "--debug", "--version"}
    for word in words:
        if word.startswith("--") and word.partition("=")[0] not in known:
            return f"{line!r}: no option {word}"
    if getattr(command, "commands", {}) and words and not words[0].startswith("-"):
        return f"{line!r}: no command {words[0]}"
    return None


def test_a_wrong_command_is_seen():
    assert fault_of("serv --port 80")
    assert fault_of("serve --prot 80")
    assert fault_of("keys turn")
    assert fault_of("serve --port 80 >x.txt &") is None
    assert fault_of("elements show 356") is None


def test_command_lines_are_found():
    page = Page(
        path="x.md", text="`polyvalent secrets`\n```bash\nA=1 bin/polyvalent serve # x\n```\n"
    )

    assert command_lines(page) == ["serve # x", "secrets"]


def test_every_command_line_is_one_that_the_program_takes():
    lines = {(page.path, line) for page in pages() for line in command_lines(page)}

    faults = [f"{path}: {fault}" for path, line in sorted(lines) if (fault := fault_of(line))]

    assert len(lines) > 30
    assert not faults, "\n".join(faults)
