"""Calls use instances that were read a moment ago, and notice at once or soon what changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from polyvalent.instances.model import Instance, InstanceId
from polyvalent.instances.recall import INSTANCES_KEPT, LIVES_S, Memory
from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Stage, platform_on_stage

SOON_S = 2.0
BEGAN_AT = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY = Instance(
    id=InstanceId(10**9),
    organization_id=1,
    account_id=1,
    user_id=1,
    element_id=1,
    element_key="none",
    name="in no database",
    token="a token",
    tags=(),
    configuration={},
    valid=True,
    disabled=False,
    invalid_reason=None,
    invalid_at=None,
    events_enabled=False,
    caching_enabled=False,
    trace_logging_enabled=False,
    max_cache_size=0,
    cache_time_to_live=0,
    external_authentication="none",
    signing_variant="",
    created_at=BEGAN_AT,
    updated_at=BEGAN_AT,
    version=1,
)


@pytest.fixture
def other(either: Stage) -> Iterator[Stage]:
    """A second platform on the same database, as another process would be."""
    with platform_on_stage(
        either.settings.data_dir, database_url=either.settings.database_url
    ) as stage:
        yield stage


@pytest.fixture
def instance(either: Stage, shop: RunningStore) -> dict:
    return Application(either, shop.store, shop.url).connect()


def status(stage: Stage, instance: dict) -> int:
    return stage.call("GET", "/products/1", element=instance["token"]).status


def comes_soon(look: Callable[[], bool]) -> bool:
    ends_at_s = time.monotonic() + SOON_S
    while time.monotonic() < ends_at_s:
        if look():
            return True
        time.sleep(0.05)
    return False


def test_a_deleted_instance_stops_at_once_here_and_soon_elsewhere(
    either: Stage, other: Stage, instance: dict
) -> None:
    assert (status(either, instance), status(other, instance)) == (200, 200)
    assert either.call("DELETE", f"/instances/{instance['id']}").status == 200
    assert status(either, instance) == 401
    assert comes_soon(lambda: status(other, instance) == 401)
    assert status(other, instance) == 401


def test_a_disabled_instance_stops_and_an_enabled_one_goes_on(
    either: Stage, other: Stage, instance: dict
) -> None:
    path = f"/instances/{instance['id']}/enabled"
    assert (status(either, instance), status(other, instance)) == (200, 200)
    assert either.call("DELETE", path).status == 200
    assert status(either, instance) == 403
    assert comes_soon(lambda: status(other, instance) == 403)
    assert other.call("PUT", path).status == 200
    assert status(other, instance) == 200
    assert comes_soon(lambda: status(either, instance) == 200)


def test_a_changed_configuration_holds_from_the_next_call(either: Stage, instance: dict) -> None:
    def rows() -> int:
        return len(either.call("GET", "/products", element=instance["token"]).json())

    assert rows() > 2
    changed = {"configuration": {"pagination.max": "2"}}
    path = f"/instances/{instance['id']}"
    assert either.call("PATCH", path, body=changed).status == 200
    assert rows() == 2


async def test_it_forgets_what_it_kept_for_long(stage: Stage) -> None:
    now_s = [100.0]
    memory = Memory(clock=lambda: now_s[0])
    database = stage.platform.ports.database
    memory.keep("a token", NOBODY, read_at_s=100.0, doubts=0)
    assert await memory.recall(database, "a token") is NOBODY
    now_s[0] += LIVES_S
    memory.keep("another", NOBODY, read_at_s=now_s[0], doubts=0)
    assert await memory.recall(database, "a token") is None
    assert await memory.recall(database, "another") is NOBODY


async def test_it_keeps_no_more_than_so_many(stage: Stage) -> None:
    memory = Memory(clock=lambda: 100.0)
    database = stage.platform.ports.database
    for number in range(INSTANCES_KEPT + 1):
        memory.keep(f"token {number}", NOBODY, read_at_s=100.0, doubts=0)
    assert await memory.recall(database, "token 0") is None
    assert await memory.recall(database, f"token {INSTANCES_KEPT}") is NOBODY


def test_it_does_not_believe_what_was_read_before_a_doubt(stage: Stage) -> None:
    async def read_meanwhile() -> Instance | None:
        memory = Memory(clock=lambda: 100.0)
        memory.doubt()
        memory.keep("a token", NOBODY, read_at_s=100.0, doubts=0)
        return await memory.recall(stage.platform.ports.database, "a token")

    assert stage.run(read_meanwhile()) is None


def test_calls_that_come_together_go_on_together(stage: Stage) -> None:
    # One after the other, the last of them would wait for as many turns of a busy loop.
    async def ended_in_turns() -> set[int]:
        memory = Memory(clock=lambda: 100.0)
        memory.keep("a token", NOBODY, read_at_s=100.0, doubts=0)
        memory.doubt()
        turn, ended = 0, set()

        async def count_turns() -> None:
            nonlocal turn
            while True:
                turn += 1
                await asyncio.sleep(0)

        async def call() -> None:
            await memory.recall(stage.platform.ports.database, "a token")
            ended.add(turn)

        counting = asyncio.create_task(count_turns())
        await asyncio.gather(*(call() for _ in range(100)))
        counting.cancel()
        return ended

    assert len(stage.run(ended_in_turns())) <= 2
