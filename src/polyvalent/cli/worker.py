"""Work on jobs in the foreground, without serving anything."""
# ruff: noqa: PLC0415  # imports wait inside the command, so that --help answers at once

from __future__ import annotations

from typing import Annotated

import typer

from polyvalent.cli.options import OUTPUT, DatabaseUrl, DataDir, settings_of


def worker(
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    log_format: Annotated[
        str,
        typer.Option(
            "--log-format",
            metavar="auto|json|text",
            help="How the log on stderr looks; auto: text on a terminal, else JSON lines.",
            rich_help_panel=OUTPUT,
        ),
    ] = "auto",
) -> None:
    """
    Work on jobs: bulk downloads and uploads, polls, deliveries, schedules.

    [bold]polyvalent serve[/bold] has a worker in itself, which is enough for one machine. With
    PostgreSQL any number of workers share the work, on any number of machines; if one dies, the
    others take over what it was at within half a minute.

    [bold]Examples[/bold]

    polyvalent worker --database-url postgresql://polyvalent@db.example.com/polyvalent

    polyvalent serve --no-worker [dim]# beside it: serves, and leaves the work to workers[/dim]
    """
    from polyvalent.cli.interrupt import Interrupted, run
    from polyvalent.cli.logs import LogFormat, configure_logs
    from polyvalent.cli.serving import work_alone

    if log_format not in tuple(LogFormat):
        raise typer.BadParameter(
            f"it is auto, json or text, not {log_format!r}", param_hint="--log-format"
        )
    settings = settings_of(data_dir, database_url)
    configure_logs(settings.log_level, form=LogFormat(log_format))
    try:
        run(lambda: work_alone(settings))
    except Interrupted:
        # Being asked to stop is how a worker ends well.
        raise typer.Exit(0) from None
