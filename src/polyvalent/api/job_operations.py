"""Declare the calls on jobs."""

from __future__ import annotations

from polyvalent.api import schemas
from polyvalent.api.jobs import (
    METHODS,
    create,
    delete,
    get_list,
    get_one,
    put_cancelled,
    put_retried,
)
from polyvalent.api.operation import BASE_PATH, Group, Operation, Parameter
from polyvalent.jobs.model import JobState
from polyvalent.jobs.scheduled_call import KIND

_JOB_ID = Parameter(name="id", place="path", required=True, description="Id of the job.")
_TRIGGER = schemas.record(
    {
        "cron": {
            "type": "string",
            "description": "Quartz cron: second, minute, hour, day of month, month, day of week.",
            "example": "0 0/15 * * * ?",
        },
        "timeZone": {"type": "string", "default": "UTC"},
        "missed": {
            "type": "string",
            "enum": ["once", "skip"],
            "default": "once",
            "description": "Whether times at which nobody worked are made up for by one call.",
        },
    },
    required=("cron",),
)
_JOB = schemas.record(
    {
        "id": schemas.NUMBER,
        "kind": schemas.TEXT,
        "state": {"type": "string", "enum": list(JobState)},
        "createdDate": {"type": "string", "format": "date-time"},
        "updatedDate": {"type": "string", "format": "date-time"},
        "nextDate": {"type": "string", "format": "date-time"},
        "progress": {"type": "object"},
        "attempts": schemas.NUMBER,
        "instanceId": schemas.NUMBER,
        "bulkId": {"type": "string", "description": "The bulk job whose work this is."},
        "message": schemas.TEXT,
        "name": schemas.TEXT,
        "description": schemas.TEXT,
        "method": schemas.TEXT,
        "uri": schemas.TEXT,
        "trigger": _TRIGGER,
        "runs": schemas.listing({"type": "object"}),
    },
    required=("id", "kind", "state", "createdDate", "updatedDate", "progress", "attempts"),
)
_TAG = "Jobs"
_JOBS = Group(
    tag=_TAG, access="caller", placed=(_JOB_ID,), usual={"answer": _JOB, "statuses": (401, 404)}
)
_one = _JOBS.declare


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="POST",
        path="/jobs",
        handle=create,
        access="caller",
        tag=_TAG,
        summary="Call the API by a schedule",
        description="The call is made in the caller's name; with an element token in the "
        "Authorization header, for that instance. A write carries an Idempotency-Key of its "
        "planned time, so that a worker that dies does not do it twice.",
        body=schemas.record(
            {
                "method": {"type": "string", "enum": list(METHODS), "default": "GET"},
                "uri": {"type": "string", "example": f"{BASE_PATH}/hubs/ecommerce/orders"},
                "name": schemas.TEXT,
                "description": schemas.TEXT,
                "trigger": _TRIGGER,
                "body": {},
                "query": {"type": "object"},
                "headers": {"type": "object", "additionalProperties": schemas.TEXT},
            },
            required=("uri", "trigger"),
        ),
        body_example={
            "method": "GET",
            "uri": f"{BASE_PATH}/hubs/ecommerce/orders",
            "name": "orders every hour",
            "trigger": {"cron": "0 0 * * * ?"},
        },
        answer=_JOB,
        statuses=(400, 401, 415),
    ),
    Operation(
        method="GET",
        path="/jobs",
        handle=get_list,
        access="caller",
        tag=_TAG,
        summary="List jobs, the newest first",
        parameters=(
            Parameter(
                name="kind",
                place="query",
                description="call, by default: calls by a schedule; all: everything that workers "
                "do for this organization; or the name of another kind.",
                schema={"type": "string", "default": KIND},
            ),
            Parameter(
                name="state",
                place="query",
                description="Only jobs in this state; may be repeated. failed: those that need "
                "somebody's attention.",
                schema={"type": "string", "enum": list(JobState)},
            ),
            schemas.PAGE_SIZE,
            Parameter(
                name="nextPage",
                place="query",
                description="The header Elements-Next-Page-Token of the page before.",
            ),
        ),
        answer=schemas.listing(_JOB),
        answer_headers=("Elements-Returned-Count", "Elements-Next-Page-Token"),
        statuses=(400, 401),
    ),
    _one("GET", "/jobs/{id}", get_one, "Show a job"),
    _one(
        "DELETE",
        "/jobs/{id}",
        delete,
        "Delete a job: a scheduled call, or one that has ended",
        answer=schemas.NOTHING,
        statuses=(401, 404, 409),
    ),
    _one(
        "PUT",
        "/jobs/{id}/cancel",
        put_cancelled,
        "Cancel a scheduled call",
        statuses=(400, 401, 404),
    ),
    _one(
        "PUT",
        "/jobs/{id}/retry",
        put_retried,
        "Let a failed job go on behind what it saved last",
        statuses=(401, 404, 409),
    ),
)
