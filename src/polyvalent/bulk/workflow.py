"""Chain downloads to uploads: what one instance has is written into another, step after step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from polyvalent.bulk import sql
from polyvalent.bulk.ask import read_query
from polyvalent.bulk.model import BulkJob, BulkStatus, Part
from polyvalent.bulk.part import Folder
from polyvalent.bulk.plan import make_read_plan
from polyvalent.bulk.start import start_download
from polyvalent.bulk.upload_take import open_spool, start_upload
from polyvalent.bulk.upload_target import find_target, read_told
from polyvalent.bulk.work import WORKFLOW, BulkWork
from polyvalent.db import Connection
from polyvalent.errors import BadRequest
from polyvalent.hub.access import HubAccess, Opened
from polyvalent.jobs.model import Again, Done, GiveUp, Job, JobState, Outcome, Owner
from polyvalent.jobs.submit import Request, submit
from polyvalent.jobs.turn import Turn

STEPS_MAX = 50
PAUSE_MIN_S = 1.0
PAUSE_MAX_S = 300.0
_STATUSES = {
    JobState.DONE: "COMPLETED",
    JobState.FAILED: "FAILED",
    JobState.CANCELLED: "CANCELLED",
    JobState.RUNNING: "RUNNING",
}


class Step(msgspec.Struct, kw_only=True, frozen=True):
    """Hold one step as it is stored: a query, and where its rows go."""

    values: dict[str, str]  # as POST /bulk/query takes them
    target: int  # instance
    object_name: str
    told: str  # metaData
    pause_s: float


class Place(msgspec.Struct, kw_only=True):
    """Hold how far a workflow is; the ids are of the step's bulk jobs."""

    step: int = 0
    download: int | None = None
    upload: int | None = None
    rows: int = 0
    failed: int = 0


async def start_workflow(
    access: HubAccess,
    source: Opened,
    targets: tuple[Opened, ...],
    steps: tuple[Step, ...],
    *,
    owner: Owner,
    schedule_id: int | None,
) -> int:
    """
    Begin a workflow and return its id; `targets` are the steps' own.

    Raises BadRequest for what cannot be read or written. Effects: a job.
    """
    for number, (step, target) in enumerate(zip(steps, targets, strict=True), start=1):
        try:
            asked = read_query(step.values).asked
            begin = asked.begin or asked.last_run
            make_read_plan(access, source, msgspec.structs.replace(asked, begin=begin))
            find_target(target, step.object_name, read_told(step.told), dry_run=False)
        except BadRequest as error:
            raise BadRequest(f"Step {number}: {error.message}") from error
    ports, now = access.ports, access.ports.now()
    wanted = Request(
        kind=WORKFLOW,
        owner=owner,
        instance_id=source.instance.id,
        spec={"steps": msgspec.to_builtins(steps), "schedule": schedule_id},
        due_at=now,
        queue="swift",
    )
    async with ports.database.transaction() as connection:
        return await submit(connection, ports.keys, wanted, now=now, random=ports.random)


async def work_on(work: BulkWork, turn: Turn) -> Outcome:
    """
    Begin what comes next, or wait for what was begun.

    Raises GiveUp where a download fails. Effects: bulk jobs, each in the transaction that saves it.
    """
    steps = msgspec.convert(turn.job.spec["steps"], tuple[Step, ...])
    at = msgspec.convert(turn.checkpoint or {}, Place)
    ports = work.access.ports
    while at.step < len(steps):
        step = steps[at.step]
        pause = Again(turn.now() + timedelta(seconds=step.pause_s))
        if at.download is None:
            await _download(work, turn, step, at)
            return pause
        read = await _find(work, at.download)
        if not read.status.is_end:
            return pause
        if read.status is not BulkStatus.COMPLETED:
            raise GiveUp(_why(at.step, "download", read))
        if not read.records:  # as often as nothing has changed since the last run
            at = Place(step=at.step + 1, rows=at.rows, failed=at.failed)
        elif at.upload is None:
            await _upload(work, turn, step, at, read)
            return pause
        else:
            written = await _find(work, at.upload)
            if not written.status.is_end:
                return pause
            if written.status is not BulkStatus.COMPLETED:
                raise GiveUp(_why(at.step, "upload", written))
            at = Place(
                step=at.step + 1,
                rows=at.rows + written.records,
                failed=at.failed + written.failed,
            )
        async with ports.database.transaction() as connection:
            await _save(connection, turn, at)
        turn.mark("bulk.step_done")
    return Done()


def present_workflow(job: Job) -> dict[str, Any]:
    """Show a workflow as GET /bulkloader does."""
    shown = {
        "groupName": str(job.id),
        "status": _STATUSES.get(job.state, "RUNNING" if job.progress else "CREATED"),
        "statusMessage": job.error,
        "jobId": None if job.spec.get("schedule") is None else str(job.spec["schedule"]),
        "steps": len(job.spec["steps"]),
        "stepsDone": job.progress.get("steps", 0),
        "recordsCount": job.progress.get("rows", 0),
        "recordsFailedCount": job.progress.get("failed", 0),
        "createdDate": int(job.created_at.timestamp() * 1000),
    }
    return {name: value for name, value in shown.items() if value is not None}


async def _download(work: BulkWork, turn: Turn, step: Step, at: Place) -> None:
    assert turn.job.instance_id is not None  # the source, since `start_workflow`
    opened = await work.access.open(turn.job.instance_id)

    async def note(connection: Connection, bulk_id: int) -> None:
        at.download = bulk_id
        await _save(connection, turn, at)

    await start_download(
        work.access, opened, read_query(step.values), owner=turn.job.owner, note=note
    )
    turn.mark("bulk.download_begun")


async def _upload(work: BulkWork, turn: Turn, step: Step, at: Place, read: BulkJob) -> None:
    opened = await work.access.open(step.target)
    async with work.access.ports.database.reading() as connection:
        parts = await sql.list_parts(connection, read.id, file=read.object_name, format_="jsonl")

    async def note(connection: Connection, bulk_id: int) -> None:
        at.upload = bulk_id
        await _save(connection, turn, at)

    spool = open_spool(work.access, work.folder)
    try:
        for piece in _pieces(work.folder, read, parts):
            await spool.add(piece)
        await start_upload(
            work.access,
            opened,
            spool,
            target=find_target(opened, step.object_name, read_told(step.told), dry_run=False),
            format_="json",
            callback="",
            owner=turn.job.owner,
            note=note,
        )
    finally:
        await asyncio.to_thread(spool.remove)
    turn.mark("bulk.upload_begun")


def _pieces(folder: Folder, read: BulkJob, parts: tuple[Part, ...]) -> Iterator[bytes]:
    for part in parts:
        yield from folder.read(part.name, key=read.key, size_bytes=part.size_bytes)


async def _find(work: BulkWork, bulk_id: int) -> BulkJob:
    ports = work.access.ports
    async with ports.database.reading() as connection:
        found = await sql.find_bulk_job(connection, ports.keys, bulk_id=bulk_id)
    if found is None:
        raise GiveUp(f"Bulk job {bulk_id} of this workflow is gone.")
    return found


async def _save(connection: Connection, turn: Turn, at: Place) -> None:
    progress = {"steps": at.step, "rows": at.rows, "failed": at.failed}
    await turn.save(connection, checkpoint=msgspec.to_builtins(at), progress=progress)


def _why(step: int, what: str, bulk: BulkJob) -> str:
    message = bulk.message or "see its errors"
    return f"The {what} of step {step + 1}, bulk job {bulk.id}, is {bulk.status}: {message}"
