"""Look after the database."""
# ruff: noqa: PLC0415  # imports wait inside the commands, so that --help answers at once

from __future__ import annotations

import typer

from polyvalent.cli.options import AsJson, DatabaseUrl, DataDir, settings_of
from polyvalent.settings import Settings

app = typer.Typer(help="Look after the database.", no_args_is_help=True)


@app.command("upgrade")
def upgrade(
    *, data_dir: DataDir = None, database_url: DatabaseUrl = None, json: AsJson = False
) -> None:
    """
    Bring the database up to the schema of this version.

    Every start of [bold]serve[/bold] does so by itself; this is for whoever wants it done before.

    [bold]Example[/bold]

    polyvalent db upgrade --database-url postgresql://polyvalent@db.internal/polyvalent
    """
    from polyvalent.cli.interrupt import run
    from polyvalent.cli.show import print_json

    settings = settings_of(data_dir, database_url)
    changed = run(lambda: _upgrade(settings))
    if json:
        print_json({"changed": changed}, indent=False)
    else:
        print("The database is up to date" + (" now." if changed else " already."))


async def _upgrade(settings: Settings) -> bool:
    from polyvalent.db import migrate, open_database

    database = await open_database(settings.database)
    try:
        return await migrate.upgrade(database)
    finally:
        await database.close()
