"""
Decide which network addresses an outgoing call may reach.

Pure: addresses in, a reason or None out. Everything that is not public is refused unless the
operator listed it, and an IPv6 address is judged by the IPv4 address it carries, too.

Source: the IANA special-purpose address registries for IPv4 and IPv6 (read 2026-11), RFC 6890,
RFC 4291 section 2.5.5, RFC 6052, RFC 3056, RFC 4380, RFC 5214; the metadata addresses are from
the manuals of the cloud vendors.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from polyvalent.errors import BadRequest
from polyvalent.settings import Network

Address = IPv4Address | IPv6Address

# The first entry that holds an address names the reason, so narrow ones stand above wide ones.
_SPECIAL_IPV4 = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("169.254.169.254/32", "a cloud metadata address"),
        ("169.254.170.2/32", "a cloud metadata address"),
        ("168.63.129.16/32", "a cloud metadata address"),
        ("100.100.100.200/32", "a cloud metadata address"),
        ("192.0.0.192/32", "a cloud metadata address"),
        ("0.0.0.0/32", "the unspecified address"),
        ("0.0.0.0/8", "an address of this network (0.0.0.0/8)"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier-grade NAT address"),
        ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "an address reserved for protocols"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a 6to4 relay address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("255.255.255.255/32", "the broadcast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)

_SPECIAL_IPV6 = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("fd00:ec2::/64", "a cloud metadata address"),
        ("fd20:ce::254/128", "a cloud metadata address"),
        ("::/128", "the unspecified address"),
        ("::1/128", "a loopback address"),
        ("64:ff9b:1::/48", "a local NAT64 address"),
        ("100::/64", "a discard-only address"),
        ("2001:2::/48", "a benchmarking address"),
        ("2001:10::/28", "an ORCHID address"),
        ("2001:20::/28", "an ORCHID address"),
        ("2001:db8::/32", "a documentation address"),
        ("3fff::/20", "a documentation address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
    )
)

_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_TEREDO = IPv6Network("2001::/32")
_PROTOCOLS = IPv6Network("2001::/23")
_PUBLIC_IPV6 = IPv6Network("2000::/3")
_LOW_32_BITS = 0xFFFF_FFFF


_METADATA = "metadata"


class AddressRefused(BadRequest):
    """
    Report an address that outgoing calls may not reach.

    `host` is the name or address that was asked for, `address` what it stands for.
    Nothing was sent.
    """

    sent = False

    def __init__(self, *, host: str, address: Address, reason: str) -> None:
        shown = str(address)
        told = shown if shown == host else f"{shown}, the address of {host},"
        advice = (
            f"If this is intended, the operator allows it with POLYVALENT_EGRESS_ALLOW={shown}/"
            f"{address.max_prefixlen}."
        )
        if _METADATA in reason:
            advice = "Never allow it: it hands out the credentials of the machine."
        super().__init__(f"{told} is {reason}; calls to it are refused. {advice}")
        self.host = host
        self.address = address


def check_address(address: Address, *, host: str, allow: tuple[Network, ...]) -> None:
    """
    Let an address of a host pass.

    Raises AddressRefused, which names both and says how the operator can allow the address.
    """
    if (reason := refuse_reason(address, allow)) is not None:
        raise AddressRefused(host=host, address=_unmapped(address), reason=reason)


def refuse_reason(address: Address, allow: tuple[Network, ...]) -> str | None:
    """
    Say why an address may not be called, or return None when it may.

    127.0.0.1 → "a loopback address"; 8.8.8.8 → None.
    2002:7f00:1:: → "an IPv6 address that carries 127.0.0.1, a loopback address".
    A network in `allow` lifts the refusal for its own addresses and their mapped forms
    (::ffff:127.0.0.1), not for the other ways to write an IPv4 address into an IPv6 address:
    those pass through translators that the operator did not speak of.
    """
    plain = _unmapped(address)
    if isinstance(plain, IPv6Address) and plain.scope_id is not None:
        return "an address with a zone, which has a meaning on one link only"
    if any(plain in network for network in _unmapped_networks(allow)):
        return None
    if isinstance(plain, IPv4Address):
        return _special_reason(plain)
    for carried in _carried_addresses(plain):
        if (reason := _special_reason(carried)) is not None:
            return f"an IPv6 address that carries {carried}, {reason}"
    return _special_reason(plain)


def _special_reason(address: Address) -> str | None:
    if isinstance(address, IPv4Address):
        return next((why for network, why in _SPECIAL_IPV4 if address in network), None)
    if (reason := next((why for net, why in _SPECIAL_IPV6 if address in net), None)) is not None:
        return reason
    if address in _PROTOCOLS and address not in _TEREDO:
        return "an address reserved for protocols"
    if address in _PUBLIC_IPV6 or address in _NAT64:
        return None
    return "outside the public IPv6 addresses"


def _unmapped(address: Address) -> Address:
    # The system itself turns ::ffff:a.b.c.d into a.b.c.d when it connects.
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _unmapped_networks(networks: tuple[Network, ...]) -> tuple[Network, ...]:
    return tuple(
        ip_network((int(network.network_address) & _LOW_32_BITS, network.prefixlen - 96))
        if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED)
        else network
        for network in networks
    )


def _carried_addresses(address: IPv6Address) -> tuple[IPv4Address, ...]:
    # Every scheme that hides an IPv4 address in an IPv6 address, mapped ones aside.
    number = int(address)
    low = IPv4Address(number & _LOW_32_BITS)
    carried: list[IPv4Address] = []
    if number >> 32 == 0 and number > 1:  # ::a.b.c.d, IPv4-compatible, RFC 4291 section 2.5.5.1
        carried.append(low)
    if number >> 32 == 0xFFFF_0000:  # ::ffff:0:a.b.c.d, IPv4-translated, RFC 2765 section 2.1
        carried.append(low)
    if address in _NAT64:  # RFC 6052 section 2.1
        carried.append(low)
    if (sixtofour := address.sixtofour) is not None:  # RFC 3056 section 2
        carried.append(sixtofour)
    if (teredo := address.teredo) is not None:  # server and client, RFC 4380 section 4
        carried.extend(teredo)
    if (number >> 32) & 0xFCFF_FFFF == 0x5EFE:  # ISATAP, RFC 5214 section 6.1
        carried.append(low)
    return tuple(carried)
