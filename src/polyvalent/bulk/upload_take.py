"""Take an uploaded file in: keep it sealed as it comes, check every row, and begin the job."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson

from polyvalent.bulk.marks import Marks, mark_of
from polyvalent.bulk.model import RETENTION_DAYS, Asked, NewBulkJob, Part
from polyvalent.bulk.part import Folder
from polyvalent.bulk.sql import KEY_BYTES
from polyvalent.bulk.submit import Note, note_nothing, submit_bulk
from polyvalent.bulk.upload_csv import read_csv
from polyvalent.bulk.upload_json import read_json
from polyvalent.bulk.upload_target import Target
from polyvalent.bulk.upload_text import UploadRow, refuse
from polyvalent.catalog.element import Element
from polyvalent.errors import BadRequest
from polyvalent.hub.access import HubAccess, Opened
from polyvalent.hub.read import find_object
from polyvalent.jobs.model import Owner

# So much of a file is in memory at a time.
SPOOL_BYTES = 2 * 1024 * 1024
# Their identifiers are held in memory, to find those that come twice.
ROWS_MAX = 1_000_000
_PLACE_BYTES = 7


@dataclass(kw_only=True)
class Spool:
    """
    Keep the bytes of a file, sealed, until its rows are read; `remove` it afterwards.

    `place` names the folder until there is a job: drawn, so that no two uploads share one.
    """

    folder: Folder
    key: bytes = field(repr=False)
    place: int
    _held: bytearray = field(default_factory=bytearray, repr=False)
    _written: list[tuple[str, int]] = field(default_factory=list)

    async def add(self, piece: bytes) -> None:
        """Add some bytes; effects: a file, whenever enough has come together."""
        self._held += piece
        if len(self._held) >= SPOOL_BYTES:
            content = bytes(self._held)
            self._held.clear()
            name = await asyncio.to_thread(
                self.folder.write, content, bulk_id=self.place, key=self.key
            )
            self._written.append((name, len(content)))

    def read(self) -> Iterator[bytes]:
        """Read what was added, from its beginning."""
        for name, size_bytes in self._written:
            yield from self.folder.read(name, key=self.key, size_bytes=size_bytes)
        if self._held:
            yield bytes(self._held)

    def remove(self) -> None:
        """Delete the files."""
        for name, _ in self._written:
            self.folder.remove(name)


def open_spool(access: HubAccess, folder: Folder) -> Spool:
    """Open a place for a file that is on its way."""
    random = access.ports.random
    place = int.from_bytes(random(_PLACE_BYTES))
    return Spool(folder=folder, key=random(KEY_BYTES), place=place)


async def start_upload(
    access: HubAccess,
    opened: Opened,
    spool: Spool,
    *,
    target: Target,
    format_: str,
    callback: str,
    owner: Owner,
    note: Note = note_nothing,
) -> int:
    """
    Check every row of a file, and begin the job that writes them; return its bulk job's number.

    `note` is called with the number in the same transaction.
    Raises BadRequest, naming line and column, for a file that cannot be read whole. Effects: files;
    a bulk job and the job that does its work, in one transaction.
    """
    ports = access.ports
    key = ports.random(KEY_BYTES)
    keeper = _Keeper(folder=spool.folder, key=key, place=spool.place, file=target.object_name)
    try:
        await asyncio.to_thread(
            _keep_rows, spool, keeper, target=target, format_=format_, element=opened.element
        )
        now = ports.now()
        new = NewBulkJob(
            organization_id=owner.organization_id,
            instance_id=opened.instance.id,
            element_key=opened.element.key,
            direction="UPLOAD",
            object_name=target.object_name,
            file_format="csv" if format_ == "csv" else "jsonl",
            asked=Asked(
                object=target.object_name,
                callback=callback,
                action=target.action,
                identifier=target.identifier,
                rows=keeper.rows,
                rows_per_call=target.rows_per_call,
                dry_run=target.dry_run,
            ),
            created_at=now,
            expires_at=now + timedelta(days=RETENTION_DAYS),
            key=key,
        )
        return await submit_bulk(ports, new, owner=owner, parts=keeper.parts, note=note)
    except BaseException:
        await asyncio.to_thread(keeper.remove)
        raise


@dataclass(kw_only=True)
class _Keeper:
    """Write rows into sealed files, as lines that carry their number and line."""

    folder: Folder
    key: bytes = field(repr=False)
    place: int
    file: str
    parts: list[Part] = field(default_factory=list)
    rows: int = 0
    _lines: list[bytes] = field(default_factory=list, repr=False)
    _size_bytes: int = 0

    def add(self, item: UploadRow) -> None:
        line = _dump([item.number, item.line, item.row], line=item.line)
        self.rows += 1
        self._lines.append(line)
        self._size_bytes += len(line)
        if self._size_bytes >= SPOOL_BYTES:
            self.write()

    def write(self) -> None:
        if not self._lines:
            return
        content = b"\n".join(self._lines)
        self.parts.append(
            Part(
                file=self.file,
                format="given",
                number=len(self.parts),
                name=self.folder.write(content, bulk_id=self.place, key=self.key),
                rows=len(self._lines),
                size_bytes=len(content),
            )
        )
        self._lines, self._size_bytes = [], 0

    def remove(self) -> None:
        for part in self.parts:
            self.folder.remove(part.name)


def _keep_rows(
    spool: Spool, keeper: _Keeper, *, target: Target, format_: str, element: Element
) -> None:
    rows = (read_csv if format_ == "csv" else read_json)(spool.read())
    for item in _check(rows, target=target, format_=format_, element=element):
        keeper.add(item)
    keeper.write()


def _check(
    rows: Iterable[UploadRow], *, target: Target, format_: str, element: Element
) -> Iterator[UploadRow]:
    """Let rows pass; raises BadRequest for a header that is none, and for one identifier twice."""
    seen = Marks()
    names = target.natural_key if target.action == "create" else (target.identifier,)
    first = True
    for item in rows:
        if item.number > ROWS_MAX:
            raise refuse(f"more than {ROWS_MAX} rows; cut the file in pieces.", line=item.line)
        if first and format_ == "csv":
            _check_header(item, target=target, element=element)
        first = False
        values = [item.row.get(name) for name in names]
        if names and all(isinstance(value, str | int | float) for value in values):
            told = _dump([str(value).strip().casefold() for value in values], line=item.line)
            if not seen.add(mark_of(told.decode())):
                shown = ", ".join(f"{name} {str(item.row[name])[:80]!r}" for name in names)
                raise refuse(
                    f"{shown} has come before in this file. A row of the store may be named once.",
                    line=item.line,
                )
        yield item


def _dump(values: list[Any], *, line: int) -> bytes:
    # Half a character (\ud800) and numbers beyond 64 bits can be written in JSON, but not sent.
    try:
        return orjson.dumps(values)
    except TypeError as error:
        raise refuse(f"the row has a value that cannot be sent on: {error}.", line=line) from error


def _check_header(item: UploadRow, *, target: Target, element: Element) -> None:
    # A first line that is no header has values for names, none of which is a field.
    shown = find_object(element, target.object_name)
    known = {"id", target.identifier, *(field.name for field in shown.fields)} if shown else None
    if known is not None and known.isdisjoint(item.row):
        names = ", ".join(sorted(item.row))[:200]
        raise BadRequest(
            f"Line 1: none of {names} is a field of {target.object_name}. The first line must "
            "name the fields, with commas between them."
        )
