"""Show what went over the wire."""
# ruff: noqa: PLC0415  # imports wait inside the command, so that --help answers at once

from __future__ import annotations

from typing import Annotated, Any

import typer

from polyvalent.cli.options import AsJson, DatabaseUrl, DataDir, existing, settings_of
from polyvalent.cli.simulators import simulator_names
from polyvalent.settings import Settings

app = typer.Typer(help="Show what went over the wire.", no_args_is_help=True)


SHOW_HELP = f"""
Print the exchanges with a vendor that a request with debugging left, secrets masked.

[bold]Example[/bold]

polyvalent traces show {simulator_names()[0]} 5f3a90c1d2e4b6a798012345
"""


@app.command("show", help=SHOW_HELP)
def show(
    element: Annotated[str, typer.Argument(metavar="ELEMENT", help="Key or id of the element.")],
    trace_id: Annotated[
        str, typer.Argument(metavar="TRACE_ID", help="The answer's header Elements-Trace-Id.")
    ],
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Print a trace; see `SHOW_HELP` for what a person reads."""
    from polyvalent.cli.interrupt import run
    from polyvalent.cli.show import print_json

    settings = existing(settings_of(data_dir, database_url))
    print_json(run(lambda: _read(settings, element=element, trace_id=trace_id)))


@app.command("tail")
def tail(
    instance: Annotated[
        int | None,
        typer.Argument(metavar="[INSTANCE]", min=1, help="Id of an instance. Default: all."),
    ] = None,
    *,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=200, help="How many to begin with.")
    ] = 10,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Go on with each new one until Ctrl-C.")
    ] = True,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    json: AsJson = False,
) -> None:
    """
    Follow the calls to instances that log them: what was asked, and what the vendor was asked.

    Calls leave traces while the instance's traceLoggingEnabled is true; secrets are masked.
    With --json each trace is one line with all its messages.

    [bold]Examples[/bold]

    polyvalent traces tail

    polyvalent traces tail 7 --no-follow --json
    """
    from polyvalent.cli.interrupt import Interrupted, run
    from polyvalent.cli.traces_tail import tail as tail_traces

    settings = existing(settings_of(data_dir, database_url))
    try:
        run(
            lambda: tail_traces(
                settings, instance_id=instance, lines=lines, follow=follow, as_json=json
            )
        )
    except Interrupted:
        # Being asked to stop is how following ends well.
        raise typer.Exit(0) from None


async def _read(settings: Settings, *, element: str, trace_id: str) -> dict[str, Any]:
    from polyvalent.cli.platform_access import operating
    from polyvalent.traces.read import read_trace

    async with operating(settings) as operator:
        ports = operator.platform.ports
        return await read_trace(
            ports.database,
            trace_id=trace_id,
            organization_id=operator.caller.organization.id,
            element_key=ports.catalog.find(element).key,
        )
