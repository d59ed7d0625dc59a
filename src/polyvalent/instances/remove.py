"""Delete an instance with everything that belongs to it."""

from __future__ import annotations

from polyvalent.errors import NotFound
from polyvalent.instances import sql
from polyvalent.instances.model import Instance
from polyvalent.instances.ports import Ports


async def remove(ports: Ports, instance: Instance) -> None:
    """
    Delete an instance, its tags, configuration, credentials and traces.

    The token stays valid at the store until the merchant revokes it there: OAuth 1.0a has no
    call for that. Raises NotFound if it is gone already.
    """
    async with ports.database.transaction() as connection:
        ports.mark("remove.in_transaction")
        if not await sql.delete_instance(connection, instance.id):
            raise NotFound(f"There is no instance {instance.id} any more.")
        ports.mark("remove.before_commit")
