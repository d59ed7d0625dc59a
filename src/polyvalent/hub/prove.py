"""Prove that a connection works, by cheap reads that its element names."""

from __future__ import annotations

from polyvalent.catalog.classify import error_of
from polyvalent.catalog.verification import judge_rows
from polyvalent.errors import VendorError
from polyvalent.hub.build import build_request, build_verification
from polyvalent.hub.model import Incoming, Reach
from polyvalent.hub.read import check, rule_of
from polyvalent.instances.model import Connection


async def prove_connection(connection: Connection, reach: Reach) -> None:
    """
    Read with a connection what shows that its credentials work.

    The element's verification reads are tried until the vendor permits one; then come its
    resources of the type provisionAuthValidation, each once. Without any nothing is asked.
    Raises what the vendor's refusal means. Effects: reads at the vendor.
    """
    element = connection.element
    denied: VendorError | None = None
    for read in element.verification:
        request = build_verification(element, read, configuration=connection.configuration)
        exchange = await reach(connection, request)
        rule = rule_of(element, exchange)
        if rule is None:
            fault = judge_rows(read, exchange.response)
            if fault is not None:
                raise fault
            denied = None
            break
        error = error_of(rule, exchange.response)
        if rule.kind != "permission":
            raise error
        denied = denied or error
    if denied is not None:
        raise denied
    for resource in element.resources:
        if resource.type == "provisionAuthValidation":
            request = build_request(
                element,
                resource,
                configuration=connection.configuration,
                path_parameters={},
                incoming=Incoming(method=resource.method, path=resource.path),
            )
            check(element, await reach(connection, request))
