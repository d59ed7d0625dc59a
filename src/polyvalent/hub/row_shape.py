"""
Learn from rows what they look like, and make types of it that a JSON decoder fills. Pure.

{"sku": "a", "stock": {"qty": "2.0", "min": null}} → an object with the members `sku` and `stock`,
the latter an object with two. A type takes only what was seen before: other kinds of values and
members that are new are refused, so nothing is ever left out unseen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Annotated, Any

from msgspec import Meta, Struct, defstruct
from msgspec import field as member_field

MEMBERS_MAX = 400  # of one shape, at all depths; each costs memory for as long as it is known
DEPTH_MAX = 12
# Numbers of these sizes are written by both encoders alike; others are left to the one for dicts.
_INTEGER = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_FRACTION = Annotated[float, Meta(gt=-1e16, lt=1e16)]
_OTHERS = _INTEGER | _FRACTION | bool


class UnfitShape(Exception):
    """Tell that rows are too wide or too deep to make types of them; no failure."""


@dataclass(kw_only=True, slots=True)
class Shape:
    """
    Hold which values were seen at one place, and what lay in them.

    `members` of objects and `entries` of lists are None where none was seen. A null tells
    nothing: any place may hold one.
    """

    texts: bool = False
    others: bool = False  # numbers and booleans
    members: dict[str, Shape] | None = field(default=None)
    entries: Shape | None = None

    @property
    def is_nested(self) -> bool:
        """Say whether objects or lists were seen."""
        return self.members is not None or self.entries is not None

    def learn(self, value: Any, *, room: int = DEPTH_MAX) -> None:
        """Take a value for an example; raises UnfitShape where it is nested too deep."""
        kind = type(value)
        if kind is str:
            self.texts = True
        elif kind is dict or kind is list:
            if not room:
                raise UnfitShape
            self._learn_inner(value, room=room - 1)
        elif value is not None:
            self.others = True

    def _learn_inner(self, value: dict[str, Any] | list[Any], *, room: int) -> None:
        if isinstance(value, list):
            self.entries = self.entries or Shape()
            for item in value:
                self.entries.learn(item, room=room)
            return
        if self.members is None:
            self.members = {}
        for name, item in value.items():
            known = self.members.get(name)
            if known is None:
                known = self.members[name] = Shape()
            known.learn(item, room=room)
        if len(self.members) > MEMBERS_MAX:
            raise UnfitShape

    def count(self) -> int:
        """Count the members at all depths."""
        inner = self.entries.count() if self.entries is not None else 0
        members = self.members or {}
        return inner + len(members) + sum(item.count() for item in members.values())


def type_of(shape: Shape) -> Any:
    """
    Return the type of what a shape describes, null included.

    An object's null members are left out when it is written again; a list's null entries stay.
    """
    return reduce(or_, _kinds(shape), None)


def key_type_of(shape: Shape) -> Any:
    """Return the type of a value that no row lacks: a text or a number, never null."""
    return str | _INTEGER if shape.others else str


def make_struct(
    name: str,
    members: Iterable[tuple[str, Any]],
    *,
    closed: bool,
    keys: Collection[str] = (),
    bases: tuple[type[Struct], ...] = (),
    own: Mapping[str, Any] = MappingProxyType({}),
) -> type[Struct]:
    """
    Make a struct with a field for each member, in order: f0 for the first one, whatever its name.

    Null members are left out when it is written; those in `keys` must be there, and the fields of
    a struct with such are given by name. A `closed` one takes no member that it does not know.
    `own` are attributes of the class.
    """
    fields = [
        (f"f{number}", kind, member_field(name=member))
        if member in keys
        else (f"f{number}", kind, member_field(name=member, default=None))
        for number, (member, kind) in enumerate(members)
    ]
    return defstruct(
        name,
        fields,
        bases=bases,
        namespace=dict(own),
        omit_defaults=True,
        forbid_unknown_fields=closed,
        gc=False,
        kw_only=bool(keys),
    )


def _kinds(shape: Shape) -> Iterator[Any]:
    if shape.texts or not (shape.others or shape.is_nested):
        yield str
    if shape.others:
        yield _OTHERS
    if shape.members is not None:
        members = [(name, type_of(item)) for name, item in shape.members.items()]
        yield make_struct("Nested", members, closed=True)
    if shape.entries is not None:
        yield list[type_of(shape.entries)]  # type: ignore[misc]  # a type made at run time
