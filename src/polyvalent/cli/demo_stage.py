"""Set the stage of the demo: a platform, a simulated store, and the way between them."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polyvalent.accounts.reveal import reveal_secrets
from polyvalent.catalog.element import Element
from polyvalent.cli.ask_platform import Client, Question, Reply
from polyvalent.cli.callback import Listener, listening
from polyvalent.cli.demo_show import Screen
from polyvalent.cli.platform_access import authorization
from polyvalent.cli.serving import platform_at
from polyvalent.cli.simulators import Running, load_simulator
from polyvalent.egress import Door
from polyvalent.errors import PolyvalentError
from polyvalent.settings import Settings, read_networks

# The demo reaches what it started and nothing else.
ONLY_THIS_MACHINE = "127.0.0.1/32"


class StepFailed(PolyvalentError):
    """Report which step of the demo did not go as expected."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Hold what the person asked for."""

    simulator: str
    browser: bool
    leave: bool
    port: int
    as_json: bool


@dataclass(kw_only=True)
class Stage:
    """Hold what runs, and what the steps found out so far."""

    plan: Plan
    screen: Screen
    element: Element
    client: Client
    store: Running
    listener: Listener
    secrets: dict[str, str] = field(repr=False)
    number: int = 0
    request_token: str = field(default="", repr=False)
    oauth_url: str = field(default="", repr=False)
    arrived: Mapping[str, str] = field(default_factory=dict, repr=False)
    instance: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def application(self) -> dict[str, str]:
        """Return the parameters that the OAuth calls share."""
        return {
            "apiKey": self.store.store.consumer_key,
            "apiSecret": self.store.store.consumer_secret,
            "callbackUrl": self.listener.url,
            "siteAddress": self.store.url,
        }

    @property
    def instance_authorization(self) -> str:
        """Return the header for calls to the instance."""
        return authorization(self.secrets, element=self.instance["token"])

    def begin(self, title: str) -> None:
        """Begin the next step."""
        self.number += 1
        self.screen.step(self.number, title)

    async def ask(self, question: Question, *, expect: int = 200) -> Reply:
        """Show a question and put it; raises StepFailed for any other status than expected."""
        self.screen.question(question)
        try:
            reply = await self.client.ask(question)
        except PolyvalentError as error:
            raise StepFailed(f"Step {self.number}: {error.message}") from error
        if reply.status != expect:
            raise StepFailed(
                f"Step {self.number}: {question.method} {question.path} answered status "
                f"{reply.status}, not {expect}. {reply.message}"
            )
        return reply


@asynccontextmanager
async def set_stage(plan: Plan, screen: Screen) -> AsyncIterator[Stage]:
    """
    Start everything inside the block and take it down afterwards.

    Raises Misconfigured if a port is taken. Effects: listens on 127.0.0.1; a temporary folder,
    gone afterwards.
    """
    simulator = load_simulator(plan.simulator)
    networks = read_networks(ONLY_THIS_MACHINE)
    store = simulator.start_store(simulator.StoreOptions())
    try:
        with tempfile.TemporaryDirectory(prefix="polyvalent-demo-") as folder:
            settings = Settings(data_dir=Path(folder), egress_allow=networks)
            async with (
                platform_at(settings, host="127.0.0.1", port=plan.port) as (platform, url),
                listening() as listener,
                Door(allow=networks) as door,
            ):
                ports = platform.ports
                stage = Stage(
                    plan=plan,
                    screen=screen,
                    element=platform.catalog.find(plan.simulator),
                    client=Client(url=url, door=door),
                    store=store,
                    listener=listener,
                    secrets=await reveal_secrets(ports.database, ports.keys),
                )
                screen.hide(*stage.secrets.values())
                screen.hide(store.store.consumer_key, store.store.consumer_secret)
                yield stage
    finally:
        store.stop()
