"""
Send a request signed, and find the way of signing that a server understands.

One of the two loops around a call: when a server answers that the signature is invalid, nothing
was done there, so the request is signed again in the next known variant and sent anew. What
worked is returned, to be remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import ClassVar

from polyvalent.auth.oauth1 import ClientCredentials, TokenCredentials, Transmission, sign
from polyvalent.auth.oauth1_answer import measure_skew_s
from polyvalent.auth.oauth1_trial import variants_for
from polyvalent.auth.oauth1_variant import Variant
from polyvalent.egress.door import DEFAULT_MAX_BODY_BYTES
from polyvalent.exchange import Exchange, Request, Response
from polyvalent.instances.ports import Ports
from polyvalent.value import Value

# Another attempt in less time than this would only run into the deadline.
LEAST_S = 0.2
# Credentials and problem reports are a line or two, error pages some kilobytes.
LARGEST_REPLY_BYTES = 256 * 1024
NONCE_BYTES = 16  # 32 hex digits: longer ones are cut by some servers and then collide


class SigningKeys(Value, frozen=True, kw_only=True):
    """Hold what one signature is made from."""

    hidden: ClassVar[frozenset[str]] = frozenset({"callback", "verifier"})

    client: ClientCredentials
    token: TokenCredentials | None = None
    callback: str | None = None
    verifier: str | None = None
    transmission: Transmission = "header"


class Attempt(Value, frozen=True, kw_only=True):
    """Pair one exchange with the way it was signed; the base string holds no secret key."""

    hidden: ClassVar[frozenset[str]] = frozenset({"base_string"})

    exchange: Exchange
    variant: Variant
    base_string: str
    received_at: datetime  # by our clock, UTC


class Reached(Value, frozen=True, kw_only=True):
    """
    Hold every attempt of one signed call, and the one that counts.

    `decisive` is the last attempt if its signature was understood, else the first.
    """

    attempts: tuple[Attempt, ...]
    understood: bool

    @property
    def decisive(self) -> Attempt:
        """Return the attempt whose answer is the answer."""
        return self.attempts[-1] if self.understood else self.attempts[0]

    @property
    def response(self) -> Response:
        """Return the decisive answer."""
        return self.decisive.exchange.response

    @property
    def sent(self) -> int:
        """Return how often the call was sent, in all ways of signing."""
        return sum([attempt.exchange.attempts for attempt in self.attempts])

    @property
    def skew_s(self) -> float | None:
        """Return how far the server's clock is ahead of ours; None if it sent no date."""
        attempt = self.decisive
        return measure_skew_s(
            attempt.exchange.response.header("Date"), received_at=attempt.received_at
        )


async def reach(
    ports: Ports,
    request: Request,
    *,
    keys: SigningKeys,
    variant: Variant,
    attempts: int = 1,
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    deadline_s: float | None = None,
    observe: Callable[[Attempt], None] | None = None,
) -> Reached:
    """
    Sign and send a request, first in the given variant, then in those that may matter for it.

    `attempts` is for failures of the network, each signed anew; the variants come on top.
    All of them together take no longer than `deadline_s`, else `ports.deadline_s`: what is left
    after one is the next one's time.
    Raises what `Door.send` raises, and UnsignableRequest.
    """
    made: list[Attempt] = []
    left_s = deadline_s or ports.deadline_s
    ends_at = ports.now() + timedelta(seconds=left_s)
    for candidate in _in_order(variant, request.url):
        if made:
            left_s = (ends_at - ports.now()).total_seconds()
            if left_s < LEAST_S:
                break
        attempt = await _attempt(
            ports,
            request,
            keys=keys,
            variant=candidate,
            limits=_Limits(
                attempts=attempts,
                deadline_s=max(round(left_s, 1), 0.1),
                max_body_bytes=max_body_bytes,
            ),
        )
        made.append(attempt)
        if observe is not None:
            observe(attempt)
        if not signature_refused(attempt.exchange.response):
            return Reached(attempts=tuple(made), understood=True)
    return Reached(attempts=tuple(made), understood=False)


def signature_refused(response: Response) -> bool:
    """
    Say whether the answer is "the signature is wrong", by the name OAuth servers give to it.

    Source: OAuth Problem Reporting extension, signature_invalid.
    """
    if response.status not in (400, 401):
        return False
    challenge = response.header("WWW-Authenticate") or ""
    return b"signature_invalid" in response.body[:8192] or "signature_invalid" in challenge


def _in_order(variant: Variant, url: str) -> Iterator[Variant]:
    yield variant
    # Only a refusal makes it worth working out the others: each is a text to be signed.
    yield from (other for other in variants_for(url) if other != variant)


class _Limits(Value, frozen=True, kw_only=True):
    attempts: int
    deadline_s: float
    max_body_bytes: int


async def _attempt(
    ports: Ports, request: Request, *, keys: SigningKeys, variant: Variant, limits: _Limits
) -> Attempt:
    base_string = ""

    def sign_now(unsigned: Request) -> Request:
        nonlocal base_string
        signed = sign(
            unsigned,
            client=keys.client,
            token=keys.token,
            nonce=ports.random(NONCE_BYTES).hex(),
            timestamp=int(ports.now().timestamp()),
            callback=keys.callback,
            verifier=keys.verifier,
            transmission=keys.transmission,
            variant=variant,
        )
        base_string = signed.base_string
        return signed.request

    exchange = await ports.door.send(
        request,
        sign=sign_now,
        deadline_s=limits.deadline_s,
        max_body_bytes=limits.max_body_bytes,
        attempts=limits.attempts,
    )
    return Attempt(
        exchange=exchange, variant=variant, base_string=base_string, received_at=ports.now()
    )
