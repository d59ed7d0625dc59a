"""Running stores for the simulator's tests."""

from collections.abc import Callable, Iterator

import pytest

from polyvalent.sandbox.magento import RunningStore, StoreOptions, start_store
from tests.sandbox.wire import Shop

OpenShop = Callable[[StoreOptions], Shop]


@pytest.fixture
def open_shop() -> Iterator[OpenShop]:
    """Start stores and hand out clients with an access token; all are stopped afterwards."""
    started: list[RunningStore] = []

    def start(options: StoreOptions) -> Shop:
        running = start_store(options)
        started.append(running)
        token = running.store.issue_token(admin=running.store.admin_user)
        return Shop(running=running, token=token.token, secret=token.secret)

    yield start
    for running in started:
        running.stop()


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """Start a small store with the default behavior."""
    return open_shop(StoreOptions(products=40, customers=15, orders=12))
