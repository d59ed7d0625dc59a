"""Walk a person through the connection of a real store."""
# ruff: noqa: PLC0415  # imports wait inside the command, so that --help answers at once

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from polyvalent.cli.options import AsJson, DatabaseUrl, DataDir, Misused, settings_of
from polyvalent.cli.simulators import simulator_names
from polyvalent.errors import Misconfigured
from polyvalent.settings import unknown_variables

if TYPE_CHECKING:
    from polyvalent.catalog.element import Element

# Simulators are named for elements.
EXAMPLE = simulator_names()[0]
STORE, RETURN, SERVER = "The store", "The way back from the store", "Another platform"

HELP = f"""
Connect a store: ask for what is missing, wait for the merchant, create the instance.

The merchant consents in a browser, which then comes back to this machine. If the browser is
on another machine, paste the address where it ended up.

[bold]Examples[/bold]

polyvalent connect {EXAMPLE}

polyvalent connect {EXAMPLE} --store shop.example.com --key 7b0d297bedba16fe

polyvalent connect {EXAMPLE} --store shop.example.com --server https://hub.example.com
"""


def connect(
    element: Annotated[str, typer.Argument(metavar="ELEMENT", help="Key or id of the element.")],
    *,
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Address of the store.", rich_help_panel=STORE),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="The application's key at the store.", rich_help_panel=STORE
        ),
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            metavar="SECRET",
            help="The secret beside it. Left out, it is asked for and not shown.",
            rich_help_panel=STORE,
        ),
    ] = None,
    admin_path: Annotated[
        str | None,
        typer.Option(
            metavar="WORD", help="Where the store's admin lies, if moved.", rich_help_panel=STORE
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any other configuration entry; may be repeated.",
            rich_help_panel=STORE,
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Name of the instance.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Tag of the instance; may be repeated.")
    ] = None,
    callback_port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65535,
            metavar="PORT",
            help="Port of 127.0.0.1 that the browser comes back to; 0 takes a free one.",
            rich_help_panel=RETURN,
        ),
    ] = 0,
    callback_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Come back here instead; the address is then pasted into the terminal.",
            rich_help_panel=RETURN,
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(min=1, metavar="S", help="How long to wait.", rich_help_panel=RETURN),
    ] = 900,
    no_browser: Annotated[
        bool,
        typer.Option("--no-browser", help="Only print the address.", rich_help_panel=RETURN),
    ] = False,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Create the instance there, not in the data folder of this machine.",
            rich_help_panel=SERVER,
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="SECRET", help="User secret there; asked for.", rich_help_panel=SERVER
        ),
    ] = None,
    organization: Annotated[
        str | None,
        typer.Option(
            metavar="SECRET", help="Organization secret there; asked for.", rich_help_panel=SERVER
        ),
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    json: AsJson = False,
) -> None:
    """Walk a person through the flow; see `HELP` for what a person reads."""
    from polyvalent.catalog.load import load_catalog
    from polyvalent.cli.connect_run import Remote, Wish, run_connect
    from polyvalent.cli.interrupt import Interrupted, run
    from polyvalent.cli.logs import configure_logs
    from polyvalent.instances.application import site_key

    chosen = load_catalog().find(element)
    if chosen.authentication.type != "oauth1":
        raise Misconfigured(
            f"{chosen.name} authenticates by {chosen.authentication.type}; connect walks through "
            "OAuth 1.0a alone. Create the instance with POST /instances."
        )
    if callback_url is not None and not sys.stdin.isatty():
        raise Misused("--callback-url needs a person who pastes the address at the end.")
    overrides = _overrides(chosen, admin_path=admin_path, pairs=set_ or [])
    wish = Wish(
        element=chosen,
        store=_ask(chosen, site_key(chosen) or "", store, option="--store"),
        key=_ask(chosen, "oauth.api.key", key, option="--key"),
        secret=_ask(chosen, "oauth.api.secret", secret, option="--secret", hidden=True),
        name=name or f"My {chosen.name} store",
        tags=tuple(tag or ()),
        overrides=overrides,
        callback_port=callback_port,
        callback_url=callback_url,
        timeout_s=timeout,
        open_browser=not no_browser,
    )
    remote = None
    if server is not None:
        remote = Remote(
            url=server.rstrip("/").removesuffix("/elements/api-v2"),
            user=_prompt("User secret", user, option="--user", hidden=True),
            organization=_prompt(
                "Organization secret", organization, option="--organization", hidden=True
            ),
        )
    settings = settings_of(data_dir, database_url)
    for complaint in unknown_variables(os.environ):
        print(f"polyvalent: {complaint}", file=sys.stderr)
    configure_logs("error")
    try:
        run(lambda: run_connect(wish, settings=settings, remote=remote, as_json=json))
    except Interrupted:
        print("\n  Nothing was connected.", file=sys.stderr)
        raise typer.Exit(130) from None


def _ask(
    element: Element, key: str, given: str | None, *, option: str, hidden: bool = False
) -> str:
    label = next((entry.name for entry in element.configuration if entry.key == key), key)
    return _prompt(label, given, option=option, hidden=hidden)


def _prompt(label: str, given: str | None, *, option: str, hidden: bool) -> str:
    if given:
        return given
    if not sys.stdin.isatty():
        raise Misused(f"{option} ({label}) is missing, and nobody is here to be asked.")
    answer: str = typer.prompt(f"  {label}", hide_input=hidden, err=True)
    return answer.strip()


def _overrides(element: Element, *, admin_path: str | None, pairs: list[str]) -> dict[str, str]:
    found = {}
    known = [entry.key for entry in element.configuration]
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not mark:
            raise Misused(f"--set {key[:60]!r} must be KEY=VALUE.")
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
            raise Misused(f"--set {key[:60]!r}: {element.name} has no such entry. {hint}")
        found[key] = value
    if admin_path is not None:
        page = "oauth.authorization.url"
        defaults = {entry.key: entry.default_value or "" for entry in element.configuration}
        if "/admin/" not in defaults.get(page, ""):
            raise Misused(f"{element.name} has no admin path; say --set {page}=URL instead.")
        found[page] = defaults[page].replace("/admin/", f"/{admin_path.strip('/')}/", 1)
    return found
