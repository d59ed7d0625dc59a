"""Writes through a served platform: once, in turn, and told truthfully."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Reply, Stage, platform_on_stage
from tests.journeys.writes import create_all, product

ROWS = 200


@pytest.fixture
def shop_of_own(open_shop: Callable[..., RunningStore]) -> RunningStore:
    return open_shop()


@pytest.fixture
def own(either: Stage, shop_of_own: RunningStore) -> Application:
    return Application(either, shop_of_own.store, shop_of_own.url)


@pytest.fixture
def token(own: Application) -> str:
    return own.connect()["token"]


def post(stage: Stage, token: str, sku: str, key: str, **changes: object) -> Reply:
    return stage.call(
        "POST",
        "/products",
        body=product(sku, **changes),
        headers={"Idempotency-Key": key},
        element=token,
    )


def skus(shop: RunningStore) -> Counter[str]:
    return Counter(row["sku"] for row in shop.store.products.rows.values())


def test_creates_as_many_rows_as_asked_for_in_a_store_that_loses_answers(
    own: Application, shop_of_own: RunningStore, token: str
):
    stage, before = own.stage, len(shop_of_own.store.products.rows)
    shop_of_own.store.set_options(lost_answers=0.2, deadlocks=0.2)
    wanted = [f"mug-{number}" for number in range(ROWS)]
    other = f"{stage.authorization}, Element {token}"

    with platform_on_stage(
        stage.settings.data_dir, database_url=stage.settings.database_url
    ) as second:
        told = create_all([stage.url, second.url], other, wanted, callers=8)

    assert told == {200: ROWS}
    found = skus(shop_of_own)
    assert all(found[sku] == 1 for sku in wanted)
    assert len(shop_of_own.store.products.rows) == before + ROWS


def test_answers_a_repeated_call_as_the_first_time(
    own: Application, shop_of_own: RunningStore, token: str
):
    key = str(uuid4())
    first = post(own.stage, token, "mug-1", key)
    requests = shop_of_own.store.counters.total()
    with platform_on_stage(
        own.stage.settings.data_dir, database_url=own.stage.settings.database_url
    ) as restarted:
        again = post(restarted, token, "mug-1", key)

    assert first.status == again.status == 200
    assert again.body == first.body
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert shop_of_own.store.counters.total() == requests


def test_answers_a_repeated_refusal_as_the_first_time(own: Application, token: str):
    key = str(uuid4())
    replies = [post(own.stage, token, "mug-1", key, status=7) for _ in range(2)]

    assert [reply.status for reply in replies] == [400, 400]
    assert replies[0].message == replies[1].message
    assert replies[0].words == replies[1].words


def test_refuses_a_key_for_another_request(own: Application, token: str):
    key = str(uuid4())
    assert post(own.stage, token, "mug-1", key).status == 200

    for reply in (
        post(own.stage, token, "mug-2", key),
        own.stage.call("DELETE", "/products/1", headers={"Idempotency-Key": key}, element=token),
    ):
        assert reply.status == 409
        assert "used for another request" in reply.message


def test_takes_the_same_body_written_otherwise_for_the_same_request(own: Application, token: str):
    key, call = str(uuid4()), own.stage.call
    headers = {"Idempotency-Key": key}
    first = call(
        "PATCH", "/products/1", body=b'{"price":1,"name":"a"}', headers=headers, element=token
    )
    again = call(
        "PATCH",
        "/hubs/ecommerce/products/1",
        body=b'{ "name": "a", "price": 1 }',
        headers=headers,
        element=token,
    )

    assert (first.status, again.body) == (200, first.body)


def test_keeps_keys_of_instances_apart(own: Application, shop_of_own: RunningStore):
    key = str(uuid4())
    first = own.connect()["token"]
    assert post(own.stage, first, "mug-1", key).status == 200
    second = own.connect()["token"]

    reply = post(own.stage, second, "mug-2", key)

    assert reply.status == 200


def test_refuses_a_repetition_while_the_first_is_at_work(
    own: Application, shop_of_own: RunningStore, token: str
):
    shop_of_own.store.set_options(latency_ms=600)
    key, replies = str(uuid4()), []
    first = threading.Thread(target=lambda: replies.append(post(own.stage, token, "mug-1", key)))
    first.start()
    time.sleep(0.3)

    second = post(own.stage, token, "mug-1", key)
    first.join()

    assert second.status == 409
    assert "still being answered" in second.message
    assert replies[0].status == 200
    assert post(own.stage, token, "mug-1", key).body == replies[0].body


def test_frees_the_key_of_a_call_that_failed_for_a_while(
    own: Application, shop_of_own: RunningStore, token: str
):
    key = str(uuid4())
    shop_of_own.store.set_options(php_down=True)
    failed = post(own.stage, token, "mug-1", key)
    shop_of_own.store.set_options(php_down=False)

    again = post(own.stage, token, "mug-1", key)

    assert failed.status == 502
    assert failed.json()["outcome"] == "unknown"
    assert again.status == 200
    assert skus(shop_of_own)["mug-1"] == 1


def test_never_repeats_by_key_what_nothing_tells_from_others(
    own: Application, shop_of_own: RunningStore, token: str
):
    key = str(uuid4())
    address = {
        "firstname": "Ada",
        "lastname": "L",
        "street": ["1 Row"],
        "city": "London",
        "country_id": "GB",
        "postcode": "N1",
        "telephone": "1",
    }
    before = len(shop_of_own.store.addresses.rows)
    replies = []
    for lost in (1.0, 0.0):
        shop_of_own.store.set_options(lost_answers=lost)
        replies.append(
            own.stage.call(
                "POST",
                "/customers/1/addresses",
                body=address,
                headers={"Idempotency-Key": key},
                element=token,
            )
        )

    assert [reply.status for reply in replies] == [502, 502]
    assert all(reply.json()["outcome"] == "unknown" for reply in replies)
    assert len(shop_of_own.store.addresses.rows) == before + 1


def test_forgets_a_key_after_a_day(own_stage: Stage, shop_of_own: RunningStore):
    token = Application(own_stage, shop_of_own.store, shop_of_own.url).connect()["token"]
    key = str(uuid4())
    assert post(own_stage, token, "mug-1", key).status == 200
    own_stage.clock.ahead = timedelta(hours=23)
    assert post(own_stage, token, "mug-2", key).status == 409
    own_stage.clock.ahead = timedelta(hours=25)
    shop_of_own.store.set_options(clock_skew_s=25 * 3600)

    assert post(own_stage, token, "mug-2", key).status == 200
    assert own_stage.rows()["kept_call"] == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "snow\xe9"])
def test_refuses_a_key_that_cannot_be_used(own: Application, token: str, key: str):
    reply = post(own.stage, token, "mug-1", key)

    assert reply.status == 400
    assert "Idempotency-Key" in reply.message


def test_lets_one_writer_at_a_time_into_a_store(
    own: Application, shop_of_own: RunningStore, token: str
):
    stage, most, now = own.stage, [0], [0]
    platform = stage.platform
    inner = platform.ledger

    def mark(point: str) -> None:
        if point == "write.before_send":
            now[0] += 1
            most[0] = max(most[0], now[0])
        if point == "write.before_settle":
            now[0] -= 1

    before, inner.mark = inner.mark, mark
    shop_of_own.store.set_options(latency_ms=20)
    wanted = [f"mug-{number}" for number in range(12)]
    told = create_all([stage.url], f"{stage.authorization}, Element {token}", wanted, callers=6)
    inner.mark = before

    assert told == {200: 12}
    assert most == [1]


def test_leaves_nothing_behind_when_all_is_known(own_stage: Stage, shop_of_own: RunningStore):
    token = Application(own_stage, shop_of_own.store, shop_of_own.url).connect()["token"]
    for number in range(3):
        assert post(own_stage, token, f"mug-{number}", f"key-{number}").status == 200

    rows = own_stage.rows()

    assert (rows["write_intent"], rows["lease"], rows["kept_call"]) == (0, 0, 3)
