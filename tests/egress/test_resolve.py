"""Names are looked up, checked, and called only at the checked addresses."""

import asyncio
import socket
from ipaddress import ip_address, ip_network

import pytest

from polyvalent.egress import AddressRefused, Door, NotConnected, Target, resolve_checked
from polyvalent.exchange import Request

from .conftest import LOOPBACK, answer


def names(table):
    async def resolve(host, port):
        return table[host]

    return resolve


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
        ["8.8.8.8", "::1"],
        ["2606:4700::1111", "fd00:ec2::254"],
        ["8.8.8.8", "::ffff:10.0.0.1"],
        ["64:ff9b::10.0.0.1"],
        ["0.0.0.0"],
        ["fe80::1%eth0"],
        ["169.254.169.254"],
    ],
)
async def test_it_refuses_a_name_with_an_address_that_is_not_public(answers):
    with pytest.raises(AddressRefused) as caught:
        await resolve_checked(
            "shop.example", 80, resolve=names({"shop.example": answers}), allow=()
        )

    assert caught.value.host == "shop.example"


async def test_it_returns_public_addresses_once_each():
    resolve = names({"shop.example": ["8.8.8.8", "8.8.8.8", "2606:4700::1111"]})

    found = await resolve_checked("shop.example", 80, resolve=resolve, allow=())

    assert found == (ip_address("8.8.8.8"), ip_address("2606:4700::1111"))


@pytest.mark.parametrize("answers", [[], ["not an address"], ["8.8.8.8", "127.1"]])
async def test_it_takes_an_answer_that_it_cannot_check_for_none(answers):
    with pytest.raises(socket.gaierror):
        await resolve_checked(
            "shop.example", 80, resolve=names({"shop.example": answers}), allow=()
        )


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "localhost.", "shop.localhost", "localhost.localdomain",
     "ip6-localhost", "ip6-loopback"],
)  # fmt: skip
async def test_it_knows_the_names_of_this_machine_without_asking(host):
    async def resolve(host, port):
        raise AssertionError(host)

    with pytest.raises(AddressRefused):
        await resolve_checked(host, 80, resolve=resolve, allow=())
    assert await resolve_checked(host, 80, resolve=resolve, allow=LOOPBACK) == (
        ip_address("127.0.0.1"),
    )


async def test_it_asks_the_system_by_default():
    from polyvalent.egress.resolve import ask_system

    assert "127.0.0.1" in await ask_system("127.0.0.1", 80)


async def test_it_connects_to_the_checked_address_and_does_not_ask_again(open_store):
    store = await open_store(answer())
    asked = []

    async def resolve(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with Door(allow=LOOPBACK, resolve=resolve) as door:
        for _ in range(3):
            await door.send(Request(method="GET", url=f"http://shop.example:{store.port}/"))

    assert asked == ["shop.example"]
    assert store.headers()["Host"] == f"shop.example:{store.port}"


async def test_it_refuses_a_name_that_turns_private_later(open_store):
    store = await open_store(answer())
    answers = iter([["127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["127.0.0.2"], ["10.0.0.1"]])

    async def resolve(host, port):
        return next(answers)

    async with Door(allow=LOOPBACK, resolve=resolve) as door:
        await door.send(Request(method="GET", url=f"http://shop.example:{store.port}/"))
        for port in (1, 2, 3):
            with pytest.raises(AddressRefused):
                await door.send(Request(method="GET", url=f"http://shop.example:{port}/"))

    assert len(store.heads) == 1


async def test_it_refuses_an_address_even_where_no_url_was_read(open_store):
    from polyvalent.egress.pool import Pool
    from polyvalent.egress.resolve import ask_system

    store = await open_store(answer())
    pool = Pool(allow=(), resolve=ask_system, tls=None, connect_timeout_s=5)
    address = ip_address("127.0.0.1")
    with pytest.raises(AddressRefused):
        await pool.take(Target(scheme="http", host="127.0.0.1", port=store.port, address=address))

    assert store.connections == 0


@pytest.mark.parametrize(
    ("error", "lasting"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), True),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), False),
        (OSError("resolver is ill"), False),
    ],
)
async def test_it_says_that_a_name_cannot_be_found(error, lasting):
    async def resolve(host, port):
        raise error

    async with Door(resolve=resolve) as door:
        with pytest.raises(NotConnected, match=r"The host name shop\.example") as caught:
            await door.send(Request(method="GET", url="http://shop.example/?key=hidden"))

    assert caught.value.lasting is lasting
    assert caught.value.status == 502
    assert caught.value.sent is False
    assert "hidden" not in caught.value.message


async def test_it_shares_one_lookup_among_calls_at_once():
    asked = []

    async def resolve(host, port):
        asked.append(host)
        await asyncio.sleep(0.01)
        return ["10.0.0.1"]

    async with Door(resolve=resolve, allow=(ip_network("127.0.0.1/32"),)) as door:
        request = Request(method="GET", url="http://shop.example/")
        results = await asyncio.gather(
            *(door.send(request) for _ in range(5)), return_exceptions=True
        )

    assert asked == ["shop.example"]
    assert all(isinstance(result, AddressRefused) for result in results)
