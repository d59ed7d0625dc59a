"""Who has no secrets may begin so many authorizations a minute, counted by client address."""

from __future__ import annotations

from pathlib import Path

import pytest

from polyvalent.api.strangers import Strangers, client_of
from polyvalent.errors import Misconfigured, TooOften
from polyvalent.sandbox.magento import RunningStore
from polyvalent.settings import read_networks, read_settings
from tests.journeys.application import Application
from tests.journeys.stage import Reply, Stage, platform_on_stage

PROXIES = read_networks("10.0.0.0/8, 127.0.0.1/32, fd00::/8")


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def admitted(strangers: Strangers, peer: str, *, tries: int) -> int:
    passed = 0
    for _ in range(tries):
        try:
            strangers.admit(peer, ())
        except TooOften:
            continue
        passed += 1
    return passed


def test_lets_an_address_call_so_often_and_then_at_its_rate() -> None:
    clock = Clock()
    strangers = Strangers(per_minute=30, clock=clock)
    assert admitted(strangers, "192.0.2.1", tries=100) == 30
    assert admitted(strangers, "192.0.2.2", tries=100) == 30  # another one is not concerned
    with pytest.raises(TooOften) as refused:
        strangers.admit("192.0.2.1", ())
    assert (refused.value.status, refused.value.headers) == (503, (("Retry-After", "2"),))
    clock.seconds += 2
    assert admitted(strangers, "192.0.2.1", tries=9) == 1
    clock.seconds += 20
    assert admitted(strangers, "192.0.2.1", tries=99) == 10
    clock.seconds += 3600  # rest is not saved up
    assert admitted(strangers, "192.0.2.1", tries=99) == 30


def test_what_costs_more_is_let_in_once_and_paid_for_before_the_next() -> None:
    clock = Clock()
    strangers = Strangers(per_minute=60, clock=clock)
    strangers.admit("192.0.2.1", (), of="shop", cost=200)
    strangers.admit("192.0.2.1", (), of="market")  # counted apart
    with pytest.raises(TooOften) as refused:
        strangers.admit("192.0.2.1", (), of="shop")
    assert refused.value.headers == (("Retry-After", "141"),)
    clock.seconds += 141
    strangers.admit("192.0.2.1", (), of="shop")


def test_takes_the_hosts_of_an_ipv6_network_for_one() -> None:
    strangers = Strangers(per_minute=2, clock=Clock())
    passed = [admitted(strangers, f"2001:db8:0:1::{host:x}", tries=1) for host in range(1, 6)]
    assert passed == [1, 1, 0, 0, 0]
    assert admitted(strangers, "2001:db8:0:2::1", tries=1) == 1


def test_keeps_a_bounded_number_of_addresses() -> None:
    strangers = Strangers(per_minute=1, clock=Clock())
    for number in range(20_000):
        strangers.admit(f"198.51.{number // 256}.{number % 256}", ())
    assert len(strangers._paid_at_s) == 8192


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", (), "203.0.113.7"),
        ("::ffff:203.0.113.7", (), "203.0.113.7"),
        ("2001:db8::5", (), "2001:db8::/64"),
        ("", (), ""),  # a socket in the file system
        # A client of its own cannot make itself another one.
        ("203.0.113.7", ("198.51.100.1",), "203.0.113.7"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("192.0.2.66, 198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("192.0.2.66", "198.51.100.1"), "198.51.100.1"),
        ("10.0.0.1", ("192.0.2.66, 198.51.100.1, 10.9.9.9",), "198.51.100.1"),
        ("10.0.0.1", ("198.51.100.1:4711",), "198.51.100.1"),
        ("10.0.0.1", ("[2001:db8::5]:4711",), "2001:db8::/64"),
        ("fd00::1", ("198.51.100.1",), "198.51.100.1"),
        # What is no address ends the search at the last that is.
        ("10.0.0.1", ("198.51.100.1, unknown",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1, unknown, 10.0.0.2",), "10.0.0.2"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.3",), "10.0.0.3"),
    ],
)
def test_knows_where_a_request_came_from(
    peer: str, forwarded: tuple[str, ...], client: str
) -> None:
    headers = tuple(("x-forwarded-for", text) for text in forwarded)
    assert client_of(peer, headers, proxies=PROXIES) == client


