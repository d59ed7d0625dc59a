"""
Bound how often callers without secrets may call, each by the address that they come from.

The calls that begin an authorization ask for no secret, and each of them may make this platform
call a host of the caller's choice; those that tell of changes make it store what they say. A caller
who sends the secrets, or signs what is told, is not counted.
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
BEGUN_TOO_OFTEN = (
    "Too many authorizations were begun from this address. Wait as long as the header Retry-After "
    "says, or send the Authorization header, with which they are not counted."
)


class Strangers:
    """
    Count the calls of each client address, of this process.

    An address may call `per_minute` times at once, and then once every 60 / `per_minute` seconds.
    `proxies` are the networks whose X-Forwarded-For is believed. `clock` counts seconds from any
    moment and never goes back. `refuse` makes the error of a call that is one too many, from the
    seconds after which it may be made again.
    """

    def __init__(
        self,
        *,
        per_minute: int,
        proxies: tuple[Network, ...] = (),
        clock: Callable[[], float],
        refuse: Callable[[float], TooOften] = lambda early_s: TooOften(
            BEGUN_TOO_OFTEN, retry_after_s=early_s
        ),
    ) -> None:
        self._interval_s = MINUTE_S / per_minute
        self._proxies = proxies
        self._clock = clock
        self._refuse = refuse
        # When all that an address has called will be paid for.
        self._paid_at_s: LRUCache[str, float] = LRUCache(maxsize=ADDRESSES_KEPT)

    def admit(self, peer: str, headers: Headers, *, of: str = "", cost: int = 1) -> None:
        """
        Count a call that came from a peer; raises TooOften, which counts as none.

        Calls of different things `of` are counted apart. One that costs as much as several others
        is let in where one more would be, and paid for before the next.
        """
        client = f"{of} {client_of(peer, headers, proxies=self._proxies)}"
        now_s = self._clock()
        begun_s = max(self._paid_at_s.get(client, now_s), now_s)
        early_s = begun_s + self._interval_s - now_s - MINUTE_S
        # Sums of fractions: a thousandth of a second too early is in time.
        if early_s > 0.001:
            raise self._refuse(early_s)
        self._paid_at_s[client] = begun_s + self._interval_s * cost


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
