"""Know the options that many commands share, and make settings of them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from polyvalent.errors import Misconfigured, NotFound
from polyvalent.settings import Settings, read_settings

PLACE = "Where the data is"
OUTPUT = "Output"

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Folder of the database and the key file. Default: POLYVALENT_DATA_DIR, "
        "else ~/.polyvalent",
        rich_help_panel=PLACE,
        show_default=False,
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        help="postgresql://user:password@host/name. Default: POLYVALENT_DATABASE_URL, else "
        "SQLite in the data folder",
        rich_help_panel=PLACE,
        show_default=False,
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs.", rich_help_panel=OUTPUT)
]


class Misused(typer.TyperException):
    """Report a call of a command that is wrong as such; ends with status 2."""

    exit_code = 2


def settings_of(data_dir: Path | None = None, database_url: str | None = None) -> Settings:
    """
    Read the settings of the environment and lay options over them.

    Raises Misconfigured, naming a variable that cannot be used.
    """
    settings = read_settings(os.environ, home=Path.home())
    if data_dir is not None:
        settings = replace(settings, data_dir=data_dir.expanduser().absolute())
    if database_url is not None:
        settings = replace(settings, database_url=database_url)
    if settings.data_dir.exists() and not settings.data_dir.is_dir():
        raise Misconfigured(
            f"The data folder {settings.data_dir} is a file. Name a folder with --data-dir or "
            "POLYVALENT_DATA_DIR."
        )
    return settings


def is_there(settings: Settings) -> bool:
    """Say whether a platform has been started in the data folder; of a server nothing is known."""
    return bool(settings.database_url) or (settings.data_dir / "polyvalent.db").exists()


def existing(settings: Settings) -> Settings:
    """
    Return the settings if a platform has been started with them before.

    Looking at a mistyped folder must not make a platform there. Raises NotFound.
    """
    if not is_there(settings):
        raise NotFound(
            f"There is no platform in {settings.data_dir} yet. Start one with polyvalent serve, "
            "or name its folder with --data-dir."
        )
    return settings
