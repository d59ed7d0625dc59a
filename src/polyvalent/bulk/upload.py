"""
Write the rows of an uploaded file into the store, from checkpoint to checkpoint.

Rows go in their order, one after the other. What was written since the last save is known to the
data plane under a key for each row, so a turn that was killed in between is taken up without
writing a row twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import orjson

from polyvalent.bulk import sql
from polyvalent.bulk.callback import submit_callback
from polyvalent.bulk.lines import join_lines
from polyvalent.bulk.model import RETENTION_DAYS, BulkJob, BulkStatus, Part
from polyvalent.bulk.receipt import seal_receipt
from polyvalent.bulk.upload_row import RowWriter, Written, give_up
from polyvalent.bulk.upload_target import Told, find_target
from polyvalent.bulk.work import BulkWork, find_work
from polyvalent.errors import (
    Conflict,
    PolyvalentError,
    Unavailable,
    VendorFailure,
    VendorTimeout,
)
from polyvalent.hub.model import Row
from polyvalent.jobs.model import Again, Done, Outcome
from polyvalent.jobs.turn import Turn

# Between two saves; also how many rows at most a killed turn leaves to be looked after.
BATCH_ROWS = 50
BATCH_S = 2.0
# A row at which the store fails so often in a row, within about 15 seconds, is passed over.
PATIENCE = 4


class Checkpoint(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Hold everything that an upload goes on from."""

    started_at: datetime
    done: int = 0  # rows
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    parts: int = 0  # of the outcomes


async def upload(work: BulkWork, turn: Turn) -> Outcome:
    """
    Write on until every row was tried, or others wait.

    Raises what failures of the store mean, and Superseded. Effects: writes at the store, writes
    files, saves.
    """
    bulk = await find_work(work, turn)
    if bulk is None or bulk.status.is_end:
        return Done()
    opened = await work.access.open(bulk.instance_id)
    asked = bulk.asked
    told = Told(action=asked.action or "upsert", identifier=asked.identifier)
    writer = RowWriter(
        access=work.access,
        opened=opened,
        target=find_target(opened, asked.object, told, dry_run=asked.dry_run),
        bulk_id=bulk.id,
    )
    at = Checkpoint(started_at=turn.now())
    if turn.checkpoint is not None:
        at = msgspec.convert(turn.checkpoint, Checkpoint)
    run = _Run(work=work, turn=turn, bulk=bulk, writer=writer, at=at)
    if not await run.write():
        return Again()
    await run.finish()
    return Done()


