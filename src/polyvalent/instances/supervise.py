"""
Watch over the calls of connections: who may call, how often, and what an answer asks of us.

From the outside to the inside: is the instance valid, has it calls left, does its store rest; then
the call; then what the answer means. An answer that asks to wait is waited for if there is time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from msgspec import structs

from polyvalent.auth.oauth1_answer import parse_problem
from polyvalent.catalog.classify import classify, error_of, provider_message
from polyvalent.catalog.element import FailureRule
from polyvalent.egress.retry import asked_pause_s, backoff_s
from polyvalent.errors import PolyvalentError, VendorBusy
from polyvalent.exchange import Exchange, Request
from polyvalent.instances.budget import Budget, Pause
from polyvalent.instances.model import Connection
from polyvalent.instances.ports import Ports
from polyvalent.instances.reach import Reached
from polyvalent.instances.refuse import refusal_of
from polyvalent.instances.validity import Validity
from polyvalent.settings import Settings
from polyvalent.traces.redact import conceal
from polyvalent.value import Value

WAITS_MAX = 5
# A header that asks for days is a mistake, which must not silence an instance for days.
LONGEST_HOLD_S = 3600.0


class Sent(Value, frozen=True, kw_only=True):
    """Hold the answer to one call; `reached` where it was signed with OAuth 1."""

    exchange: Exchange
    reached: Reached | None = None


# Signs a request, sends it within some seconds and returns the answer, whatever its status.
Send = Callable[[Connection, Request, float], Awaitable[Sent]]


@dataclass(frozen=True, kw_only=True)
class Supervisor:
    """Hold what the calls of one process share."""

    ports: Ports
    send: Send
    budget: Budget
    validity: Validity
    pause: Pause = asyncio.sleep
    chance: Callable[[], float] = field(default=random.random)

    async def reach(self, connection: Connection, request: Request) -> Exchange:
        """
        Send the call of a connection and return its answer, whatever the status but these.

        Raises VendorRefused where the store turns the instance's credentials away, explained as
        when it was created; VendorBusy where the budget is used up, the store rests or wants more
        time than there is; and what `Door.send` raises. Effects: an instance whose token the store
        does not accept any more becomes invalid, one that it accepts again valid.
        """
        self.validity.admit(connection)
        loop = asyncio.get_running_loop()
        ends_at_s = loop.time() + self.ports.deadline_s
        waits = 0
        while True:
            await self.budget.take(connection, within_s=ends_at_s - loop.time())
            sent = await self._call(connection, request, left_s=ends_at_s - loop.time())
            response = sent.exchange.response
            rule = classify(connection.element, request.method, response)
            if rule is None:
                if connection.invalid is not None:
                    await self.validity.heal(connection)
                return sent.exchange
            if rule.kind != "wait":
                await self._judge(connection, sent, rule)
                return sent.exchange
            waits += 1
            pause_s = self._asked_s(connection, sent.exchange, waits=waits)
            await self.budget.hold(connection, for_s=pause_s)
            if waits > WAITS_MAX or pause_s >= ends_at_s - loop.time():
                raise VendorBusy(
                    rule.message,
                    retry_after_s=pause_s,
                    provider_message=provider_message(response),
                )
            await self.pause(pause_s)

    async def _call(self, connection: Connection, request: Request, *, left_s: float) -> Sent:
        whose = connection.organization_id
        with self.ports.lookout.calling(connection.element, request, whose=whose) as answered:
            sent = await self.send(connection, request, max(0.001, left_s))
            reached = sent.reached
            answered(sent.exchange, attempts=reached.sent if reached else sent.exchange.attempts)
            return _concealed(sent, connection.secrets)

    async def _judge(self, connection: Connection, sent: Sent, rule: FailureRule) -> None:
        if rule.kind not in ("reauthorize", "configuration"):
            return
        error = _refusal(connection, sent, rule)
        if rule.kind == "reauthorize":
            await self.validity.mark(connection, error or error_of(rule, sent.exchange.response))
        if error is not None:
            raise error

    def _asked_s(self, connection: Connection, exchange: Exchange, *, waits: int) -> float:
        limits = connection.element.limits
        headers = limits.retry_after if limits is not None else ()
        asked_s = asked_pause_s(exchange.response, now=self.ports.now(), headers=headers)
        if asked_s is not None:
            return min(asked_s, LONGEST_HOLD_S)
        # Nothing is said, so the pause is longer than between attempts: a second, then twice that.
        return 4 * backoff_s(waits, chance=self.chance())


def _concealed(sent: Sent, secrets: tuple[str, ...]) -> Sent:
    # A refusal is told to people: some stores say in it which key they do not like.
    exchange = sent.exchange
    response = exchange.response
    if not secrets or 200 <= response.status < 300 or not response.body:
        return sent
    text = response.body.decode("utf-8", "replace")
    shown = conceal(text, secrets)
    if shown == text:
        return sent
    told = structs.replace(response, body=shown.encode())
    return structs.replace(sent, exchange=structs.replace(exchange, response=told))


def make_supervisor(ports: Ports, settings: Settings, *, send: Send) -> Supervisor:
    """Make the supervisor of a process from its settings."""
    return Supervisor(
        ports=ports,
        send=send,
        budget=Budget(ports.database, per_second=settings.calls_per_second, now=ports.now),
        validity=Validity(ports),
    )


def _refusal(connection: Connection, sent: Sent, rule: FailureRule) -> PolyvalentError | None:
    # The explanation knows clock, port and variants; without a named problem the rule says more.
    response = sent.exchange.response
    if sent.reached is None or parse_problem(response.body, response.headers) is None:
        return None
    error = refusal_of(sent.reached, step="resource", element=connection.element)
    if error.provider_message:
        error.provider_message = conceal(error.provider_message, connection.secrets)
    return error if error.status in (400, 401) else error_of(rule, response)
