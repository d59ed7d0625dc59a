"""An instance that is deleted in the middle of a call is not found, and nothing breaks."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Stage
from tests.journeys.writes import product

ROUNDS = 12


@pytest.mark.parametrize("key", [None, "a key"])
def test_a_call_meets_the_deletion_of_its_instance(
    own_stage: Stage, open_shop: Callable[..., RunningStore], key: str | None
):
    shop = open_shop(latency_ms=2)
    statuses: set[int] = set()
    for number in range(ROUNDS):
        instance = Application(own_stage, shop.store, shop.url).connect()
        headers = {"Idempotency-Key": key} if key else {}

        def write(number: int = number, token: str = instance["token"]) -> None:
            sku = f"mug-{key}-{number}"
            reply = own_stage.call(
                "POST",
                "/products",
                body=product(sku),
                headers=headers,  # noqa: B023  # the thread ends within the round
                element=token,
            )
            statuses.add(reply.status)

        thread = Thread(target=write)
        thread.start()
        own_stage.call("DELETE", f"/instances/{instance['id']}")
        thread.join()

    assert statuses <= {200, 401, 404}
