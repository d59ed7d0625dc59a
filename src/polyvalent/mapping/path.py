"""
Read and write places in JSON objects by path.

| path                          | means                                               |
|-------------------------------|-----------------------------------------------------|
| `a.b.c`                       | a member of a member                                |
| `items[*].sku`                | of each entry of a list                             |
| `items[0].sku`                | of the first entry                                  |
| `items[id=4].name`            | of the first entry whose id is 4                    |
| `items[?(@.f.t==true)].id`    | the same, where the condition lies deeper           |
| `items[*].size()`             | how many entries a list has; can only be read       |

A path is compiled once to a function. A reader gives `MISSING` where there is nothing, and for
each `[*]` one level of lists in which `MISSING` holds the place of entries that have nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from msgspec import UNSET as MISSING

from polyvalent.errors import BadRequest

Read: TypeAlias = Callable[[Any], Any]
Write: TypeAlias = Callable[[Any, Any], None]  # container, value

LENGTH_MAX: Final = 500  # characters
STEPS_MAX: Final = 30
INDEX_MAX: Final = 99
LISTS_MAX: Final = 6  # steps in brackets: each may make as many entries as its index says

_STEP = re.compile(r"\[\s*([^\[\]]*?)\s*\]|([^.\[\]]+)")
_FILTER = re.compile(
    r"\?\(\s*@\.([^=()\s]+)\s*==?\s*(.*?)\s*\)|([^=?@\s]+)\s*==?\s*(.*)", re.DOTALL
)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Member:
    """Step to a member of an object."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """Step to one entry of a list, from 0."""

    number: int


@dataclass(frozen=True, slots=True)
class Every:
    """Step to each entry of a list."""


@dataclass(frozen=True, slots=True)
class First:
    """Step to the first entry of a list in which a member has a value."""

    path: tuple[str, ...]
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Size:
    """Step to the number of entries of a list."""


Step: TypeAlias = Member | Index | Every | First | Size


@dataclass(frozen=True, slots=True)
class Path:
    """Hold a path as its steps; the first is always a member."""

    text: str
    steps: tuple[Step, ...]

    @property
    def depth(self) -> int:
        """Return how many `[*]` a path has."""
        return sum(isinstance(step, Every) for step in self.steps)

    @property
    def top(self) -> str:
        """Return the name of the outermost member."""
        first = self.steps[0]
        assert isinstance(first, Member)  # parse_path lets no other step begin
        return first.name

    @property
    def is_flat(self) -> bool:
        """Say whether the path is one member and no more."""
        return len(self.steps) == 1

    @property
    def is_plain(self) -> bool:
        """Say whether the path has members only."""
        return all(isinstance(step, Member) for step in self.steps)

    @property
    def is_size(self) -> bool:
        """Say whether the path counts, so that nothing can be written there."""
        return isinstance(self.steps[-1], Size)


def parse_path(text: str) -> Path:
    """
    Read a path: "items[0].sku" → members "items" and "sku" with index 0 between.

    Raises BadRequest, showing the path.
    """
    if not text or len(text) > LENGTH_MAX:
        raise BadRequest(f"A field's path has 1 to {LENGTH_MAX} characters: {text[:60]!r}.")
    steps: list[Step] = []
    place = 0
    while place < len(text):
        if steps and text[place] == ".":
            place += 1
            if text[place : place + 1] == "[":
                raise _refuse(text, "a dot stands before a bracket")
        elif steps and text[place] != "[":
            raise _refuse(text, "a dot is missing behind a bracket")
        found = _STEP.match(text, place)
        if found is None:
            raise _refuse(text, "a name is missing, or a bracket is not closed")
        place = found.end()
        bracket, name = found.groups()
        if name is not None:
            steps.append(Size() if name == "size()" and steps else Member(name))
        else:
            steps.append(_read_bracket(bracket, text))
    return Path(text, _finish(steps, text))


def _finish(steps: list[Step], text: str) -> tuple[Step, ...]:
    if not isinstance(steps[0], Member):
        raise _refuse(text, "it must begin with a name")
    if any(isinstance(step, Size) for step in steps[:-1]):
        raise _refuse(text, "size() must stand at the end")
    if len(steps) > STEPS_MAX:
        raise _refuse(text, f"it has more than {STEPS_MAX} steps")
    if sum(isinstance(step, Every | First | Index) for step in steps) > LISTS_MAX:
        raise _refuse(text, f"it goes through more than {LISTS_MAX} lists")
    # items[*].size() counts the list itself.
    if isinstance(steps[-1], Size) and isinstance(steps[-2], Every):
        del steps[-2]
    return tuple(steps)


def _read_bracket(text: str, path: str) -> Step:
    if text == "*":
        return Every()
    if text.isascii() and text.isdigit():
        if len(text) > 3 or int(text) > INDEX_MAX:
            raise _refuse(path, f"an index is at most {INDEX_MAX}")
        return Index(int(text))
    found = _FILTER.fullmatch(text)
    if found is None:
        raise _refuse(path, "in brackets stand *, a number, name=value or ?(@.name==value)")
    deep, deep_value, flat, flat_value = found.groups()
    names = tuple((deep or flat).split("."))
    if not all(names):
        raise _refuse(path, "a name is missing in brackets")
    return First(names, _read_value(deep_value if deep else flat_value))


def _read_value(text: str) -> str | int | float | bool | None:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def _refuse(path: str, reason: str) -> BadRequest:
    return BadRequest(f"The path {path[:100]!r} cannot be read: {reason}.")


def make_reader(steps: tuple[Step, ...]) -> Read:
    """Compile steps to a function from a value to what lies there, or `MISSING`."""
    if not steps:
        return _same
    step, rest = steps[0], make_reader(steps[1:])
    last = len(steps) == 1
    match step:
        case Member(name):
            if last:
                return lambda data: data.get(name, MISSING) if type(data) is dict else MISSING
            return lambda data: rest(data[name]) if type(data) is dict and name in data else MISSING
        case Index(number):
            return lambda data: (
                rest(data[number]) if type(data) is list and number < len(data) else MISSING
            )
        case Every():
            return lambda data: [rest(item) for item in data] if type(data) is list else MISSING
        case First():
            test = _make_test(step)

            def read_first(data: Any) -> Any:
                for item in data if type(data) is list else ():
                    if test(item):
                        return rest(item)
                return MISSING

            return read_first
        case Size():
            return lambda data: len(data) if type(data) is list else MISSING


def make_writer(steps: tuple[Step, ...], *, depth: int) -> Write:
    """
    Compile steps to a function that puts a value into a container, making what is not there.

    `depth` is how many levels of lists the value brings from `[*]` of its own source: these are
    spread over the target's `[*]`, and so is a list that is a plain value; what is no list goes
    into a first entry. Levels that the target has no `[*]` for become a plain list, without gaps.
    """
    step, following = steps[0], steps[1:]
    fresh: Any = dict if following and isinstance(following[0], Member) else list
    match step:
        case Member(name):
            if not following:
                return _put_member(name, depth=depth)
            inner = make_writer(following, depth=depth)

            def write_below(container: Any, value: Any) -> None:
                child = container.get(name)
                if type(child) is not fresh:
                    child = container[name] = fresh()
                inner(child, value)

            return write_below
        case Every():
            return _spread(following, fresh, depth=depth)
        case Index(number):
            put = _put_entry(following, fresh, depth=depth)

            def write_at(container: Any, value: Any) -> None:
                while len(container) <= number:
                    container.append(fresh() if following else None)
                put(container, number, value)

            return write_at
        case First():
            put = _put_entry(following, fresh, depth=depth)
            test, names, wanted = _make_test(step), step.path, step.value

            def write_first(container: Any, value: Any) -> None:
                place = next((n for n, item in enumerate(container) if test(item)), None)
                if place is None:
                    place = len(container)
                    container.append(_nest(names, wanted))
                put(container, place, value)

            return write_first
        case Size():
            raise BadRequest("A number of entries can be read, but not written: size().")


def prune(value: Any, depth: int) -> Any:
    """Take the gaps out of `depth` levels of lists."""
    if not depth or type(value) is not list:
        return value
    return [prune(item, depth - 1) for item in value if item is not MISSING]


def _same(data: Any) -> Any:
    return data


def _put_member(name: str, *, depth: int) -> Write:
    if not depth:

        def write_plain(container: Any, value: Any) -> None:
            container[name] = value

        return write_plain

    def write_pruned(container: Any, value: Any) -> None:
        container[name] = prune(value, depth)

    return write_pruned


def _spread(following: tuple[Step, ...], fresh: Any, *, depth: int) -> Write:
    if not following:

        def write_whole(container: Any, value: Any) -> None:
            container[:] = prune(value if type(value) is list else [value], depth)

        return write_whole
    inner = make_writer(following, depth=max(0, depth - 1))

    def write_each(container: Any, value: Any) -> None:
        for place, item in enumerate(value if type(value) is list else (value,)):
            if place == len(container):
                container.append(fresh())
            if item is not MISSING:
                if type(container[place]) is not fresh:
                    container[place] = fresh()
                inner(container[place], item)

    return write_each


def _put_entry(
    following: tuple[Step, ...], fresh: Any, *, depth: int
) -> Callable[[Any, int, Any], None]:
    if not following:

        def put_value(container: Any, place: int, value: Any) -> None:
            container[place] = prune(value, depth)

        return put_value
    inner = make_writer(following, depth=depth)

    def put_below(container: Any, place: int, value: Any) -> None:
        if type(container[place]) is not fresh:
            container[place] = fresh()
        inner(container[place], value)

    return put_below


def _make_test(step: First) -> Callable[[Any], bool]:
    read = make_reader(tuple(Member(name) for name in step.path))
    wanted = step.value
    as_text = _text(wanted)

    def test(item: Any) -> bool:
        # By value or by its text: vendors write the id 4 as 4 or as "4".
        value = read(item)
        return value is not MISSING and (value is wanted or _text(value) == as_text)

    return test


def _text(value: Any) -> str:
    return ("true" if value else "false") if type(value) is bool else str(value)


def _nest(names: tuple[str, ...], value: Any) -> Any:
    for name in reversed(names):
        value = {name: value}
    return value
