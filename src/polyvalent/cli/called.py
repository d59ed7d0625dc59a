"""
Know how this program was called, so that every command it prints can be pasted.

`bin/polyvalent` hands its own path over in a variable of its own; there is nothing to set.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from polyvalent.settings import Settings

PROGRAM = "polyvalent"
_HANDED_OVER = "_POLYVALENT_COMMAND"
_COMMANDS = "bulk|connect|db|demo|elements|instances|jobs|keys|sandbox|secrets|serve|traces|worker"
_CALL = re.compile(rf"(?<![\w/.-]){PROGRAM}(?= (?:{_COMMANDS})\b| --)")


def program() -> str:
    """Return how this program is called: "bin/polyvalent", or "polyvalent" if installed."""
    return shlex.quote(os.environ.get(_HANDED_OVER) or PROGRAM)


def spell(text: str, *, name: str | None = None) -> str:
    """Write the commands in a text as they are called here: "polyvalent serve" → "bin/…"."""
    called = program() if name is None else name
    return _CALL.sub(lambda _: called, text)


def place_of(settings: Settings) -> tuple[str, str]:
    """
    Return what goes before and after a command that shall find the data of these settings.

    ("", " --data-dir /srv/polyvalent"). A password of a database is left out of it:
    ("POLYVALENT_DATABASE_URL=postgresql://user:PASSWORD@host/name ", " --data-dir …").
    """
    before = ""
    if settings.database_url:
        before = f"POLYVALENT_DATABASE_URL={shlex.quote(masked(settings.database_url))} "
    if settings.key_file is not None:
        before += f"POLYVALENT_KEY_FILE={shlex.quote(str(settings.key_file.absolute()))} "
    return before, f" --data-dir {shlex.quote(str(Path(settings.data_dir).absolute()))}"


def masked(url: str) -> str:
    """Return a URL to show: "https://user:x@host/" → "https://user:PASSWORD@host/"."""
    shown = re.sub(r"^([a-z+]+://)?([^/:@]*):[^/]*@", r"\1\2:PASSWORD@", url)
    return re.sub(r"(?i)([?&]password=)[^&]*", r"\1PASSWORD", shown)
