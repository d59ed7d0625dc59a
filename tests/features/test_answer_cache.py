"""An instance that caches answers repeated reads from memory, and never with what is not so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from polyvalent.api.answer_cache import OVERHEAD_BYTES, AnswerCache, Question, answer_with_cache
from polyvalent.hub.model import Answer
from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Reply, Stage

ELEMENT: Any = object()


@pytest.fixture
def own(stage: Stage, open_shop: Callable[..., RunningStore]) -> Application:
    shop = open_shop()
    return Application(stage, shop.store, shop.url)


def get(own: Application, instance: dict[str, Any], path: str, **more: Any) -> Reply:
    return own.stage.call("GET", path, element=instance["token"], **more)


def test_answers_a_repeated_read_without_the_store(own: Application) -> None:
    instance = own.connect(cachingEnabled=True)
    first = get(own, instance, "/products", query={"pageSize": 2})
    asked = own.store.counters.total()
    again = get(own, instance, "/products", query={"pageSize": 2})
    assert first.headers["elements-cache"] == "miss"
    assert again.headers["elements-cache"] == "hit"
    assert again.body == first.body
    for name in ("elements-next-page-token", "elements-returned-count"):
        assert again.headers[name] == first.headers[name]
    assert own.store.counters.total() == asked
    other = get(own, instance, "/products", query={"pageSize": 3})
    assert other.headers["elements-cache"] == "miss"
    assert len(other.json()) == 3


def test_says_nothing_of_it_where_it_is_off(own: Application) -> None:
    instance = own.connect()
    for _ in range(2):
        assert "elements-cache" not in get(own, instance, "/products").headers


def test_exposes_to_browsers_what_it_always_did(own: Application) -> None:
    instance = own.connect(cachingEnabled=True)
    shown = get(own, instance, "/products", headers={"Origin": "https://a.example"})
    assert shown.headers["access-control-expose-headers"] == (
        "Elements-Returned-Count, Elements-Total-Count, Elements-Request-Id, "
        "Elements-Next-Page-Token, Elements-Trace-Id, Elements-Error, Content-Disposition"
    )


def test_reads_what_was_written(own: Application) -> None:
    instance = own.connect(cachingEnabled=True)
    row = get(own, instance, "/customers").json()[0]
    path = f"/customers/{row['id']}"
    before = get(own, instance, path).json()
    changed = own.stage.call("PATCH", path, body={"firstname": "Anew"}, element=instance["token"])
    after = get(own, instance, path)
    assert changed.status == 200, changed
    assert "elements-cache" not in changed.headers
    assert before["firstname"] != "Anew"
    assert after.headers["elements-cache"] == "miss"
    assert after.json()["firstname"] == "Anew"
    assert get(own, instance, "/customers").headers["elements-cache"] == "miss"


def test_keeps_no_error_and_no_ping(own: Application) -> None:
    instance = own.connect(cachingEnabled=True)
    asked = own.store.counters.total()
    for count in (1, 2):
        refused = get(own, instance, "/products/999999")
        assert refused.status == 404
        assert "elements-cache" not in refused.headers
        assert own.store.counters.total() == asked + count
    for path in ("/ping", "/objects"):
        assert "elements-cache" not in get(own, instance, path).headers


def test_forgets_when_the_instance_changes(own: Application) -> None:
    instance = own.connect(cachingEnabled=True)
    get(own, instance, "/products")
    assert get(own, instance, "/products").headers["elements-cache"] == "hit"
    own.stage.call("PATCH", f"/instances/{instance['id']}", body={"cacheTimeToLive": 5})
    assert get(own, instance, "/products").headers["elements-cache"] == "miss"
    own.stage.call("DELETE", f"/instances/{instance['id']}/enabled")
    assert get(own, instance, "/products").status == 403


def test_forgets_when_a_transformation_changes(own: Application) -> None:
    instance = own.connect(cachingEnabled=True)
    token = instance["token"]
    definition = {"fields": [{"path": "mail", "type": "string"}]}
    mapped = {"vendorName": "customers", "fields": [{"path": "mail", "vendorPath": "email"}]}
    made = own.stage.call(
        "POST", "/instances/objects/people/definitions", body=definition, element=token
    )
    assert made.status == 200, made
    path = "/instances/transformations/people"
    made = own.stage.call("POST", path, body=mapped, element=token)
    assert made.status == 200, made
    one = get(own, instance, "/people")
    assert get(own, instance, "/people").headers["elements-cache"] == "hit"
    changed = {**mapped, "fields": [{"path": "mail", "vendorPath": "firstname"}]}
    assert own.stage.call("PUT", path, body=changed, element=token).status == 200
    other = get(own, instance, "/people")
    assert other.headers["elements-cache"] == "miss"
    assert one.json()[0]["mail"] != other.json()[0]["mail"]


def question(instance_id: int = 1, *, path: str = "/a", **changes: Any) -> Question:
    ready = {"id": instance_id, "version": 1, "cache_time_to_live": 0, "max_cache_size": 0}
    instance: Any = SimpleNamespace(**{**ready, "caching_enabled": True, **changes})
    return Question(instance=instance, element=ELEMENT, mappings_version=1, path=path, query=())


class Source:
    """Answers with a number that grows, and counts."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> Answer:
        self.asked += 1
        return Answer(body=str(self.asked).encode())


