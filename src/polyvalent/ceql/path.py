"""
Find the values that a field's name stands for in a row of JSON.

"billing.city" goes into objects; in a list it goes into every element, so "items.sku" and
"items[*].sku" stand for the sku of each item, "items[0].sku" for that of the first. A row that has
a member called "billing.city" is taken at its word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

Row: TypeAlias = Mapping[str, object]

_split_step = re.compile(r"([^\[\]]*)((?:\[(?:\*|[0-9]{0,9})\])*)").fullmatch
_find_indexes = re.compile(r"\[([^\]]*)\]").findall


def compile_path(field: str) -> Callable[[Row], Sequence[object]]:
    """
    Make a function from a row to the field's values, without nulls and without lists.

    compile_path("items.sku")({"items": [{"sku": "a"}, {"sku": None}, {}]}) → ("a",)
    """
    steps = _steps_of(field)

    def find(row: Row) -> Sequence[object]:
        value = row.get(field)
        if value is None:
            if steps == (field,):
                return ()
            return tuple(_walk(row, steps, 0))
        if isinstance(value, list):
            return tuple(_flatten(value))
        return (value,)

    return find


def _steps_of(field: str) -> tuple[str | int, ...]:
    # "items[0].sku" → ("items", 0, "sku"). [*] and [] say what happens anyhow.
    steps: list[str | int] = []
    for part in field.split("."):
        found = _split_step(part)
        if found is None:
            return (field,)
        if found[1]:
            steps.append(found[1])
        steps += [int(index) for index in _find_indexes(found[2]) if index.isdigit()]
    return tuple(steps)


def _walk(value: object, steps: tuple[str | int, ...], at: int) -> Iterator[object]:
    if value is None:
        return
    step = steps[at] if at < len(steps) else None
    if isinstance(value, list):
        if isinstance(step, int):
            if step < len(value):
                yield from _walk(value[step], steps, at + 1)
        else:
            for element in value:
                yield from _walk(element, steps, at)
    elif step is None:
        yield value
    elif isinstance(value, dict) and isinstance(step, str):
        yield from _walk(value.get(step), steps, at + 1)


def _flatten(values: list[object]) -> Iterator[object]:
    for value in values:
        if isinstance(value, list):
            yield from _flatten(value)
        elif value is not None:
            yield value
