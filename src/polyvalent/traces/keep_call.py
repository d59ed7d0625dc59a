"""Keep what was said in one call to an instance, redacted, and forget what is too much."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.exchange import Exchange
from polyvalent.traces import sql
from polyvalent.traces.record import KEPT_FOR
from polyvalent.traces.redact import (
    conceal,
    redact_exchange,
    redact_request,
    redact_response,
    redact_text,
)
from polyvalent.traces.trail import CallTrace, Leg
from polyvalent.vault import Random

# Of one instance.
TRACES_KEPT = 200
BYTES_KEPT = 8 * 1024 * 1024
# Of one trace; a larger one keeps only the beginnings of its bodies.
LARGEST_TRACE_BYTES = 128 * 1024
BODY_KEPT = 1024
LONGEST_PATH = 500


async def keep_call(database: Database, keys: KeyFile, trace: CallTrace, *, random: Random) -> None:
    """
    Keep the trace of one call.

    Effects: one row; older traces of the instance beyond 200 or 8 MiB, and those of any instance
    that are older than seven days, are deleted.
    """
    body = compose(trace)
    columns = {
        "instance_id": trace.instance_id,
        "trace_id": trace.trace_id,
        "method": trace.request.method[:20],
        "path": conceal(redact_text(trace.request.url.partition("?")[0]), trace.secrets)[
            :LONGEST_PATH
        ],
        "status": trace.response.status,
        "elapsed_ms": round(trace.elapsed_ms),
        "vendor_calls": trace.calls,
        "created_at": trace.created_at,
    }
    async with database.transaction() as connection:
        await sql.delete_old_call_traces(connection, before=trace.created_at - KEPT_FOR)
        await sql.insert_call_trace(connection, keys, random=random, columns=columns, body=body)
        await sql.delete_surplus_call_traces(
            connection, trace.instance_id, most=TRACES_KEPT, most_bytes=BYTES_KEPT
        )


def compose(trace: CallTrace) -> str:
    """
    Write the messages of a call as JSON, without secrets and of bounded size. Pure.

    {"request": {…}, "response": {…}, "exchanges": [{"request": …, "response": …,
    "signatureBaseString": …, "elapsedMs": 12.3}], "exchangesLeftOut": 0}
    """
    shown = {
        "request": redact_request(trace.request),
        "response": redact_response(trace.response),
        "exchanges": [_leg(leg) for leg in trace.legs],
        "exchangesLeftOut": trace.calls - len(trace.legs),
    }
    text = orjson.dumps(shown)
    if len(text) > LARGEST_TRACE_BYTES:
        text = orjson.dumps(_map_bodies(shown, lambda body: body[:BODY_KEPT] + "…"))
    return conceal(text.decode(), trace.secrets)


def _leg(leg: Leg) -> dict[str, Any]:
    if leg.response is not None:
        exchange = Exchange(request=leg.request, response=leg.response, elapsed_ms=leg.elapsed_ms)
        return redact_exchange(exchange, base_string=leg.base_string)
    return {
        "request": redact_request(leg.request),
        "failure": redact_text(leg.failure),
        "elapsedMs": round(leg.elapsed_ms, 1),
    }


def _map_bodies(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {
            name: change(inner)
            if name == "body" and isinstance(inner, str) and len(inner) > BODY_KEPT
            else _map_bodies(inner, change)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_map_bodies(inner, change) for inner in value]
    return value
