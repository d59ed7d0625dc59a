"""Change the keys that seal secrets."""
# ruff: noqa: PLC0415  # imports wait inside the commands, so that --help answers at once

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from polyvalent.cli.options import AsJson, DatabaseUrl, DataDir, existing, settings_of
from polyvalent.settings import Settings

if TYPE_CHECKING:
    from polyvalent.db.rotate import Rotation

app = typer.Typer(help="Change the keys that seal secrets.", no_args_is_help=True)


@app.command("rotate")
def rotate(
    *, data_dir: DataDir = None, database_url: DatabaseUrl = None, json: AsJson = False
) -> None:
    """
    Make a new key and seal every secret with it, while the platform goes on working.

    Old keys stay in the key file until [bold]polyvalent keys retire[/bold]. Back the key file up
    afterwards.

    [bold]Example[/bold]

    polyvalent keys rotate --data-dir /srv/polyvalent
    """
    from polyvalent.cli.interrupt import run

    settings = existing(settings_of(data_dir, database_url))
    _show(run(lambda: _change(settings, retire_old=False)), as_json=json, retiring=False)


@app.command("retire")
def retire(
    *, data_dir: DataDir = None, database_url: DatabaseUrl = None, json: AsJson = False
) -> None:
    """
    Take every key but the current one out of the key file, ten minutes or more after rotating.

    A backup of the database from before the rotation opens only with a key file from then.

    [bold]Example[/bold]

    polyvalent keys retire --data-dir /srv/polyvalent
    """
    from polyvalent.cli.interrupt import run

    settings = existing(settings_of(data_dir, database_url))
    _show(run(lambda: _change(settings, retire_old=True)), as_json=json, retiring=True)


async def _change(settings: Settings, *, retire_old: bool) -> Rotation:
    import os
    from datetime import UTC, datetime

    from polyvalent.api.platform import open_platform
    from polyvalent.db import rotate as work

    async with open_platform(settings) as platform:
        ports = platform.ports
        change = work.retire if retire_old else work.rotate
        return await change(ports.database, ports.keys, now=datetime.now(UTC), random=os.urandom)


def _show(rotation: Rotation, *, as_json: bool, retiring: bool) -> None:
    from polyvalent.cli.show import print_json

    if as_json:
        shown = {"keyId": rotation.key_id, "rows": rotation.rows, "retired": rotation.retired}
        print_json(shown, indent=False)
        return
    if retiring and not rotation.retired:
        print(f"There was no old key: {rotation.key_id} is the only one.")
        return
    retired = f" Retired: {', '.join(rotation.retired)}." if rotation.retired else ""
    print(f"Key {rotation.key_id} is current; {rotation.rows} rows were sealed anew.{retired}")
