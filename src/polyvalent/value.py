"""
Make the values that every call is handed on in.

A call makes some twenty of them, and a frozen dataclass takes ten times as long to make as a
struct: it sets each of its fields by a call of its own.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct


class Value(Struct, frozen=True):
    """
    Be compared by what it holds, and never changed; `msgspec.structs.replace` makes another.

    The members in `hidden` are not shown where a value is printed: they may hold secrets.
    """

    hidden: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        """Show the members that may be seen: `Response(status=200)`."""
        shown = (name for name in self.__struct_fields__ if name not in self.hidden)
        members = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__name__}({members})"
