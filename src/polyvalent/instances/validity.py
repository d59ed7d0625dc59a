"""
Know which instances a store has turned away for good, and ask it again now and then.

A store that says that a token is revoked or unknown makes the instance invalid: it stays, with
the reason and the time, and its calls are answered with 401 without troubling the store, but for
one call in each interval, so that an instance heals by itself when the store changes its mind.
Nothing else makes an instance invalid, and no outage does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from polyvalent.errors import PolyvalentError, Unavailable, VendorRefused
from polyvalent.instances import sql
from polyvalent.instances.model import Connection, InstanceId
from polyvalent.instances.ports import Ports

# One call in each is sent all the same; per process.
ASK_AGAIN_S = 60.0


class Validity:
    """Let the calls of invalid instances through one in each interval, and note what came of it."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        # When an invalid instance was last sent out, on the loop's clock.
        self._asked_s: dict[int, float] = {}

    def admit(self, connection: Connection) -> None:
        """Let a call pass; raises VendorRefused (401) for an instance that was turned away."""
        invalid = connection.invalid
        if invalid is None:
            return
        now_s = asyncio.get_running_loop().time()
        asked_s = self._asked_s.get(connection.instance_id)
        if asked_s is None or now_s - asked_s >= ASK_AGAIN_S:
            self._asked_s[connection.instance_id] = now_s
            return
        since = f" since {invalid.since:%Y-%m-%d %H:%M:%S} UTC" if invalid.since else ""
        again_s = max(1, round(asked_s + ASK_AGAIN_S - now_s))
        raise VendorRefused(
            f"This instance is invalid{since}, and the store was not asked again: "
            f"{invalid.reason} PUT /instances/{connection.instance_id} with new providerData "
            f"makes it valid; the store is asked again by a call in {again_s} s or later.",
            status=401,
        )

    async def mark(self, connection: Connection, error: PolyvalentError) -> None:
        """Make an instance invalid, unless it was changed since the connection was made."""
        self._asked_s[connection.instance_id] = asyncio.get_running_loop().time()
        if connection.invalid is not None:
            return
        now = self._ports.now()
        changes = {"valid": False, "invalid_reason": error.message, "invalid_at": now}
        await self._update(connection, changes)

    async def heal(self, connection: Connection) -> None:
        """Make an invalid instance valid that its store answers again."""
        if connection.invalid is None:
            return
        self._asked_s.pop(connection.instance_id, None)
        changes = {"valid": True, "invalid_reason": None, "invalid_at": None}
        await self._update(connection, changes)

    async def _update(self, connection: Connection, changes: Mapping[str, Any]) -> None:
        # The store has answered: that must be told, and the next call notes what this one cannot.
        with suppress(Unavailable):
            async with self._ports.database.transaction() as transaction:
                await sql.update_instance(
                    transaction,
                    InstanceId(connection.instance_id),
                    now=self._ports.now(),
                    changes=changes,
                    version=connection.version,
                )
            self._ports.memory.doubt()
