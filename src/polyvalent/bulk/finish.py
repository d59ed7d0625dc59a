"""End a download: write the format that was asked for, make the receipt, tell whoever waits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from polyvalent.bulk import sql
from polyvalent.bulk.callback import submit_callback
from polyvalent.bulk.model import RETENTION_DAYS, BulkJob, BulkStatus, Part, Watermark
from polyvalent.bulk.plan import ReadPlan
from polyvalent.bulk.progress import Checkpoint
from polyvalent.bulk.receipt import Facts, make_receipt, seal_receipt
from polyvalent.bulk.render import render
from polyvalent.bulk.work import BulkWork
from polyvalent.db import Connection
from polyvalent.jobs.model import Done, Job, JobState, Outcome
from polyvalent.jobs.turn import Turn

# What was begun before and committed after the start of a read bears an earlier date of change.
MARGIN = timedelta(seconds=60)


async def finish(
    work: BulkWork, turn: Turn, bulk: BulkJob, plan: ReadPlan, at: Checkpoint
) -> Outcome:
    """
    End a download of which everything is read.

    Raises Superseded. Effects: files; the job is COMPLETED, its receipt there, what is proven is
    remembered, and the callback is on its way, all in one transaction.
    """
    ports = work.access.ports
    rendered = await _render(work, bulk)
    now = turn.now()
    ahead = timedelta(seconds=at.vendor_ahead_s or 0.0)
    whole = not at.limited and bulk.asked.place is None and bulk.asked.offset == 0
    whole = whole and bulk.asked.end is None
    proven = at.started_at + ahead - MARGIN if whole else None
    facts = _facts(bulk, plan, at, now=now, proven=proven)
    receipt = seal_receipt(ports.keys.ring(), make_receipt(at.tally, facts))
    async with ports.database.transaction() as connection:
        await turn.save(connection, progress={"rows": at.tally.rows, "pages": at.tally.pages})
        await sql.insert_parts(connection, bulk.id, rendered)
        await sql.change_bulk_job(
            connection,
            bulk.id,
            {
                "status": BulkStatus.COMPLETED,
                "message": None,
                "records": at.tally.rows,
                "failed": at.tally.failed_rows,
                "place": orjson.dumps(at.place).decode() if at.place else None,
                "receipt": orjson.dumps(receipt).decode(),
                "started_at": at.started_at,
                "completed_at": now,
                "expires_at": now + timedelta(days=RETENTION_DAYS),
            },
        )
        if proven is not None and receipt["complete"]:
            await _remember(connection, bulk, plan, at, proven=proven)
        await submit_callback(connection, ports, bulk, turn.job.owner, now=now)
    turn.mark("bulk.finished")
    return Done()


async def note_failure(work: BulkWork, connection: Connection, job: Job) -> None:
    """Say of a download whose job has failed that it did, and tell whoever waits."""
    if job.state is not JobState.FAILED:
        return
    ports, now = work.access.ports, work.access.ports.now()
    bulk_id = int(job.spec["bulk"])
    bulk = await sql.find_bulk_job(connection, ports.keys, bulk_id=bulk_id)
    if bulk is None:
        return
    values = {
        "status": BulkStatus.FAILED,
        "message": job.error,
        "completed_at": now,
        "expires_at": now + timedelta(days=RETENTION_DAYS),
    }
    if await sql.change_bulk_job(connection, bulk_id, values, unless_ended=True):
        await submit_callback(connection, ports, bulk, job.owner, now=now)


async def _render(work: BulkWork, bulk: BulkJob) -> tuple[Part, ...]:
    """Write the rows in the format that was asked for; what is there already stays."""
    if bulk.file_format == "jsonl":
        return ()
    made: list[Part] = []
    async with work.access.ports.database.reading() as connection:
        files = await sql.list_files(connection, bulk.id)
        known = {
            file: (
                await sql.list_parts(connection, bulk.id, file=file, format_="jsonl"),
                await sql.list_parts(connection, bulk.id, file=file, format_=bulk.file_format),
            )
            for file in files
        }
    for file, (parts, there) in known.items():
        if not there:
            made += await asyncio.to_thread(
                render, work.folder, bulk, parts, file=file, format_=bulk.file_format
            )
    return tuple(made)


async def _remember(
    connection: Connection, bulk: BulkJob, plan: ReadPlan, at: Checkpoint, *, proven: datetime
) -> None:
    known = await sql.find_watermark(connection, instance_id=bulk.instance_id, query=plan.statement)
    if known is not None and at.begin is not None and at.begin > known.proven_until:
        # What lies between was never read.
        return
    snapshot = bulk.id if at.keeps_digests else None
    if known is not None:
        proven = max(proven, known.proven_until)
        # Another may still want to compare; what changed since an older run is all the more.
        snapshot = snapshot or known.snapshot_id
    elif at.begin is not None and plan.increment is not None and plan.increment.method == "filter":
        # Nothing is known of what changed before this run's stretch of time.
        return
    await sql.put_watermark(
        connection,
        instance_id=bulk.instance_id,
        query=plan.statement,
        watermark=Watermark(proven_until=proven, snapshot_id=snapshot),
    )


def _facts(
    bulk: BulkJob, plan: ReadPlan, at: Checkpoint, *, now: datetime, proven: datetime | None
) -> Facts:
    by: Any = plan.way
    if plan.way == "keyset" and at.place is not None and "page" in at.place:
        by = "number"
    if by == "token" and at.tally.pages == 1 and bulk.asked.place is None:
        by = "whole"
    if by in ("number", "token"):
        unproven = {"number": "pages", "token": "tokens"}[by]
        by = unproven if at.tally.total_before is None else "counts"
    increment: dict[str, Any] | None = None
    if plan.increment is not None:
        increment = {
            "field": plan.increment.field,
            "from": _iso(plan.increment.begin),
            "to": _iso(plan.increment.end),
            "method": plan.increment.method,
            "deletions": _deletions(at),
        }
        if at.method == "compare":
            increment |= {
                "comparedWith": None if at.snapshot is None else str(at.snapshot),
                "new": at.tally.new_rows,
                "modified": at.tally.modified_rows,
                "deleted": at.tally.deleted_rows,
            }
    return Facts(
        job_id=bulk.id,
        instance_id=bulk.instance_id,
        element_key=bulk.element_key,
        object_name=bulk.object_name,
        statement_fingerprint=plan.statement,
        key_field=plan.key_field,
        by=by,
        filtered=bool(plan.query.plan.pushed or plan.extra),
        limited=at.limited,
        changed_field=plan.changed_field,
        created_field=plan.created_field,
        incremental=increment,
        started_at=str(_iso(at.started_at)),
        finished_at=str(_iso(now)),
        vendor_clock_s=at.vendor_ahead_s,
        watermark=_iso(proven),
    )


def _deletions(at: Checkpoint) -> str:
    # Only a row that was there before and is not now shows that it is gone.
    if at.method != "compare":
        return "not looked for"
    return "found" if at.snapshot is not None else "nothing to compare with"


def _iso(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
