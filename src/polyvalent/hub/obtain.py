"""Make the calls that an element wants made once when an instance is created."""

from __future__ import annotations

from polyvalent.catalog.element import Element, Resource
from polyvalent.errors import VendorError, VendorFailure
from polyvalent.exchange import Response
from polyvalent.hub.chain import follow_chain
from polyvalent.hub.made_call import MadeCall
from polyvalent.hub.mapped import Route
from polyvalent.hub.model import Incoming, Reach
from polyvalent.hub.read import check
from polyvalent.hub.resolve import Match, strip_hub
from polyvalent.hub.values import find_member, read_json, write_text
from polyvalent.instances.model import Connection


async def obtain_values(connection: Connection, resource: Resource, reach: Reach) -> dict[str, str]:
    """
    Make the call of one onProvision resource and return what it gives the instance to keep.

    A parameter {"name": "session.id", "type": "configuration", "vendorName": "data.ticket",
    "vendorType": "bodyField", "source": "response"} and the answer {"data": {"ticket": "t"}} →
    {"session.id": "t"}. What the answer lacks is left out, unless the parameter is required.
    Raises what the vendor's refusal means, VendorFailure for an answer that lacks what is
    required, BadRequest as `follow_chain`. Effects: calls the vendor, once for each of a chain.
    """
    element = connection.element
    place = f"{resource.method} {strip_hub(resource.path)}"
    match = follow_chain(element, Match(resource=resource, path_parameters={}))
    made = MadeCall(
        connection=connection,
        incoming=Incoming(method=resource.method, path=resource.path),
        route=Route(path=resource.path),
        match=match,
        reach=reach,
    )
    try:
        exchange = await made.send(match)
        check(element, exchange)
        return _read_values(element, match.resource, exchange.response, place=place)
    except VendorError as error:
        error.message += f" This was the call {place}, which the element makes at the creation."
        raise


def _read_values(
    element: Element, resource: Resource, response: Response, *, place: str
) -> dict[str, str]:
    found: dict[str, str] = {}
    data = read_json(response.body)
    for item in (*element.parameters, *resource.parameters):
        if (item.source, item.type, item.vendor_type) != ("response", "configuration", "bodyField"):
            continue
        text = write_text(find_member(data, item.vendor_name))
        if text is not None:
            found[item.name] = text
        elif item.required:
            raise VendorFailure(
                f"The vendor's answer to {place} lacks {item.vendor_name[:100]}, which the "
                f"instance needs as {item.name[:100]}."
            )
    return found
