"""
Put the commands together, run one, and turn whatever it raises into one line and a status.

Status 0: done. 1: it did not work, and stderr says why in one line. 2: the call itself is wrong.
130: stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer import rich_utils
from typer.main import get_command

from polyvalent import __version__
from polyvalent.cli.bulk import app as bulk
from polyvalent.cli.called import program, spell
from polyvalent.cli.connect import HELP, connect
from polyvalent.cli.db import app as db
from polyvalent.cli.demo import demo
from polyvalent.cli.elements import app as elements
from polyvalent.cli.instances import app as instances
from polyvalent.cli.interrupt import Interrupted
from polyvalent.cli.jobs import app as jobs
from polyvalent.cli.keys import app as keys
from polyvalent.cli.sandbox import app as sandbox
from polyvalent.cli.secrets import secrets
from polyvalent.cli.serve import serve
from polyvalent.cli.traces import app as traces
from polyvalent.cli.worker import worker
from polyvalent.errors import PolyvalentError

START, WORK, OPERATE = "Start here", "Elements and instances", "Operate"

# Bounds would be shown as [0<=x<=65535]; the error names them.
rich_utils.RANGE_STRING = ""

CONTEXT: dict[str, Any] = {"help_option_names": ["--help", "-h"]}

app = typer.Typer(
    name="polyvalent",
    help="One REST API for online stores.\n\n"
    "New here? [bold]polyvalent demo[/bold] shows everything, on this machine alone.",
    epilog="Settings come from POLYVALENT_… variables; options win over them.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=dict(CONTEXT),
)
app.command("demo", rich_help_panel=START)(demo)
app.command("serve", rich_help_panel=START)(serve)
app.command("secrets", rich_help_panel=START)(secrets)
app.command("connect", help=HELP, rich_help_panel=WORK)(connect)
app.add_typer(elements, name="elements", rich_help_panel=WORK)
app.add_typer(instances, name="instances", rich_help_panel=WORK)
app.add_typer(traces, name="traces", rich_help_panel=WORK)
app.add_typer(sandbox, name="sandbox", rich_help_panel=WORK)
app.add_typer(bulk, name="bulk", rich_help_panel=WORK)
app.add_typer(jobs, name="jobs", rich_help_panel=WORK)
app.command("worker", rich_help_panel=OPERATE)(worker)
app.add_typer(keys, name="keys", rich_help_panel=OPERATE)
app.add_typer(db, name="db", rich_help_panel=OPERATE)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"polyvalent {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="When something fails, show where in the program.")
    ] = False,
) -> None:
    # `main` has looked at --debug already, wherever it stood; here it is for --help alone.
    del version, debug


def main(given: Sequence[str] | None = None) -> int:
    """Run the command that was given, by default that of `sys.argv`; return the exit status."""
    words = sys.argv[1:] if given is None else given
    debug = "--debug" in words
    arguments = [word for word in words if word != "--debug"]
    try:
        command = get_command(app)
        _calm(command)
        outcome = command.main(args=arguments, prog_name=program(), standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _refuse(error)
    except (typer.Abort, KeyboardInterrupt, Interrupted):
        if sys.stderr.isatty():
            print(file=sys.stderr)  # the terminal has put ^C at the end of a line
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain at its exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except PolyvalentError as error:
        return _fail(error, error.message, debug=debug)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(error, f"{place}{error.strerror or error}", debug=debug)
    except Exception as error:  # noqa: BLE001  # the last place: a defect must end in words too
        words = f"{type(error).__name__}: {error}. This is a defect; --debug shows where."
        return _fail(error, words, debug=debug)
    return outcome if isinstance(outcome, int) else 0


# What --help says of an option's value, instead of the name of a Python type.
_VALUES = {"<bool>": "", "<int>": "N", "<int range>": "N", "<str>": "TEXT", "<list[str]>": "TEXT"}


def _calm(command: Any) -> None:
    """Let --help name values in a person's words, for a command and those below it."""
    context = typer.Context(command, **CONTEXT)
    command.help = _reflow(spell(command.help or ""))
    for parameter in command.get_params(context):
        shown = parameter.display_type_rich(context)
        if parameter.param_type_name == "option" and shown in _VALUES:
            parameter.metavar = _VALUES[shown]
        elif parameter.param_type_name == "argument":
            parameter.display_type_rich = _untold  # its name says it
    for below in getattr(command, "commands", {}).values():
        _calm(below)


def _untold(ctx: Any) -> None:
    """Name no type; the library asks by this signature."""
    del ctx


def _reflow(text: str) -> str:
    """Let each paragraph of a help text fill the lines of the terminal, not those of its source."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))


# What libraries say of a wrong value, and what a person understands.
_OUR_WORDS = (
    (re.compile(r"Input should be a valid integer.*"), "it must be a whole number"),
    (re.compile(r"Input should be a valid number.*"), "it must be a number"),
    (re.compile(r"Input should be (less|greater) than or equal to (\S+)"), r"it must be \2 or \1"),
    (re.compile(r"(\d) or greater"), r"\1 or more"),
    (re.compile(r"Input should be "), "it must be "),
    (re.compile(r"Value error, "), ""),
)
# What the API advises its callers, in the words of the command line.
_COMMANDS_FOR = {
    "GET /instances lists them.": "polyvalent instances list shows them.",
    "GET /jobs?kind=all lists them.": "polyvalent jobs list shows them.",
}


def _refuse(error: typer.TyperException) -> int:
    message = " ".join(error.format_message().split())
    for words, ours in _OUR_WORDS:
        message = words.sub(ours, message)
    if not message:  # no command was given, and the help has been shown
        return error.exit_code
    context = getattr(error, "ctx", None)
    hint = f" Try: {context.command_path} --help" if context is not None else ""
    _say(f"{message if message.endswith(('.', '?')) else f'{message}.'}{hint}")
    return error.exit_code


def _fail(error: BaseException, message: str, *, debug: bool) -> int:
    if debug:
        # The standard library shows source lines, and no values, which may be secrets.
        traceback.print_exception(error)
    first, *rest = message.splitlines() or [""]
    if rest and rest[-1].strip() == "^":  # points at a place in the line above
        _say("\n  ".join((first, *rest)))
    else:
        _say(" ".join(message.split()))
    return 1


def _say(message: str) -> None:
    color = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    for call, words in _COMMANDS_FOR.items():
        message = message.replace(call, words)
    name = "\x1b[31mpolyvalent:\x1b[0m" if color else "polyvalent:"
    print(f"{name} {spell(message)}", file=sys.stderr, flush=True)
