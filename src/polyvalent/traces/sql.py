"""Hold every statement of traces, one function each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, true

from polyvalent.db import Connection, next_id
from polyvalent.db.key_file import KeyFile
from polyvalent.db.schema import instance, sealed_context, trace
from polyvalent.db.schema_calls import call_trace
from polyvalent.vault import Random, seal

_SUMMARY = tuple(
    call_trace.c[name]
    for name in (
        "id",
        "instance_id",
        "trace_id",
        "method",
        "path",
        "status",
        "elapsed_ms",
        "vendor_calls",
        "created_at",
    )
)


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


async def insert_call_trace(
    connection: Connection,
    keys: KeyFile,
    *,
    random: Random,
    columns: Mapping[str, Any],
    body: str,
) -> None:
    """Insert a trace; its body is sealed."""
    trace_id = await next_id(connection, call_trace)
    context = sealed_context(call_trace.c.body_sealed, {"id": trace_id})
    sealed = seal(keys.ring(), body, context=context, random=random)
    await connection.execute(
        insert(call_trace).values(
            id=trace_id, body_sealed=sealed, size_bytes=len(sealed), **columns
        )
    )


async def list_call_traces(
    connection: Connection,
    *,
    instance_id: int | None = None,
    organization_id: int | None = None,
    since: datetime,
    after: int = 0,
    offset: int = 0,
    limit: int,
) -> tuple[Mapping[str, Any], ...]:
    """List traces without their bodies, the youngest first; every given filter must hold."""
    rows = await connection.execute(
        select(*_SUMMARY)
        .where(
            call_trace.c.created_at >= since,
            call_trace.c.id > after,
            call_trace.c.instance_id == instance_id if instance_id is not None else true(),
            _of_organization(organization_id) if organization_id is not None else true(),
        )
        .order_by(call_trace.c.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return tuple(dict(row) for row in rows.mappings())


async def find_call_trace(
    connection: Connection, keys: KeyFile, *, instance_id: int, trace_id: str, since: datetime
) -> tuple[Mapping[str, Any], str] | None:
    """Find a trace of an instance with its opened body."""
    found = await connection.execute(
        select(*_SUMMARY, call_trace.c.body_sealed).where(
            call_trace.c.instance_id == instance_id,
            call_trace.c.trace_id == trace_id,
            call_trace.c.created_at >= since,
        )
    )
    row = found.mappings().first()
    if row is None:
        return None
    context = sealed_context(call_trace.c.body_sealed, {"id": row["id"]})
    return dict(row), keys.open(row["body_sealed"], context=context)


async def delete_old_call_traces(connection: Connection, *, before: datetime) -> None:
    """Delete the traces that were made before a moment."""
    await connection.execute(delete(call_trace).where(call_trace.c.created_at < before))


async def delete_surplus_call_traces(
    connection: Connection, instance_id: int, *, most: int, most_bytes: int
) -> None:
    """Delete the oldest traces of an instance until so many, of so many bytes, are left."""
    rows = await connection.execute(
        select(call_trace.c.id, call_trace.c.size_bytes)
        .where(call_trace.c.instance_id == instance_id)
        .order_by(call_trace.c.id.desc())
    )
    size_bytes = 0
    for number, row in enumerate(rows, 1):
        size_bytes += row.size_bytes
        if number > most or size_bytes > most_bytes:
            await connection.execute(
                delete(call_trace).where(
                    call_trace.c.instance_id == instance_id, call_trace.c.id <= row.id
                )
            )
            return


def _of_organization(organization_id: int) -> Any:
    own = select(instance.c.id).where(instance.c.organization_id == organization_id)
    return call_trace.c.instance_id.in_(own)
