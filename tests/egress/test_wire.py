"""What goes over the wire, and what is made of the answer."""

import asyncio
import gzip
import zlib

import pytest

from polyvalent.egress import BrokenAnswer, Door
from polyvalent.errors import BadRequest, Unavailable
from polyvalent.exchange import Request

from .conftest import LOOPBACK, ThenClose, answer


def get(url, *headers):
    return Request(method="GET", url=url, headers=headers)


@pytest.mark.parametrize(
    "path",
    [
        "/api/rest/products?filter[1][attribute]=name&filter[1][in][0]=A%20B",
        "/a/../b/./c//d",
        "/%7euser/%7Euser/%2F%2f?q=%41+%2B&&=&x",
        "/;p=1,2/:@!$&'()*?a=b?c=d",
        "/%zz?100%",
        "/" + "x" * 8000,
    ],
)
async def test_it_sends_the_url_byte_for_byte(open_store, door, path):
    store = await open_store(answer())

    await door.send(get(store.url + path))

    assert store.lines == [f"GET {path} HTTP/1.1"]


async def test_it_sends_the_headers_of_the_request_and_no_others(open_store, door):
    store = await open_store(answer())

    await door.send(
        get(store.url, ("Authorization", 'OAuth a="b"'), ("X-Two", "1"), ("X-Two", "2"))
    )

    assert store.heads[0].decode().split("\r\n") == [
        "GET / HTTP/1.1",
        f"Host: 127.0.0.1:{store.port}",
        'Authorization: OAuth a="b"',
        "X-Two: 1",
        "X-Two: 2",
        "User-Agent: polyvalent",
        "Accept-Encoding: gzip, deflate",
        "",
        "",
    ]


async def test_it_leaves_a_user_agent_and_encodings_as_they_are_given(open_store, door):
    store = await open_store(answer())

    await door.send(get(store.url, ("user-agent", "mine"), ("Accept-Encoding", "identity")))

    assert store.headers() == {
        "Host": f"127.0.0.1:{store.port}",
        "user-agent": "mine",
        "Accept-Encoding": "identity",
    }


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
async def test_it_sends_a_body_with_its_length(open_store, door, method):
    store = await open_store(answer())
    body = b'{"a": "\xc3\xbc"}'

    await door.send(Request(method=method, url=store.url, body=body))

    assert store.bodies == [body]
    assert store.headers()["Content-Length"] == str(len(body))
    assert "Content-Type" not in store.headers()


async def test_it_returns_status_headers_and_body_as_they_came(open_store, door):
    raw = answer(b"\x00\xff", "Set-Cookie: a=1", "Set-Cookie: b=2", "Date: now", status="418 Tea")
    store = await open_store(raw)

    exchange = await door.send(get(store.url))

    assert exchange.request.url == store.url
    assert exchange.response.status == 418
    assert exchange.response.body == b"\x00\xff"
    assert exchange.response.header("date") == "now"
    assert [v for k, v in exchange.response.headers if k == "Set-Cookie"] == ["a=1", "b=2"]
    assert 0 < exchange.elapsed_ms < 5000


async def test_it_reads_header_bytes_outside_ascii(open_store, door):
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: \xc3\xbc\r\nX-B: \xfc\r\n\r\n"
    store = await open_store(raw)

    response = (await door.send(get(store.url))).response

    assert (response.header("X-A"), response.header("X-B")) == ("ü", "ü")


async def test_it_keeps_no_cookies(open_store):
    store = await open_store(answer(b"ok", "Set-Cookie: session=1; Path=/"))

    async def resolve(host, port):
        return ["127.0.0.1"]

    async with Door(allow=LOOPBACK, resolve=resolve) as door:
        for _ in range(2):
            await door.send(get(f"http://shop.example:{store.port}/"))

    assert len(store.heads) == 2
    assert "Cookie" not in store.headers()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary"])
