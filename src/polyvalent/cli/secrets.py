"""Show the secrets of the first user."""
# ruff: noqa: PLC0415  # imports wait inside the command, so that --help answers at once

from __future__ import annotations

from polyvalent.cli.options import AsJson, DatabaseUrl, DataDir, is_there, settings_of
from polyvalent.settings import Settings


def secrets(
    *, data_dir: DataDir = None, database_url: DatabaseUrl = None, json: AsJson = False
) -> None:
    """
    Show the user and organization secret that callers send.

    Makes the database and the keys if there are none yet, and works while
    [bold]polyvalent serve[/bold] runs.

    [bold]Examples[/bold]

    polyvalent secrets

    polyvalent secrets --json [dim]# {"user": "…", "organization": "…"}[/dim]
    """
    from polyvalent.cli.called import program
    from polyvalent.cli.interrupt import run
    from polyvalent.cli.platform_access import authorization
    from polyvalent.cli.show import (
        open_console,
        print_copies,
        print_json,
        print_note,
        print_pairs,
        print_title,
    )

    settings = settings_of(data_dir, database_url)
    is_new = not is_there(settings)
    found = run(lambda: _reveal(settings))
    if is_new:
        # Whoever mistyped the folder would otherwise wonder why no server knows these secrets.
        words = f"  There was no platform in {settings.data_dir} yet; it was made now."
        open_console(stderr=True).print(words, style="yellow", soft_wrap=True)
    if json:
        print_json(found, indent=False)
        return
    console = open_console()
    print_title(console, "Secrets of the first user")
    print_pairs(console, {"User": found["user"], "Organization": found["organization"]})
    console.print()
    console.print("  Header of every call:", style="dim")
    print_copies(console, [f"Authorization: {authorization(found)}"])
    console.print()
    print_note(
        console,
        "Calls for the data of an instance add: , Element <element token>. The token comes with "
        f"the instance; {program()} instances show ID --reveal prints it.",
    )
    console.print()


async def _reveal(settings: Settings) -> dict[str, str]:
    from polyvalent.accounts.reveal import reveal_secrets
    from polyvalent.api.platform import open_platform

    async with open_platform(settings) as platform:
        return await reveal_secrets(platform.ports.database, platform.ports.keys)
