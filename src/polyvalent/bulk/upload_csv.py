"""
Read rows out of CSV as RFC 4180 has it, piece by piece. Pure.

The first line names the members; "billing.city" is the member city of the member billing. A cell
with nothing in it leaves its member out, "" is an empty text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from polyvalent.bulk.upload_text import (
    ROW_CHARACTERS_MAX,
    UploadRow,
    place_in,
    read_text,
    refuse,
    too_long,
)
from polyvalent.hub.model import Row
from polyvalent.hub.read import DEEPEST

# One cell and what ends it; the text of a quoted one still has its quotes doubled.
_CELL = re.compile(r'(?:"((?:[^"]|"")*+)"|([^",\r\n]*+))(,|\Z)')
_CLOSED = re.compile(r'"(?:[^"]|"")*+"')
_OUT_OF_PLACE = re.compile(r'["\r\n]')
_COLUMNS_MAX = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Record:
    text: str
    line: int


def read_csv(pieces: Iterable[bytes]) -> Iterator[UploadRow]:
    r"""
    Read the rows of a CSV file, the values as texts.

    b'sku,price\r\na-1,"12.50"\r\n' → UploadRow(number=1, line=2, row={"sku": "a-1", "price":
    "12.50"}). Raises BadRequest, naming line and column, for what is no such file.
    """
    records = _read_records(read_text(pieces))
    header = next(records, None)
    if header is None:
        raise refuse("the file is empty; its first line must name the fields.", line=1)
    paths = _read_header(header)
    for number, record in enumerate(records, start=1):
        cells = _split(record)
        if len(cells) != len(paths):
            raise refuse(
                f"{_count(len(cells), 'value')}, but the first line names "
                f"{_count(len(paths), 'field')}.",
                line=record.line,
                column=min(len(record.text), _place_of(record, len(paths))) + 1,
            )
        yield UploadRow(number=number, line=record.line, row=_nest(paths, cells))


def _read_records(texts: Iterable[str]) -> Iterator[_Record]:
    """Cut a text into records, a line each but for line ends between quotes; no empty ones."""
    waiting: list[str] = []  # the lines of a record whose quotes are open
    begun_at, line, is_open = 1, 0, False
    size = 0
    for text in _read_lines(texts):
        line += 1
        if not waiting:
            begun_at = line
        if text.count('"') % 2:
            is_open = not is_open
        waiting.append(text)
        size += len(text) + 1
        if size > ROW_CHARACTERS_MAX and is_open:
            raise _never_closed(waiting, begun_at)
        if is_open:
            continue
        whole = "\n".join(waiting).removesuffix("\r")
        waiting, size = [], 0
        if whole:
            yield _Record(text=whole, line=begun_at)
    if waiting:
        raise _never_closed(waiting, begun_at)


def _read_lines(texts: Iterable[str]) -> Iterator[str]:
    """Cut a text at its line ends; the CR of a CRLF stays."""
    rest: list[str] = []
    size, line = 0, 1
    for text in texts:
        first, *others = text.split("\n")
        rest.append(first)
        size += len(first)
        if size > ROW_CHARACTERS_MAX:
            raise too_long(line)
        if not others:
            continue
        yield "".join(rest)
        yield from others[:-1]
        line += len(others)
        rest, size = [others[-1]], len(others[-1])
    last = "".join(rest)
    if last:
        yield last


def _read_header(record: _Record) -> tuple[tuple[str, ...], ...]:
    cells = _split(record)
    if len(cells) > _COLUMNS_MAX:
        raise refuse(f"more than {_COLUMNS_MAX} fields.", line=record.line)
    paths: list[tuple[str, ...]] = []
    known: set[tuple[str, ...]] = set()
    inner: set[tuple[str, ...]] = set()
    for place, cell in enumerate(cells):
        name = (cell or "").strip()
        path = tuple(name.split("."))
        told = None
        if not name:
            told = "the name of a field is missing. The first line must name them all."
        elif not all(path) or len(path) > DEEPEST:
            told = f"{name[:80]!r} is no name of a field; write outer.inner for a nested one."
        elif path in known:
            told = f"the field {name[:80]!r} is named twice."
        elif path in inner or any(path[:end] in known for end in range(1, len(path))):
            told = f"{name[:80]!r} is both a field and a part of another one."
        if told is not None:
            column = _place_of(record, place) + 1
            raise refuse(told, line=record.line, column=column)
        known.add(path)
        inner |= {path[:end] for end in range(1, len(path))}
        paths.append(path)
    return tuple(paths)


def _split(record: _Record) -> list[str | None]:
    """Return the cells of a record; None for one with nothing in it."""
    text = record.text
    if '"' not in text and "\r" not in text:
        return [cell or None for cell in text.split(",")]
    cells: list[str | None] = []
    at = 0
    while True:
        found = _CELL.match(text, at)
        if found is None:
            raise _broken_cell(record, at)
        quoted, plain, end = found.groups()
        cells.append(plain or None if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if not end:
            return cells


def _broken_cell(record: _Record, at: int) -> Exception:
    text = record.text
    if text[at] == '"':
        closed = _CLOSED.match(text, at)
        at = at if closed is None else closed.end()
        message = (
            "a quoted value must be followed by a comma or the end of the line; a quote within it "
            'is written "".'
        )
    else:
        found = _OUT_OF_PLACE.search(text, at)
        at = at if found is None else found.start()
        message = 'a quote within a value that is not quoted; write "5"" pipe" for 5" pipe.'
        if text[at] == "\r":
            message = "a carriage return that ends no line; lines end with LF or CRLF."
    line, column = place_in(text, at, line=record.line)
    return refuse(message, line=line, column=column)


def _never_closed(lines: Sequence[str], begun_at: int) -> Exception:
    """Point at the quote that was opened last and never closed."""
    text = "\n".join(lines)
    at = 0
    while True:
        found = _CELL.match(text, at)
        if found is None or not found[3]:
            break
        at = found.end()
    if text[at] != '"' or _CLOSED.match(text, at):
        return _broken_cell(_Record(text=text, line=begun_at), at)
    line, column = place_in(text, at, line=begun_at)
    return refuse("a quote is opened here and never closed.", line=line, column=column)


def _place_of(record: _Record, number: int) -> int:
    """Return where a cell begins, its end if there are not so many."""
    at = 0
    for _ in range(number):
        found = _CELL.match(record.text, at)
        if found is None or not found[3]:
            return len(record.text)
        at = found.end()
    return at


def _nest(paths: Sequence[tuple[str, ...]], cells: Sequence[str | None]) -> Row:
    row: Row = {}
    for path, cell in zip(paths, cells, strict=True):
        if cell is None:
            continue
        place = row
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = cell
    return row


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
