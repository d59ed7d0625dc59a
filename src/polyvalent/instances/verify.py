"""Prove that new credentials work, by one cheap read, before an instance is stored."""

from __future__ import annotations

from polyvalent.auth.oauth1 import TokenCredentials
from polyvalent.auth.oauth1_answer import parse_problem
from polyvalent.auth.oauth1_variant import STANDARD, Variant
from polyvalent.catalog.classify import classify
from polyvalent.catalog.element import Element
from polyvalent.errors import PolyvalentError
from polyvalent.exchange import Exchange, Request
from polyvalent.instances.application import client_credentials
from polyvalent.instances.configuration import fill, fill_all
from polyvalent.instances.model import Configuration, Connection
from polyvalent.instances.ports import Ports, ReachOne
from polyvalent.instances.reach import Attempt, Reached, SigningKeys, reach
from polyvalent.instances.refuse import refusal_of
from polyvalent.instances.scheme import add_credentials, is_signed
from polyvalent.instances.watch import Watch

# One row is asked for; a store that sends more is not what it should be.
LARGEST_ROWS_BYTES = 1024 * 1024


async def verify(
    ports: Ports,
    element: Element,
    configuration: Configuration,
    *,
    token: TokenCredentials,
    watch: Watch,
) -> Variant:
    """
    Read once with the new credentials and return the way of signing that worked.

    What is read, and what its answers mean, is `ports.prove`'s; how the calls show who they are
    from is decided here. Raises VendorRefused (401 credentials, 403 rights), VendorFailure,
    VendorUnreachable, VendorTimeout. Effects: one to a few reads.
    """
    way = Way(ports, element, configuration, token=token, watch=watch)
    await ports.prove(way.connect(configuration), way.reach)
    return way.variant


class Way:
    """Send the calls of an instance that is not stored yet, and learn how they are signed."""

    def __init__(
        self,
        ports: Ports,
        element: Element,
        configuration: Configuration,
        *,
        token: TokenCredentials,
        watch: Watch,
    ) -> None:
        self._ports = ports
        self._element = element
        self._watch = watch
        self.variant = STANDARD
        self._keys: SigningKeys | None = None
        if is_signed(element, configuration):
            fill(configuration, "base.url")  # an address that cannot be filled is told now
            # REST calls carry OAuth in the header whatever the handshake used: it is the only
            # place that vendors with both agree on.
            self._keys = SigningKeys(client=client_credentials(configuration), token=token)
        else:
            # Without anything to read, at least the credentials are there.
            add_credentials(element, fill_all(configuration), Request(method="GET", url=""))

    @property
    def reach(self) -> ReachOne:
        """Return what sends a call of a connection."""
        return self._send_plain if self._keys is None else self._send_signed

    def connect(self, configuration: Configuration) -> Connection:
        """Return a connection by a configuration, its placeholders filled."""
        return Connection(
            instance_id=0,
            element=self._element,
            configuration=fill_all(configuration),
            client=None,
            token=None,
            variant=self.variant,
        )

    async def _send_signed(self, _: Connection, request: Request) -> Exchange:
        assert self._keys is not None  # see `reach`
        with self._ports.lookout.calling(self._element, request) as answered:
            reached = await reach(
                self._ports,
                request,
                keys=self._keys,
                variant=self.variant,
                attempts=2,
                max_body_bytes=LARGEST_ROWS_BYTES,
                observe=self._watch.observe,
            )
            answered(reached.decisive.exchange, attempts=reached.sent)
        self.variant = reached.decisive.variant
        refusal = _refusal_of(self._element, reached)
        if refusal is not None:
            raise refusal
        return reached.decisive.exchange

    async def _send_plain(self, connection: Connection, request: Request) -> Exchange:
        with self._ports.lookout.calling(self._element, request) as answered:
            exchange = await self._ports.door.send(
                add_credentials(self._element, connection.configuration, request),
                deadline_s=self._ports.deadline_s,
                attempts=2,
                max_body_bytes=LARGEST_ROWS_BYTES,
            )
            answered(exchange, attempts=exchange.attempts)
        attempt = Attempt(
            exchange=exchange, variant=STANDARD, base_string="", received_at=self._ports.now()
        )
        self._watch.observe(attempt)
        return exchange


def _refusal_of(element: Element, reached: Reached) -> PolyvalentError | None:
    # A named OAuth problem is told by its likely causes; what else failed is judged by the reader.
    response = reached.response
    failed = classify(element, reached.decisive.exchange.request.method, response) is not None
    if not failed or parse_problem(response.body, response.headers) is None:
        return None
    return refusal_of(reached, step="resource", element=element)
