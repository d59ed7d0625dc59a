"""Give a new instance what its element obtains at the store by calls of its own."""

from __future__ import annotations

from polyvalent.auth.oauth1 import TokenCredentials
from polyvalent.catalog.element import Element
from polyvalent.instances.model import Configuration
from polyvalent.instances.ports import Ports
from polyvalent.instances.verify import Way
from polyvalent.instances.watch import Watch

ON_PROVISION = "onProvision"


async def obtain(
    ports: Ports,
    element: Element,
    configuration: Configuration,
    *,
    token: TokenCredentials,
) -> dict[str, str | None]:
    """
    Call the element's onProvision resources in order; return the configuration with what they gave.

    A login that answers {"ticket": "t"} → {..., "session.id": "t"}, which the calls behind it can
    use already. Raises what `ports.obtain` raises; nothing is stored here.
    Effects: one call for each such resource, and those of its chain.
    """
    completed = dict(configuration)
    resources = [item for item in element.resources if item.type == ON_PROVISION]
    if not resources:
        return completed
    # Whoever asked for a trace does not see these: their answers are secrets by whatever name.
    way = Way(ports, element, configuration, token=token, watch=Watch())
    for resource in resources:
        connection = way.connect(completed)
        completed |= await ports.obtain(connection, resource, way.reach)
    return completed
