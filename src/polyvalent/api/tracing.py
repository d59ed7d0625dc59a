"""Keep the trace of a call, whether it went well or not, where the call or its instance asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import (
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from urllib.parse import urlencode

from polyvalent.accounts.model import Caller
from polyvalent.api.operation import Call
from polyvalent.catalog.element import Element
from polyvalent.errors import PolyvalentError
from polyvalent.exchange import Headers, Request, Response
from polyvalent.instances.model import Instance
from polyvalent.instances.watch import Watch
from polyvalent.traces.record import record
from polyvalent.traces.trail import CallTrace, Trail, cut_request, cut_response


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


def followed(
    call: Call, instance: Instance, *, secrets: Sequence[str]
) -> AbstractContextManager[Trail | None]:
    """
    Give a trail to a call to an instance that logs its calls, None where the instance does not.

    What the caller asked and got is kept with it, once the answer is sent; `secrets` show nowhere
    in it. An error that passes gets the header with the trace's id; for a success see
    `trail_header`.
    """
    if not instance.trace_logging_enabled:
        return nullcontext()
    return _following(call, instance, secrets=secrets)


@contextmanager
def _following(call: Call, instance: Instance, *, secrets: Sequence[str]) -> Iterator[Trail]:
    trail, journal, began_at = Trail(), call.platform.journal, call.platform.ports.now()
    query = urlencode(call.query)
    asked = Request(
        method=call.method,
        url=f"{call.raw_path}?{query}" if query else call.raw_path,
        headers=call.headers,
        body=call.body,
    )

    def note(answered: Response, elapsed_ms: float) -> None:
        journal.note(
            CallTrace(
                trace_id=call.request_id,
                instance_id=instance.id,
                request=cut_request(asked),
                response=cut_response(answered),
                elapsed_ms=elapsed_ms,
                legs=tuple(trail.legs),
                calls=trail.calls,
                created_at=began_at,
                secrets=secrets,
            )
        )

    call.progress.watchers.append(note)
    try:
        yield trail
    except PolyvalentError as error:
        error.headers = (*error.headers, *trail_header(call, trail))
        raise


def trail_header(call: Call, trail: Trail | None) -> Headers:
    """Return the header that names the trace of a call that is followed."""
    return () if trail is None else (("Elements-Trace-Id", call.request_id),)


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