@dataclass(kw_only=True)
class _Run:
    work: BulkWork
    turn: Turn
    bulk: BulkJob
    writer: RowWriter
    at: Checkpoint
    _told: list[dict[str, Any]] = field(default_factory=list, init=False, repr=False)
    _errors: list[dict[str, Any]] = field(default_factory=list, init=False, repr=False)
    _saved_s: float = field(default=0.0, init=False)

    async def write(self) -> bool:
        """Write on; False if others are to be let before, with everything saved."""
        turn, at = self.turn, self.at
        self._saved_s = turn.clock()
        looked_after = at.done + BATCH_ROWS if turn.job.run > 1 else 0
        async for number, line, row in self._rows():
            try:
                written = await self._try(number, row, may_be_begun=number <= looked_after)
            except PolyvalentError:
                # What was done is kept; this row is begun anew in a while.
                if self._told:
                    await self._save()
                raise
            self._note(number, line, row, written)
            turn.mark("bulk.row_written")
            late = turn.clock() - self._saved_s >= BATCH_S
            yields = turn.should_yield
            if yields or late or len(self._told) >= BATCH_ROWS:
                await self._save()
            if yields and at.done < self.bulk.asked.rows:
                return False
        return True

    async def _try(self, number: int, row: Row, *, may_be_begun: bool) -> Written:
        try:
            return await self.writer.write(number, row, may_be_begun=may_be_begun)
        except (Conflict, VendorFailure, VendorTimeout) as error:
            # Of the row or of the store? After some attempts at this very row it is the row's.
            if self._told or self.turn.job.attempts < PATIENCE:
                if isinstance(error, Conflict):
                    # A worker that was killed seems to be at work until its lease ends.
                    raise Unavailable(error.message) from error
                raise
            return give_up(error)

    async def _rows(self) -> AsyncIterator[tuple[int, int, Row]]:
        """Read the rows that are not done yet."""
        work, bulk = self.work, self.bulk
        async with work.access.ports.database.reading() as connection:
            parts = await sql.list_parts(
                connection, bulk.id, file=bulk.object_name, format_="given"
            )
        behind = 0
        for part in parts:
            behind += part.rows
            if behind <= self.at.done:
                continue
            for text in await asyncio.to_thread(self._read, part):
                number, line, row = orjson.loads(text)
                if number > self.at.done:
                    yield number, line, row

    def _read(self, part: Part) -> list[bytes]:
        pieces = self.work.folder.read(part.name, key=self.bulk.key, size_bytes=part.size_bytes)
        return b"".join(pieces).split(b"\n")

    def _note(self, number: int, line: int, row: Row, written: Written) -> None:
        at = self.at
        at.done = number
        at.outcomes[written.outcome] = at.outcomes.get(written.outcome, 0) + 1
        told = {"row": number, "line": line, **written.show()}
        self._told.append(told)
        if written.went_wrong:
            self._errors.append({**told, "record": row})

    async def _save(self) -> None:
        work, bulk, turn, at = self.work, self.bulk, self.turn, self.at
        content, rows, errors = join_lines(self._told), len(self._told), self._errors
        self._told, self._errors = [], []
        name = await asyncio.to_thread(work.folder.write, content, bulk_id=bulk.id, key=bulk.key)
        part = Part(
            file=bulk.object_name,
            format="jsonl",
            number=at.parts,
            name=name,
            rows=rows,
            size_bytes=len(content),
        )
        at.parts += 1
        turn.mark("bulk.outcomes_written")
        ports = work.access.ports
        async with ports.database.transaction() as connection:
            await turn.save(
                connection, checkpoint=msgspec.to_builtins(at), progress=self._progress()
            )
            await sql.insert_parts(connection, bulk.id, (part,))
            await sql.insert_errors(connection, ports.keys, bulk.id, errors, random=ports.random)
            await sql.change_bulk_job(
                connection,
                bulk.id,
                {"status": BulkStatus.RUNNING, "started_at": at.started_at, **self._counts()},
            )
        turn.mark("bulk.saved")
        self._saved_s = turn.clock()

    async def finish(self) -> None:
        """End the upload; it is COMPLETED, however many rows failed."""
        if self._told:
            await self._save()
        bulk, turn, at = self.bulk, self.turn, self.at
        ports, now = self.work.access.ports, turn.now()
        receipt = seal_receipt(ports.keys.ring(), self._receipt(now))
        async with ports.database.transaction() as connection:
            await turn.save(connection, progress=self._progress())
            await sql.change_bulk_job(
                connection,
                bulk.id,
                {
                    "status": BulkStatus.COMPLETED,
                    "receipt": orjson.dumps(receipt).decode(),
                    "started_at": at.started_at,
                    "completed_at": now,
                    "expires_at": now + timedelta(days=RETENTION_DAYS),
                    **self._counts(),
                },
            )
            await submit_callback(connection, ports, bulk, turn.job.owner, now=now)
        turn.mark("bulk.finished")

    def _counts(self) -> dict[str, int]:
        outcomes = self.at.outcomes
        failed = outcomes.get("failed", 0) + outcomes.get("unknown", 0)
        return {"records": self.at.done, "failed": failed}

    def _progress(self) -> dict[str, Any]:
        return {"rows": self.at.done, "total": self.bulk.asked.rows, **self.at.outcomes}

    def _receipt(self, now: datetime) -> dict[str, Any]:
        bulk, at = self.bulk, self.at
        failed = self._counts()["failed"]
        reasons = [] if not failed else [f"{failed} rows are not known to be written: see errors"]
        return {
            "jobId": str(bulk.id),
            "instanceId": bulk.instance_id,
            "elementKey": bulk.element_key,
            "objectName": bulk.object_name,
            "action": bulk.asked.action,
            "dryRun": bulk.asked.dry_run,
            "complete": not failed,
            "reasons": reasons,
            "rows": at.done,
            "outcomes": dict(at.outcomes),
            "startedAt": _iso(at.started_at),
            "finishedAt": _iso(now),
        }


def _iso(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
