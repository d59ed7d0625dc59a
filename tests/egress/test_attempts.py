"""Deadlines, further attempts, and what an error says about what was sent."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from msgspec import structs

from polyvalent.egress import BrokenAnswer, DeadlinePassed, Door, NotConnected
from polyvalent.egress.retry import asked_pause_s, backoff_s
from polyvalent.exchange import Request, Response

from .conftest import LOOPBACK, ThenClose, ThenHang, answer

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
BUSY = answer(b"busy", status="503 Busy")


def request(url, method="GET"):
    return Request(method=method, url=url)


@pytest.fixture
async def pauses():
    return []


@pytest.fixture
async def patient(pauses):
    """Open a door that notes its pauses instead of waiting."""

    async def pause(seconds):
        pauses.append(seconds)

    async with Door(allow=LOOPBACK, pause=pause, chance=lambda: 1.0, now=lambda: NOW) as opened:
        yield opened


@pytest.mark.parametrize("status", ["502 Bad", "503 Busy", "504 Late"])
async def test_it_tries_a_read_again_when_the_store_is_busy(open_store, patient, pauses, status):
    store = await open_store(answer(b"", status=status), answer(b"", status=status), answer(b"ok"))
    seen = []

    exchange = await patient.send(request(store.url), attempts=3, observe=seen.append)

    assert exchange.response.body == b"ok"
    assert [each.response.status for each in seen] == [int(status[:3]), int(status[:3]), 200]
    assert pauses == [0.25, 0.5]


async def test_it_returns_the_last_answer_when_the_attempts_are_used_up(open_store, patient):
    store = await open_store(answer(b"", status="503 Busy"))

    exchange = await patient.send(request(store.url, "HEAD"), attempts=2)

    assert exchange.response.status == 503
    assert len(store.heads) == 2


@pytest.mark.parametrize("status", ["500 Error", "429 Slow", "404 None", "200 OK", "302 Found"])
async def test_it_takes_other_answers_as_final(open_store, patient, status):
    store = await open_store(answer(b"", status=status))

    await patient.send(request(store.url), attempts=3)

    assert len(store.heads) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_it_never_repeats_a_write_that_was_answered(open_store, patient, method):
    store = await open_store(BUSY)

    await patient.send(request(store.url, method), attempts=3)

    assert len(store.heads) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_it_never_repeats_a_write_whose_connection_broke(open_store, patient, method):
    store = await open_store(ThenClose())

    with pytest.raises(BrokenAnswer, match="may have taken effect") as caught:
        await patient.send(request(f"{store.url}/?key=hidden", method), attempts=3)

    assert len(store.heads) == 1
    assert caught.value.sent is True
    assert "hidden" not in caught.value.message


async def test_it_tries_a_read_again_when_the_connection_broke(open_store, patient):
    store = await open_store(ThenClose(), answer(b"ok"))

    assert (await patient.send(request(store.url), attempts=2)).response.body == b"ok"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_it_sends_once_where_one_attempt_is_asked_for(open_store, patient, method):
    store = await open_store(ThenClose(), answer(b"ok"))

    with pytest.raises(BrokenAnswer):
        await patient.send(request(store.url, method))

    assert len(store.heads) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_it_tries_again_when_nothing_was_sent(patient, pauses, method, serve):
    port = await free_port(serve)

    with pytest.raises(NotConnected, match=f"127.0.0.1:{port} refused the connection") as caught:
        await patient.send(request(f"http://127.0.0.1:{port}/?key=hidden", method), attempts=4)

    assert pauses == [0.25, 0.5, 1.0]
    assert caught.value.sent is False
    assert "hidden" not in caught.value.message


async def test_it_does_not_try_again_what_cannot_pass(pauses):
    async def pause(seconds):
        pauses.append(seconds)

    async def resolve(host, port):
        return []

    async with Door(resolve=resolve, pause=pause) as door:
        with pytest.raises(NotConnected, match="is unknown"):
            await door.send(request("http://nowhere.example/"), attempts=5)

    assert pauses == []


async def test_it_signs_every_attempt_anew(open_store, patient):
    store = await open_store(BUSY, ThenClose(), answer(b"ok"))
    nonces = iter("abc")

    exchange = await patient.send(
        request(store.url),
        attempts=3,
        sign=lambda plain: plain.with_header("X-Nonce", next(nonces)),
    )

    assert [store.headers(i)["X-Nonce"] for i in range(3)] == ["a", "b", "c"]
    assert exchange.request.header("X-Nonce") == "c"


async def test_it_sends_what_the_signature_made_of_the_url(open_store, patient):
    store = await open_store(answer())

    await patient.send(
        request(f"{store.url}/r"),
        sign=lambda plain: structs.replace(plain, url=plain.url + "?n=%7E"),
    )

    assert store.lines == ["GET /r?n=%7E HTTP/1.1"]


async def test_it_repeats_a_read_that_met_a_closing_connection(open_store, patient, pauses):
    store = await open_store(answer(b"one"), ThenClose(), answer(b"two"))
    nonces = iter("abc")

    def sign(plain):
        return plain.with_header("X-Nonce", next(nonces))

    await patient.send(request(store.url), sign=sign)
    exchange = await patient.send(request(store.url), sign=sign)

    assert exchange.response.body == b"two"
    assert [store.headers(i)["X-Nonce"] for i in range(3)] == ["a", "b", "c"]
    assert (store.connections, pauses) == (2, [])


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_it_does_not_repeat_a_write_that_met_a_closing_connection(
    open_store, patient, method
):
    store = await open_store(answer(b"one"), ThenClose(), answer(b"two"))
    await patient.send(request(store.url))

    with pytest.raises(BrokenAnswer) as caught:
        await patient.send(request(store.url, method))

    assert caught.value.sent is True
    assert len(store.heads) == 2


async def test_it_gives_up_a_read_whose_repetition_fails_as_well(open_store, patient):
    store = await open_store(answer(b"one"), ThenClose())
    await patient.send(request(store.url))

    with pytest.raises(BrokenAnswer, match="before it answered"):
        await patient.send(request(store.url))

    assert len(store.heads) == 3


async def test_it_repeats_a_read_only_once_however_many_connections_close(open_store, patient):
    store = await open_store(answer(b"one"))
    await asyncio.gather(*(patient.send(request(store.url)) for _ in range(4)))
    store.heads.clear()
    store.steps[:] = [ThenClose()]

    with pytest.raises(BrokenAnswer):
        await patient.send(request(store.url))

    assert store.connections == 4
    assert len(store.heads) == 2


async def test_it_waits_as_long_as_it_is_asked_to(open_store, patient, pauses):
    later = answer(b"", "Retry-After: Mon, 23 Nov 2026 12:00:09 GMT", status="503 Busy")
    store = await open_store(answer(b"", "Retry-After: 7", status="503 Busy"), later, answer())

    await patient.send(request(store.url), attempts=3)

    assert pauses == [7.0, 9.0]


async def test_it_does_not_wait_beyond_the_deadline(open_store, patient, pauses):
    store = await open_store(answer(b"", "Retry-After: 3600", status="503 Busy"))

    exchange = await patient.send(request(store.url), attempts=3, deadline_s=5)

    assert exchange.response.status == 503
    assert pauses == []


@pytest.mark.parametrize(
    ("method", "step", "doubt"),
    [
        ("GET", ThenHang(), False),
        ("POST", ThenHang(), True),
        ("GET", ThenHang(b"HTTP/1.1 200 OK\r\nContent-"), False),
        ("DELETE", ThenHang(answer(b"abc", length=10)), True),
    ],
)
async def test_it_ends_a_call_at_its_deadline(open_store, door, method, step, doubt):
    store = await open_store(step)
    started = time.perf_counter()

    with pytest.raises(DeadlinePassed, match=r"did not answer within 0\.2 s") as caught:
        await door.send(request(f"{store.url}/?key=hidden", method), deadline_s=0.2, attempts=3)

    assert time.perf_counter() - started < 1
    assert caught.value.status == 504
    assert caught.value.sent is True
    assert ("may have taken effect" in caught.value.message) is doubt
    assert "hidden" not in caught.value.message
    assert caught.value.__context__ is None or caught.value.__suppress_context__


async def test_it_ends_a_slow_trickle_at_the_deadline(serve, door):
    async def trickle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    port = await serve(trickle)

    with pytest.raises(DeadlinePassed):
        await door.send(request(f"http://127.0.0.1:{port}/"), deadline_s=0.3)


async def test_it_counts_a_slow_lookup_against_the_deadline():
    async def resolve(host, port):
        await asyncio.sleep(10)
        return []

    async with Door(resolve=resolve) as door:
        with pytest.raises(DeadlinePassed) as caught:
            await door.send(request("http://slow.example/", "POST"), deadline_s=0.1)

    assert caught.value.sent is False
    assert "taken effect" not in caught.value.message


async def test_it_can_be_cancelled(open_store, door):
    store = await open_store(ThenHang())
    task = asyncio.create_task(door.send(request(store.url), attempts=3))
    await asyncio.sleep(0.05)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(store.heads) == 1


async def test_it_passes_on_what_the_signer_raises(patient):
    def sign(plain):
        raise KeyError("no key")

    with pytest.raises(KeyError):
        await patient.send(request("http://127.0.0.1:1/"), sign=sign, attempts=3)


def test_it_doubles_the_pause_up_to_a_limit():
    assert [backoff_s(n, chance=1.0) for n in (1, 2, 3)] == [0.25, 0.5, 1.0]
    assert backoff_s(1, chance=0.0) == 0.125
    assert backoff_s(10_000, chance=1.0) == 10.0


@pytest.mark.parametrize(
    ("text", "pause_s"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Mon, 23 Nov 2026 12:01:00 GMT", 60.0),
        ("Monday, 23-Nov-26 12:01:00 GMT", 60.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("9" * 5000, 999999999.0),
        ("soon", None),
        ("-1", None),
        ("1.5", 1.5),  # seen at a large vendor, though RFC 9110 knows no fractions
        ("", None),
        ("Mon, 99 Nov 2026 12:01:00 GMT", None),
        ("\uff11\uff12", None),
    ],
)
def test_it_reads_retry_after(text, pause_s):
    response = Response(status=503, headers=(("retry-after", text),))

    assert asked_pause_s(response, now=NOW) == pause_s


async def free_port(serve):
    """Return a port on which nobody listens."""
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port
