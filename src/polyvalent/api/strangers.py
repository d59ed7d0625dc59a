"""
Bound how often callers without secrets may call, each by the address that they come from.

The calls that begin an authorization ask for no secret, and each of them may make this platform
call a host of the caller's choice. A caller who sends the secrets is not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from cachetools import LRUCache

from polyvalent.errors import TooOften
from polyvalent.exchange import Headers
from polyvalent.settings import Address, Network

MINUTE_S = 60.0
# Of the addresses seen last: a few megabytes. One that is forgotten may begin anew.
ADDRESSES_KEPT = 8192
# What one household or server has of IPv6; its single addresses cost nothing.
IPV6_PREFIX = 64


class Strangers:
    """
    Count the calls of each client address, of this process.

    An address may call `per_minute` times at once, and then once every 60 / `per_minute` seconds.
    `proxies` are the networks whose X-Forwarded-For is believed. `clock` counts seconds from any
    moment and never goes back.
    """

    def __init__(
        self, *, per_minute: int, proxies: tuple[Network, ...] = (), clock: Callable[[], float]
    ) -> None:
        self._interval_s = MINUTE_S / per_minute
        self._proxies = proxies
        self._clock = clock
        # When all that an address has called will be paid for.
        self._paid_at_s: LRUCache[str, float] = LRUCache(maxsize=ADDRESSES_KEPT)

    def admit(self, peer: str, headers: Headers) -> None:
        """Count a call that came from a peer; raises TooOften, which counts as none."""
        client = client_of(peer, headers, proxies=self._proxies)
        now_s = self._clock()
        paid_at_s = max(self._paid_at_s.get(client, now_s), now_s) + self._interval_s
        early_s = paid_at_s - now_s - MINUTE_S
        # Sums of fractions: a thousandth of a second too early is in time.
        if early_s > 0.001:
            raise TooOften(
                "Too many authorizations were begun from this address. Wait as long as the header "
                "Retry-After says, or send the Authorization header, with which they are not "
                "counted.",
                retry_after_s=early_s,
            )
        self._paid_at_s[client] = paid_at_s


def client_of(peer: str, headers: Headers, *, proxies: tuple[Network, ...]) -> str:
    """
    Return the address that a request came from: "203.0.113.7", "2001:db8::/64".

    It is the peer of the connection, unless that is a known proxy: then the last address of
    X-Forwarded-For that is none. What stands before it was written by the client, who may write
    anything.
    """
    address = _parse(peer)
    if address is None:
        return peer
    forwarded = ",".join(text for name, text in headers if name.lower() == "x-forwarded-for")
    for part in reversed(forwarded.split(",")):
        before = _parse(part.strip()) if _within(address, proxies) else None
        if before is None:
            break
        address = before
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _parse(text: str) -> Address | None:
    # Some proxies write a port: 203.0.113.7:4711, [2001:db8::1]:4711.
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
