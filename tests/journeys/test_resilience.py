"""Stores that turn an instance away, rest, or want to be asked less often."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Stage, platform_on_stage


@pytest.fixture
def shop_of_own(open_shop: Callable[..., RunningStore]) -> RunningStore:
    return open_shop()


@pytest.fixture
def own(stage: Stage, shop_of_own: RunningStore) -> Application:
    return Application(stage, shop_of_own.store, shop_of_own.url)


def look(stage: Stage, instance: dict) -> dict:
    return stage.call("GET", f"/instances/{instance['id']}").json()


def test_a_revoked_token_makes_the_instance_invalid_and_says_why(
    own: Application, shop_of_own: RunningStore
):
    instance, stage = own.connect(), own.stage
    shop_of_own.store.revoke_tokens()

    refused = stage.call("GET", "/products", element=instance["token"])
    again = stage.call("GET", "/products", element=instance["token"])

    assert refused.status == 401
    assert "token_revoked" in refused.message
    assert "revoked" in refused.words
    shown = look(stage, instance)
    assert shown["valid"] is False
    assert shown["invalidReason"] == refused.message
    assert shown["invalidDate"].endswith("Z")
    assert again.status == 401
    assert "was not asked again" in again.message
    assert f"PUT /instances/{instance['id']}" in again.message


def test_asks_an_invalid_instances_store_no_more_than_once_a_minute(
    own: Application, shop_of_own: RunningStore
):
    instance = own.connect()
    shop_of_own.store.revoke_tokens()
    own.stage.call("GET", "/products", element=instance["token"])
    before = shop_of_own.store.counters.total()

    for _ in range(5):
        assert own.stage.call("GET", "/products", element=instance["token"]).status == 401

    assert shop_of_own.store.counters.total() == before


def test_heals_with_new_provider_data(own: Application, shop_of_own: RunningStore):
    instance, stage = own.connect(), own.stage
    shop_of_own.store.revoke_tokens()
    stage.call("GET", "/products", element=instance["token"])

    body = own.body(own.authorize())
    put = stage.call("PUT", f"/instances/{instance['id']}", body=body)

    assert put.status == 200, put
    shown = look(stage, instance)
    assert shown["valid"] is True
    assert not {"invalidReason", "invalidDate"} & set(shown)
    assert stage.call("GET", "/products", element=instance["token"]).status == 200


def test_heals_by_itself_when_the_store_takes_the_token_again(
    own: Application, shop_of_own: RunningStore
):
    instance, stage = own.connect(), own.stage
    store = shop_of_own.store
    store.revoke_tokens()
    stage.call("GET", "/products", element=instance["token"])
    for token in store.tokens.values():
        token.is_revoked = False
    with platform_on_stage(stage.settings.data_dir) as other:  # has not asked yet
        healed = other.call("GET", "/products", element=instance["token"])

    assert healed.status == 200
    assert look(stage, instance)["valid"] is True


@pytest.mark.parametrize("fault", [{"php_down": True}, {"database_down": True}])
def test_no_outage_makes_an_instance_invalid(
    own: Application, shop_of_own: RunningStore, fault: dict
):
    instance, stage = own.connect(), own.stage
    shop_of_own.store.set_options(**fault)

    refused = stage.call("GET", "/products", element=instance["token"])

    assert refused.status == 502
    assert look(stage, instance)["valid"] is True


def test_leaves_a_failing_store_alone_and_finds_it_again(
    tmp_path: Path, open_shop: Callable[..., RunningStore]
):
    shop = open_shop()
    with platform_on_stage(tmp_path, breaker_failures=3, breaker_rest_s=0.5) as stage:
        own = Application(stage, shop.store, shop.url)
        first, second = own.connect(), own.connect()
        shop.store.set_options(php_down=True)
        failed = [stage.call("GET", "/orders", element=first["token"]) for _ in range(3)]
        before = shop.store.counters.total()

        resting = [
            stage.call("GET", "/orders", element=instance["token"]) for instance in (first, second)
        ]

        assert [reply.status for reply in failed] == [502] * 3
        assert [reply.status for reply in resting] == [503] * 2
        assert all("left alone" in reply.message for reply in resting)
        assert int(resting[0].headers["retry-after"]) >= 1
        assert shop.store.counters.total() == before
        shop.store.set_options(php_down=False)
        time.sleep(0.6)
        assert stage.call("GET", "/orders", element=second["token"]).status == 200


def test_keeps_an_instance_within_its_budget(
    tmp_path: Path, open_shop: Callable[..., RunningStore]
):
    shop = open_shop()
    with platform_on_stage(tmp_path, calls_per_second=4, deadline_s=1.0) as stage:
        instance = Application(stage, shop.store, shop.url).connect()
        started = time.monotonic()

        replies = [stage.call("GET", "/orders/1", element=instance["token"]) for _ in range(12)]

        # Four at once as the burst, then four a second in shares of two.
        assert [reply.status for reply in replies] == [200] * 12
        assert 1.2 <= time.monotonic() - started <= 5
