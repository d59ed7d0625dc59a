"""
Ask a vendor for what changed, resource by resource, page by page.

What a page brought and where the poll is are saved together: a worker that dies reads its last
page again and finds by the digests of the rows that they are known. Each poll looks back a little
behind the one before, for rows whose change was committed late or dated by another clock.

Resources without dates are read whole, the others every `reconcile_every`: what the digests then
show and dates do not is reported too, and rows that are gone, once the vendor says so of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import orjson
from msgspec import Struct, convert, to_builtins

from polyvalent.db import Connection
from polyvalent.errors import CallerError, NotFound, PolyvalentError, VendorRefused
from polyvalent.events import sql
from polyvalent.events.classify import classify, decide, digest_row
from polyvalent.events.follow import is_polled, read_interval
from polyvalent.events.keep import keep_records, make_records
from polyvalent.events.member import find_value
from polyvalent.events.model import Change, EventType
from polyvalent.events.placeholders import fill_placeholders
from polyvalent.events.poll_configuration import Polled, find_polled
from polyvalent.events.work import EventWork
from polyvalent.exchange import find_header
from polyvalent.hub.access import Opened
from polyvalent.hub.model import Incoming
from polyvalent.jobs.model import Again, Done, Outcome
from polyvalent.jobs.turn import Turn

OVERLAP = timedelta(minutes=2)
_MISSING_AT_ONCE = 20


class _Place(Struct, kw_only=True):
    """Hold where a poll is: resources that are left, and the read of the first of them."""

    began_at: datetime
    todo: list[str]
    since: datetime | None = None  # of the first resource; None: it has not been begun
    whole: bool = False
    complete: bool = False
    generation: int = 0
    token: str | None = None
    checking: bool = False  # whether rows that were not seen are gone
    refused: dict[str, str] = {}
    noted: int = 0


async def poll(work: EventWork, turn: Turn) -> Outcome:
    """
    Poll an instance once, and come again after its interval.

    Raises what a vendor's failures mean, for which the poll goes on later from where it is.
    Effects: calls the vendor; stores events, changes and notices.
    """
    instance_id = turn.job.instance_id
    assert instance_id is not None  # jobs of this kind have one
    try:
        opened = await work.access.open(instance_id)
    except NotFound:
        return Done()
    configuration = opened.instance.configuration
    if not is_polled(configuration):
        return Done()
    interval = read_interval(configuration)
    if opened.instance.disabled:
        return Again(turn.now() + interval)
    polled = {item.name: item for item in find_polled(configuration, opened.element)}
    place = _read_place(turn) or _Place(began_at=turn.now(), todo=list(polled))
    run = _Run(work, turn, opened, place)
    while place.todo:
        resource = polled.get(place.todo[0])
        if resource is None:  # not polled any more
            run.next_resource()
            continue
        await run.step(resource)
        if turn.should_yield and place.todo:
            return Again()
    async with work.access.ports.database.transaction() as connection:
        await turn.save(connection, checkpoint=None, progress=run.progress)
    return Again(max(place.began_at + interval, turn.now()))


def _read_place(turn: Turn) -> _Place | None:
    return None if turn.checkpoint is None else convert(turn.checkpoint, _Place)


class _Run:
    """Work on one poll; `place` is where it is, saved with everything that it brings."""

    def __init__(self, work: EventWork, turn: Turn, opened: Opened, place: _Place) -> None:
        self._work, self._turn, self._opened, self.place = work, turn, opened, place
        self._ports = work.access.ports
        self._instance_id = opened.instance.id

    @property
    def progress(self) -> dict[str, Any]:
        """Tell what people may watch."""
        place = self.place
        shown = {"polledAt": place.began_at.isoformat(), "changes": place.noted}
        return {**shown, **({"refused": place.refused} if place.refused else {})}

    def next_resource(self) -> None:
        """Go on to the next resource."""
        place = self.place
        place.todo = place.todo[1:]
        place.since, place.token = None, None
        place.whole = place.complete = place.checking = False

    async def step(self, polled: Polled) -> None:
        """Read and save one page, or look after some rows that were not seen."""
        place = self.place
        if place.since is None:
            await self._begin(polled)
        elif place.checking:
            await self._check_missing(polled)
        else:
            await self._read_page(polled)

    async def _begin(self, polled: Polled) -> None:
        place = self.place
        async with self._ports.database.reading() as connection:
            state = (await sql.find_poll_state(connection, self._instance_id)).get(polled.name)
        # Changes count from when polling was switched on.
        first = self._turn.job.created_at
        place.since = first if state is None else max(first, state.polled_at - OVERLAP)
        place.since -= timedelta(seconds=polled.poll_delay_s)
        reconciled = None if state is None else state.reconciled_at
        place.complete = reconciled is not None
        place.generation = 0 if state is None else state.generation
        due = reconciled is None or place.began_at - reconciled >= self._work.reconcile_every
        if due or not polled.has_dates:
            self._read_whole()

    def _read_whole(self) -> None:
        place = self.place
        place.whole, place.token = True, None
        place.generation += 1

    async def _read_page(self, polled: Polled) -> None:
        place, turn = self.place, self._turn
        try:
            rows, token = await self._fetch(polled)
        except (VendorRefused, CallerError) as error:
            if not place.whole and error.status == 400:
                # Some versions of a vendor cannot filter by a date: then all is read.
                self._read_whole()
                return
            await self._refuse(polled, error)
            return
        turn.mark("poll.read")
        ended = token is None
        place.token = token
        async with self._ports.database.transaction() as connection:
            await turn.save(connection)
            changes, raw = await self._compare(connection, polled, rows)
            kept = await self._keep(connection, polled, changes, raw)
            if ended and place.whole and place.complete:
                place.checking = True
            elif ended:
                await self._end(connection, polled)
            place.noted += len(changes)
            await turn.save(connection, checkpoint=to_builtins(place), progress=self.progress)
            turn.mark("poll.before_commit")
        self._ports.note_events("polling", kept)
        turn.mark("poll.saved")

    async def _fetch(self, polled: Polled) -> tuple[list[Any], str | None]:
        place = self.place
        assert place.since is not None  # the resource was begun
        url = fill_placeholders(polled.url, place.since)
        query = [
            pair
            for pair in polled.query(url)
            if pair[0] not in ("pageSize", "nextPage") and not (place.whole and pair[0] == "where")
        ]
        query.append(("pageSize", str(polled.page_size)))
        if place.token is not None:
            query.append(("nextPage", place.token))
        incoming = Incoming(method="GET", path=polled.path, query=tuple(query))
        answer = await self._work.access.call(self._opened, incoming)
        rows = orjson.loads(answer.body)
        token = find_header(answer.headers, "Elements-Next-Page-Token")
        return (rows if isinstance(rows, list) else [rows]), token

    async def _compare(
        self, connection: Connection, polled: Polled, rows: Sequence[Any]
    ) -> tuple[list[Change], dict[str, Any]]:
        place, now = self.place, self._turn.now()
        assert place.since is not None  # the resource was begun
        by_id = {
            str(found): row
            for row in rows
            if (found := find_value(row, polled.id_field)) is not None
        }
        mine = (connection, self._instance_id, polled.name)
        known = await sql.find_digests(*mine, list(by_id))
        fresh: dict[str, str] = {}
        changes: list[Change] = []
        for object_id, row in by_id.items():
            verdict = classify(row, polled, since=place.since, now=now)
            digest, before = digest_row(row), known.get(object_id)
            if verdict.later or digest == before:
                continue
            event_type = decide(
                verdict, digest=digest, known=before, complete=place.complete, whole=place.whole
            )
            if event_type is None and place.complete and not place.whole:
                continue  # the read of all finds out what it is
            fresh[object_id] = digest
            if event_type is not None:
                changes.append(
                    Change(
                        type=event_type,
                        object_type=polled.name,
                        object_id=object_id,
                        changed_at=(verdict.changed_at if verdict.type else None) or now,
                    )
                )
        await sql.put_digests(*mine, fresh, generation=place.generation)
        if place.whole:
            seen = [object_id for object_id in by_id if object_id not in fresh]
            await sql.mark_seen(*mine, seen, generation=place.generation)
        return changes, by_id

    async def _keep(
        self, connection: Connection, polled: Polled, changes: Sequence[Change], rows: Any
    ) -> int:
        """Keep changes, and return in how many events."""
        if not changes:
            return 0

        def raw(part: Sequence[Change]) -> dict[str, Any]:
            shown = [rows[item.object_id] for item in part if item.object_id in rows]
            return {
                "objectType": polled.name,
                "instance_id": self._instance_id,
                polled.name: shown,
            }

        now = self._turn.now()
        records = make_records(self._ports, "polling", polled.name, changes, raw=raw, now=now)
        opened = self._opened
        await keep_records(connection, self._ports, opened.instance, opened.element, records)
        return len(records)

    async def _check_missing(self, polled: Polled) -> None:
        place, turn = self.place, self._turn
        mine = (self._instance_id, polled.name)
        async with self._ports.database.reading() as connection:
            missing = await sql.find_missing(
                connection, *mine, generation=place.generation, limit=_MISSING_AT_ONCE
            )
        gone = [object_id for object_id in missing if await self._is_gone(polled, object_id)]
        turn.mark("poll.checked")
        now = turn.now()
        changes = [
            Change(
                type=EventType.DELETED, object_type=polled.name, object_id=object_id, changed_at=now
            )
            for object_id in gone
        ]
        async with self._ports.database.transaction() as connection:
            await turn.save(connection)
            await sql.delete_digests(connection, *mine, gone)
            there = [object_id for object_id in missing if object_id not in gone]
            await sql.mark_seen(connection, *mine, there, generation=place.generation)
            kept = await self._keep(connection, polled, changes, {})
            place.noted += len(changes)
            if not missing:
                await self._end(connection, polled)
            await turn.save(connection, checkpoint=to_builtins(place), progress=self.progress)
        self._ports.note_events("polling", kept)
        turn.mark("poll.saved")

    async def _is_gone(self, polled: Polled, object_id: str) -> bool:
        # A list may lack a row that is there: only the row's own address tells.
        path = f"{polled.path}/{quote(object_id, safe='')}"
        try:
            await self._work.access.call(self._opened, Incoming(method="GET", path=path))
        except (VendorRefused, CallerError) as error:
            return error.status == 404
        return False

    async def _end(self, connection: Connection, polled: Polled) -> None:
        place = self.place
        values: dict[str, Any] = {"polled_at": place.began_at, "generation": place.generation}
        if place.whole:
            values["reconciled_at"] = place.began_at
        await sql.put_poll_state(connection, self._instance_id, polled.name, values)
        self.next_resource()

    async def _refuse(self, polled: Polled, error: PolyvalentError) -> None:
        # One resource that the vendor does not let us read must not keep us from the others.
        self.place.refused[polled.name] = error.message[:500]
        self.next_resource()
        async with self._ports.database.transaction() as connection:
            await self._turn.save(
                connection, checkpoint=to_builtins(self.place), progress=self.progress
            )
