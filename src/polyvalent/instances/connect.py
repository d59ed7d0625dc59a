"""Make a stored instance ready to call, and give calls the way to its store."""

from __future__ import annotations

from contextlib import suppress

from polyvalent.auth.oauth1 import TokenCredentials
from polyvalent.auth.oauth1_variant import parse_variant
from polyvalent.catalog.element import Element
from polyvalent.errors import Unavailable
from polyvalent.exchange import Request
from polyvalent.instances import sql
from polyvalent.instances.application import client_credentials
from polyvalent.instances.configuration import fill_all, secret_values
from polyvalent.instances.model import Connection, Instance, InstanceId, Invalid
from polyvalent.instances.ports import Ports
from polyvalent.instances.reach import SigningKeys, reach
from polyvalent.instances.scheme import add_credentials, is_signed
from polyvalent.instances.supervise import Send, Sent

# What may be repeated safely is decided by the door: writes only where nothing was sent.
ATTEMPTS = 3
# Of a page of rows. A hostile store can make every byte stand for thirty in memory once it is read.
LARGEST_ANSWER_BYTES = 8 * 1024 * 1024


def connect(instance: Instance, *, element: Element) -> Connection:
    """Build the connection of an instance: placeholders filled, credentials in hand."""
    configuration = instance.configuration
    token = configuration.get("oauth.user.token")
    return Connection(
        instance_id=instance.id,
        element=element,
        configuration=fill_all(configuration),
        client=client_credentials(configuration) if is_signed(element, configuration) else None,
        token=TokenCredentials(token, configuration.get("oauth.user.token.secret") or "")
        if token
        else None,
        variant=parse_variant(instance.signing_variant),
        secrets=secret_values(element, configuration, sealed=instance.sealed),
        organization_id=instance.organization_id,
        disabled=instance.disabled,
        version=instance.version,
        invalid=None
        if instance.valid
        else Invalid(reason=instance.invalid_reason or "", since=instance.invalid_at),
    )


def make_send(ports: Ports) -> Send:
    """
    Return the function that signs and sends the calls of connections.

    Calls are tried again where that is safe. A way of signing that worked where the remembered
    one did not is remembered with the instance.
    """

    async def send(connection: Connection, request: Request, deadline_s: float) -> Sent:
        if connection.client is None:
            exchange = await ports.door.send(
                add_credentials(connection.element, connection.configuration, request),
                deadline_s=deadline_s,
                attempts=ATTEMPTS,
                max_body_bytes=LARGEST_ANSWER_BYTES,
            )
            return Sent(exchange=exchange)
        reached = await reach(
            ports,
            request,
            keys=SigningKeys(client=connection.client, token=connection.token),
            variant=connection.variant,
            attempts=ATTEMPTS,
            deadline_s=deadline_s,
            max_body_bytes=LARGEST_ANSWER_BYTES,
        )
        decisive, known = reached.decisive, connection.variant
        if decisive.variant is not known and reached.understood and decisive.variant != known:
            await _remember(ports, connection.instance_id, variant=str(decisive.variant))
        return Sent(exchange=decisive.exchange, reached=reached)

    return send


async def _remember(ports: Ports, instance_id: int, *, variant: str) -> None:
    # The store has answered: that must be told, and the next call may learn it again.
    with suppress(Unavailable):
        async with ports.database.transaction() as transaction:
            await sql.update_instance(
                transaction,
                InstanceId(instance_id),
                now=ports.now(),
                changes={"signing_variant": variant},
            )
        ports.memory.doubt()
