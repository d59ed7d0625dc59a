"""
Read the rows of a download, from checkpoint to checkpoint: the handler of its job.

While one page is turned into lines the next one is already asked for, and while one batch is
written to disk and saved the next one is gathered. What is saved is whole: files, their rows in
the database and the checkpoint become real in one transaction, which only the worker that owns
the job gets through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from polyvalent.bulk import sql
from polyvalent.bulk.bounds import find_date_query
from polyvalent.bulk.compare import Comparison, digest_rows
from polyvalent.bulk.finish import finish
from polyvalent.bulk.lines import METADATA, LineWriter, join_lines
from polyvalent.bulk.marks import Marks
from polyvalent.bulk.model import BulkJob, BulkStatus, Part
from polyvalent.bulk.page import Page
from polyvalent.bulk.plan import ReadPlan, make_read_plan
from polyvalent.bulk.progress import Batch, Checkpoint
from polyvalent.bulk.read import CannotFilter, Reader
from polyvalent.bulk.receipt import note_page
from polyvalent.bulk.work import BulkWork, find_work
from polyvalent.hub.access import Opened
from polyvalent.hub.model import Row
from polyvalent.hub.read import find_object
from polyvalent.hub.search_pairs import walks_down
from polyvalent.jobs.model import Again, Done, Outcome
from polyvalent.jobs.turn import Turn

__all__ = ["METADATA", "download"]


async def download(work: BulkWork, turn: Turn) -> Outcome:
    """
    Read on until everything is read, or others wait.

    Raises what the vendor's refusals mean, and Superseded. Effects: calls the vendor, writes
    files, saves.
    """
    bulk = await find_work(work, turn)
    # One that failed is begun again only by a person who mended the cause, and goes on.
    over = (BulkStatus.COMPLETED, BulkStatus.CANCELLED)
    if bulk is None or bulk.status in over or bulk.swept_at is not None:
        return Done()
    opened = await work.open(bulk)
    run = _Run(work=work, turn=turn, bulk=bulk, opened=opened)
    await run.begin()
    try:
        if not run.at.read_up and not await run.read():
            return Again()
    finally:
        await run.close()
    return await finish(work, turn, bulk, run.plan, run.at)


@dataclass(kw_only=True)
class _Run:
    work: BulkWork
    turn: Turn
    bulk: BulkJob
    opened: Opened
    at: Checkpoint = field(init=False)
    plan: ReadPlan = field(init=False)
    reader: Reader = field(init=False)
    writer: LineWriter = field(init=False)
    comparison: Comparison | None = field(default=None, init=False)
    _batch: Batch = field(init=False)
    _saving: asyncio.Task[None] | None = field(default=None, init=False)
    _fetching: asyncio.Task[Page] | None = field(default=None, init=False)

    async def begin(self) -> None:
        """Take up the work where it was saved last."""
        if self.turn.checkpoint is None:
            self.at = Checkpoint(started_at=self.turn.now(), place=self.bulk.asked.place)
            await self._find_begin()
            if self.bulk.asked.reconcile and self.at.begin is not None:
                self.at.method = "compare"
        else:
            self.at = msgspec.convert(self.turn.checkpoint, Checkpoint)
        await self._prepare()

    async def _find_begin(self) -> None:
        asked = self.bulk.asked
        self.at.begin = asked.begin
        if asked.last_run is None and not asked.since_proven:
            return
        plan = make_read_plan(self.work.access, self.opened, asked)
        async with self.work.access.ports.database.reading() as connection:
            known = await sql.find_watermark(
                connection, instance_id=self.bulk.instance_id, query=plan.statement
            )
        proven = None if known is None else known.proven_until
        if asked.last_run is None:
            self.at.begin = proven
        else:
            self.at.begin = min(asked.last_run, proven) if proven else asked.last_run

    async def _prepare(self) -> None:
        at, bulk, access = self.at, self.bulk, self.work.access
        asked = msgspec.structs.replace(bulk.asked, begin=at.begin)
        self.plan = make_read_plan(access, self.opened, asked, method=at.method)
        increment = self.plan.increment
        if increment is not None and increment.method == "compare":
            await self._prepare_comparison()
        marks = Marks()
        if self.plan.way != "keyset" or at.place is None or "page" in at.place:
            async with access.ports.database.reading() as connection:
                for part in await sql.list_parts(
                    connection, bulk.id, file=bulk.object_name, format_="jsonl", marks=True
                ):
                    marks.add_all(part.row_marks or b"")
        ahead_s = at.vendor_ahead_s or 0.0
        started = datetime.fromtimestamp(at.started_at.timestamp() + ahead_s, UTC)
        self.reader = Reader(
            plan=self.plan,
            place=dict(at.place) if at.place else None,
            marks=marks,
            changed_since=f"{started:%Y-%m-%d %H:%M:%S}",
            total=at.tally.total_after,
        )
        self.writer = LineWriter(plan=self.plan, fields=asked.fields, metadata=self._metadata())
        self._batch = Batch(began_s=self.turn.clock())

    async def _prepare_comparison(self) -> None:
        # With digests of the run before if there are some; else everything is new.
        at, ports = self.at, self.work.access.ports
        at.method, at.keeps_digests = "compare", True
        if self.plan.way != "keyset" or walks_down(self.plan.resource, self.plan.query.plan):
            at.method, at.keeps_digests = "reread", False
            return
        async with ports.database.reading() as connection:
            if at.snapshot is None:
                known = await sql.find_watermark(
                    connection, instance_id=self.bulk.instance_id, query=self.plan.statement
                )
                at.snapshot = None if known is None else known.snapshot_id
            before = None
            if at.snapshot is not None:
                before = await sql.find_bulk_job(connection, ports.keys, bulk_id=at.snapshot)
            parts: tuple[Part, ...] = ()
            if before is not None:
                parts = await sql.list_parts(
                    connection, before.id, file=before.object_name, format_="digests"
                )

        def pieces() -> Iterator[bytes]:
            for part in parts:
                assert before is not None  # its parts were listed
                yield from self.work.folder.read(
                    part.name, key=before.key, size_bytes=part.size_bytes
                )

        last = at.place.get("last") if at.place else None
        self.comparison = Comparison(pieces(), behind=None if last is None else int(last))

    def _metadata(self) -> dict[str, Any] | None:
        if self.opened.connection.configuration.get("bulk.add_metadata") != "true":
            return None
        return {
            "instanceId": self.bulk.instance_id,
            "elementKey": self.bulk.element_key,
            "jobId": str(self.bulk.id),
            "extractedAt": f"{self.turn.now():%Y-%m-%dT%H:%M:%SZ}",
        }

    async def read(self) -> bool:
        """Read on; False if others are to be let before, with everything saved."""
        if self._limit_reached():
            self.at.limited = self.at.read_up = True
        else:
            self._fetching = asyncio.create_task(self._fetch_first())
        while self._fetching is not None:
            try:
                page = await self._fetching
            except CannotFilter:  # it could a moment ago
                raise self.plan.lacking() from None
            self._fetching = None
            self.turn.mark("bulk.fetched")
            yields = self.turn.should_yield
            if not self.reader.ended and not yields and not self._limit_reached(len(page.rows)):
                # The page is dealt with while the next one is on its way.
                self._fetching = asyncio.create_task(self.reader.fetch())
            ended = self.reader.ended and self._fetching is None
            await self._take(page)
            if self._limit_reached():
                await self._drop_fetch()
                self.at.limited = self.at.limited or not ended
                ended = True
            if ended:
                self._end_comparison()
                self.at.read_up = True
            elif self._fetching is None and not yields:
                self._fetching = asyncio.create_task(self.reader.fetch())
            if ended or yields or self._batch.is_full(self.turn.clock()):
                await self._save()
            if yields and not ended:
                await self._saved()
                return False
        await self._saved()
        return True

    async def _fetch_first(self) -> Page:
        try:
            return await self.reader.fetch()
        except CannotFilter:
            increment = self.plan.increment
            if self.at.place is not None or increment is None or increment.method != "filter":
                raise self.plan.lacking() from None
            # The vendor cannot say what has changed, so every row is looked at.
            self.at.method = "compare"
            await self._prepare()
            return await self.reader.fetch()

    async def _take(self, page: Page) -> None:
        at, bulk, batch = self.at, self.bulk, self._batch
        if at.vendor_ahead_s is None and page.vendor_time_s is not None:
            at.vendor_ahead_s = round(page.vendor_time_s - self.turn.now().timestamp(), 1)
        rows, facts = page.rows, page.facts
        chosen: Sequence[int] | None = None  # places of the rows that are given; None: all
        numbers = page.numbers
        if at.keeps_digests is None and rows:
            at.keeps_digests = self._needs_digests(rows[0])
        if at.keeps_digests is False and not bulk.asked.fields:
            # Before it is known, rows are looked at whole.
            self.reader.reading = self.plan.reading
        if at.keeps_digests and numbers is not None and rows and numbers[0] >= 0:
            digests = digest_rows(rows)
            batch.digested += numbers
            batch.digests += digests
            if self.comparison is not None:
                told = self.comparison.compare(numbers, digests)
                chosen = sorted((*told.new, *told.modified))
                at.tally.new_rows += len(told.new)
                at.tally.modified_rows += len(told.modified)
                self._note_deleted(told.deleted)
        elif rows and at.keeps_digests:
            at.keeps_digests, self.comparison = False, None
        if self.plan.query.plan.residual is not None:
            places = range(len(rows)) if chosen is None else chosen
            chosen = [place for place in places if self.plan.query.takes(rows[place])]
        if bulk.asked.offset > at.skipped:
            places = range(len(rows)) if chosen is None else chosen
            skipped = min(bulk.asked.offset - at.skipped, len(places))
            at.skipped += skipped
            chosen = list(places)[skipped:]
        place = page.place
        limit = bulk.asked.limit
        if limit is not None:
            places = list(range(len(rows)) if chosen is None else chosen)
            if at.tally.rows + len(places) > limit:
                at.limited = True
                chosen = places[: limit - at.tally.rows]
                place = _place_behind(page, chosen[-1])
                cut = chosen[-1] + 1
                facts = replace(
                    facts,
                    keys=page.keys[:cut],
                    numbers=None if page.numbers is None else page.numbers[:cut],
                )
        given = rows if chosen is None else [rows[at_] for at_ in chosen]
        await self.work.bring_along(self.opened, self.plan, given, batch, at.tally)
        count = len(given)
        if given:
            lines, beside = self.writer.write(given)
            batch.add(bulk.object_name, lines, count)
            for name, (content, amount) in beside.items():
                batch.add(name, content, amount)
        batch.pages.append(facts.fingerprint)
        batch.marks += page.marks
        note_page(at.tally, facts)
        at.tally.rows += count
        at.place = place

    def _needs_digests(self, first: Row) -> bool:
        """Say whether a later run will have to compare: where no change can be asked for."""
        if self.plan.way != "keyset" or self.bulk.asked.limit is not None:
            return False
        if walks_down(self.plan.resource, self.plan.query.plan):
            return False
        if self.bulk.asked.reconcile:
            return True
        if self.plan.increment is not None and self.plan.increment.method == "filter":
            return False
        resource = self.plan.resource
        shown = find_object(self.opened.element, resource.object)
        dates = find_date_query(shown, self.opened.connection.configuration)
        optional = resource.filtering.optional if resource.filtering is not None else ()
        return dates is None or (dates.field in optional and first.get(dates.field) is None)

    def _note_deleted(self, numbers: Sequence[int]) -> None:
        self.at.tally.deleted_rows += len(numbers)
        lines = join_lines({"id": str(number)} for number in numbers)
        self._batch.add(f"{self.bulk.object_name}.deleted", lines, len(numbers))

    def _end_comparison(self) -> None:
        if self.comparison is not None and not self.at.limited:
            self._note_deleted(self.comparison.rest())

    def _limit_reached(self, more: int = 0) -> bool:
        limit = self.bulk.asked.limit
        if limit is None or self.plan.query.plan.residual is not None or self.comparison:
            more = 0
        return limit is not None and self.at.tally.rows + more >= limit

    async def _save(self) -> None:
        await self._saved()
        batch, self._batch = self._batch, Batch(began_s=self.turn.clock())
        # What is saved is how things stand now, whatever is gathered meanwhile.
        at = msgspec.convert(msgspec.to_builtins(self.at), Checkpoint)
        self._saving = asyncio.create_task(self._store(batch, at))

    async def _store(self, batch: Batch, at: Checkpoint) -> None:
        work, bulk, turn = self.work, self.bulk, self.turn
        parts = await asyncio.to_thread(
            batch.write, work.folder, bulk, at.numbers, main=bulk.object_name
        )
        self.at.numbers = at.numbers
        turn.mark("bulk.written")
        ports = work.access.ports
        async with ports.database.transaction() as connection:
            progress = {"rows": at.tally.rows, "pages": at.tally.pages}
            if at.tally.total_after is not None:
                progress["total"] = at.tally.total_after
            await turn.save(connection, checkpoint=msgspec.to_builtins(at), progress=progress)
            await sql.insert_parts(connection, bulk.id, parts)
            await sql.insert_errors(
                connection, ports.keys, bulk.id, batch.errors, random=ports.random
            )
            await sql.change_bulk_job(
                connection,
                bulk.id,
                {
                    "status": BulkStatus.RUNNING,
                    "message": None,
                    "started_at": at.started_at,
                    "records": at.tally.rows,
                    "failed": at.tally.failed_rows,
                },
            )
        turn.mark("bulk.saved")

    async def _saved(self) -> None:
        if self._saving is not None:
            saving, self._saving = self._saving, None
            await saving

    async def _drop_fetch(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._fetching
            self._fetching = None

    async def close(self) -> None:
        """Let go of everything that is under way."""
        await self._drop_fetch()
        await self.reader.close()
        if self._saving is not None:
            self._saving.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._saving


def _place_behind(page: Page, index: int) -> dict[str, Any]:
    if "last" in page.place:
        return {"last": page.keys[index]}
    return {**page.begin, "skip": page.done[index]}
