"""
Find what has changed by comparing rows with the digests of the run before. Pure.

For stores that cannot say what has changed: every row is read, in the order of its number, and
eight bytes of it are kept. Two such lists in the same order are compared as they go by, so that
neither needs to be in memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import orjson

from polyvalent.hub.model import Row

PAIR_BYTES = 16


@dataclass(frozen=True, slots=True)
class Difference:
    """Hold which rows of a page are new or other, by their places, and which numbers are gone."""

    new: tuple[int, ...]
    modified: tuple[int, ...]
    deleted: tuple[int, ...]


class Comparison:
    """Walk over the digests of the run before, beside the rows of this one."""

    def __init__(self, before: Iterable[bytes], *, behind: int | None = None) -> None:
        self._before = _pairs(before)
        self._next = next(self._before, None)
        while behind is not None and self._next is not None and self._next[0] <= behind:
            self._next = next(self._before, None)

    def compare(self, numbers: Sequence[int], digests: Sequence[int]) -> Difference:
        """Compare the next rows, whose numbers rise."""
        new, modified, deleted = [], [], []
        for place, (number, told) in enumerate(zip(numbers, digests, strict=True)):
            while self._next is not None and self._next[0] < number:
                deleted.append(self._next[0])
                self._next = next(self._before, None)
            if self._next is None or self._next[0] > number:
                new.append(place)
                continue
            if self._next[1] != told:
                modified.append(place)
            self._next = next(self._before, None)
        return Difference(tuple(new), tuple(modified), tuple(deleted))

    def rest(self) -> tuple[int, ...]:
        """Return the numbers that are left at the end: those are gone."""
        left = [] if self._next is None else [self._next[0]]
        left += [number for number, _ in self._before]
        self._next = None
        return tuple(left)


def digest_rows(rows: Iterable[Row]) -> list[int]:
    """Return eight bytes of each row, as numbers."""
    return [
        int.from_bytes(blake2b(orjson.dumps(row), digest_size=8).digest(), "little") for row in rows
    ]


def pack_pairs(numbers: Sequence[int], digests: Sequence[int]) -> bytes:
    """Return numbers and digests as bytes to keep, 16 for each row."""
    flat = array("Q", bytes(PAIR_BYTES * len(numbers)))
    flat[0::2] = array("Q", numbers)
    flat[1::2] = array("Q", digests)
    return flat.tobytes()


def _pairs(pieces: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    left = b""
    for piece in pieces:
        whole = left + piece
        usable = len(whole) - len(whole) % PAIR_BYTES
        flat = array("Q")
        flat.frombytes(whole[:usable])
        left = whole[usable:]
        yield from zip(flat[0::2], flat[1::2], strict=True)
