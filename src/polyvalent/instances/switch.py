"""Disable an instance and enable it again; its token stays the same."""

from __future__ import annotations

from polyvalent.errors import NotFound
from polyvalent.instances import sql
from polyvalent.instances.model import Instance
from polyvalent.instances.ports import Ports


async def switch(ports: Ports, instance: Instance, *, enabled: bool) -> None:
    """Enable or disable an instance; doing so twice changes nothing. Raises NotFound."""
    async with ports.database.transaction() as connection:
        there = await sql.update_instance(
            connection, instance.id, now=ports.now(), changes={"disabled": not enabled}
        )
    if not there:
        raise NotFound(f"There is no instance {instance.id} any more.")
