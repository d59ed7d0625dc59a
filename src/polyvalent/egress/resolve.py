"""
Look host names up, check every address, and hand on only checked ones.

The pool connects to the addresses it is given here, so a name that answers differently a moment
later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address

from polyvalent.egress.policy import Address, check_address, refuse_reason
from polyvalent.egress.target import loopback_addresses
from polyvalent.settings import Network

# Host and port in, addresses as text out: ("a.example", 443) → ("192.0.2.7", "2001:db8::7").
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# A lookup that hangs holds its thread long after its call was given up. Threads of their own, and
# many, so that names nobody answers for do not keep those of others waiting.
LOOKUPS_AT_ONCE = 128
_LOOKUPS = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="lookup")


async def ask_system(host: str, port: int) -> Sequence[str]:
    """
    Look a name up the way the system does, without blocking the loop.

    Raises socket.gaierror.
    """
    look = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_LOOKUPS, look)
    return tuple(str(info[4][0]) for info in found)


async def resolve_checked(
    host: str, port: int, *, resolve: Resolve, allow: tuple[Network, ...]
) -> tuple[Address, ...]:
    """
    Return the addresses of a name, all of which may be called.

    One address that may not be called refuses the whole answer: an honest public name has no
    private address, and a name that has one is no place to send credentials to. Names of this
    machine (localhost) are not asked for; they stand for those loopback addresses that `allow`
    holds.

    Raises AddressRefused; OSError where the name has no address or cannot be looked up.
    """
    if local := loopback_addresses(host):
        open_ones = tuple(each for each in local if refuse_reason(each, allow) is None)
        if not open_ones:
            check_address(local[0], host=host, allow=allow)
        return open_ones
    try:
        addresses = tuple(dict.fromkeys(ip_address(text) for text in await resolve(host, port)))
    except ValueError:
        # What is not an address cannot be checked; UnicodeError from a name's encoding, too.
        addresses = ()
    if not addresses:
        raise socket.gaierror(socket.EAI_NONAME, "no address")
    for address in addresses:
        check_address(address, host=host, allow=allow)
    return addresses
