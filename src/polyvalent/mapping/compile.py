"""
Compile a transformation to a `Mapping`: two functions over rows, and the translation of names.

Fields whose paths are single members and need no conversion, by far the most, are moved in one
plain loop; each of the others has a compiled reader, converter and writer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from msgspec import UNSET as MISSING
from msgspec.structs import replace

from polyvalent.mapping.convert import (
    Convert,
    array_item,
    inward_converter,
    outward_converter,
    type_converter,
    value_map,
)
from polyvalent.mapping.model import (
    MappedField,
    ObjectDefinition,
    Transformation,
    find_entry,
    is_dropped,
    passes,
)
from polyvalent.mapping.path import Every, Member, Path, Read, Write, make_reader, make_writer
from polyvalent.mapping.path import parse_path as parse

Row: TypeAlias = dict[str, Any]
_Taken: TypeAlias = dict[Any, Any]  # a member's name, or Every, → True (whole) or what of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Moves:
    """
    Say in data what a direction of a mapping does that only moves members of a row.

    `moves` are the source's member, the target's, and what converts the value, in the result's
    order; where `passing`, the members that are not in `taken` come before them as they are.
    """

    moves: tuple[tuple[str, str, Convert | None], ...]
    passing: bool
    taken: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapping:
    """
    Map rows of one object both ways.

    `outwards` turns a vendor's row into the caller's object, `inwards` the caller's whole object
    into the vendor's, `inwards_part` some of its members, with no default values in place of the
    others. None changes what it is given. `scripted` says that a script would have to run on the
    result. `moves` says in data what `outwards` does; None where it does more than move members.
    """

    object_name: str
    vendor_name: str
    outwards: Callable[[Row], Row]
    inwards: Callable[[Row], Row]
    inwards_part: Callable[[Row], Row]
    scripted: bool = False
    moves: Moves | None = None
    _names: dict[str, MappedField] = field(repr=False)
    _hidden: frozenset[str] = field(repr=False)  # the vendor's names that callers cannot see
    _passes: bool

    def to_vendor_field(self, path: str) -> str | None:
        """
        Return the vendor's path of a field of the caller's object, None if it has no such field.

        "total" → "grand_total"; what is not mapped is its own name where it passes; a member of a
        mapped object is found through the object.
        """
        found = self._names.get(path)
        if found is not None:
            return found.vendor_path
        head, dot, tail = path, "", ""
        while "." in head:
            head, _, last = head.rpartition(".")
            tail = f"{last}{dot}{tail}"
            dot = "."
            upper = self._names.get(head)
            if upper is not None:
                return f"{upper.vendor_path}.{tail}"
        return path if self._passes and not {path, head} & self._hidden else None

    @property
    def own_fields(self) -> tuple[str, ...]:
        """Return the names of the caller's fields that the vendor has."""
        return tuple(self._names)

    def to_own_field(self, vendor_path: str) -> str | None:
        """Return what the caller's object calls a vendor's field, None if it does not show it."""
        for path, found in self._names.items():
            if found.vendor_path == vendor_path:
                return path
        return vendor_path if self.to_vendor_field(vendor_path) == vendor_path else None

    def looks_up(self, path: str) -> bool:
        """Say whether the words of a field stand for others of the vendor's, by a valueMap."""
        found = self._names.get(path)
        return found is not None and bool(value_map(found.configuration))

    def to_vendor_value(self, path: str, text: str) -> str:
        """Return a value of a query as the vendor writes it: status "active" → "1"."""
        found = self._names.get(path)
        if found is None:
            return text
        # The query writes true where the object holds a boolean.
        own, inward = type_converter(found.type), inward_converter(found)
        value: Any = own(text) if own is not None and found.type == "boolean" else text
        value = inward(value) if inward is not None else value
        return ("true" if value else "false") if type(value) is bool else str(value)


