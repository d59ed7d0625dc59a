"""Perform the flow against a real store, with a person in the part of the merchant."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rich.console import Console

from polyvalent.accounts.reveal import reveal_secrets
from polyvalent.catalog.element import Element
from polyvalent.cli.ask_platform import BASE_PATH, Client, Question
from polyvalent.cli.browser import open_page
from polyvalent.cli.callback import Fields, Listener, is_rejected, listening
from polyvalent.cli.called import masked, place_of, program
from polyvalent.cli.platform_access import authorization
from polyvalent.cli.serve import DEFAULT_PORT
from polyvalent.cli.serving import platform_at
from polyvalent.cli.show import (
    open_console,
    print_copies,
    print_json,
    print_note,
    print_pairs,
    print_title,
)
from polyvalent.egress import Door
from polyvalent.errors import PolyvalentError
from polyvalent.instances.application import site_key
from polyvalent.settings import Settings, read_networks

# The person named the platform, so wherever it is may be called.
EVERYWHERE = "0.0.0.0/0, ::/0"
LOOKED_AT_FIRST = ("orders", "products", "customers", "contacts", "accounts")


class NotConnected(PolyvalentError):
    """Report that no instance came about, and why."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Hold what shall be connected, and how the browser comes back."""

    element: Element
    store: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    name: str
    tags: tuple[str, ...]
    overrides: Mapping[str, str] = field(repr=False)
    callback_port: int
    callback_url: str | None
    timeout_s: float
    open_browser: bool


@dataclass(frozen=True, kw_only=True)
class Remote:
    """Hold the way to a platform elsewhere."""

    url: str
    user: str = field(repr=False)
    organization: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Way:
    client: Client
    secrets: dict[str, str] = field(repr=False)


async def run_connect(
    wish: Wish, *, settings: Settings, remote: Remote | None, as_json: bool
) -> None:
    """
    Connect a store and show the instance.

    Raises NotConnected with the platform's or the store's reason. Effects: listens on 127.0.0.1
    meanwhile; one instance.
    """
    console = open_console(stderr=as_json)
    async with (
        _platform(settings, remote) as way,
        listening(port=wish.callback_port) as listener,
    ):
        callback = wish.callback_url or listener.url
        instance = await _connect(wish, way, listener, callback=callback, console=console)
    if as_json:
        print_json({name: instance[name] for name in ("id", "name", "token", "tags", "valid")})
        return
    url = remote.url if remote else settings.public_url or f"http://127.0.0.1:{DEFAULT_PORT}"
    _show(console, wish, instance, url=url, way=way, settings=None if remote else settings)


@asynccontextmanager
async def _platform(settings: Settings, remote: Remote | None) -> AsyncIterator[_Way]:
    async with Door(allow=read_networks(EVERYWHERE)) as door:
        if remote is not None:
            secrets = {"user": remote.user, "organization": remote.organization}
            yield _Way(client=Client(url=remote.url, door=door), secrets=secrets)
            return
        async with platform_at(settings, host="127.0.0.1", port=0) as (platform, url):
            secrets = await reveal_secrets(platform.ports.database, platform.ports.keys)
            yield _Way(client=Client(url=url, door=door), secrets=secrets)


async def _connect(
    wish: Wish, way: _Way, listener: Listener, *, callback: str, console: Console
) -> dict[str, Any]:
    key = wish.element.key
    application = {
        "apiKey": wish.key,
        "apiSecret": wish.secret,
        "callbackUrl": callback,
        "siteAddress": wish.store,
        **wish.overrides,
    }
    print_title(console, f"Connecting {masked(wish.store)}")
    # Before anybody is asked for a consent that could then not be kept.
    for rival in find_rivals(await _ask_list(way), wish):
        print_note(
            console,
            f"Instance {rival['id']} ({rival['name']}) is of this store already. If it has the "
            "same consumer key and the same admin user consents again, the store may withdraw its "
            "token at once. Authorize that instance again instead, or use another consumer.",
        )
    path = f"/elements/{key}/oauth/token"
    started = await _ask(way, Question(method="GET", path=path, query=application))
    print_note(console, "The store knows this application.")
    path = f"/elements/{key}/oauth/url"
    query = {**application, "requestToken": started["token"]}
    page = (await _ask(way, Question(method="GET", path=path, query=query)))["oauthUrl"]
    arrived = await _wait(wish, listener, page=page, token=started["token"], console=console)
    if is_rejected(arrived):
        raise NotConnected(
            "Nothing was connected: the store says that the merchant declined. Ask the merchant, "
            "then start again."
        )
    print_note(console, "The merchant consented. The instance is being created …")
    configuration = {
        "oauth.api.key": wish.key,
        "oauth.api.secret": wish.secret,
        "oauth.callback.url": callback,
        **({site: wish.store} if (site := site_key(wish.element)) else {}),
        **wish.overrides,
    }
    body = {
        "element": {"key": key},
        "providerData": dict(arrived),
        "configuration": configuration,
        "tags": list(wish.tags),
        "name": wish.name,
    }
    header = authorization(way.secrets)
    question = Question(method="POST", path="/instances", authorization=header, body=body)
    return await _ask(way, question)


