"""
Write the rows of an uploaded file into the store, from checkpoint to checkpoint.

Rows go in their order, one after the other, or some at a time where the element says how. What was
written since the last save is known to the data plane under a key for each row, and what is sent
together is saved before; so a turn that was killed in between is taken up without writing a row
twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
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
from polyvalent.bulk.upload_batch import BatchWriter, Looked, Pending
from polyvalent.bulk.upload_row import RowWriter, Written, give_up
from polyvalent.bulk.upload_target import BATCH_ROWS, Told, find_target
from polyvalent.bulk.work import BulkWork, find_work
from polyvalent.errors import (
    Conflict,
    PolyvalentError,
    Unavailable,
    VendorFailure,
    VendorTimeout,
)
from polyvalent.hub.model import Row
from polyvalent.jobs.model import Again, Done, GiveUp, Outcome
from polyvalent.jobs.turn import Turn

# Between two saves, beside BATCH_ROWS.
BATCH_S = 2.0
# A row at which the store fails so often in a row, within about 15 seconds, is passed over.
PATIENCE = 4


class Checkpoint(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Hold everything that an upload goes on from."""

    started_at: datetime
    done: int = 0  # rows
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    parts: int = 0  # of the outcomes
    # Where rows are sent together: the last row that may be begun, and those that were sent.
    begun: int = 0
    sent: list[int] = msgspec.field(default_factory=list)


async def upload(work: BulkWork, turn: Turn) -> Outcome:
    """
    Write on until every row was tried, or others wait.

    Raises what failures of the store mean, and Superseded. Effects: writes at the store, writes
    files, saves.
    """
    bulk = await find_work(work, turn)
    # One that failed is begun again only by a person who mended the cause, and goes on.
    if bulk is None or bulk.status in (BulkStatus.COMPLETED, BulkStatus.CANCELLED):
        return Done()
    if bulk.swept_at is not None:
        raise GiveUp("The rows of the file are not kept any more. Send it again.")
    opened = await work.open(bulk)
    asked = bulk.asked
    told = Told(
        action=asked.action or "upsert",
        identifier=asked.identifier,
        rows_per_call=asked.rows_per_call,
    )
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


