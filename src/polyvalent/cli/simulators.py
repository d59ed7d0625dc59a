"""Find the simulated stores of this package; each is named for the element it stands in for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Protocol


class Store(Protocol):
    """Know a store's credentials."""

    consumer_key: str
    consumer_secret: str
    admin_user: str
    admin_password: str


class Running(Protocol):
    """Be a store that is being served."""

    url: str
    store: Store

    def stop(self) -> None:
        """Stop serving."""


class Simulator(Protocol):
    """Be the module of one simulated store."""

    StoreOptions: Callable[..., Any]
    start_store: Callable[..., Running]


def simulator_names() -> tuple[str, ...]:
    """Return the names of the simulated stores. Effects: reads a folder, imports nothing."""
    folder = Path(__file__).parent.parent / "sandbox"
    return tuple(sorted(found.name for found in iter_modules([str(folder)]) if found.ispkg))


def load_simulator(name: str) -> Simulator:
    """Import the module of a simulated store."""
    module: Any = import_module(f"polyvalent.sandbox.{name}")
    return module  # type: ignore[no-any-return]  # a module has no type of its own


def credentials(running: Running) -> dict[str, str]:
    """Return what a person needs to connect to a store that runs."""
    return {
        "url": running.url,
        "consumerKey": running.store.consumer_key,
        "consumerSecret": running.store.consumer_secret,
        "adminUser": running.store.admin_user,
        "adminPassword": running.store.admin_password,
    }
