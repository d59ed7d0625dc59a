"""
Write the rows of a job, which are kept as lines of JSON, in the format that somebody fetches.

The result is kept as files of the same kind, so that a download of any format can be taken up
again at any byte. Memory holds a few megabytes, however many rows there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from polyvalent.bulk.csv_text import find_columns, write_csv
from polyvalent.bulk.model import BulkJob, Format, Part
from polyvalent.bulk.parquet import write_parquet
from polyvalent.bulk.part import Folder

PART_BYTES = 2 * 1024 * 1024


def read_lines(folder: Folder, bulk: BulkJob, parts: Iterable[Part]) -> Iterator[bytes]:
    """Read the lines of parts, without their ends; raises as `Folder.read`."""
    for part in parts:
        left = b""
        for piece in folder.read(part.name, key=bulk.key, size_bytes=part.size_bytes):
            *lines, left = (left + piece).split(b"\n")
            yield from lines
        if left:
            yield left


def render(
    folder: Folder, bulk: BulkJob, parts: Sequence[Part], *, file: str, format_: Format
) -> tuple[Part, ...]:
    """
    Write the rows of a file in another format.

    Raises BadRequest where the format needs what is not installed. Effects: files, which nobody
    knows until their rows are in the database; reads and writes long, so not for the event
    loop's own thread.
    """

    def lines() -> Iterator[bytes]:
        return read_lines(folder, bulk, parts)

    match format_:
        case "csv":
            pieces = write_csv(lines(), find_columns(lines()))
        case "array":
            pieces = _write_array(lines())
        case "text":
            pieces = (orjson.dumps(_as_text(orjson.loads(line))) + b"\n" for line in lines())
        case "parquet":
            pieces = write_parquet(lines)
        case _:
            raise AssertionError(format_)
    made = []
    rows = sum(part.rows for part in parts)
    for number, content in enumerate(_gather(pieces)):
        made.append(
            Part(
                file=file,
                format=format_,
                number=number,
                name=folder.write(content, bulk_id=bulk.id, key=bulk.key),
                rows=0 if number else rows,
                size_bytes=len(content),
            )
        )
    return tuple(made)


def _gather(pieces: Iterable[bytes]) -> Iterator[bytes]:
    # One part at least, so that an empty result can be told from one that was never made.
    held: list[bytes] = []
    size = 0
    given = False
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PART_BYTES:
            yield b"".join(held)
            held, size, given = [], 0, True
    if held or not given:
        yield b"".join(held)


def _write_array(lines: Iterable[bytes]) -> Iterator[bytes]:
    before = b"["
    for line in lines:
        yield before + line
        before = b",\n"
    yield b"]" if before != b"[" else b"[]"


def _as_text(value: Any) -> Any:
    """Make a text of every plain value but null: 5 → "5", true → "true"."""
    if isinstance(value, dict):
        return {name: _as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(inner) for inner in value]
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
