"""Connections are kept, shared in the order of coming, and given up when they are not sound."""

import asyncio
import time
from ipaddress import ip_network

import pytest

from polyvalent.egress import BrokenAnswer, Door, NotConnected
from polyvalent.egress.pool import CONNECTIONS_PER_HOST
from polyvalent.exchange import Request

from .conftest import LOOPBACK, ThenHang, answer


def get(url: str, method: str = "GET") -> Request:
    return Request(method=method, url=url)


async def test_it_waits_for_the_answer_that_another_one_announces(open_store, door):
    store = await open_store(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + answer(b"real", "X-A: 1")
    )

    response = (await door.send(get(store.url))).response

    assert (response.status, response.body) == (200, b"real")
    assert response.header("Link") is None


async def test_it_gives_up_a_connection_that_says_more_than_was_asked(open_store, door):
    store = await open_store(answer(b"one") + answer(b"two"), answer(b"three"))

    bodies = [(await door.send(get(store.url))).response.body for _ in range(2)]

    assert bodies == [b"one", b"three"]
    assert store.connections == 2


async def test_it_gives_up_a_connection_that_speaks_unasked(serve, door):
    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"one"))
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(answer(b"unasked"))
        await writer.drain()
        await reader.read()

    port = await serve(talk)

    first = await door.send(get(f"http://127.0.0.1:{port}/"))
    await asyncio.sleep(0.15)
    second = await door.send(get(f"http://127.0.0.1:{port}/"))

    assert (first.response.body, second.response.body) == (b"one", b"one")


async def test_it_does_not_use_a_connection_that_the_store_closes(open_store, door):
    store = await open_store(answer(b"ok", "Connection: close"))

    for _ in range(2):
        await door.send(get(store.url, "POST"))

    assert store.connections == 2


async def test_it_leaves_trailers_out(open_store, door):
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n"
    store = await open_store(raw)

    response = (await door.send(get(store.url))).response

    assert response.body == b"abc"
    assert response.header("X-Late") is None


async def test_it_reads_no_head_without_end(serve, door):
    async def endless(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    port = await serve(endless)

    with pytest.raises(BrokenAnswer):
        await door.send(get(f"http://127.0.0.1:{port}/"), deadline_s=10)


async def test_it_lets_nobody_overtake_who_waits(serve, door):
    order: list[bytes] = []

    async def slow(reader, writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            order.append(head.split(b" ")[1])
            await asyncio.sleep(0.01)
            writer.write(answer())
            await writer.drain()

    url = f"http://127.0.0.1:{await serve(slow)}"
    count = CONNECTIONS_PER_HOST * 3

    await asyncio.gather(*(door.send(get(f"{url}/{number}")) for number in range(count)))

    # Before one is sent, all that came earlier have been, but for those under way.
    places = [order.index(f"/{number}".encode()) for number in range(count)]
    assert all(at > number - CONNECTIONS_PER_HOST for number, at in enumerate(places))


async def test_a_place_that_was_waited_for_in_vain_goes_to_the_next(open_store, door):
    store = await open_store(ThenHang())
    busy = [asyncio.create_task(door.send(get(store.url))) for _ in range(CONNECTIONS_PER_HOST)]
    await asyncio.sleep(0.1)
    waiting = [asyncio.create_task(door.send(get(store.url))) for _ in range(3)]
    await asyncio.sleep(0.05)

    waiting[0].cancel()
    busy[0].cancel()
    busy[1].cancel()
    await asyncio.sleep(0.1)

    assert len(store.heads) == CONNECTIONS_PER_HOST + 2
    for task in (*busy, *waiting):
        task.cancel()
    await asyncio.gather(*busy, *waiting, return_exceptions=True)


async def test_it_tries_the_next_address_where_one_does_not_answer(open_store):
    store = await open_store(answer(b"second"))

    async def resolve(host, port):
        return ["127.0.0.1", "127.0.0.2"] if host == "first.example" else ["127.0.0.2", "127.0.0.1"]

    async with Door(allow=(*LOOPBACK, *_network("127.0.0.2/32")), resolve=resolve) as door:
        for host in ("first.example", "second.example"):
            exchange = await door.send(get(f"http://{host}:{store.port}/"))
            assert exchange.response.body == b"second"


async def test_it_says_why_no_address_answers():
    async def resolve(host, port):
        return ["127.0.0.1", "127.0.0.2"]

    async with Door(allow=(*LOOPBACK, *_network("127.0.0.2/32")), resolve=resolve) as door:
        with pytest.raises(NotConnected, match="refused the connection"):
            await door.send(get("http://shop.example:1/"))


async def test_calls_under_way_fail_when_the_door_closes(open_store):
    store = await open_store(ThenHang())
    door = Door(allow=LOOPBACK)
    call = asyncio.create_task(door.send(get(store.url, "POST")))
    await asyncio.sleep(0.05)
    started_s = time.perf_counter()

    await door.close()

    with pytest.raises(BrokenAnswer):
        await call
    assert time.perf_counter() - started_s < 1


def _network(text: str):
    return (ip_network(text),)
