"""Show a trace that was kept."""

from __future__ import annotations

import json
import re
from typing import Any

from polyvalent.db import Database
from polyvalent.errors import NotFound
from polyvalent.traces import sql

_TRACE_ID = re.compile(r"[0-9a-f]{24}")


async def read_trace(
    database: Database, *, trace_id: str, organization_id: int, element_key: str
) -> dict[str, Any]:
    """Return a trace of this organization; raises NotFound."""
    body = None
    if _TRACE_ID.fullmatch(trace_id):
        async with database.reading() as connection:
            body = await sql.find_trace(
                connection,
                trace_id=trace_id,
                organization_id=organization_id,
                element_key=element_key,
            )
    if body is None:
        raise NotFound(
            "There is no such trace. Traces are kept for seven days, for requests that asked for "
            "debugging; the id is in the header Elements-Trace-Id of their answer. Calls of an "
            "instance with traceLoggingEnabled are at /instances/{id}/traces, and polyvalent "
            "traces tail shows them."
        )
    shown: dict[str, Any] = json.loads(body)
    return shown
