"""Ask whether what was read a moment ago is still so, with one small statement."""

from __future__ import annotations

from sqlalchemy import select

from polyvalent.db.engine import Connection
from polyvalent.db.schema import element_version, instance


async def read_versions(connection: Connection, instance_id: int) -> tuple[int, int] | None:
    """Return the version of an instance and that of its organization's elements, None if gone."""
    table, elements = instance, element_version
    joined = table.outerjoin(elements, elements.c.organization_id == table.c.organization_id)
    query = (
        select(table.c.version, elements.c.version.label("elements"))
        .select_from(joined)
        .where(table.c.id == instance_id)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else (row.version, row.elements or 0)
