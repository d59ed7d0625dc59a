"""Compare things that live long by identity, where comparing them whole would take too long."""

from __future__ import annotations

from typing import Generic, TypeVar

_T = TypeVar("_T")


class Same(Generic[_T]):
    """Hold a thing as a key of a cache: `Same(element) == Same(element)`, none other."""

    __slots__ = ("value",)

    def __init__(self, value: _T) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        """Say whether the other one holds this very thing."""
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self) -> int:
        """Return what tells most things apart."""
        return id(self.value)
