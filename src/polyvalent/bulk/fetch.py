"""Find what is fetched of a bulk job: the parts of one file in one format, whole or from a byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256

from polyvalent.bulk import sql
from polyvalent.bulk.model import BulkJob, BulkStatus, Format, Part
from polyvalent.bulk.part import Folder
from polyvalent.bulk.render import render
from polyvalent.db.engine import Database
from polyvalent.errors import BadRequest, Conflict, NotFound


@dataclass(frozen=True, kw_only=True)
class Found:
    """Hold what one file of a job consists of, in one format."""

    bulk: BulkJob
    folder: Folder
    format: Format
    parts: tuple[Part, ...] = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """Return the length of the whole."""
        return sum(part.size_bytes for part in self.parts)

    @property
    def etag(self) -> str:
        """Return what stays the same exactly as long as the content does."""
        names = "\n".join(part.name for part in self.parts)
        return f'"{sha256(names.encode()).hexdigest()[:32]}"'

    async def read(self, begin: int, end: int) -> AsyncIterator[bytes]:
        """
        Read the content from a byte up to another, piece by piece.

        The first piece is read at once, so that a file that is gone or was altered is noticed
        before anything is sent; raises as `Folder.read`.
        """
        pieces = self._pieces(begin, end)
        first = await asyncio.to_thread(next, pieces, None)
        return _go_on(first, pieces)

    def _pieces(self, begin: int, end: int) -> Iterator[bytes]:
        at = 0
        for part in self.parts:
            behind = at + part.size_bytes
            if behind > begin and at < end:
                left = min(end, behind) - max(begin, at)
                for piece in self.folder.read(
                    part.name,
                    key=self.bulk.key,
                    size_bytes=part.size_bytes,
                    begin=max(0, begin - at),
                ):
                    yield piece[:left]
                    left -= len(piece)
                    if left <= 0:
                        break
            at = behind


async def _go_on(first: bytes | None, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    piece = first
    while piece is not None:
        yield piece
        piece = await asyncio.to_thread(next, pieces, None)


async def find_file(
    database: Database, folder: Folder, bulk: BulkJob, file: str, *, format_: Format
) -> Found:
    """
    Find a file of a job, and write it in a format that nobody has asked for yet.

    Raises NotFound for one that the job does not have, or not any more; Conflict for a job that
    still works; BadRequest where a format cannot be written. Effects: files for a new format.
    """
    if not bulk.status.is_end:
        raise Conflict(
            f"Bulk job {bulk.id} is {bulk.status}: its rows are there once it is COMPLETED. GET "
            f"/bulk/{bulk.id}/status tells how far it is."
        )
    if bulk.status is BulkStatus.FAILED:
        raise BadRequest(f"Bulk job {bulk.id} has failed: {bulk.message or 'see its errors'}")
    if bulk.swept_at is not None:
        raise NotFound(
            f"The rows of bulk job {bulk.id} are not kept any more. Start the download again."
        )
    async with database.reading() as connection:
        files = {bulk.object_name: 0, **await sql.list_files(connection, bulk.id)}
        if file not in files:
            raise NotFound(
                f"Bulk job {bulk.id} has no {file[:80]!r}. It has {', '.join(sorted(files))}."
            )
        lines = await sql.list_parts(connection, bulk.id, file=file, format_="jsonl")
        parts = lines
        if format_ != "jsonl":
            parts = await sql.list_parts(connection, bulk.id, file=file, format_=format_)
    if format_ != "jsonl" and not parts:
        parts = await _render(database, folder, bulk, lines, file=file, format_=format_)
    return Found(bulk=bulk, folder=folder, format=format_, parts=parts)


async def _render(
    database: Database,
    folder: Folder,
    bulk: BulkJob,
    lines: Sequence[Part],
    *,
    file: str,
    format_: Format,
) -> tuple[Part, ...]:
    made = await asyncio.to_thread(render, folder, bulk, lines, file=file, format_=format_)
    async with database.transaction() as connection:
        await sql.lock_bulk_job(connection, bulk.id)
        there = await sql.list_parts(connection, bulk.id, file=file, format_=format_)
        if not there:
            await sql.insert_parts(connection, bulk.id, made)
    if there:  # another was quicker
        for part in made:
            with suppress(OSError):
                await asyncio.to_thread(folder.remove, part.name)
        return there
    return made
