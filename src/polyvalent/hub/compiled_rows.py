"""
Read, map and write the rows of a list with types made for them, in a fraction of the time.

`read_rows` and `Mapping.outwards` make dicts of rows and walk over each of their members; they
are the meaning of what is done here, and whoever changes them changes this. Here the first page
is read their way and shows what rows look like; from it two structs are made, one that takes a
vendor's row and one that is written for the caller. Later pages are decoded, rid of nulls, mapped
and encoded by msgspec, in C. The bytes that come out are the same, but for the order of members
where rows do not agree about it: it is that in which they were first seen.

A struct takes nothing that was not seen before. An answer that holds something else (a new
member, a number where there were texts) is read as dicts, and shows the new form. Of members that
the mapping leaves out only the JSON is read, so that they are no hindrance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from types import NoneType
from typing import Any, ClassVar

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from polyvalent.catalog.element import Element, Resource
from polyvalent.exchange import Response
from polyvalent.hub.read import find_rows, primary_key_of, response_names
from polyvalent.hub.row_shape import (
    MEMBERS_MAX,
    Shape,
    UnfitShape,
    key_type_of,
    make_struct,
    type_of,
)
from polyvalent.hub.same import by_identity
from polyvalent.mapping import Mapping as RowMapping
from polyvalent.mapping import Moves
from polyvalent.mapping.convert import Convert, to_text

READINGS_KEPT = 128  # lists of one element and mapping each
# So often rows may show something new before they are left alone for as many answers as this.
LESSONS_MAX = 8
REST_ANSWERS = 256

_UNMAPPED = Moves(moves=(), passing=True, taken=frozenset())
_PLAIN_ROOT = re.compile(r"([^.\[\]]+(\.[^.\[\]]+)*)?")
_MORE_THAN_ID = 2  # members
_encoder = msgspec.json.Encoder()
_encode, _encode_lines = _encoder.encode, _encoder.encode_lines


class CompiledRow(Struct):
    """
    Stand for a vendor's row where it is counted, asked for its place in the list, and shown.

    `get` finds members by the vendor's name, as that of a dict without nulls does.
    """

    places: ClassVar[Mapping[str, str]]
    pick: ClassVar[Any]  # takes what is shown, in its order, out of all values
    shown: ClassVar[type[Struct]]
    names: ClassVar[tuple[str, ...]]
    conversions: ClassVar[tuple[tuple[int, Convert], ...]]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a member, the default where it is absent."""
        place = self.places.get(name)
        value = None if place is None else getattr(self, place)
        return default if value is None else value

    @classmethod
    def show_all(cls, rows: Iterable[Any]) -> list[Any]:
        """Return rows of this type as the caller sees them."""
        if cls.conversions:
            return [row.show() for row in rows]
        pick, shown = cls.pick, cls.shown
        return [shown(*pick(astuple(row))) for row in rows]

    @classmethod
    def column(cls, rows: Iterable[Any], name: str) -> list[Any]:
        """Return a member of each row of this type, None where it is absent."""
        place = cls.places.get(name)
        return [None for _ in rows] if place is None else list(map(attrgetter(place), rows))

    def show(self) -> Any:
        """Return the row as the caller sees it, for `write_json`."""
        values = self.pick(astuple(self))
        if not self.conversions:
            return self.shown(*values)
        changed, nulls = list(values), set()
        for place, convert in self.conversions:
            if changed[place] is not None:
                changed[place] = convert(changed[place])
                if changed[place] is None:
                    nulls.add(place)
        if not nulls:
            return self.shown(*changed)
        # A null that the mapping puts there is shown, other than one of the vendor's.
        pairs = enumerate(zip(self.names, changed, strict=True))
        return {name: value for at, (name, value) in pairs if value is not None or at in nulls}


class _Strange(Exception):
    """Tell that a row needs to be read as a dict; no failure."""


