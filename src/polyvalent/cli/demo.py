"""Show everything, on this machine alone."""
# ruff: noqa: PLC0415  # imports wait inside the command, so that --help answers at once

from __future__ import annotations

from typing import Annotated

import typer

from polyvalent.cli.options import OUTPUT
from polyvalent.cli.simulators import simulator_names


def demo(
    *,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Which simulated store: {', '.join(simulator_names())}.",
            show_default=False,
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser", help="You are the merchant: consent in your browser.")
    ] = False,
    leave: Annotated[
        bool, typer.Option("--exit", help="End when done; the status tells how it went.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the platform; 0 takes a free one.")
    ] = 0,
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Say nothing but one JSON object: URLs, secrets, ids.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
) -> None:
    """
    Start a platform and a simulated store, and connect the two before your eyes.

    Each request and answer is shown. Everything lives in a temporary folder and on this
    machine, and is gone afterwards.

    [bold]Examples[/bold]

    polyvalent demo

    polyvalent demo --browser [dim]# you log in and press the button[/dim]

    polyvalent demo --exit [dim]# for machines[/dim]
    """
    from polyvalent.cli.demo_run import run_demo
    from polyvalent.cli.demo_stage import Plan
    from polyvalent.cli.interrupt import run
    from polyvalent.cli.logs import configure_logs

    names = simulator_names()
    if store is not None and store not in names:
        raise typer.BadParameter(f"there is no simulated store {store!r}.", param_hint="--store")
    configure_logs("error")
    plan = Plan(simulator=store or names[0], browser=browser, leave=leave, port=port, as_json=json)
    run(lambda: run_demo(plan))
