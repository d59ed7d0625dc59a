"""
Read the host and port out of a URL that goes on the wire as it stands.

Pure and stricter than any URL library: whatever two readers could understand in two ways (user
information, backslashes, unusual spellings of an address) is refused, so that the host that is
checked and the host that is called cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from polyvalent.egress.policy import Address, check_address
from polyvalent.errors import BadRequest
from polyvalent.settings import Network

SCHEME_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
# A last label like these makes the system read the whole host as an IPv4 address.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
AUTHORITY_END = re.compile(r"[/?]")
_UNSAFE = re.compile(r"[^\x21-\x5b\x5d-\x7e]")  # and no backslash
# RFC 6761 section 6.3, and the names that /etc/hosts of Debian and Red Hat give to loopback.
_LOOPBACK_NAMES = frozenset(
    {"localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback"}
)
_LOOPBACK_ADDRESSES: tuple[Address, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Name where a request goes: `Target(scheme="https", host="a.example", port=443)`."""

    scheme: str
    host: str  # as the URL has it, an IPv6 address without its brackets
    port: int
    address: Address | None = None  # set when the host is an address already

    @property
    def place(self) -> str:
        """Return host and port for a message: "a.example:443"."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_target(url: str, *, allow: tuple[Network, ...]) -> Target:
    """
    Read where a URL leads, and check the address if the host is one.

    "http://a.example:8080/r?b=5" → Target(scheme="http", host="a.example", port=8080).
    Raises BadRequest, saying what about the URL cannot be sent; AddressRefused for an address
    that is not public and not in `allow`. No message repeats path or query.
    """
    return _read_place(*_split(url), allow=allow)


def target_reader(allow: tuple[Network, ...]) -> Callable[[str], Target]:
    """Return `read_target` for these networks; it keeps the few places that are called again."""
    read_place = lru_cache(maxsize=512)(partial(_read_place, allow=allow))
    return lambda url: read_place(*_split(url))


def _split(url: str) -> tuple[str, str]:
    # The scheme, and what names the place.
    if _UNSAFE.search(url):
        raise BadRequest(
            "The URL of the outgoing call has a space, a backslash, a control character or a "
            "letter outside ASCII. Percent-encode it; write a host name in its xn-- form."
        )
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in SCHEME_PORTS:
        raise BadRequest("The URL of the outgoing call must begin with http:// or https://.")
    if "#" in rest:
        raise BadRequest("The URL of the outgoing call has a fragment (#), which is never sent.")
    end = AUTHORITY_END.search(rest)
    return scheme, rest if end is None else rest[: end.start()]


def _read_place(scheme: str, authority: str, *, allow: tuple[Network, ...]) -> Target:
    if "@" in authority:
        raise BadRequest(
            "The URL of the outgoing call has a user name or password before the host. "
            "Leave it out; credentials belong in the configuration."
        )
    host, port_text = _split_port(authority)
    port = _read_port(port_text, default=SCHEME_PORTS[scheme])
    if host.startswith("["):
        return _ipv6_target(host, scheme=scheme, port=port, allow=allow)
    _check_name(host)
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        address = _read_ipv4(host, allow=allow)
        return Target(scheme=scheme, host=host, port=port, address=address)
    return Target(scheme=scheme, host=host, port=port)


def loopback_addresses(host: str) -> tuple[Address, ...]:
    """
    Return what a host name stands for if it is a name of this machine, else nothing.

    "localhost", "Shop.LOCALHOST." → (127.0.0.1, ::1); "a.example" → ().

    Source: RFC 6761, section 6.3: such names never go to DNS.
    """
    name = host.lower().rstrip(".")
    if name in _LOOPBACK_NAMES or name.endswith(".localhost"):
        return _LOOPBACK_ADDRESSES
    return ()


def _split_port(authority: str) -> tuple[str, str | None]:
    if authority.startswith("["):
        inner, bracket, after = authority.partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise BadRequest("The URL of the outgoing call has a broken IPv6 address as its host.")
        return inner + bracket, after[1:] if after else None
    host, colon, port_text = authority.partition(":")
    return host, port_text if colon else None


def _read_port(text: str | None, *, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise BadRequest(
            "The URL of the outgoing call has a port that is not a number from 1 to 65535."
        )
    return int(text)


def _check_name(host: str) -> None:
    if not host:
        raise BadRequest("The URL of the outgoing call names no host.")
    name = host.removesuffix(".")  # one trailing dot is the root: RFC 1034 section 3.1
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise BadRequest(
            "The URL of the outgoing call has a host that is neither a name nor an address. "
            "A name has letters, digits and hyphens, its parts separated by single dots."
        )


def _ipv6_target(host: str, *, scheme: str, port: int, allow: tuple[Network, ...]) -> Target:
    inner = host[1:-1]
    if "%" in inner:
        raise BadRequest(
            "The URL of the outgoing call has an IPv6 address with a zone (%), "
            "which has a meaning on one link only."
        )
    try:
        address = IPv6Address(inner)
    except AddressValueError:
        address = None
    if address is None:
        raise BadRequest("The URL of the outgoing call has a broken IPv6 address as its host.")
    check_address(address, host=inner, allow=allow)
    return Target(scheme=scheme, host=inner, port=port, address=address)


def _read_ipv4(host: str, *, allow: tuple[Network, ...]) -> IPv4Address:
    # Systems read 127.1, 0x7f.1, 0177.0.0.1 and 2130706433 as 127.0.0.1 (inet_aton).
    number = _inet_aton(host.rstrip("."))
    if number is None:
        raise BadRequest(
            "The URL of the outgoing call has a host that looks like an IPv4 address but is none."
        )
    address = IPv4Address(number)
    check_address(address, host=host, allow=allow)
    if str(address) != host:
        raise BadRequest(
            f"The host {host} in the URL of the outgoing call is an unusual way to write "
            f"{address}. Write {address}."
        )
    return address


def _inet_aton(text: str) -> int | None:
    parts = text.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    numbers = [_read_number(part) for part in parts]
    room = 256 ** (5 - len(parts))  # the last part fills all the bytes that are left
    total = 0
    for number in numbers[:-1]:
        if number is None or number > 255:
            return None
        total = total * 256 + number
    last = numbers[-1]
    return None if last is None or last >= room else total * room + last


def _read_number(text: str) -> int | None:
    if text[:2].lower() == "0x":
        return int(text[2:] or "0", 16)
    if len(text) > 1 and text[0] == "0":
        return int(text, 8) if set(text) <= set("01234567") else None
    return int(text)