def find_rivals(instances: Sequence[Mapping[str, Any]], wish: Wish) -> list[Mapping[str, Any]]:
    """Return the instances of the same store as a wish; whether of the same key is not shown."""
    site = site_key(wish.element) or ""

    def is_rival(one: Mapping[str, Any]) -> bool:
        store = (one.get("configuration") or {}).get(site) or ""
        return _place(store) == _place(wish.store)

    return [one for one in instances if is_rival(one)]


def _place(store: str) -> str:
    return store.partition("://")[2].rstrip("/").lower() or store.rstrip("/").lower()


async def _ask(way: _Way, question: Question) -> dict[str, Any]:
    reply = await way.client.ask(question)
    if reply.status != 200 or not isinstance(reply.content, dict):
        words = reply.content.get("providerMessage") if isinstance(reply.content, dict) else None
        told = f" The store says: {words}" if words else ""
        raise NotConnected(f"{reply.message or f'Status {reply.status}.'}{told}")
    return reply.content


async def _ask_list(way: _Way) -> list[dict[str, Any]]:
    header = authorization(way.secrets)
    query = {"pageSize": "200"}
    reply = await way.client.ask(
        Question(method="GET", path="/instances", query=query, authorization=header)
    )
    if reply.status != 200 or not isinstance(reply.content, list):
        raise NotConnected(
            f"{way.client.url} does not let you in, so the store was not asked: "
            f"{reply.message or f'status {reply.status}.'}"
        )
    return reply.content


async def _wait(
    wish: Wish, listener: Listener, *, page: str, token: str, console: Console
) -> Fields:
    opened = wish.open_browser and await open_page(page)
    console.print()
    print_note(
        console,
        "Your browser shows the store's page. If it does not, open:"
        if opened
        else "Let the merchant open this page, log in and consent:",
    )
    console.print()
    print_copies(console, [page])
    console.print()
    may_paste = sys.stdin.isatty()
    if may_paste:
        print_note(
            console,
            "The browser then comes back by itself. If it cannot reach this machine, copy the "
            "address where it ended up, paste it here and press Enter.",
        )
        console.print()
    arrivals = [asyncio.create_task(listener.wait(token=token))]
    if may_paste:
        arrivals.append(asyncio.create_task(_read_pasted(token, console)))
    words = "Waiting for the merchant … Ctrl-C gives up"
    waiting = console.status(words)
    try:
        if may_paste or not console.is_terminal:
            console.print(f"  {words}", style="dim")  # nothing may move where somebody types
        else:
            waiting.start()
        done, _ = await asyncio.wait(
            arrivals, timeout=wish.timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        waiting.stop()
        for task in arrivals:
            task.cancel()
    if not done:
        raise NotConnected(
            f"Nobody came back within {wish.timeout_s:g} s. Start again, or wait longer with "
            "--timeout."
        )
    return done.pop().result()


async def _read_pasted(token: str, console: Console) -> Fields:
    """Return the query of an address that somebody pastes into the terminal."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop.add_reader(sys.stdin.fileno(), lambda: lines.put_nowait(sys.stdin.readline()))
    try:
        while True:
            line = await lines.get()
            if not line:  # the end of the input: only the browser can come now
                loop.remove_reader(sys.stdin.fileno())
                await asyncio.Event().wait()
            fields = dict(parse_qsl(urlsplit(line.strip()).query))
            if fields.get("oauth_token") == token:
                return fields
            if fields.get("oauth_token"):
                print_note(
                    console,
                    "That address belongs to another attempt. Open the page above and paste the "
                    "address that it leads to.",
                )
            elif line.strip():
                print_note(console, "That is not the address: it has …oauth_token=… in it.")
    finally:
        loop.remove_reader(sys.stdin.fileno())


def list_first(element: Element) -> list[str]:
    """Return the paths of an element's lists, those that most people look at first in front."""
    lists = [
        one.path
        for one in element.resources
        if one.method == "GET" and one.type == "api" and "{" not in one.path
    ]
    ranks = {name: rank for rank, name in enumerate(LOOKED_AT_FIRST)}
    return sorted(lists, key=lambda path: ranks.get(path.rpartition("/")[2], len(ranks)))


def _show(
    console: Console,
    wish: Wish,
    instance: dict[str, Any],
    *,
    url: str,
    way: _Way,
    settings: Settings | None,
) -> None:
    print_title(console, f"{wish.name} is connected", style="bold green")
    print_pairs(console, {"Instance": str(instance["id"]), "Element token": instance["token"]})
    console.print()
    lines = []
    if settings is not None:
        console.print("  Serve it, if it is not being served:", style="dim")
        before, after = place_of(settings)
        if settings.egress_allow:
            # Without it the store that was just connected could not be called.
            networks = ",".join(map(str, settings.egress_allow))
            before = f"POLYVALENT_EGRESS_ALLOW={shlex.quote(networks)} {before}"
        print_copies(console, [f"{before}{program()} serve{after}"])
        console.print()
    console.print("  Call it:", style="dim")
    header = authorization(way.secrets, element=instance["token"])
    lines = [f"API={url}{BASE_PATH}", f"AUTH='{header}'", ""]
    lists = list_first(wish.element)
    lines += [f'curl -H "Authorization: $AUTH" "$API{path}?pageSize=2"' for path in lists[:2]]
    print_copies(console, lines)
    console.print()