async def test_it_returns_a_redirect_without_following_it(open_store, door, status):
    inner = await open_store(answer(b"secret"))
    store = await open_store(answer(b"", f"Location: {inner.url}/latest", status=status))

    exchange = await door.send(get(store.url))

    assert exchange.response.header("Location") == f"{inner.url}/latest"
    assert inner.connections == 0


async def test_it_takes_no_proxy_from_the_environment(open_store, door, monkeypatch):
    proxy = await open_store(answer(b"proxy"))
    store = await open_store(answer(b"store"))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)

    assert (await door.send(get(store.url))).response.body == b"store"
    assert proxy.connections == 0


async def test_it_reuses_a_connection(open_store, door):
    store = await open_store(answer())

    for _ in range(5):
        await door.send(get(store.url))

    assert store.connections == 1


async def test_it_reads_a_chunked_body(open_store, door):
    store = await open_store(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Trailer: 1\r\n\r\n"
    )

    assert (await door.send(get(store.url))).response.body == b"abcdefg"


async def test_it_reads_a_body_that_ends_with_the_connection(open_store, door):
    store = await open_store(ThenClose(b"HTTP/1.0 200 OK\r\n\r\nold server"))

    assert (await door.send(get(store.url))).response.body == b"old server"


async def test_it_reads_no_body_after_head(open_store, door):
    store = await open_store(answer(b"", length=10**12))

    response = (await door.send(Request(method="HEAD", url=store.url))).response

    assert response.body == b""
    assert response.header("Content-Length") == "1000000000000"


def raw_deflate(body):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", gzip.compress),
        ("gzip", lambda body: gzip.compress(body[:500]) + gzip.compress(body[500:])),
        ("gzip", lambda body: gzip.compress(body) + bytes(100)),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
        ("identity, gzip", gzip.compress),
    ],
)
async def test_it_unpacks_a_body(open_store, door, encoding, pack):
    body = b"hello " * 1000
    store = await open_store(answer(pack(body), f"Content-Encoding: {encoding}"))

    response = (await door.send(get(store.url))).response

    assert response.body == body
    assert response.header("Content-Encoding") is None
    assert response.header("Content-Length") is None


@pytest.mark.parametrize("status", ["200 OK", "204 None", "304 Same"])
async def test_it_takes_an_empty_body_for_empty_however_it_is_packed(open_store, door, status):
    store = await open_store(answer(b"", "Content-Encoding: gzip", status=status))

    assert (await door.send(get(store.url))).response.body == b""


async def test_it_leaves_the_encoding_of_a_body_that_is_not_packed(open_store, door):
    store = await open_store(answer(b"plain"))

    assert (await door.send(get(store.url))).response.header("Content-Length") == "5"


@pytest.mark.parametrize("size", [999, 1000])
async def test_it_unpacks_as_much_as_the_limit(open_store, door, size):
    store = await open_store(answer(gzip.compress(b"x" * size), "Content-Encoding: gzip"))

    exchange = await door.send(get(store.url), max_body_bytes=1000)

    assert len(exchange.response.body) == size


@pytest.mark.parametrize("size", [999, 1000])
async def test_it_reads_as_much_as_the_limit(open_store, door, size):
    store = await open_store(answer(b"x" * size))

    exchange = await door.send(get(store.url), max_body_bytes=1000)

    assert len(exchange.response.body) == size


ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"400\r\n%s\r\n" % (
    b"x" * 1024
)
BOMB = gzip.compress(b"\0" * 900_000, 9)
MEMBERS = gzip.compress(b"\0" * 100) * 20
TWICE = gzip.compress(gzip.compress(b"\0" * 9_000_000))


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"x" * 1001),
        answer(b"", length=10**15),
        ENDLESS,
        answer(BOMB, "Content-Encoding: gzip"),
        answer(MEMBERS, "Content-Encoding: gzip"),
        answer(TWICE, "Content-Encoding: gzip, gzip"),
        answer(zlib.compress(b"\0" * 100_000), "Content-Encoding: deflate"),
        ThenClose(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 5000),
    ],
    ids=[
        "announced",
        "announced-only",
        "endless",
        "bomb",
        "members",
        "twice",
        "deflate",
        "until-close",
    ],
)
async def test_it_stops_reading_what_is_too_large(open_store, door, raw):
    store = await open_store(raw)

    with pytest.raises(BrokenAnswer, match="larger than 1000 bytes") as caught:
        await door.send(get(f"{store.url}/?key=hidden"), max_body_bytes=1000, deadline_s=5)

    assert caught.value.status == 502
    assert caught.value.sent is True
    assert "hidden" not in caught.value.message