def begin(stage: Stage, application: Application, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    path = "/elements/magento/oauth/token"
    query = application.parameters
    authorization = named.pop("Authorization", "")
    return stage.call("GET", path, query=query, headers=named, authorization=authorization)


def test_refuses_a_stranger_that_calls_too_often_and_nobody_else(
    tmp_path: Path, shop: RunningStore
) -> None:
    with platform_on_stage(tmp_path, strangers_per_minute=3) as stage:
        application = Application(stage, shop.store, shop.url)
        started = begin(stage, application)
        assert started.status == 200
        led = application.url(started.json()["token"])  # counts as well
        assert led.status == 200
        assert begin(stage, application).status == 200
        refused = begin(stage, application)
        assert refused.status == 503
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert "Authorization header" in refused.message
        # An address that anybody may write into a header changes nothing.
        assert begin(stage, application, X_Forwarded_For="198.51.100.1").status == 503
        body = {**application.parameters, "requestToken": "t"}
        path = "/elements/magento/oauth/url"
        assert stage.call("POST", path, body=body, authorization="").status == 503
        # Nothing was kept of what was refused, and the store was not asked.
        assert stage.rows()["authorization_request"] == 2
        # Whoever is known, and what asks nothing of a store, goes on.
        assert begin(stage, application, Authorization=stage.authorization).status == 200
        assert stage.call("GET", "/elements/magento", authorization="").status == 200


def test_counts_the_clients_of_a_trusted_proxy_apart(tmp_path: Path, shop: RunningStore) -> None:
    proxies = read_networks("127.0.0.1/32")
    with platform_on_stage(tmp_path, strangers_per_minute=1, trusted_proxies=proxies) as stage:
        application = Application(stage, shop.store, shop.url)

        def status(forwarded: str) -> int:
            return begin(stage, application, X_Forwarded_For=forwarded).status

        assert [status("198.51.100.1"), status("198.51.100.1")] == [200, 503]
        assert [status("198.51.100.2"), status("9.9.9.9, 198.51.100.2")] == [200, 503]


def test_reads_its_settings(tmp_path: Path) -> None:
    environ = {
        "POLYVALENT_STRANGERS_PER_MINUTE": "7",
        "POLYVALENT_TRUSTED_PROXIES": "127.0.0.1, fd00::/8",
    }
    settings = read_settings(environ, home=tmp_path)
    assert settings.strangers_per_minute == 7
    assert settings.trusted_proxies == read_networks("127.0.0.1/32, fd00::/8")
    for name, text in (
        ("POLYVALENT_STRANGERS_PER_MINUTE", "0"),
        ("POLYVALENT_TRUSTED_PROXIES", "nginx"),
    ):
        with pytest.raises(Misconfigured, match=name):
            read_settings({name: text}, home=tmp_path)


def test_tells_no_stranger_what_a_name_stands_for(tmp_path: Path) -> None:
    """Names of the operator's network could be asked for, one after the other."""
    query = {
        "apiKey": "k",
        "apiSecret": "s",
        "callbackUrl": "https://app.example/cb",
        "siteAddress": "localhost",
    }
    path = "/elements/magento/oauth/token"
    with platform_on_stage(tmp_path, allow="192.0.2.0/24") as stage:
        stranger = stage.call("GET", path, query=query, authorization="")
        known = stage.call("GET", path, query=query)
    assert (stranger.status, known.status) == (400, 400)
    assert "localhost leads to an address that is not public" in stranger.message
    assert "127.0.0.1" not in stranger.message
    assert "POLYVALENT_EGRESS_ALLOW=127.0.0.1/32" in known.message
