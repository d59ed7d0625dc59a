"""Run a simulated store in the foreground."""
# ruff: noqa: PLC0415  # imports wait inside the commands, so that --help answers at once

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from polyvalent.cli.called import program
from polyvalent.cli.options import OUTPUT
from polyvalent.cli.simulators import credentials, load_simulator, simulator_names
from polyvalent.errors import Misconfigured

NETWORK, DATA, KIND = "Network", "What is in it", "What kind of store it is"
MERCHANT, FAULTS = "The merchant's rights", "Faults on demand"
LEAST_PRODUCTS = 20

app = typer.Typer(
    help="Run a simulated store: nothing in it is real, its wire is.", no_args_is_help=True
)


class Flavor(StrEnum):
    """Choose the age of the store's attributes."""

    CLASSIC = "classic"
    NEWER = "newer"


class WebServer(StrEnum):
    """Choose what stands before the store's PHP."""

    NGINX = "nginx"
    APACHE = "apache"
    PROXY_FCGI = "proxy_fcgi"
    FCGID = "fcgid"


class Role(StrEnum):
    """Choose what the merchant's account may do over REST."""

    ALL = "all"
    NONE = "none"
    LIMITED = "limited"


class Attributes(StrEnum):
    """Choose which attributes the merchant's account may see."""

    ALL = "all"
    NONE = "none"


def run_store(
    context: typer.Context,
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0 takes a free one.", rich_help_panel=NETWORK)
    ] = 0,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on.", rich_help_panel=NETWORK)
    ] = "127.0.0.1",
    products: Annotated[
        int, typer.Option(min=LEAST_PRODUCTS, help="How many.", rich_help_panel=DATA)
    ] = 250,
    customers: Annotated[int, typer.Option(min=1, help="How many.", rich_help_panel=DATA)] = 120,
    orders: Annotated[int, typer.Option(min=0, help="How many.", rich_help_panel=DATA)] = 60,
    seed: Annotated[
        int, typer.Option(help="The same seed makes the same data.", rich_help_panel=DATA)
    ] = 1,
    flavor: Annotated[
        Flavor, typer.Option(help="Which attributes rows have.", rich_help_panel=KIND)
    ] = Flavor.NEWER,
    native_ints: Annotated[
        bool,
        typer.Option("--native-ints", help="Integers are JSON numbers.", rich_help_panel=KIND),
    ] = False,
    web_server: Annotated[
        WebServer, typer.Option(help="What stands before PHP.", rich_help_panel=KIND)
    ] = WebServer.NGINX,
    admin_path: Annotated[
        str, typer.Option(metavar="WORD", help="Where the admin lies.", rich_help_panel=KIND)
    ] = "admin",
    admin_password: Annotated[
        str | None,
        typer.Option(help="Default: a random one.", rich_help_panel=MERCHANT, show_default=False),
    ] = None,
    role: Annotated[
        Role, typer.Option(help="What may be called.", rich_help_panel=MERCHANT)
    ] = Role.ALL,
    attributes: Annotated[
        Attributes, typer.Option(help="What may be seen.", rich_help_panel=MERCHANT)
    ] = Attributes.ALL,
    latency: Annotated[
        float,
        typer.Option(min=0, metavar="MS", help="Added to every answer.", rich_help_panel=FAULTS),
    ] = 0,
    fail_rate: Annotated[
        float,
        typer.Option(
            min=0, max=1, metavar="0..1", help="Answers that are outages.", rich_help_panel=FAULTS
        ),
    ] = 0,
    deadlocks: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="0..1",
            help="Writes that happen and then report an error.",
            rich_help_panel=FAULTS,
        ),
    ] = 0,
    lost_answers: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="0..1",
            help="Writes that happen and then end in a 504.",
            rich_help_panel=FAULTS,
        ),
    ] = 0,
    clock_skew: Annotated[
        int,
        typer.Option(
            metavar="S", help="The store's clock is ahead by this.", rich_help_panel=FAULTS
        ),
    ] = 0,
    json: Annotated[
        bool,
        typer.Option("--json", help="The first line is one JSON object.", rich_help_panel=OUTPUT),
    ] = False,
) -> None:
    """Run a simulated store; see `_HELP` for what a person reads."""
    from polyvalent.cli.interrupt import Interrupted, run

    simulator = load_simulator(context.info_name or "")
    options = simulator.StoreOptions(
        products=products,
        customers=customers,
        orders=orders,
        seed=seed,
        flavor=flavor.value,
        native_ints=native_ints,
        web_server=web_server.value,
        admin_path=admin_path,
        admin_password=admin_password,
        admin_role=role.value,
        admin_attributes=attributes.value,
        latency_ms=latency,
        fail_rate=fail_rate,
        deadlocks=deadlocks,
        lost_answers=lost_answers,
        clock_skew_s=clock_skew,
    )
    name = context.info_name or ""
    try:
        run(lambda: _serve_store(name, options, host=host, port=port, as_json=json))
    except Interrupted:
        # Being asked to stop is how a server ends well.
        raise typer.Exit(0) from None


async def _serve_store(name: str, options: Any, *, host: str, port: int, as_json: bool) -> None:
    import asyncio

    from polyvalent.cli.show import print_json

    try:
        running = load_simulator(name).start_store(options, host=host, port=port)
    except OSError as error:
        raise Misconfigured(
            f"Cannot listen on {host} port {port}: {error.strerror}. "
            "Choose another one with --port; --port 0 takes a free one."
        ) from error
    try:
        found = credentials(running)
        if as_json:
            print_json(found, indent=False)
        else:
            _show(name, found, admin_path=options.admin_path)
        await asyncio.Event().wait()
    finally:
        running.stop()


def _show(name: str, found: dict[str, str], *, admin_path: str) -> None:
    from polyvalent.cli.show import open_console, print_copies, print_pairs, print_title

    console = open_console()
    moved = "" if admin_path == "admin" else f" --admin-path {admin_path}"
    url, key, secret = found["url"], found["consumerKey"], found["consumerSecret"]
    print_title(console, f"A simulated store ({name}) is open")
    print_pairs(
        console,
        {
            "Store": url,
            "Consumer key": key,
            "Consumer secret": secret,
            "Admin": f"{url}/{admin_path}",
            "User": found["adminUser"],
            "Password": found["adminPassword"],
        },
    )
    console.print()
    console.print("  Connect it, in another terminal:", style="dim")
    print_copies(
        console,
        [
            "export POLYVALENT_EGRESS_ALLOW=127.0.0.1/32",
            f"{program()} connect {name} --store {url}{moved} \\",
            f"  --key {key} --secret {secret}",
        ],
    )
    console.print()
    console.print("  Look inside, and make things go wrong:", style="dim")
    print_copies(
        console,
        [
            f"curl {url}/_sandbox/counters",
            f"curl {url}/_sandbox/faults -d '{{\"latency_ms\": 500}}'",
            f"curl -X POST {url}/_sandbox/revoke",
        ],
    )
    console.print()
    console.print("  Ctrl-C closes it.", style="dim")
    console.print()


_HELP = """
Run a simulated store with made-up products, customers and orders.

It speaks the wire of a real one, OAuth pages and quirks included.

[bold]Examples[/bold]

polyvalent sandbox {name} --port 8081

polyvalent sandbox {name} --products 20000 --latency 80

polyvalent sandbox {name} --json --deadlocks 0.2 --role limited
"""

for _name in simulator_names():
    app.command(_name, help=_HELP.format(name=_name))(run_store)


@app.callback()
def _sandbox() -> None:
    # With a callback, a single simulator stays a command of its own.
    pass
