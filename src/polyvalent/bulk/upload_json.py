"""Read rows out of JSON, an array or one object a line, piece by piece. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from polyvalent.bulk.upload_text import (
    ROW_CHARACTERS_MAX,
    UploadRow,
    place_in,
    read_text,
    refuse,
    too_long,
)
from polyvalent.errors import BadRequest
from polyvalent.hub.read import DEEPEST, nests_deeper

_SPACE = re.compile(r"[ \t\r\n]*+")
# An error so near to the end of what is there may come from what is still missing.
_NEAR_END = 16


class _NoJson(ValueError):
    """Tell what the standard decoder would let through."""


def read_json(pieces: Iterable[bytes]) -> Iterator[UploadRow]:
    """
    Read the objects of a JSON array, or of a file with one object after the other.

    b'[{"sku": "a-1"}]' → UploadRow(number=1, line=1, row={"sku": "a-1"}). Raises BadRequest, naming
    line and column, for what is no such file, for a member named twice, and for nesting that no
    call takes.
    """
    source = _Source(texts=iter(read_text(pieces)))
    first = source.peek()
    if first == "":
        raise refuse("the file is empty.", line=1)
    in_array = first == "["
    if in_array:
        source.skip()
    number = 0
    while (found := source.peek()) != "":
        if in_array and found == "]" and number == 0:
            break
        line, row = source.take_object()
        number += 1
        yield UploadRow(number=number, line=line, row=row)
        if not in_array:
            continue
        found = source.peek()
        if found == "]":
            break
        if found != ",":
            raise source.refuse("the array goes on with a comma, or ends with ].")
        source.skip()
        if source.peek() == "":
            raise source.refuse("the array is never closed; the file may be cut.")
    if in_array:
        if source.peek() != "]":
            raise source.refuse("the array is never closed; the file may be cut.")
        source.skip()
        if source.peek() != "":
            raise source.refuse("something stands behind the end of the array.")


@dataclass(kw_only=True)
class _Source:
    """Hold as much of the file as one object needs."""

    texts: Iterator[str] = field(repr=False)
    held: str = field(default="", repr=False)
    at: int = 0
    line: int = 1
    column: int = 1

    def peek(self) -> str:
        """Return the next character that is no space, "" at the end."""
        while True:
            found = _SPACE.match(self.held, self.at)
            self._move_to(found.end() if found else self.at)
            if self.at < len(self.held):
                return self.held[self.at]
            if not self._read_more():
                return ""

    def skip(self) -> None:
        """Go behind one character."""
        self._move_to(self.at + 1)

    def take_object(self) -> tuple[int, dict[str, Any]]:
        """Take the object that begins here; return its line and itself."""
        if self.held[self.at] != "{":
            raise self.refuse("a row must be an object such as {...}.")
        line = self.line
        wanted = 1
        while True:
            while len(self.held) - self.at < wanted and self._read_more():
                pass
            try:
                row, end = _DECODER.raw_decode(self.held, self.at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated")
                if cut or error.pos >= len(self.held) - _NEAR_END:
                    have = len(self.held) - self.at
                    if have > ROW_CHARACTERS_MAX:
                        raise too_long(line) from error
                    # Twice as much each time, so that a long row is not begun again too often.
                    wanted = 2 * have
                    if self._read_more():
                        continue
                self._move_to(error.pos)
                raise self.refuse(f"no JSON: {error.msg}.") from error
            except _NoJson as error:
                raise refuse(f"{error}.", line=line, column=self.column) from error
            except ValueError as error:  # of Python's int, for thousands of digits
                raise refuse(
                    "the row has a number of too many digits.", line=line, column=self.column
                ) from error
            except RecursionError as error:
                raise _too_deep(line) from error
            if end - self.at > ROW_CHARACTERS_MAX:
                raise too_long(line)
            if nests_deeper(row, than=DEEPEST):
                raise _too_deep(line)
            self._move_to(end)
            return line, row

    def refuse(self, message: str) -> BadRequest:
        """Return the error for what stands here."""
        return refuse(message, line=self.line, column=self.column)

    def _move_to(self, at: int) -> None:
        passed = self.held[self.at : at]
        self.line, self.column = place_in(passed, len(passed), line=self.line, column=self.column)
        self.at = at

    def _read_more(self) -> bool:
        text = next(self.texts, None)
        if text is None:
            return False
        self.held, self.at = self.held[self.at :] + text, 0
        return True


def _too_deep(line: int) -> BadRequest:
    return refuse(f"the row is nested more than {DEEPEST} levels deep.", line=line)


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _NoJson(f"the row names its member {name[:80]!r} twice")
            seen.add(name)
    return made


def _refuse_constant(name: str) -> Any:
    raise _NoJson(f"{name} is no value of JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_make_object, parse_constant=_refuse_constant)
