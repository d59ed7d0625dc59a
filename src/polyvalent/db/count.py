"""Count rows for whoever watches the platform."""

from __future__ import annotations

from sqlalchemy import func, select

from polyvalent.db.engine import Connection
from polyvalent.db.schema import instance


async def count_instances_by_state(connection: Connection) -> dict[str, int]:
    """Count the instances of all organizations: {"valid": 12, "invalid": 1, "disabled": 0}."""
    counts = {"valid": 0, "invalid": 0, "disabled": 0}
    rows = await connection.execute(
        select(instance.c.valid, instance.c.disabled, func.count().label("number")).group_by(
            instance.c.valid, instance.c.disabled
        )
    )
    for row in rows:
        state = "disabled" if row.disabled else "valid" if row.valid else "invalid"
        counts[state] += row.number
    return counts
