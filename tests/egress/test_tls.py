"""Certificates are verified, and a bad one is explained."""

import asyncio
import socket

import pytest

from polyvalent.egress import Door, NotConnected
from polyvalent.exchange import Request

from .certificates import make_authority
from .conftest import LOOPBACK, answer


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return make_authority(tmp_path_factory.mktemp("certificates"))


def request(port, host="127.0.0.1"):
    return Request(method="GET", url=f"https://{host}:{port}/?key=hidden")


async def resolve_here(host, port):
    return ["127.0.0.1"]


async def explain(port, host="127.0.0.1", tls=None):
    async with Door(allow=LOOPBACK, tls=tls, resolve=resolve_here) as door:
        with pytest.raises(NotConnected) as caught:
            await door.send(request(port, host), deadline_s=5)
    await asyncio.sleep(0.01)
    assert caught.value.sent is False
    assert f"{host}:{port}" in caught.value.message
    assert "hidden" not in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("host", "names"), [("127.0.0.1", ()), ("shop.example", ("shop.example",))]
)
async def test_it_speaks_tls_with_a_good_certificate(open_store, authority, host, names):
    store = await open_store(answer(), tls=authority.server_context(names=names))

    async with Door(allow=LOOPBACK, tls=authority.client_context(), resolve=resolve_here) as door:
        exchange = await door.send(request(store.port, host))
        await door.send(request(store.port, host))
    await asyncio.sleep(0.01)

    assert exchange.response.body == b"ok"
    assert store.connections == 1


@pytest.mark.parametrize(
    ("host", "options", "trusted", "words"),
    [
        ("127.0.0.1", {"self_signed": True}, True, "self-signed"),
        ("127.0.0.1", {"self_signed": True}, False, "self-signed"),
        ("127.0.0.1", {}, False, "issuer is not trusted"),
        ("127.0.0.1", {"valid_from_days": -9, "valid_to_days": -2}, True, "has expired"),
        ("127.0.0.1", {"valid_from_days": 2, "valid_to_days": 9}, True, "not valid yet"),
        ("shop.example", {"names": ("other.example",)}, True, "another host name"),
        ("127.0.0.1", {"names": ("other.example",)}, True, "another address"),
    ],
)
async def test_it_says_what_is_wrong_with_a_certificate(
    open_store, authority, host, options, trusted, words
):
    store = await open_store(answer(), tls=authority.server_context(**options))
    tls = authority.client_context() if trusted else None

    failure = await explain(store.port, host, tls)

    assert "certificate" in failure.message
    assert words in failure.message
    assert failure.lasting
    assert store.heads == []


async def test_it_says_that_a_port_does_not_speak_tls(serve):
    async def plain(reader, writer):
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    failure = await explain(await serve(plain))

    assert "does not speak TLS" in failure.message


async def test_it_says_that_a_handshake_was_cut_off(serve):
    async def cut(reader, writer):
        await reader.read(10)

    failure = await explain(await serve(cut))

    assert "TLS" in failure.message


async def test_it_gives_up_a_connection_that_does_not_come_about(serve):
    async def silent(reader, writer):
        await reader.read()

    port = await serve(silent)

    async with Door(allow=LOOPBACK, connect_timeout_s=0.2) as door:
        with pytest.raises(NotConnected, match="did not accept a connection in time"):
            await door.send(request(port), deadline_s=5)


async def test_it_gives_up_an_address_that_takes_no_connection():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        others = [socket.socket() for _ in range(4)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", port))
        async with Door(allow=LOOPBACK, connect_timeout_s=0.3) as door:
            with pytest.raises(NotConnected, match="did not accept a connection in time"):
                await door.send(
                    Request(method="POST", url=f"http://127.0.0.1:{port}/"), deadline_s=5
                )
        for other in others:
            other.close()
