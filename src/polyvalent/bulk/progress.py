"""Hold how far a download is, as it is saved, and what lies between two saves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec import field as member

from polyvalent.bulk.compare import pack_pairs
from polyvalent.bulk.marks import pack
from polyvalent.bulk.model import BulkJob, Format, Part
from polyvalent.bulk.part import Folder
from polyvalent.bulk.plan import Method
from polyvalent.bulk.receipt import Tally

# So much is held in memory before it is written and saved, and it is never older than this.
BATCH_BYTES = 2 * 1024 * 1024
BATCH_S = 5.0


class Checkpoint(Struct, kw_only=True, omit_defaults=True):
    """Hold everything that a download goes on from."""

    started_at: datetime
    begin: datetime | None = None  # of the stretch of time that is asked for
    method: Method | None = None
    snapshot: int | None = None  # the job whose digests are compared with
    keeps_digests: bool | None = None  # None until the first row was seen
    place: dict[str, Any] | None = None
    skipped: int = 0  # rows, by OFFSET
    tally: Tally = member(default_factory=Tally)
    numbers: dict[str, int] = member(default_factory=dict)  # of the next part, by file
    vendor_ahead_s: float | None = None
    limited: bool = False
    read_up: bool = False  # there is nothing left to read


@dataclass(kw_only=True)
class Batch:
    """Gather what was read since the last save."""

    began_s: float
    lines: dict[str, list[bytes]] = field(default_factory=dict, repr=False)
    rows: dict[str, int] = field(default_factory=dict)
    size_bytes: int = 0
    pages: list[str] = field(default_factory=list)
    marks: list[int] = field(default_factory=list, repr=False)
    digested: list[int] = field(default_factory=list, repr=False)
    digests: list[int] = field(default_factory=list, repr=False)
    errors: list[dict[str, Any]] = field(default_factory=list, repr=False)

    def add(self, file: str, lines: bytes, rows: int) -> None:
        """Add lines to a file."""
        if rows:
            self.lines.setdefault(file, []).append(lines)
            self.rows[file] = self.rows.get(file, 0) + rows
            self.size_bytes += len(lines)

    def is_full(self, now_s: float) -> bool:
        """Say whether it is time to save."""
        return self.size_bytes >= BATCH_BYTES or now_s - self.began_s >= BATCH_S

    def write(
        self, folder: Folder, bulk: BulkJob, numbers: dict[str, int], *, main: str
    ) -> tuple[Part, ...]:
        """
        Write the files of the batch, numbering them on; what is known of pages goes with `main`.

        Effects: files, and `numbers`; waits for the disk. Not for the event loop's own thread.
        """
        contents: list[tuple[str, Format, bytes, int]] = [
            (file, "jsonl", b"".join(pieces), self.rows[file])
            for file, pieces in self.lines.items()
        ]
        if self.pages and main not in self.lines:
            contents.append((main, "jsonl", b"", 0))
        if self.digested:
            packed = pack_pairs(self.digested, self.digests)
            contents.append((main, "digests", packed, len(self.digested)))
        made = []
        for file, format_, content, rows in contents:
            place = file if format_ == "jsonl" else f"{file}/{format_}"
            number = numbers.get(place, 0)
            numbers[place] = number + 1
            own = file == main and format_ == "jsonl"
            made.append(
                Part(
                    file=file,
                    format=format_,
                    number=number,
                    name=folder.write(content, bulk_id=bulk.id, key=bulk.key),
                    rows=rows,
                    size_bytes=len(content),
                    pages=tuple(self.pages) if own else (),
                    row_marks=pack(self.marks) if own and self.marks else None,
                )
            )
        return tuple(made)
