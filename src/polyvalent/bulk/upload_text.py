"""Turn the bytes of an uploaded file into text, and say where what cannot be read stands. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from polyvalent.errors import BadRequest
from polyvalent.hub.model import Row

# One row, with all its lines, must fit into memory several times.
ROW_CHARACTERS_MAX = 10 * 1024 * 1024
_OTHER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadRow:
    """Hold one row of a file: its number from 1 and the line it begins on."""

    number: int
    line: int
    row: Row = field(repr=False)


def refuse(message: str, *, line: int, column: int | None = None) -> BadRequest:
    """Return the error that says where a file cannot be read: "Line 3, column 7: …"."""
    place = f"Line {line}" if column is None else f"Line {line}, column {column}"
    return BadRequest(f"{place}: {message}")


def read_text(pieces: Iterable[bytes]) -> Iterator[str]:
    """
    Decode UTF-8 piece by piece, without the mark at its beginning.

    Raises BadRequest, with the line and column, for bytes that are no UTF-8, and for NUL.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, column, first = 1, 1, True
    for piece in _ended(pieces):
        if first and piece is not None and piece.startswith(_OTHER_MARKS):
            raise refuse("the file is UTF-16; save it as UTF-8.", line=1, column=1)
        try:
            text = decoder.decode(piece or b"", final=piece is None)
        except UnicodeDecodeError as error:
            good = error.object[: error.start].decode()
            line, column = _advance(good, line, column)
            byte = error.object[error.start]
            raise refuse(
                f"byte 0x{byte:02x} is no UTF-8; save the file as UTF-8.", line=line, column=column
            ) from error
        if first and text:
            first, text = False, text.removeprefix("\ufeff")
        if "\x00" in text:
            line, column = _advance(text[: text.index("\x00")], line, column)
            raise refuse("a NUL character; the file is no text.", line=line, column=column)
        line, column = _advance(text, line, column)
        if text:
            yield text


def place_in(text: str, position: int, *, line: int, column: int = 1) -> tuple[int, int]:
    """Return the line and column of a position in a text that begins at a place."""
    return _advance(text[:position], line, column)


def too_long(line: int) -> BadRequest:
    """Return the error for a row that is too long."""
    return refuse(
        f"the row that begins here is longer than {ROW_CHARACTERS_MAX // 1024 // 1024} MB.",
        line=line,
    )


def _ended(pieces: Iterable[bytes]) -> Iterator[bytes | None]:
    # The first piece is long enough for every mark; None at the end.
    head = b""
    whole = False
    for piece in pieces:
        if whole:
            yield piece
            continue
        head += piece
        if len(head) >= len(codecs.BOM_UTF8):
            whole = True
            yield head
    if not whole:
        yield head
    yield None


def _advance(text: str, line: int, column: int) -> tuple[int, int]:
    lines = text.count("\n")
    if lines:
        return line + lines, len(text) - text.rindex("\n")
    return line, column + len(text)
