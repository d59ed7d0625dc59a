"""Hold the rows that a walk over a list brought, and where in the list each of them lies. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from polyvalent.value import Value


class Place(Value, frozen=True, kw_only=True):
    """
    Say where in the vendor's list a row lies: by its cursor value, or how many are done.

    With a `token` of the vendor's, how many are done behind it; `trail` is what led to it, and
    `size` how many rows the vendor is asked for, as a token may be good for that size only.
    """

    last: str | None = None
    offset: int | None = None
    token: str | None = None
    trail: tuple[str, ...] = ()
    size: int = 0


class Piece(Value, frozen=True, kw_only=True):
    """Hold what one step of a walk read; `place_of` knows the place of a row by its number."""

    rows: Sequence[Any] = ()
    # Asked only for the row that a page ends with.
    place_of: Callable[[int], Place] = lambda _: Place()


@dataclass(kw_only=True, slots=True)
class Kept:
    """Hold the rows that are kept out of pieces, in order."""

    rows: list[Any] = field(default_factory=list)
    _from: list[tuple[Piece, Sequence[int]]] = field(default_factory=list, repr=False)

    def add(self, piece: Piece, *, takes: Callable[[Any], bool] | None) -> None:
        """Keep the rows that `takes` takes; all of them where there is none."""
        rows, numbers = piece.rows, range(len(piece.rows))
        if takes is None:
            self.rows += rows
            self._from.append((piece, numbers))
        else:
            taken = [number for number in numbers if takes(rows[number])]
            self.rows += [rows[number] for number in taken]
            self._from.append((piece, taken))

    def place_of(self, number: int) -> Place:
        """Return the place of a row that was kept; raises IndexError if there is no such row."""
        for piece, numbers in self._from:
            if number < len(numbers):
                return piece.place_of(numbers[number])
            number -= len(numbers)
        raise IndexError(number)
