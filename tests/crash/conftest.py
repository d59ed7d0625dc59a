"""Give crash tests a store to share and a recording of every point that is passed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from polyvalent.sandbox.magento import RunningStore, StoreOptions, start_store
from tests.crash.keeper import Keeper
from tests.crash.kill import Recording, record


@pytest.fixture(scope="session")
def shop() -> Iterator[RunningStore]:
    """Return a small store that every crash test authorizes with."""
    running = start_store(StoreOptions(products=20, customers=3, orders=3))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def recording(shop: RunningStore, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Return what a run without deaths passes."""
    keeper = Keeper(folder=tmp_path_factory.mktemp("recording"))
    try:
        return record(keeper, shop)
    finally:
        keeper.close()
