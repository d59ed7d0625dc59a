"""Hold every statement of traces, one function each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from polyvalent.db import Connection
from polyvalent.db.schema import trace


async def insert_trace(
    connection: Connection,
    *,
    trace_id: str,
    organization_id: int,
    element_key: str,
    instance_id: int | None,
    body: str,
    now: datetime,
) -> None:
    """Insert a trace."""
    await connection.execute(
        insert(trace).values(
            id=trace_id,
            organization_id=organization_id,
            element_key=element_key,
            instance_id=instance_id,
            body=body,
            created_at=now,
        )
    )


async def find_trace(
    connection: Connection, *, trace_id: str, organization_id: int, element_key: str
) -> str | None:
    """Find the body of a trace of an element within an organization."""
    found = await connection.execute(
        select(trace.c.body).where(
            trace.c.id == trace_id,
            trace.c.organization_id == organization_id,
            trace.c.element_key == element_key,
        )
    )
    body: str | None = found.scalar_one_or_none()
    return body


async def delete_traces(connection: Connection, *, before: datetime) -> None:
    """Delete the traces that were made before a moment."""
    await connection.execute(delete(trace).where(trace.c.created_at < before))
