"""Declare the calls on bulk jobs, each with and without a hub before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from polyvalent.api import bulk, bulk_upload, bulk_workflows, schemas
from polyvalent.api.operation import Group, Handle, Operation, Parameter, Schema

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_CREATED = schemas.record({"id": _TEXT, "status": {"type": "string", "const": "CREATED"}})
_JOB = schemas.record(
    {
        "id": _TEXT,
        "status": {
            "type": "string",
            "enum": ["CREATED", "RUNNING", "COMPLETED", "CANCELLED", "FAILED"],
        },
        "recordsCount": _COUNT,
        "recordsFailedCount": _COUNT,
        "jobStatus": {
            "type": "string",
            "enum": ["CREATED", "RUNNING", "COMPLETED", "CANCELED", "ABORTED"],
        },
        "recordCount": _COUNT,
        "errorCount": _COUNT,
        "statusMessage": _TEXT,
        "objectName": _TEXT,
        "instanceId": _COUNT,
        "elementKey": _TEXT,
        "jobDirection": {"type": "string", "enum": ["DOWNLOAD", "UPLOAD"]},
        "fileFormat": _TEXT,
        "native": {"type": "boolean"},
        "createdDate": {**_COUNT, "description": "Milliseconds since 1970."},
        "startTime": _COUNT,
        "completionTime": _COUNT,
        "expirationTime": _COUNT,
        "notificationUrl": _TEXT,
        "jobCriteria": {"type": "object"},
        "continuesJobId": _TEXT,
        "receipt": {"type": "object"},
    },
    required=("id", "status", "recordsCount", "recordsFailedCount", "jobStatus", "recordCount"),
)
_ID = Parameter(
    name="id", place="path", required=True, description="The bulk job's id.", schema=schemas.NUMBER
)
_OBJECT = Parameter(
    name="objectName",
    place="path",
    required=True,
    description="The object that was downloaded; or what bulk.relations puts apart, such as "
    "order_items; or the object with .deleted behind it, for the ids of rows that are gone.",
    example="orders",
)
_HUB = Parameter(
    name="hub",
    place="path",
    required=True,
    description="Any text: the element token alone decides.",
    example="ecommerce",
)
_CALLBACK = Parameter(
    name="Elements-Async-Callback-Url",
    place="header",
    description="Where the job object is sent to by POST when the job has ended.",
)
_BOUNDS = tuple(
    Parameter(name=name, place="query", description=description)
    for name, description in (
        ("from", "Only rows whose date is at or behind this moment, ISO 8601."),
        ("to", "Only rows whose date is at or before this moment."),
        (
            "lastRunDate",
            "In place of from: the moment of the last run, or `last` for what was proven.",
        ),
        (
            "reconcile",
            "true: compare every row with those of the run before, which finds deletions.",
        ),
        ("continueFromJobId", "Go on behind the last row of this job, which had a limit."),
        ("fileFormat", "JSON (a row a line), CSV, PARQUET, or JSON_ARRAY."),
    )
)
_NEXT = Parameter(
    name="nextPage",
    place="query",
    description="The header Elements-Next-Page-Token of the page before.",
)
_SIZE = replace(
    schemas.PAGE_SIZE, schema={"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
)
_TO = Parameter(
    name="id",
    place="path",
    required=True,
    description="The name of the object that the rows are of.",
    example="customers",
)
_FORM: Schema = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "CSV or JSON, in UTF-8."},
        "metaData": {
            "type": "string",
            "description": 'JSON: {"action": "create|update|upsert|delete", '
            '"identifierFieldName": "email", "format": "csv|json", "bulkUploadRecordSize": 50}.',
        },
    },
}
_CRITERIA: Schema = {
    "type": "object",
    "properties": {
        "objectName": _TEXT,
        "where": _TEXT,
        "fields": {"type": ["string", "array"]},
        "orderBy": _TEXT,
        "limit": {"type": ["integer", "string"]},
        "q": {"type": "string", "description": "A whole statement, in place of the others."},
        "from": _TEXT,
        "to": _TEXT,
        "lastRunDate": _TEXT,
        "reconcile": {"type": ["boolean", "string"]},
        "fileFormat": _TEXT,
    },
}


_BULK = Group(
    tag="Bulk",
    access="element",
    placed=(_ID, _OBJECT),
    usual={"answer": _JOB, "body_required": False, "statuses": (401, 404)},
)


def _declare(
    method: str, path: str, handle: Handle, summary: str, **more: Any
) -> tuple[Operation, ...]:
    plain = _BULK.declare(method, path, handle, summary, **more)
    below = replace(
        plain,
        path=f"/hubs/{{hub}}{path}",
        tag="Bulk below a hub",
        parameters=(_HUB, *plain.parameters),
    )
    return plain, below


_VENDOR = (400, 401, 403, 404)
OPERATIONS: tuple[Operation, ...] = (
    *_declare(
        "POST",
        "/bulk/query",
        bulk.query,
        "Download many rows by a statement",
        description="Starts a job that reads every row, and answers at once. When it is "
        "COMPLETED, fetch the rows, and the receipt that says what is proven about them.",
        parameters=(
            Parameter(
                name="q",
                place="query",
                description="`select <fields or *> from <object> [where …] [order by …] [limit n]`",
                example="select * from orders where status = 'complete'",
            ),
            *_BOUNDS,
            _CALLBACK,
        ),
        answer=_CREATED,
        statuses=_VENDOR,
    ),
    *_declare(
        "POST",
        "/bulk/download",
        bulk.download,
        "Download many rows by criteria",
        description="The same as POST /bulk/query with the parts of the statement in a body.",
        parameters=(_CALLBACK,),
        body=_CRITERIA,
        statuses=(*_VENDOR, 413, 415),
    ),
    *_declare(
        "GET",
        "/bulk/jobs",
        bulk.show_list,
        "List bulk jobs, the newest first",
        parameters=(_SIZE, _NEXT),
        answer=schemas.listing(_JOB),
        answer_headers=("Elements-Returned-Count", "Elements-Next-Page-Token"),
    ),
    *(
        replace(
            operation,
            # The path is the one of a job, which other methods take.
            parameters=tuple(_TO if item.name == "id" else item for item in operation.parameters),
            body_type="multipart/form-data",
            body_required=True,
            takes_pieces=True,
        )
        for operation in _declare(
            "POST",
            "/bulk/{id}",
            bulk_upload.upload,
            "Upload many rows",
            description="Starts a job that writes every row of a file, and answers once each of "
            "them could be read. A file that cannot be is refused with the line and column.",
            parameters=(
                Parameter(
                    name="dryRun",
                    place="query",
                    description="true: say what would be done with each row, and write nothing.",
                    schema={"type": "boolean"},
                ),
                _CALLBACK,
            ),
            body=_FORM,
            answer=_CREATED,
            statuses=(*_VENDOR, 413, 415),
        )
    ),
    *_declare(
        "POST",
        "/bulk/workflows",
        bulk_workflows.start,
        "Download rows of one instance and upload them to another",
        description="Step after step; GET /bulkloader tells how far it is.",
        body={"type": "array", "items": {"type": "object"}},
        answer=_CREATED,
        statuses=(*_VENDOR, 413, 415),
    ),
    *_declare(
        "GET",
        "/bulkloader",
        bulk_workflows.show_list,
        "List workflows, the newest first",
        parameters=(
            _SIZE,
            Parameter(
                name="jobId",
                place="query",
                description="Only this workflow, or those that this schedule started.",
            ),
        ),
        answer=schemas.listing({"type": "object"}),
        answer_headers=("Elements-Returned-Count",),
        statuses=(400, 401),
    ),
    *_declare("GET", "/bulk/{id}", bulk.show, "Show a bulk job"),
    *_declare("GET", "/bulk/{id}/status", bulk.show, "Show how far a bulk job is"),
    *_declare(
        "GET",
        "/bulk/{id}/errors",
        bulk.show_errors,
        "List what failed in a bulk job",
        parameters=(_SIZE, _NEXT),
        answer=schemas.listing({"type": "object"}),
        answer_headers=("Elements-Returned-Count", "Elements-Next-Page-Token"),
    ),
    *_declare(
        "GET",
        "/bulk/{id}/receipt",
        bulk.show_receipt,
        "Show what a finished download has proven",
        parameters=(
            Parameter(
                name="pages",
                place="query",
                description="true: with the fingerprint of each page that was read.",
                schema={"type": "boolean"},
            ),
        ),
        answer={"type": "object"},
        statuses=(401, 404, 409),
    ),
    *_declare(
        "PUT",
        "/bulk/{id}/cancel",
        bulk.cancel,
        "Cancel a bulk job",
        description="One that has ended stays as it is.",
    ),
    *_declare(
        "GET",
        "/bulk/{id}/{objectName}",
        bulk.fetch,
        "Fetch the rows of a bulk job",
        description="As the header Accept asks for: application/json (a row a line), text/csv, "
        "application/vnd.apache.parquet; without one in the job's own format. A download that "
        "broke off goes on with the header Range.",
        parameters=(
            Parameter(
                name="format",
                place="query",
                description="jsonl, array, csv or parquet; goes before Accept.",
            ),
            Parameter(
                name="json",
                place="query",
                description='{"convertToNativeType":"false"}: every value as text.',
            ),
        ),
        answer={},
        answer_types=("application/json", "text/csv", "application/vnd.apache.parquet"),
        statuses=(400, 401, 404, 406, 409, 416),
    ),
)