# Of the members of a row that an earlier turn sent.
_NOTHING_KNOWN: dict[str, Any] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Given:
    # One row of the file.
    number: int
    line: int
    row: Row = field(repr=False)


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
        together = self.writer.target.together
        if together is not None:
            return await self._write_together(BatchWriter(writer=self.writer, together=together))
        looked_after = at.done + BATCH_ROWS if turn.job.run > 1 else 0
        async for given in self._rows():
            await self._write_one(given, may_be_begun=given.number <= looked_after)
            if not await self._goes_on():
                return False
        return True

    async def _write_together(self, batches: BatchWriter) -> bool:
        rows_max, some = batches.together.rows_max, []
        async for given in self._rows():
            some.append(given)
            # Those that an earlier turn may have begun are looked at one by one.
            if given.number <= self.at.begun or len(some) == rows_max:
                await self._write_some(batches, some)
                some = []
                if not await self._goes_on():
                    return False
        await self._write_some(batches, some)
        return True

    async def _write_some(self, batches: BatchWriter, some: Sequence[_Given]) -> None:
        at = self.at
        looked: Looked = {}
        sent = dict.fromkeys(at.sent, _NOTHING_KNOWN)
        fresh = [(given.number, given.row) for given in some if given.number > at.begun]
        if fresh:
            try:
                looked = await batches.look(fresh)
            except PolyvalentError as error:
                if self._told:
                    await self._save()
                failed = isinstance(error, VendorFailure | VendorTimeout)
                if not failed or self.turn.job.attempts < PATIENCE:
                    raise
                # Perhaps it is one of the rows; each is looked at alone.
        pending = {number: row for number, row in looked.items() if isinstance(row, Pending)}
        told: dict[int, Written] = {}
        if fresh and len(looked) - len(pending) < len(fresh):
            # Known before anything is sent, so that nothing is sent twice after a kill.
            at.begun, at.sent = fresh[-1][0], list(pending)
            await self._save()
            self.turn.mark("bulk.batch_noted")
        if pending:
            sent = {number: row.changes for number, row in pending.items()}
            told = await batches.send(pending)
            self.turn.mark("bulk.batch_sent")
        for given in some:
            known = looked.get(given.number)
            written = told.get(given.number) if not isinstance(known, Written) else known
            if written is None:
                await self._write_one(given, may_be_begun=True, sent=sent.get(given.number))
            else:
                self._note(given, written)

    async def _write_one(
        self, given: _Given, *, may_be_begun: bool, sent: dict[str, Any] | None = None
    ) -> None:
        try:
            written = await self._try(given, may_be_begun=may_be_begun, sent=sent)
        except PolyvalentError:
            # What was done is kept; this row is begun anew in a while.
            if self._told:
                await self._save()
            raise
        self._note(given, written)
        self.turn.mark("bulk.row_written")

    async def _goes_on(self) -> bool:
        """Save if it is time to; False if others are to be let before."""
        turn = self.turn
        late = turn.clock() - self._saved_s >= BATCH_S
        yields = turn.should_yield
        if yields or late or len(self._told) >= BATCH_ROWS:
            await self._save()
        return not yields or self.at.done >= self.bulk.asked.rows

    async def _try(
        self, given: _Given, *, may_be_begun: bool, sent: dict[str, Any] | None
    ) -> Written:
        try:
            return await self.writer.write(
                given.number, given.row, may_be_begun=may_be_begun, sent=sent
            )
        except (Conflict, VendorFailure, VendorTimeout) as error:
            # Of the row or of the store? After some attempts at this very row it is the row's.
            if self._told or self.turn.job.attempts < PATIENCE:
                if isinstance(error, Conflict):
                    # A worker that was killed seems to be at work until its lease ends.
                    raise Unavailable(error.message) from error
                raise
            return give_up(error)

    async def _rows(self) -> AsyncIterator[_Given]:
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
                    yield _Given(number=number, line=line, row=row)

    def _read(self, part: Part) -> list[bytes]:
        pieces = self.work.folder.read(part.name, key=self.bulk.key, size_bytes=part.size_bytes)
        return b"".join(pieces).split(b"\n")

    def _note(self, given: _Given, written: Written) -> None:
        at = self.at
        at.done = given.number
        at.outcomes[written.outcome] = at.outcomes.get(written.outcome, 0) + 1
        told = {"row": given.number, "line": given.line, **written.show()}
        self._told.append(told)
        if written.went_wrong:
            self._errors.append({**told, "record": given.row})

    async def _save(self) -> None:
        work, bulk, turn, at = self.work, self.bulk, self.turn, self.at
        content, rows, errors = join_lines(self._told), len(self._told), self._errors
        self._told, self._errors = [], []
        parts: tuple[Part, ...] = ()
        if rows:
            name = await asyncio.to_thread(
                work.folder.write, content, bulk_id=bulk.id, key=bulk.key
            )
            part = Part(
                file=bulk.object_name,
                format="jsonl",
                number=at.parts,
                name=name,
                rows=rows,
                size_bytes=len(content),
            )
            parts = (part,)
            at.parts += 1
        turn.mark("bulk.outcomes_written")
        ports = work.access.ports
        async with ports.database.transaction() as connection:
            await turn.save(
                connection, checkpoint=msgspec.to_builtins(at), progress=self._progress()
            )
            await sql.insert_parts(connection, bulk.id, parts)
            await sql.insert_errors(connection, ports.keys, bulk.id, errors, random=ports.random)
            await sql.change_bulk_job(
                connection,
                bulk.id,
                {
                    "status": BulkStatus.RUNNING,
                    "message": None,
                    "started_at": at.started_at,
                    "completed_at": None,
                    **self._counts(),
                },
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
                    "message": None,
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
        reasons = _reasons(at.outcomes, dry_run=bulk.asked.dry_run)
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


def _reasons(outcomes: Mapping[str, int], *, dry_run: bool) -> list[str]:
    """Say why not all was done: ["not done: 2 rows, see errors"]."""
    told = (
        ("would not be done" if dry_run else "not done", outcomes.get("failed", 0)),
        ("not known whether done", outcomes.get("unknown", 0)),
    )
    return [
        f"{what}: {count} {'row' if count == 1 else 'rows'}, see errors"
        for what, count in told
        if count
    ]
