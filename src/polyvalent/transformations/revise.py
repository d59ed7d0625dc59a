"""Change an organization's definitions and transformations, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from polyvalent.db import Connection, lock
from polyvalent.instances.ports import Ports
from polyvalent.transformations import sql


@asynccontextmanager
async def revising(ports: Ports, organization_id: int) -> AsyncIterator[Connection]:
    """
    Give a transaction in which one change to an organization's mappings is made.

    Others that change the same organization's wait, so that what was looked up holds until the
    end; compiled mappings are made anew afterwards, in every process.
    """
    async with ports.database.transaction() as connection:
        await lock(connection, f"transformations/{organization_id}")
        yield connection
        await sql.count_version_up(connection, organization_id=organization_id)
