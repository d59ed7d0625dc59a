"""Prove that new credentials work, by one cheap read, before an instance is stored."""

from __future__ import annotations

from polyvalent.auth.oauth1 import TokenCredentials
from polyvalent.auth.oauth1_answer import parse_problem
from polyvalent.auth.oauth1_variant import STANDARD, Variant
from polyvalent.auth.percent import encode_query
from polyvalent.catalog.classify import classify, error_of
from polyvalent.catalog.element import Element, VerificationRead
from polyvalent.catalog.verification import judge_rows
from polyvalent.errors import Forbidden, PolyvalentError
from polyvalent.exchange import Exchange, Request, Response
from polyvalent.instances.application import client_credentials
from polyvalent.instances.configuration import fill, fill_all
from polyvalent.instances.model import Configuration, Connection
from polyvalent.instances.ports import Ports
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

    The element's verification reads are tried in order until the vendor permits one; its rows
    must show what a fully authorized user sees. Raises VendorRefused (401 credentials,
    403 rights), VendorFailure, VendorUnreachable, VendorTimeout. Effects: one to a few reads.
    """
    if not is_signed(element, configuration):
        await _verify_unsigned(ports, element, configuration, watch=watch)
        return STANDARD
    variant = STANDARD
    forbidden: PolyvalentError | None = None
    for read in element.verification:
        request = _request(configuration, read)
        with ports.lookout.calling(element, request) as answered:
            reached = await reach(
                ports,
                request,
                # REST calls carry OAuth in the header whatever the handshake used: it is the only
                # place that vendors with both agree on.
                keys=SigningKeys(client=client_credentials(configuration), token=token),
                variant=variant,
                attempts=2,
                max_body_bytes=LARGEST_ROWS_BYTES,
                observe=watch.observe,
            )
            answered(reached.decisive.exchange, attempts=reached.sent)
        variant = reached.decisive.variant
        error = _judge(element, read, reached)
        if error is None:
            return variant
        if error.status != Forbidden.status or not _denied(element, reached.response):
            raise error
        forbidden = forbidden or error
    if forbidden is not None:
        raise forbidden
    return variant


async def _verify_unsigned(
    ports: Ports, element: Element, configuration: Configuration, *, watch: Watch
) -> None:
    connection = Connection(
        instance_id=0,
        element=element,
        configuration=fill_all(configuration),
        client=None,
        token=None,
        variant=STANDARD,
    )

    async def reach_observed(connection: Connection, request: Request) -> Exchange:
        with ports.lookout.calling(element, request) as answered:
            exchange = await ports.door.send(
                add_credentials(element, connection.configuration, request),
                deadline_s=ports.deadline_s,
                attempts=2,
                max_body_bytes=LARGEST_ROWS_BYTES,
            )
            answered(exchange, attempts=exchange.attempts)
        attempt = Attempt(
            exchange=exchange, variant=STANDARD, base_string="", received_at=ports.now()
        )
        watch.observe(attempt)
        return exchange

    # Without anything to read, at least the credentials are there.
    add_credentials(element, connection.configuration, Request(method="GET", url=""))
    await ports.prove(connection, reach_observed)


def _request(configuration: Configuration, read: VerificationRead) -> Request:
    query = f"?{encode_query(read.query)}" if read.query else ""
    return Request(
        method="GET",
        url=fill(configuration, "base.url") + read.vendor_path + query,
        headers=(("Accept", "application/json"),),
        template=read.vendor_path,
    )


def _denied(element: Element, response: Response) -> bool:
    rule = classify(element, "GET", response)
    return rule is not None and rule.kind == "permission"


def _judge(element: Element, read: VerificationRead, reached: Reached) -> PolyvalentError | None:
    response = reached.response
    rule = classify(element, "GET", response)
    if rule is None:
        return judge_rows(read, response)
    if parse_problem(response.body, response.headers) is not None:
        return refusal_of(reached, step="resource", element=element)
    return error_of(rule, response)