def compile_mapping(definition: ObjectDefinition | None, transformation: Transformation) -> Mapping:
    """
    Compile a transformation; types that it leaves open are the definition's.

    Where two fields lead to one place, the later one counts.
    Raises BadRequest, showing a path that cannot be read or written.
    """
    types = {item.path: item.type for item in definition.fields} if definition is not None else {}
    fields = [
        item if item.type else replace(item, type=types.get(item.path, ""))
        for item in transformation.fields
    ]
    paths = {text: parse(text) for item in fields for text in (item.path, item.vendor_path)}
    shown = [item for item in fields if not is_dropped(item, "fromVendor")]
    sent = [
        item
        for item in fields
        if not is_dropped(item, "toVendor") and not paths[item.vendor_path].is_size
    ]
    passing = passes(transformation.configuration, "fromVendor")
    accepting = passes(transformation.configuration, "toVendor")
    own = _take(paths[item.path] for item in fields)
    writes = [
        _Move(
            paths[item.path],
            paths[item.vendor_path],
            inward_converter(item),
            _default(item, "toVendor"),
        )
        for item in sent
    ]
    inwards = _translator(writes, taken=own, passing=accepting)
    inwards_part = inwards
    if any(item.default is not MISSING for item in writes):
        bare = [_Move(item.source, item.target, item.convert, MISSING) for item in writes]
        inwards_part = _translator(bare, taken=own, passing=accepting)
    reads = [
        _Move(
            paths[item.vendor_path],
            paths[item.path],
            outward_converter(_of_entries(item, paths)),
            _default(item, "fromVendor"),
        )
        for item in shown
    ]
    theirs = _take(paths[item.vendor_path] for item in fields)
    return Mapping(
        object_name=transformation.object_name,
        vendor_name=transformation.vendor_name,
        outwards=_translator(reads, taken=theirs, passing=passing),
        moves=_find_moves(reads, taken=theirs, passing=passing),
        inwards=inwards,
        inwards_part=inwards_part,
        scripted=any(script.body.strip() for script in transformation.scripts),
        _names={item.path: item for item in shown},
        _hidden=frozenset(item.vendor_path for item in fields) - {item.path for item in shown},
        _passes=passing,
    )


@dataclass(frozen=True, slots=True)
class _Move:
    # One field in one direction.
    source: Path
    target: Path
    convert: Convert | None
    default: Any  # in place of an absent value; MISSING: none

    @property
    def is_plain(self) -> bool:
        return self.source.is_flat and self.target.is_flat and self.convert is None


def _of_entries(item: MappedField, paths: dict[str, Path]) -> MappedField:
    # items[*].sku to a list of texts: the type of each text, not of the list.
    inner = array_item(item.type)
    gathers = paths[item.vendor_path].depth > paths[item.path].depth
    return replace(item, type=inner) if gathers and inner else item


def _default(item: MappedField, direction: str) -> Any:
    entry = find_entry(item.configuration, "defaultValue")
    return MISSING if entry is None else entry.properties.get(direction, MISSING)


def _translator(moves: Iterable[_Move], *, taken: _Taken, passing: bool) -> Callable[[Row], Row]:
    ordered = tuple(moves)
    extended = _find_extended(ordered)
    flat, deep = _sort(ordered, extended=extended)
    plain = tuple((item.source.top, item.target.top) for item in flat if item.is_plain)
    converted = tuple(
        (item.source.top, item.target.top, item.convert)
        for item in flat
        if item.convert is not None
    )
    steps = tuple(_compile_move(item, copying=_shape(item.target) in extended) for item in deep)
    whole = frozenset(name for name, what in taken.items() if what is True)
    partly = {name: what for name, what in taken.items() if what is not True}
    copied = partly.keys() | {item.target.top for item in deep}

    def translate(row: Row) -> Row:
        made: Row = {}
        if passing:
            for name, value in row.items():
                if name in whole:
                    continue
                if name in copied:
                    rest = _leave(value, partly[name]) if name in partly else _copy(value)
                    if rest is not MISSING:
                        made[name] = rest
                else:
                    made[name] = value
        for source, target in plain:
            if source in row:
                made[target] = row[source]
        for source, target, convert in converted:
            if source in row:
                made[target] = convert(row[source])
        for read, write in steps:
            value = read(row)
            if value is not MISSING:
                write(made, value)
        return made

    return translate