@dataclass(kw_only=True)
class Reading:
    """
    Know how the rows of one resource look, and read them; learns from each answer that is new.

    `lone` where the resource gives one row and no list.
    """

    resource: Resource
    primary_key: str
    moves: Moves
    lone: bool = False
    _shape: Shape = field(default_factory=Shape)
    _rows_of: Callable[[bytes], tuple[CompiledRow, ...]] | None = None
    _lessons: int = 0
    _resting: int = 0

    def read(self, response: Response) -> tuple[CompiledRow, ...] | None:
        """Return the rows of an answer; None where they have to be read as dicts."""
        if self._resting:
            self._resting -= 1
            return None
        if self._rows_of is not None:
            try:
                return self._rows_of(response.body)
            except (ValueError, RecursionError, _Strange):  # of every decoder here
                pass
        try:
            self._learn(response)
        except UnfitShape:
            self._shape, self._rows_of = Shape(), None
            self._resting = REST_ANSWERS
        return None

    def _learn(self, response: Response) -> None:
        wanted = self._wanted()
        found = [
            row if self.moves.passing else {name: row[name] for name in row if name in wanted}
            for row in find_rows(self.resource, response, lone=self.lone)
            if isinstance(row, dict)
        ]
        if not found:
            return
        self._lessons += 1
        if self._lessons > LESSONS_MAX:
            self._lessons, self._resting = 0, REST_ANSWERS
            return
        before = repr(self._shape)
        for row in found:
            self._shape.learn(row)
        if self._shape.count() > MEMBERS_MAX:
            raise UnfitShape
        if self._rows_of is None or repr(self._shape) != before:
            self._rows_of = self._compile()

    def _wanted(self) -> dict[str, None]:
        # The members that are looked at where the others do not pass, each once.
        sources = [self._source(source) for source, _, _ in self.moves.moves]
        cursor = self.resource.collection.cursor_field if self.resource.collection else ""
        return dict.fromkeys((*sources, self.primary_key, *([cursor] if cursor else [])))

    def _source(self, name: str) -> str:
        # Rows get their primary key as "id" before they are mapped.
        return self.primary_key if name == "id" else name

    def _compile(self) -> Callable[[bytes], tuple[CompiledRow, ...]]:
        key, members = self.primary_key, dict(self._shape.members or {})
        if key not in members or members[key].is_nested or (key != "id" and "id" in members):
            raise UnfitShape
        if not self.moves.passing:
            members |= {name: Shape() for name in self._wanted() if name not in members}
        outs = self._outs(members)
        # A decoder looks for each member behind the one before: so they stand as vendors send them.
        kinds = [
            (name, key_type_of(shape) if name == key else type_of(shape))
            for name, shape in members.items()
        ]
        if key != "id" and not self.moves.passing:
            kinds.append(("id", NoneType))  # another "id" than the row's own would go before it
        numbers = {name: number for number, name in enumerate(members)}
        vendor = make_struct(
            "VendorRow",
            kinds,
            closed=self.moves.passing,
            keys=(key,),
            bases=(CompiledRow,),
            own={
                "places": {name: f"f{at}" for name, at in (*numbers.items(), ("id", numbers[key]))},
                "pick": staticmethod(_picker([numbers[source] for source, _ in outs.values()])),
                "shown": make_struct("ShownRow", [(name, Any) for name in outs], closed=True),
                "names": tuple(outs),
                "conversions": tuple(
                    (at, convert)
                    for at, (_, convert) in enumerate(outs.values())
                    if convert is not None
                ),
            },
        )
        return _make_reader(self.resource, vendor, lone=self.lone, bare=key == "id")

    def _outs(self, members: Mapping[str, Shape]) -> dict[str, tuple[str, Convert | None]]:
        # What is shown, in order: our name → the vendor's member and what converts it.
        outs: dict[str, tuple[str, Convert | None]] = {}
        if self.moves.passing:
            own = [] if self.primary_key == "id" else [("id", self.primary_key)]
            for name, source in (*own, *((name, name) for name in members)):
                if name not in self.moves.taken:
                    outs[name] = (source, None)
        for name, target, convert in self.moves.moves:
            source = self._source(name)
            shape = members.get(source)
            if shape is None:
                continue
            if target in outs and source != self.primary_key:
                # Which of the two is shown is another question for each row.
                raise UnfitShape
            outs[target] = (source, _needed(convert, shape))
        return outs


def find_reading(
    element: Element, resource: Resource, mapping: RowMapping | None, *, lone: bool = False
) -> Reading | None:
    """
    Return the reading of a list, or of a `lone` row, kept while it is used.

    None where rows must be dicts, because the mapping does more than move members.
    """
    moves = _UNMAPPED if mapping is None else mapping.moves
    return None if moves is None else _find(element, resource, moves, lone=lone)


@by_identity(kept=READINGS_KEPT)
def _find(element: Element, resource: Resource, moves: Moves, *, lone: bool) -> Reading | None:
    is_plain = _PLAIN_ROOT.fullmatch(resource.root_key.rpartition("|")[2])
    if not is_plain or any(response_names(element, resource)):
        return None
    return Reading(
        resource=resource,
        primary_key=primary_key_of(element, resource),
        moves=moves,
        lone=lone,
    )


def write_json(value: Any) -> bytes:
    """Write rows that were shown, dicts among them, as JSON."""
    return _encode(value)


def write_lines(values: Sequence[Any]) -> bytes:
    """Write rows that were shown as JSON, each with the end of a line behind it."""
    return _encode_lines(values)


def _needed(convert: Convert | None, shape: Shape) -> Convert | None:
    # Most types are "string", and most values texts: then there is nothing to convert.
    if convert is to_text:
        return to_text if shape.others else None
    if convert is not None and shape.is_nested:
        raise UnfitShape
    return convert


def _make_reader(
    resource: Resource, vendor: type[Struct], *, lone: bool, bare: bool
) -> Callable[[bytes], tuple[CompiledRow, ...]]:
    # `bare`: the primary key is the id, so that a row may have nothing else to show.
    keyed = not lone and resource.collection is not None and resource.collection.shape == "keyed"
    steps = [step for step in resource.root_key.rpartition("|")[2].split(".") if step]
    kind: Any = vendor if lone else dict[str, vendor] if keyed else list[vendor]  # type: ignore[valid-type]
    for step in reversed(steps):
        kind = make_struct("Root", [(step, kind)], closed=False, keys=(step,))
    decode = msgspec.json.Decoder(kind).decode

    def read(body: bytes) -> tuple[CompiledRow, ...]:
        found = decode(body)
        for _ in steps:
            found = found.f0
        rows = (found,) if lone else tuple(found.values() if keyed else found)
        # Whether a row has more than its id shows in the members that were left out.
        if bare and any(_count(row) < _MORE_THAN_ID for row in rows):
            raise _Strange
        return rows

    return read


def _count(row: Struct) -> int:
    return sum(value is not None for value in astuple(row))


def _picker(numbers: Sequence[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    if len(numbers) > 1:
        return itemgetter(*numbers)
    return lambda values: tuple(values[number] for number in numbers)