async def test_it_goes_on_after_an_answer_that_was_too_large(open_store, door):
    store = await open_store(answer(b"x" * 100_000), answer(b"small"))

    with pytest.raises(BrokenAnswer):
        await door.send(get(store.url), max_body_bytes=1000)

    assert (await door.send(get(store.url), max_body_bytes=1000)).response.body == b"small"


BROKEN = {
    "not-http": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "no-status": b"HTTP/1.1 OK\r\n\r\n",
    "bad-length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "bad-header": b"HTTP/1.1 200 OK\r\nBroken header\r\n\r\n",
    "long-header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "bad-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    "short-body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "short-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    "short-head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "not-packed": answer(b"not packed", "Content-Encoding: gzip"),
    "short-gzip": answer(gzip.compress(b"abc" * 1000)[:-12], "Content-Encoding: gzip"),
    "short-deflate": answer(zlib.compress(b"abc" * 1000)[:-5], "Content-Encoding: deflate"),
    "many-members": answer(gzip.compress(b"") * 1000, "Content-Encoding: gzip"),
    "packed-once": answer(gzip.compress(b"abc"), "Content-Encoding: gzip, gzip"),
    "three-layers": answer(gzip.compress(b"abc"), "Content-Encoding: gzip, gzip, gzip"),
    "brotli": answer(b"?", "Content-Encoding: br"),
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
async def test_it_reports_an_answer_that_is_broken(open_store, door, raw):
    store = await open_store(ThenClose(raw))

    with pytest.raises(BrokenAnswer) as caught:
        await door.send(get(f"{store.url}/path?key=hidden", ("Authorization", "hidden")))

    assert f"127.0.0.1:{store.port}" in caught.value.message
    assert caught.value.sent is True
    assert "hidden" not in repr(caught.value)
    assert "hidden" not in repr(caught.value.__context__)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "other.example"),
        ("content-length", "3"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("Expect", "100-continue"),
        ("Upgrade", "h2c"),
        ("X-A", "hidden\r\nX-B: 1"),
        ("X-A", "hidden\n"),
        ("X-A", "hidden\x00"),
        ("X A", "1"),
        ("X-A\r\nX-B", "1"),
        ("", "1"),
        ("Ü", "1"),
    ],
)
async def test_it_refuses_headers_that_would_change_the_request(open_store, door, name, value):
    store = await open_store(answer())

    with pytest.raises(BadRequest) as caught:
        await door.send(get(store.url, (name, value)))

    assert "hidden" not in caught.value.message
    assert store.connections == 0


@pytest.mark.parametrize("method", ["", "GET /", "G\r\nT", "GÉT"])
async def test_it_refuses_a_method_that_is_none(door, method):
    with pytest.raises(BadRequest):
        await door.send(Request(method=method, url="http://127.0.0.1:1/"))


async def test_it_sends_many_requests_at_once(open_store, door):
    store = await open_store(answer())

    exchanges = await asyncio.gather(*(door.send(get(f"{store.url}/{i}")) for i in range(100)))

    assert [each.request.url for each in exchanges] == [f"{store.url}/{i}" for i in range(100)]
    assert sorted(store.lines) == sorted(f"GET /{i} HTTP/1.1" for i in range(100))
    assert store.connections <= 32


async def test_it_stays_closed_when_it_is_closed(open_store):
    store = await open_store(answer())
    door = Door(allow=LOOPBACK)
    await door.send(get(store.url))
    await door.close()
    await door.close()

    with pytest.raises(Unavailable):
        await door.send(get(store.url))
