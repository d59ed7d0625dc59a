"""
Send requests to vendors: the one door out.

From the outside to the inside: deadline, attempts, signature, address policy, wire. Every
attempt is signed anew, because a nonce and a time are good for one request only.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from msgspec import field

from polyvalent.egress.deadline import Deadlines
from polyvalent.egress.failure import BrokenAnswer, DeadlinePassed, NotConnected
from polyvalent.egress.pool import CLOSED, Pool
from polyvalent.egress.resolve import Resolve, ask_system
from polyvalent.egress.retry import PASSING_STATUSES, SAFE_METHODS, asked_pause_s, backoff_s
from polyvalent.egress.target import Target, target_reader
from polyvalent.egress.wire import Progress, transmit
from polyvalent.errors import Unavailable
from polyvalent.exchange import Exchange, Request
from polyvalent.settings import Network
from polyvalent.value import Value

Sign = Callable[[Request], Request]
Observe = Callable[[Exchange], None]

DEFAULT_DEADLINE_S = 60.0
DEFAULT_MAX_BODY_BYTES = 32 * 1024 * 1024


class _Call(Value, frozen=True, kw_only=True):
    # One `send` with everything its attempts share.
    request: Request
    target: Target
    sign: Sign | None
    max_body_bytes: int
    attempts: int
    observe: Observe | None
    ends_at_s: float  # on the loop's clock
    tries: list[Progress] = field(default_factory=list)

    @property
    def safe(self) -> bool:
        return self.request.method.upper() in SAFE_METHODS


class Door:
    """
    Hold the connections to all vendors of one process.

    `allow` are the networks that may be called although they are not public. The pool is opened
    by the first `send`, in its loop; `close` ends it for good. `tls` replaces the system's
    trusted authorities. `resolve`, `pause`, `chance` and `now` are the world as this door sees
    it: names, waiting, randomness from 0 to 1, and the time in UTC.
    """

    def __init__(
        self,
        *,
        allow: tuple[Network, ...] = (),
        user_agent: str = "polyvalent",
        tls: ssl.SSLContext | None = None,
        connect_timeout_s: float = 10.0,
        resolve: Resolve = ask_system,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._allow = allow
        self._read_target = target_reader(allow)
        self._user_agent = user_agent
        self._tls = tls
        self._connect_timeout_s = connect_timeout_s
        self._resolve = resolve
        self._pause = pause
        self._chance = chance
        self._now = now
        self._pool: Pool | None = None
        self._deadlines = Deadlines()
        self._closed = False

    async def __aenter__(self) -> Self:
        """Return the door, to be closed at the end of the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the door."""
        await self.close()

    async def close(self) -> None:
        """Close every connection; calls under way fail, later ones raise Unavailable."""
        self._closed = True
        if self._pool is not None:
            self._pool.close()
            self._pool = None
            await asyncio.sleep(0)  # sockets close in the loop's next round

    async def send(
        self,
        request: Request,
        *,
        sign: Sign | None = None,
        deadline_s: float = DEFAULT_DEADLINE_S,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        attempts: int = 1,
        observe: Observe | None = None,
    ) -> Exchange:
        """
        Send a request and return it, as signed, with its answer, whatever the status.

        `deadline_s` covers everything: looking the name up, all attempts, the pauses between
        them and reading the body. `max_body_bytes` counts the unpacked body. `sign` is called
        for each attempt; `observe` receives each exchange that was completed, also those that
        another attempt follows.

        With `attempts` above 1 another attempt follows where no connection came about, and for
        GET and HEAD where the connection ended before an answer or the status is 502, 503 or
        504; the pause doubles, or is what `Retry-After` asks for. When the time or the attempts
        are used up, the last exchange is returned or the last error raised. A GET or HEAD that
        met a pooled connection at the moment it was closed is repeated once in any case.
        Redirects are returned, never followed.

        Raises BadRequest (URL, method or headers cannot be sent); AddressRefused, NotConnected,
        BrokenAnswer and DeadlinePassed, whose `sent` tells whether the vendor may have got the
        request; Unavailable when the door is closed.
        """
        target = self._read_target(request.url)
        deadline = self._deadlines.within(deadline_s)
        call = _Call(
            request=request,
            target=target,
            sign=sign,
            max_body_bytes=max_body_bytes,
            attempts=attempts,
            observe=observe,
            ends_at_s=deadline.ends_at_s,
        )
        try:
            with deadline:
                return await self._send_until_done(call)
        except TimeoutError:
            if not deadline.passed:
                raise
        sent = any(progress.connected for progress in call.tries)
        doubt = " The request may have taken effect." if sent and not call.safe else ""
        raise DeadlinePassed(
            f"{target.place} did not answer within {deadline_s:g} s.{doubt}",
            sent=sent,
            attempts=len(call.tries),
        )

    async def _send_until_done(self, call: _Call) -> Exchange:
        attempt = 0
        repeated = False
        while True:
            attempt += 1
            outcome = await self._try_once(call)
            if _met_closing_connection(call, outcome) and not repeated:
                repeated = True
                attempt -= 1
                continue
            pause_s = self._pause_before_next(call, outcome, attempt=attempt)
            if pause_s is None:
                if isinstance(outcome, Exchange):
                    return outcome
                raise outcome
            await self._pause(pause_s)

    async def _try_once(self, call: _Call) -> Exchange | NotConnected | BrokenAnswer:
        progress = Progress()
        call.tries.append(progress)
        started_s = time.perf_counter()
        request = call.request if call.sign is None else call.sign(call.request)
        target = call.target
        if request.url != call.request.url:
            target = self._read_target(request.url)
        try:
            response = await transmit(
                self._open(),
                request,
                target=target,
                user_agent=self._user_agent,
                max_body_bytes=call.max_body_bytes,
                progress=progress,
            )
        except (NotConnected, BrokenAnswer) as failure:
            failure.attempts = len(call.tries)
            return failure
        exchange = Exchange(
            request=request,
            response=response,
            elapsed_ms=(time.perf_counter() - started_s) * 1000,
            attempts=len(call.tries),
        )
        if call.observe is not None:
            call.observe(exchange)
        return exchange

    def _pause_before_next(
        self, call: _Call, outcome: Exchange | NotConnected | BrokenAnswer, *, attempt: int
    ) -> float | None:
        # None where the outcome is final.
        if attempt >= call.attempts or not _may_pass(call, outcome):
            return None
        pause_s = backoff_s(attempt, chance=self._chance())
        if isinstance(outcome, Exchange):
            asked_s = asked_pause_s(outcome.response, now=self._now())
            pause_s = pause_s if asked_s is None else max(pause_s, asked_s)
        left_s = call.ends_at_s - asyncio.get_running_loop().time()
        return pause_s if pause_s < left_s else None

    def _open(self) -> Pool:
        if self._closed:
            raise Unavailable(CLOSED)
        if self._pool is None:
            self._pool = Pool(
                allow=self._allow,
                resolve=self._resolve,
                tls=self._tls,
                connect_timeout_s=self._connect_timeout_s,
            )
        return self._pool


def _met_closing_connection(call: _Call, outcome: Exchange | NotConnected | BrokenAnswer) -> bool:
    return (
        isinstance(outcome, BrokenAnswer)
        and not outcome.begun
        and call.safe
        and call.tries[-1].reused
    )


def _may_pass(call: _Call, outcome: Exchange | NotConnected | BrokenAnswer) -> bool:
    # A fault that may pass by itself, at a request that may be sent again.
    match outcome:
        case NotConnected():
            return not outcome.lasting
        case BrokenAnswer():
            return call.safe and not outcome.begun
        case Exchange():
            return call.safe and outcome.response.status in PASSING_STATUSES
