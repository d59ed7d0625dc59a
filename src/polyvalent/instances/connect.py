"""Make a stored instance ready to call, and give calls the way to its store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from polyvalent.auth.oauth1 import TokenCredentials
from polyvalent.auth.oauth1_variant import parse_variant
from polyvalent.catalog.element import Element
from polyvalent.exchange import Exchange, Request
from polyvalent.instances import sql
from polyvalent.instances.application import client_credentials
from polyvalent.instances.configuration import fill_all
from polyvalent.instances.model import Connection, Instance, InstanceId
from polyvalent.instances.ports import Ports
from polyvalent.instances.reach import SigningKeys, reach

READ_ATTEMPTS = 3


def connect(instance: Instance, *, element: Element) -> Connection:
    """Build the connection of an instance: placeholders filled, credentials in hand."""
    configuration = instance.configuration
    token = configuration.get("oauth.user.token")
    return Connection(
        instance_id=instance.id,
        element=element,
        configuration=fill_all(configuration),
        client=client_credentials(configuration),
        token=TokenCredentials(token, configuration.get("oauth.user.token.secret") or "")
        if token
        else None,
        variant=parse_variant(instance.signing_variant),
        disabled=instance.disabled,
    )


def make_reach(ports: Ports) -> Callable[[Connection, Request], Awaitable[Exchange]]:
    """
    Return the function that signs and sends the calls of connections.

    Reads are tried again where that is safe; writes once. A way of signing that worked where
    the remembered one did not is remembered with the instance.
    """

    async def reach_connection(connection: Connection, request: Request) -> Exchange:
        if connection.client is None:
            return await ports.door.send(request, deadline_s=ports.deadline_s)
        reached = await reach(
            ports,
            request,
            keys=SigningKeys(client=connection.client, token=connection.token),
            variant=connection.variant,
            attempts=READ_ATTEMPTS if request.method == "GET" else 1,
        )
        learned = reached.decisive.variant
        if reached.understood and learned != connection.variant:
            await _remember(ports, connection.instance_id, variant=str(learned))
        return reached.decisive.exchange

    return reach_connection


async def _remember(ports: Ports, instance_id: int, *, variant: str) -> None:
    async with ports.database.transaction() as transaction:
        await sql.update_instance(
            transaction,
            InstanceId(instance_id),
            now=ports.now(),
            changes={"signing_variant": variant},
        )
