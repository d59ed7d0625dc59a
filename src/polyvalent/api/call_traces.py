"""Show the traces of the calls to instances that log them."""

from __future__ import annotations

from dataclasses import replace

from polyvalent.api import schemas
from polyvalent.api.instances import find_named
from polyvalent.api.operation import Answer, Call, Operation, Parameter
from polyvalent.traces.keep_call import TRACES_KEPT
from polyvalent.traces.read_call import list_calls, read_call


async def get_list(call: Call) -> Answer:
    """Answer which calls of an instance left traces."""
    instance, ports = await find_named(call), call.platform.ports
    shown = await list_calls(
        ports.database,
        instance_id=instance.id,
        now=ports.now(),
        page=call.number("page", default=1, most=TRACES_KEPT),
        page_size=call.number("pageSize", default=TRACES_KEPT, most=TRACES_KEPT),
    )
    return Answer(content=shown, headers=(("Elements-Returned-Count", str(len(shown))),))


async def get_one(call: Call) -> Answer:
    """Answer everything that was said in one call of an instance."""
    instance, ports = await find_named(call), call.platform.ports
    shown = await read_call(
        ports.database,
        ports.keys,
        instance_id=instance.id,
        trace_id=call.path_parameters["traceId"],
        now=ports.now(),
    )
    return Answer(content=shown)


_SUMMARY = {
    "traceId": schemas.TEXT,
    "instanceId": schemas.NUMBER,
    "createdDate": {"type": "string", "format": "date-time"},
    "method": schemas.TEXT,
    "path": schemas.TEXT,
    "status": schemas.NUMBER,
    "elapsedMs": schemas.NUMBER,
    "vendorCalls": schemas.NUMBER,
}
_REQUEST = schemas.record(
    {"method": schemas.TEXT, "url": schemas.TEXT, "headers": {"type": "object"}}
)
_RESPONSE = schemas.record({"status": schemas.NUMBER, "headers": {"type": "object"}})
_LEG = schemas.record(
    {
        "request": _REQUEST,
        "response": _RESPONSE,
        "failure": schemas.TEXT,
        "signatureBaseString": schemas.TEXT,
        "elapsedMs": {"type": "number"},
    },
    required=("request", "elapsedMs"),
)
_TRACE_ID = Parameter(
    name="traceId",
    place="path",
    required=True,
    description="The header Elements-Trace-Id of the call's answer.",
)
_BY_ID = (
    Operation(
        method="GET",
        path="/instances/{id}/traces",
        handle=get_list,
        access="caller",
        tag="Instances",
        summary="List the traces of an instance's calls, the youngest first",
        description="Calls leave traces while the instance's traceLoggingEnabled is true. The "
        f"youngest {TRACES_KEPT} of an instance are kept, together at most 8 MiB, for seven days. "
        "A trace is written shortly after the call was answered.",
        parameters=(
            schemas.INSTANCE_ID,
            replace(
                schemas.PAGE,
                schema={"type": "integer", "minimum": 1, "maximum": TRACES_KEPT, "default": 1},
            ),
            replace(
                schemas.PAGE_SIZE,
                schema={
                    "type": "integer",
                    "minimum": 1,
                    "maximum": TRACES_KEPT,
                    "default": TRACES_KEPT,
                },
            ),
        ),
        answer=schemas.listing(schemas.record(_SUMMARY)),
        answer_headers=("Elements-Returned-Count",),
        statuses=(400, 401, 404),
    ),
    Operation(
        method="GET",
        path="/instances/{id}/traces/{traceId}",
        handle=get_one,
        access="caller",
        tag="Instances",
        summary="Show what was said in one call of an instance, secrets masked",
        description="The caller's request and answer, and every exchange with the vendor behind "
        "it (the first twelve), signed ones with the text that the signature covers. Bodies are "
        "cut at 16 KiB.",
        parameters=(schemas.INSTANCE_ID, _TRACE_ID),
        answer=schemas.record(
            {
                **_SUMMARY,
                "request": _REQUEST,
                "response": _RESPONSE,
                "exchanges": schemas.listing(_LEG),
                "exchangesLeftOut": schemas.NUMBER,
            }
        ),
        statuses=(401, 404),
    ),
)
OPERATIONS = (
    *_BY_ID,
    *(
        replace(
            item,
            path=item.path.replace("/{id}", ""),
            tag="Instances by token",
            parameters=tuple(one for one in item.parameters if one.name != "id"),
        )
        for item in _BY_ID
    ),
)
