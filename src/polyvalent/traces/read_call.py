"""Show the traces of calls to instances that log them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.errors import NotFound
from polyvalent.traces import sql
from polyvalent.traces.record import KEPT_FOR

_TRACE_ID = re.compile(r"[0-9a-f]{24}")


async def list_calls(
    database: Database, *, instance_id: int, now: datetime, page: int, page_size: int
) -> list[dict[str, Any]]:
    """List the traces of an instance without their messages, the youngest first."""
    async with database.reading() as connection:
        rows = await sql.list_call_traces(
            connection,
            instance_id=instance_id,
            since=now - KEPT_FOR,
            offset=(page - 1) * page_size,
            limit=page_size,
        )
    return [present_call(row) for row in rows]


async def list_new_calls(
    database: Database,
    *,
    organization_id: int,
    instance_id: int | None,
    now: datetime,
    after: int,
    limit: int,
) -> tuple[list[dict[str, Any]], int]:
    """List the last traces behind a position, the oldest first; return the next position too."""
    async with database.reading() as connection:
        rows = await sql.list_call_traces(
            connection,
            organization_id=organization_id,
            instance_id=instance_id,
            since=now - KEPT_FOR,
            after=after,
            limit=limit,
        )
    return [present_call(row) for row in reversed(rows)], rows[0]["id"] if rows else after


async def read_call(
    database: Database, keys: KeyFile, *, instance_id: int, trace_id: str, now: datetime
) -> dict[str, Any]:
    """Return a trace of an instance with all its messages; raises NotFound."""
    found = None
    if _TRACE_ID.fullmatch(trace_id):
        async with database.reading() as connection:
            found = await sql.find_call_trace(
                connection,
                keys,
                instance_id=instance_id,
                trace_id=trace_id,
                since=now - KEPT_FOR,
            )
    if found is None:
        raise NotFound(
            f"Instance {instance_id} has no such trace. Its calls leave traces while "
            "traceLoggingEnabled is true, for seven days; the id is in the header "
            "Elements-Trace-Id of their answers."
        )
    row, body = found
    return {**present_call(row), **orjson.loads(body)}


def present_call(row: Mapping[str, Any]) -> dict[str, Any]:
    """Show which call a trace is of."""
    made_at: datetime = row["created_at"]
    return {
        "traceId": row["trace_id"],
        "instanceId": row["instance_id"],
        "createdDate": made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "method": row["method"],
        "path": row["path"],
        "status": row["status"],
        "elapsedMs": row["elapsed_ms"],
        "vendorCalls": row["vendor_calls"],
    }