def _find_moves(moves: Iterable[_Move], *, taken: _Taken, passing: bool) -> Moves | None:
    # What `_translator` makes of the same arguments, in its order: plain moves before converting.
    ordered = tuple(moves)
    flat, deep = _sort(ordered, extended=_find_extended(ordered))
    if deep or (passing and any(what is not True for what in taken.values())):
        return None
    return Moves(
        moves=tuple(
            (item.source.top, item.target.top, item.convert)
            for item in sorted(flat, key=lambda item: item.convert is not None)
        ),
        passing=passing,
        taken=frozenset(taken),
    )


def _sort(
    moves: tuple[_Move, ...], *, extended: frozenset[tuple[str, ...]]
) -> tuple[list[_Move], list[_Move]]:
    """
    Part the moves from member to member, which need no reader and writer, from the others.

    Of the others those to a place stand before those to what lies below it, and else the order is
    the mapping's. Two moves to one member are left to readers and writers, which keep the order.
    """
    targets = Counter(item.target.text for item in moves)
    flat: list[_Move] = []
    rest: list[_Move] = []
    for item in moves:
        alone = targets[item.target.text] == 1 and _shape(item.target) not in extended
        simple = item.source.is_flat and item.target.is_flat and item.default is MISSING
        (flat if alone and simple else rest).append(item)
    return flat, sorted(rest, key=lambda item: len(item.target.steps))


def _find_extended(moves: Iterable[_Move]) -> frozenset[tuple[str, ...]]:
    # The places that some field is written below of: a value put there must be a copy.
    shapes = [_shape(item.target) for item in moves]
    return frozenset(shape[:length] for shape in shapes for length in range(1, len(shape)))


def _shape(path: Path) -> tuple[str, ...]:
    return tuple(step.name if isinstance(step, Member) else "[]" for step in path.steps)


def _compile_move(move: _Move, *, copying: bool) -> tuple[Read, Write]:
    read, convert, default = make_reader(move.source.steps), move.convert, move.default
    write = make_writer(move.target.steps, depth=move.source.depth)
    depth = max(move.source.depth, move.target.depth)
    change = _lift(convert, depth) if convert is not None else None
    if change is None and default is MISSING and not copying:
        return read, write

    def read_changed(row: Any) -> Any:
        value = read(row)
        if value is MISSING:
            return _copy(default)
        if change is not None:
            value = change(value)
        return _copy(value) if copying else value

    return read_changed, write


def _lift(convert: Convert, depth: int) -> Convert:
    # To the entries of as many levels of lists as one of the two sides has [*].
    if not depth:
        return convert
    inner = _lift(convert, depth - 1)

    def change(value: Any) -> Any:
        if type(value) is not list:
            return convert(value)
        return [item if item is MISSING else inner(item) for item in value]

    return change


def _take(paths: Iterable[Path]) -> _Taken:
    """
    Gather what fields take away from a row, so that only the rest passes unmapped.

    A path through an index, a condition or a size takes nothing: its list passes whole.
    """
    taken: _Taken = {}
    for path in paths:
        if all(isinstance(step, Member | Every) for step in path.steps):
            place = taken
            keys = [step.name if isinstance(step, Member) else Every for step in path.steps]
            for key in keys[:-1]:
                place = place.setdefault(key, {})
                if place is True:
                    break
            else:
                place[keys[-1]] = True
    return taken


def _leave(value: Any, taken: _Taken) -> Any:
    # What is left of a value; MISSING if it was emptied.
    if type(value) is list:
        of_each = taken.get(Every)
        if of_each is None:
            return _copy(value)
        if of_each is True:
            return MISSING
        rest = [_leave(item, of_each) for item in value]
        if all(item is MISSING or item == {} for item in rest):
            return MISSING
        # The places stay, so that the rest of an entry still belongs to it.
        return [{} if item is MISSING else item for item in rest]
    if type(value) is not dict:
        return value
    left: Row = {}
    for name, item in value.items():
        what = taken.get(name)
        if what is None:
            left[name] = _copy(item)
        elif what is not True:
            rest = _leave(item, what)
            if rest is not MISSING:
                left[name] = rest
    return left if left or not value else MISSING


def _copy(value: Any) -> Any:
    if type(value) is dict:
        return {name: _copy(item) for name, item in value.items()}
    if type(value) is list:
        return [_copy(item) for item in value]
    return value
