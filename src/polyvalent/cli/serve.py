"""Run the platform in the foreground."""
# ruff: noqa: PLC0415  # imports wait inside the command, so that --help answers at once

from __future__ import annotations

import os
from typing import Annotated

import typer

from polyvalent.cli.options import OUTPUT, AsJson, DatabaseUrl, DataDir, settings_of
from polyvalent.settings import unknown_variables

DEFAULT_PORT = 8080
NETWORK = "Network"
SETTING_UNKNOWN = "setting.unknown"


def serve(
    *,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on.", rich_help_panel=NETWORK)
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, help="Port to listen on; 0 takes a free one.", rich_help_panel=NETWORK
        ),
    ] = DEFAULT_PORT,
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
    work: Annotated[
        bool,
        typer.Option(
            "--worker/--no-worker",
            help="Work on jobs as well, or leave them to polyvalent worker.",
        ),
    ] = True,
    json: AsJson = False,
) -> None:
    """
    Run the platform: the API, its reference at /docs, and /health.

    The first start makes the database, the key file and the first user.
    [bold]polyvalent secrets[/bold] shows what callers have to send.

    [bold]Examples[/bold]

    polyvalent serve

    polyvalent serve --host 0.0.0.0 --port 80 --data-dir /srv/polyvalent

    POLYVALENT_EGRESS_ALLOW=127.0.0.1/32 polyvalent serve [dim]# may call stores on this
    machine[/dim]
    """
    from structlog import get_logger

    from polyvalent.cli.interrupt import Interrupted, run
    from polyvalent.cli.logs import LogFormat, configure_logs
    from polyvalent.cli.serving import serve_platform

    if log_format not in tuple(LogFormat):
        raise typer.BadParameter(
            f"it is auto, json or text, not {log_format!r}", param_hint="--log-format"
        )
    settings = settings_of(data_dir, database_url)
    configure_logs(settings.log_level, form=LogFormat(log_format))
    for complaint in unknown_variables(os.environ):
        get_logger("polyvalent.cli").warning(SETTING_UNKNOWN, reason=complaint)
    try:
        run(lambda: serve_platform(settings, host=host, port=port, as_json=json, works=work))
    except Interrupted:
        # Being asked to stop is how a server ends well.
        raise typer.Exit(0) from None