async def test_keeps_an_answer_for_its_time(source: Source) -> None:
    moment = [100.0]
    cache = AnswerCache(most_bytes=10**6, clock=lambda: moment[0])
    short = question(cache_time_to_live=5)

    async def ask() -> bytes:
        return (await answer_with_cache(cache, short, method="GET", ask=source)).body

    assert [await ask(), await ask()] == [b"1", b"1"]
    moment[0] += 5
    assert await ask() == b"2"


@pytest.fixture
def source() -> Source:
    return Source()


async def test_keeps_the_newest_answers_of_an_instance(source: Source) -> None:
    cache = AnswerCache(most_bytes=10**6)
    for path in ("/a", "/b", "/a", "/c"):
        asked = question(path=path, max_cache_size=2)
        await answer_with_cache(cache, asked, method="GET", ask=source)
    kept = [path for path in ("/a", "/b", "/c") if cache.find(question(path=path)) is not None]
    assert kept == ["/a", "/c"]


async def test_uses_no_more_memory_than_it_may() -> None:
    cache = AnswerCache(most_bytes=100_000)

    async def ask() -> Answer:
        return Answer(body=b"x" * (8_000 - OVERHEAD_BYTES))

    for number in range(50):
        await answer_with_cache(cache, question(number), method="GET", ask=ask)
        assert cache.size_bytes <= 100_000
    kept = [number for number in range(50) if cache.find(question(number)) is not None]
    assert kept == list(range(38, 50))

    async def ask_for_much() -> Answer:
        return Answer(body=b"x" * 20_000)

    await answer_with_cache(cache, question(99), method="GET", ask=ask_for_much)
    assert cache.find(question(99)) is None


async def test_never_answers_for_another_instance(source: Source) -> None:
    cache = AnswerCache(most_bytes=10**6)
    await answer_with_cache(cache, question(1), method="GET", ask=source)
    assert cache.find(question(2)) is None


async def test_keeps_nothing_that_was_under_way_while_something_was_written() -> None:
    cache, reading, writing = AnswerCache(most_bytes=10**6), asyncio.Event(), asyncio.Event()

    def waiting(event: asyncio.Event) -> Callable[[], Any]:
        async def ask() -> Answer:
            await event.wait()
            return Answer(body=b"old")

        return ask

    def start(method: str, event: asyncio.Event) -> asyncio.Task[Answer]:
        return asyncio.create_task(
            answer_with_cache(cache, question(), method=method, ask=waiting(event))
        )

    read = start("GET", reading)
    await asyncio.sleep(0)
    write = start("POST", writing)
    await asyncio.sleep(0)
    reading.set()
    await read
    assert cache.find(question()) is None

    reading.clear()
    read = start("GET", reading)  # begun during the write, ended after it
    await asyncio.sleep(0)
    writing.set()
    await write
    reading.set()
    await read
    assert cache.find(question()) is None
    assert (await start("GET", reading)).headers == (("Elements-Cache", "miss"),)
    assert (await start("GET", reading)).headers == (("Elements-Cache", "hit"),)
