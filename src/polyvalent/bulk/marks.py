"""
Remember which rows were seen, in few bytes each. Pure.

Eight bytes of a digest stand for a key: of a hundred million rows two different ones look alike
with a chance of one in four thousand, of a million with one in forty million.
"""

from __future__ import annotations

from array import array
from hashlib import blake2b

_FEWEST_SLOTS = 1024


class Marks:
    """Hold marks in a table at most half full: 16 to 32 bytes for each, all in one piece."""

    def __init__(self, marks: bytes = b"") -> None:
        self._slots = array("Q", bytes(8 * _FEWEST_SLOTS))
        self._count = 0
        self.add_all(marks)

    def __len__(self) -> int:
        """Return how many different marks there are."""
        return self._count

    def add(self, mark: int) -> bool:
        """Add a mark; False if it was there."""
        slots = self._slots
        last = len(slots) - 1
        at = mark & last
        while slots[at]:
            if slots[at] == mark:
                return False
            at = (at + 1) & last
        slots[at] = mark
        self._count += 1
        if 2 * self._count > len(slots):
            self._grow()
        return True

    def add_all(self, marks: bytes) -> None:
        """Add what `pack` made of marks, of which some may be there."""
        found = array("Q")
        found.frombytes(marks)
        for mark in found:
            self.add(mark)

    def _grow(self) -> None:
        before, self._slots = self._slots, array("Q", [0]) * (2 * len(self._slots))
        self._count = 0
        for mark in before:
            if mark:
                self.add(mark)


def mark_of(key: str) -> int:
    """Return the mark of a key, which is never 0."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little") or 1


def pack(marks: list[int]) -> bytes:
    """Return marks as bytes to keep."""
    return array("Q", marks).tobytes()
