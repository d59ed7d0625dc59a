"""Name what instances need from the outside world, so that it can be passed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from polyvalent.catalog.element import Element, Resource
from polyvalent.catalog.load import Catalog
from polyvalent.db import Connection as DatabaseConnection
from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.egress import Door
from polyvalent.exchange import Exchange, Request
from polyvalent.instances.lookout import Lookout
from polyvalent.instances.model import Configuration, Connection, Instance
from polyvalent.instances.recall import Memory
from polyvalent.instances.turnstile import Turnstile

# Sends a call of a connection; proves with it that the connection works, or raises.
ReachOne = Callable[[Connection, Request], Awaitable[Exchange]]
Prove = Callable[[Connection, ReachOne], Awaitable[None]]
# Makes the call of a resource that is called at provisioning; returns the values it gives.
Obtain = Callable[[Connection, Resource, ReachOne], Awaitable[Mapping[str, str]]]
# Does what follows from an instance that was made or changed, in the same transaction.
Follow = Callable[[DatabaseConnection, Instance, Element], Awaitable[None]]

# Refuses a configuration that nothing of this could follow from, before a store is asked.
Foresee = Callable[[Element, Configuration], None]


def pass_by(point: str) -> None:
    """Do nothing at a named point; a crash test passes a function that kills instead."""


async def follow_nothing(
    connection: DatabaseConnection, instance: Instance, element: Element
) -> None:
    """Let nothing follow from a change of an instance."""


def foresee_nothing(element: Element, configuration: Configuration) -> None:
    """Refuse no configuration."""


def count_nothing(source: str, number: int) -> None:
    """Count no events."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Hold the adapters, the clock and the source of chance."""

    database: Database
    keys: KeyFile
    catalog: Catalog
    door: Door
    now: Callable[[], datetime] = field(repr=False)  # aware, UTC
    random: Callable[[int], bytes] = field(repr=False)
    deadline_s: float = 60.0
    # Counts what callers without secrets make us call.
    strangers: Turnstile = field(default_factory=Turnstile, repr=False)
    # Watches the calls to vendors.
    lookout: Lookout = field(repr=False)
    # Instances that calls used a moment ago.
    memory: Memory = field(repr=False)
    # Proves that a connection works.
    prove: Prove = field(repr=False)
    obtain: Obtain = field(repr=False)
    follow: Follow = field(default=follow_nothing, repr=False)
    foresee: Foresee = field(default=foresee_nothing, repr=False)
    # Is told how many events were published, and how they were noticed: ("polling", 3).
    note_events: Callable[[str, int], None] = field(default=count_nothing, repr=False)
    mark: Callable[[str], None] = field(default=pass_by, repr=False)
