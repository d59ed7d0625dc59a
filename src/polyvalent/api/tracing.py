"""Keep the trace of a call that asked for one, whether it went well or not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from polyvalent.accounts.model import Caller
from polyvalent.api.operation import Call
from polyvalent.catalog.element import Element
from polyvalent.errors import PolyvalentError
from polyvalent.exchange import Headers
from polyvalent.instances.watch import Watch
from polyvalent.traces.record import record


@asynccontextmanager
async def traced(
    call: Call, caller: Caller | None, element: Element, *, on: bool
) -> AsyncIterator[Watch]:
    """
    Give a watch to make calls with; on the way out keep what it saw.

    An error that passes gets the header with the trace's id; for a success see `trace_header`.
    Nobody but a known caller can read a trace, so none is kept for others.
    """
    watch = Watch(on=on and caller is not None)
    try:
        yield watch
    except PolyvalentError as error:
        if watch.attempts:
            await _keep(call, caller, element, watch)
            error.headers = (*error.headers, *trace_header(call, watch))
        raise
    if watch.attempts:
        await _keep(call, caller, element, watch)


def trace_header(call: Call, watch: Watch) -> Headers:
    """Return the header that names the trace, if one is kept."""
    return (("Elements-Trace-Id", call.request_id),) if watch.attempts else ()


async def _keep(call: Call, caller: Caller | None, element: Element, watch: Watch) -> None:
    if caller is None:
        return
    await record(
        call.platform.ports.database,
        [(attempt.exchange, attempt.base_string) for attempt in watch.attempts],
        trace_id=call.request_id,
        organization_id=caller.organization.id,
        element_key=element.key,
        instance_id=None,
        now=call.platform.ports.now(),
    )
