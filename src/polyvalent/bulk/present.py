"""Show bulk jobs as callers see them, in both spellings of the platform's versions. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from polyvalent.bulk.model import BulkJob, BulkStatus, Format
from polyvalent.bulk.receipt import summary_of

FORMAT_NAMES: dict[Format, str] = {
    "jsonl": "JSON",
    "text": "JSON",
    "array": "JSON_ARRAY",
    "csv": "CSV",
    "parquet": "PARQUET",
}
_NEWER = {BulkStatus.CANCELLED: "CANCELED", BulkStatus.FAILED: "ABORTED"}


def present(bulk: BulkJob) -> dict[str, Any]:
    """
    Show a bulk job: status and recordsCount of version 2, jobStatus and recordCount of version 3.

    What has no value is left out.
    """
    shown = {
        "id": str(bulk.id),
        "status": bulk.status.value,
        "recordsCount": bulk.records,
        "recordsFailedCount": bulk.failed,
        "jobStatus": _NEWER.get(bulk.status, bulk.status.value),
        "recordCount": bulk.records,
        "errorCount": bulk.failed,
        "statusMessage": bulk.message,
        "objectName": bulk.object_name,
        "instanceId": bulk.instance_id,
        "elementKey": bulk.element_key,
        "jobDirection": bulk.direction,
        "fileFormat": FORMAT_NAMES.get(bulk.file_format, "JSON"),
        "native": False,
        "createdDate": _epoch_ms(bulk.created_at),
        "startTime": _epoch_ms(bulk.started_at),
        "completionTime": _epoch_ms(bulk.completed_at),
        "notificationUrl": bulk.asked.callback or None,
        "jobCriteria": _criteria(bulk),
        "continuesJobId": None if bulk.asked.continues is None else str(bulk.asked.continues),
        "expirationTime": _epoch_ms(bulk.expires_at) if bulk.status.is_end else None,
        "receipt": None if bulk.receipt is None else summary_of(bulk.receipt),
        "outcomes": None if bulk.receipt is None else bulk.receipt.get("outcomes"),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _criteria(bulk: BulkJob) -> dict[str, Any]:
    asked = bulk.asked
    said = {
        "objectName": asked.object,
        "fields": ", ".join(asked.fields) or None,
        "where": asked.where or None,
        "orderBy": asked.order or None,
        "limit": asked.limit,
        "offset": asked.offset or None,
        "from": _iso(asked.begin),
        "to": _iso(asked.end),
        "lastRunDate": _iso(asked.last_run),
        "reconcile": asked.reconcile or None,
        "action": asked.action,
        "identifierFieldName": asked.identifier or None,
        "rows": asked.rows or None,
        "dryRun": asked.dry_run or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _epoch_ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
