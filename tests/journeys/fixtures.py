"""Fixtures of everything that goes through a served platform."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from polyvalent.sandbox.magento import RunningStore, StoreOptions, start_store
from tests.conftest import TEMPLATE, _own_postgresql
from tests.journeys.application import Application
from tests.journeys.stage import Stage, platform_on_stage

# Enough rows for every read, and planted in no time.
SMALL = {"products": 20, "customers": 3, "orders": 3}


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A platform on SQLite that the tests of a session share."""
    with platform_on_stage(tmp_path_factory.mktemp("platform")) as shown:
        yield shown


@pytest.fixture(scope="session")
def postgres_stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A platform on PostgreSQL that the tests of a session share."""
    request.getfixturevalue("postgresql_template")
    for url in _own_postgresql(request, template=TEMPLATE):
        with platform_on_stage(tmp_path_factory.mktemp("postgres"), database_url=url) as shown:
            yield shown


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest) -> Stage:
    """A shared platform; the test runs once on each kind of database."""
    on_sqlite = request.param == "sqlite"
    shown: Stage = request.getfixturevalue("stage" if on_sqlite else "postgres_stage")
    return shown


@pytest.fixture
def own_stage(tmp_path: Path) -> Iterator[Stage]:
    """A platform on SQLite of the test's own, whose clock it may move."""
    with platform_on_stage(tmp_path / "own") as shown:
        yield shown


@pytest.fixture
def working_stage(tmp_path: Path) -> Iterator[Stage]:
    """A platform on SQLite of the test's own that works on jobs."""
    with platform_on_stage(tmp_path / "working", works=True) as shown:
        yield shown


@pytest.fixture(scope="session")
def shop() -> Iterator[RunningStore]:
    """A healthy store that the tests of a session share."""
    running = start_store(StoreOptions(**SMALL))
    yield running
    running.stop()


@pytest.fixture
def open_shop() -> Iterator[Callable[..., RunningStore]]:
    """Open stores of the test's own: `open_shop(maintenance=True)`."""
    with ExitStack() as stack:

        def start(**options: object) -> RunningStore:
            running = start_store(StoreOptions(**{**SMALL, **options}))  # type: ignore[arg-type]
            stack.callback(running.stop)
            return running

        yield start


@pytest.fixture
def application(stage: Stage, shop: RunningStore) -> Application:
    """The application of the shared store on the shared platform."""
    return Application(stage, shop.store, shop.url)
