"""
Hold the connections to all stores: open them at checked addresses, and keep them for a moment.

A store gets at most `CONNECTIONS_PER_HOST` of them, and whoever comes when all are taken waits in
the order of coming. Names are looked up once for all that ask at the same time, and what was found
is good for ten seconds.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from polyvalent.egress.failure import NotConnected, explain_connect, explain_lookup
from polyvalent.egress.line import Line
from polyvalent.egress.policy import Address, check_address
from polyvalent.egress.resolve import Resolve, resolve_checked
from polyvalent.egress.target import Target
from polyvalent.errors import Unavailable
from polyvalent.settings import Network

# Stores on Apache close an idle connection after 5 s; a write must not meet that moment.
KEEP_ALIVE_S = 4.0
DNS_CACHE_S = 10.0
NAMES_KEPT = 1024
CONNECTIONS = 512
CONNECTIONS_PER_HOST = 32
# A second address is tried beside one that does not answer at once (RFC 8305, section 5).
NEXT_ADDRESS_S = 0.25

CLOSED = "The platform is shutting down and makes no more outgoing calls."

_Place = tuple[str, str, int]  # scheme, host, port


@dataclass(kw_only=True, slots=True)
class _Host:
    place: _Place
    taken: int = 0
    idle: list[Line] = field(default_factory=list)
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


@dataclass(kw_only=True, slots=True)
class _Lookup:
    task: asyncio.Task[tuple[Address, ...]]
    ends_at_s: float


class Pool:
    """
    Give out connections and take them back; belongs to one event loop.

    Every address is checked when its name is looked up, and once more before it is called.
    """

    def __init__(
        self,
        *,
        allow: tuple[Network, ...],
        resolve: Resolve,
        tls: ssl.SSLContext | None,
        connect_timeout_s: float,
    ) -> None:
        self._allow = allow
        self._resolve = resolve
        self._tls = tls
        self._connect_timeout_s = connect_timeout_s
        self._hosts: dict[_Place, _Host] = {}
        self._lookups: dict[tuple[str, int], _Lookup] = {}
        self._lines: set[Line] = set()
        self._taken = 0
        self._closed = False
        self._sweeping: asyncio.TimerHandle | None = None

    async def take(self, target: Target) -> Line:
        """
        Return a connection to a place, one that is open already if there is one.

        Raises AddressRefused and NotConnected, Unavailable once the pool is closed. Whoever takes
        one gives it back.
        """
        place = (target.scheme, target.host, target.port)
        host = self._hosts.get(place)
        if host is None:
            host = self._hosts[place] = _Host(place=place)
        if host.taken >= CONNECTIONS_PER_HOST or self._taken >= CONNECTIONS or host.waiting:
            await self._queue(host)
        else:
            host.taken += 1
            self._taken += 1
        try:
            line = self._pick(host) or await self._open(target)
        except BaseException:
            self._leave(host)
            raise
        return line

    def give_back(self, target: Target, line: Line) -> None:
        """Take a connection back, to be kept if it can be used again."""
        host = self._hosts[target.scheme, target.host, target.port]
        if line.is_open and len(self._lines) <= CONNECTIONS:
            line.idle_since_s = asyncio.get_running_loop().time()
            host.idle.append(line)
            self._plan_sweep()
        else:
            self._drop(line)
        self._leave(host)

    def close(self) -> None:
        """Close every connection for good; exchanges under way fail."""
        self._closed = True
        for line in tuple(self._lines):
            self._drop(line)
        for lookup in self._lookups.values():
            lookup.task.cancel()
        if self._sweeping is not None:
            self._sweeping.cancel()

    async def _queue(self, host: _Host) -> None:
        waiter = asyncio.get_running_loop().create_future()
        host.waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._leave(host)  # its turn had come
            else:
                host.waiting.remove(waiter)
            raise

    def _leave(self, host: _Host) -> None:
        # The place goes to whoever waits longest for this host, else for any other.
        host.taken -= 1
        self._taken -= 1
        if self._taken == CONNECTIONS - 1:
            for other in (host, *self._hosts.values()):
                if self._admit(other):
                    break
        else:
            self._admit(host)
        self._forget(host)

    def _admit(self, host: _Host) -> bool:
        while host.waiting and host.taken < CONNECTIONS_PER_HOST:
            waiter = host.waiting.popleft()
            if not waiter.done():
                host.taken += 1
                self._taken += 1
                waiter.set_result(None)
                return True
        return False

    def _pick(self, host: _Host) -> Line | None:
        oldest_s = asyncio.get_running_loop().time() - KEEP_ALIVE_S
        while host.idle:
            line = host.idle.pop()
            if line.is_open and line.idle_since_s > oldest_s:
                return line
            self._drop(line)
        return None

    def _drop(self, line: Line) -> None:
        self._lines.discard(line)
        line.close()

    def _forget(self, host: _Host) -> None:
        if not (host.taken or host.idle or host.waiting):
            self._hosts.pop(host.place, None)

    def _plan_sweep(self) -> None:
        if self._sweeping is None:
            loop = asyncio.get_running_loop()
            self._sweeping = loop.call_later(KEEP_ALIVE_S, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = None
        oldest_s = asyncio.get_running_loop().time() - KEEP_ALIVE_S
        for host in tuple(self._hosts.values()):
            for line in host.idle:
                if not line.is_open or line.idle_since_s <= oldest_s:
                    self._drop(line)
            host.idle = [line for line in host.idle if line in self._lines]
            self._forget(host)
        if self._lines:
            self._plan_sweep()

    async def _open(self, target: Target) -> Line:
        if self._closed:
            raise Unavailable(CLOSED)
        addresses = (target.address,) if target.address is not None else await self._look_up(target)
        for address in addresses:
            check_address(address, host=target.host, allow=self._allow)
        line = await self._connect_first(target, addresses)
        self._lines.add(line)
        if self._closed:
            self._drop(line)
            raise Unavailable(CLOSED)
        return line

    async def _look_up(self, target: Target) -> tuple[Address, ...]:
        now_s = asyncio.get_running_loop().time()
        place = (target.host, target.port)
        lookup = self._lookups.get(place)
        if lookup is None or lookup.ends_at_s <= now_s:
            if len(self._lookups) >= NAMES_KEPT:
                self._lookups = {
                    name: kept for name, kept in self._lookups.items() if kept.ends_at_s > now_s
                }
            asking = resolve_checked(*place, resolve=self._resolve, allow=self._allow)
            task = asyncio.create_task(asking)
            task.add_done_callback(_note_failure)  # also where nobody waits for it any more
            lookup = self._lookups[place] = _Lookup(task=task, ends_at_s=now_s + DNS_CACHE_S)
        try:
            # One caller that gives up does not take the answer away from the others.
            return await asyncio.shield(lookup.task)
        except OSError as error:
            raise explain_lookup(error, target) from None
        finally:
            if lookup.task.done() and (lookup.task.cancelled() or lookup.task.exception()):
                self._lookups.pop(place, None)

    async def _connect_first(self, target: Target, addresses: Sequence[Address]) -> Line:
        # The first address that takes the connection; what the first one to fail said, else.
        if len(addresses) == 1:
            return await self._connect(target, addresses[0])
        left = deque(addresses)
        trying: set[asyncio.Task[Line]] = set()
        failures: list[BaseException] = []
        try:
            while left or trying:
                if left:
                    trying.add(asyncio.create_task(self._connect(target, left.popleft())))
                done, trying = await asyncio.wait(
                    trying,
                    timeout=NEXT_ADDRESS_S if left else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                made = [task.result() for task in done if task.exception() is None]
                failures += [error for task in done if (error := task.exception()) is not None]
                for line in made[1:]:
                    line.close()
                if made:
                    return made[0]
            raise failures[0]
        finally:
            for task in trying:
                task.cancel()

    async def _connect(self, target: Target, address: Address) -> Line:
        secure = target.scheme == "https"
        failure: NotConnected
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                _, line = await asyncio.get_running_loop().create_connection(
                    Line,
                    str(address),
                    target.port,
                    ssl=self._context() if secure else None,
                    server_hostname=target.host.removesuffix(".") if secure else None,
                )
                return line
        except (OSError, ValueError) as error:  # ValueError: a host name that TLS cannot send
            failure = explain_connect(error, target)
        raise failure

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


def _note_failure(task: asyncio.Task[tuple[Address, ...]]) -> None:
    if not task.cancelled():
        task.exception()
