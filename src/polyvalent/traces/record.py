"""Keep the exchanges of one request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from polyvalent.db import Database
from polyvalent.exchange import Exchange
from polyvalent.traces import sql
from polyvalent.traces.redact import redact_exchange, vendor_place

KEPT_FOR = timedelta(days=7)


async def record(
    database: Database,
    exchanges: Sequence[tuple[Exchange, str]],
    *,
    trace_id: str,
    organization_id: int,
    element_key: str,
    instance_id: int | None,
    now: datetime,
) -> None:
    """
    Keep exchanges, each with its signature base string, redacted, under the id of the request.

    The body is a map by place: {"POST:/oauth/token": {…}}; where one place was called more than
    once, the later calls are "POST:/oauth/token#2" and so on. Effects: one row; traces older
    than seven days are deleted.
    """
    shown: dict[str, Any] = {}
    for exchange, base_string in exchanges:
        place = vendor_place(exchange.request)
        times = sum(1 for name in shown if name.partition("#")[0] == place)
        name = place if times == 0 else f"{place}#{times + 1}"
        shown[name] = redact_exchange(exchange, base_string=base_string)
    async with database.transaction() as connection:
        await sql.delete_traces(connection, before=now - KEPT_FOR)
        await sql.insert_trace(
            connection,
            trace_id=trace_id,
            organization_id=organization_id,
            element_key=element_key,
            instance_id=instance_id,
            body=json.dumps(shown),
            now=now,
        )
