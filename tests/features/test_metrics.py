"""/metrics counts what the process does, with labels that stay few and tell nothing secret."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Reply, Stage, ask, platform_on_stage

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@pytest.fixture
def own(own_stage: Stage, open_shop: Callable[..., RunningStore]) -> Application:
    shop = open_shop()
    return Application(own_stage, shop.store, shop.url)


def scrape(stage: Stage) -> Reply:
    return ask(f"{stage.url}/metrics")


def samples(stage: Stage) -> dict[str, float]:
    """Read the metrics: 'polyvalent_stores{state="resting"}' to its number."""
    text = scrape(stage).body.decode()
    return {
        f"{name}{{{labels}}}" if labels else name: float(value)
        for name, labels, value in SAMPLE.findall(text)
    }


def test_counts_requests_by_operation_and_never_by_path(own: Application) -> None:
    instance, stage = own.connect(), own.stage
    for row in ("1", "2", "987654321"):
        stage.call("GET", f"/hubs/ecommerce/products/{row}", element=instance["token"])
    stage.call("GET", f"/instances/{instance['id']}")
    stage.call("PROPFIND", "/coffee/pot-77")
    found = samples(stage)
    row = 'method="GET",operation="/hubs/{hub}/{resource}/{rowId}"'
    assert found[f'polyvalent_requests_total{{{row},status="200"}}'] == 2
    assert found[f'polyvalent_requests_total{{{row},status="404"}}'] == 1
    assert found[f"polyvalent_request_seconds_count{{{row}}}"] == 3
    one = 'method="GET",operation="/instances/{id}",status="200"'
    assert found[f"polyvalent_requests_total{{{one}}}"] == 1
    text = scrape(stage).body.decode()
    assert 'method="other"' in text
    secrets = (stage.user, stage.organization, instance["token"], own.store.consumer_key)
    for hidden in (*secrets, "pot-77", "PROPFIND", "987654321", "127.0.0.1"):
        assert hidden not in text


def test_counts_calls_to_stores_by_what_came_of_them(
    own: Application, open_shop: Callable[..., RunningStore]
) -> None:
    instance, stage = own.connect(), own.stage
    stage.call("GET", "/products", element=instance["token"])
    stage.call("GET", "/products/999999", element=instance["token"])
    own.store.set_options(php_down=True)
    stage.call("GET", "/products", element=instance["token"])
    found = samples(stage)
    calls = 'polyvalent_vendor_calls_total{element="magento",outcome='
    # The request token, the token, the read that proves it; then the products.
    assert found[f'{calls}"ok"}}'] == 3 + 1
    assert found[f'{calls}"absent"}}'] == 1
    assert found[f'{calls}"transient"}}'] == 1
    assert found['polyvalent_vendor_call_seconds_count{element="magento"}'] == 6
    assert found['polyvalent_stores{state="failing"}'] == 1
    assert found['polyvalent_stores{state="resting"}'] == 0


def test_counts_stores_that_rest_and_instances_by_state(
    tmp_path: Path, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    with platform_on_stage(tmp_path, breaker_failures=1) as stage:
        own = Application(stage, shop.store, shop.url)
        one, two = own.connect(), own.connect()
        stage.call("DELETE", f"/instances/{one['id']}/enabled")
        shop.store.set_options(php_down=True)
        stage.call("GET", "/products", element=two["token"])
        found = samples(stage)
    assert found['polyvalent_stores{state="resting"}'] == 1
    assert found['polyvalent_instances{state="valid"}'] == 1
    assert found['polyvalent_instances{state="disabled"}'] == 1
    assert found['polyvalent_instances{state="invalid"}'] == 0


def test_counts_refusals_on_the_way_to_an_instance(own: Application) -> None:
    own.store.set_options(php_down=True)
    assert own.token().status == 502
    assert own.token(siteAddress="http://127.0.0.1:9").status == 502
    found = samples(own.stage)
    calls = 'polyvalent_vendor_calls_total{element="magento",outcome='
    assert found[f'{calls}"ambiguous"}}'] == 1
    assert found[f'{calls}"unreachable"}}'] == 1


def test_lets_a_store_rest_that_fails_while_instances_are_made(
    tmp_path: Path, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    with platform_on_stage(tmp_path, breaker_failures=2, breaker_rest_s=1.0) as stage:
        own = Application(stage, shop.store, shop.url)
        first, second = own.authorize(), own.authorize()
        shop.store.set_options(php_down=True)
        assert [own.create(first).status for _ in range(2)] == [502, 502]
        resting = own.create(first)
        assert (resting.status, resting.headers["retry-after"]) == (503, "2")
        assert "left alone" in resting.message
        # Nor are new authorizations begun meanwhile.
        assert own.token().status == 503
        assert samples(stage)['polyvalent_stores{state="resting"}'] == 1
        shop.store.set_options(php_down=False)
        time.sleep(1.0)
        assert own.create(second).status == 200
        assert samples(stage)['polyvalent_stores{state="resting"}'] == 0


def test_lets_no_store_rest_for_what_strangers_do(
    tmp_path: Path, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    with platform_on_stage(tmp_path, breaker_failures=2) as stage:
        own = Application(stage, shop.store, shop.url)
        instance = own.connect()
        shop.store.set_options(php_down=True)
        assert [own.token().status for _ in range(4)] == [502] * 4
        shop.store.set_options(php_down=False)
        assert stage.call("GET", "/products", element=instance["token"]).status == 200


def test_counts_reads_that_were_answered_from_memory(own: Application) -> None:
    instance = own.connect(cachingEnabled=True)
    for _ in range(3):
        own.stage.call("GET", "/products", element=instance["token"])
    found = samples(own.stage)
    assert found['polyvalent_cached_reads_total{outcome="miss"}'] == 1
    assert found['polyvalent_cached_reads_total{outcome="hit"}'] == 2
    assert found["polyvalent_cache_bytes"] > 0


def test_asks_for_its_token_if_it_has_one(tmp_path: Path) -> None:
    with platform_on_stage(tmp_path, metrics_token="öpen") as stage:
        url = f"{stage.url}/metrics"
        assert ask(url).status == 401
        assert ask(url, headers={"Authorization": "Bearer x"}).status == 401
    with platform_on_stage(tmp_path, metrics_token="open-sesame") as stage:
        shown = ask(f"{stage.url}/metrics", headers={"Authorization": "Bearer open-sesame"})
        assert shown.status == 200
        assert shown.headers["content-type"].startswith("text/plain")


def test_counts_events_and_what_waits_for_delivery(own: Application) -> None:
    stage = own.stage
    own.extra.update(
        {
            "event.notification.enabled": "true",
            "event.vendor.type": "webhook",
            "event.notification.callback.url": "http://127.0.0.1:9/events",
        }
    )
    instance = own.connect()
    named = {"Element-Instances": str(instance["id"])}
    for number in range(3):
        body = {"event_type": "UPDATED", "event_object_type": "orders", "event_object_id": number}
        url = f"{stage.url}/elements/api-v2/events/magento"
        assert ask(url, "POST", body=body, headers=named).status == 200
    stage.clock.ahead += timedelta(seconds=90)
    found = samples(stage)
    assert found['polyvalent_events_total{source="webhook"}'] == 3
    assert found['polyvalent_deliveries_waiting{status="created"}'] == 3
    assert found['polyvalent_deliveries_waiting{status="queued"}'] == 0
    assert 85 < found["polyvalent_deliveries_oldest_waiting_seconds"] < 150
