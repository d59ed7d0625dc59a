"""
Find members of plain data that a struct does not know.

Decoding ignores unknown members, as it must for elements posted by others. In our own folders an
unknown member is a typing mistake that would otherwise go unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from msgspec import inspect


def find_unknown_members(data: Any, shape: Any) -> Iterator[str]:
    """Yield the place of every member that `shape` lacks: `$.resources[2].vendrPath`."""
    return _walk(data, _inspect(shape), "$")


@cache
def _inspect(shape: Any) -> inspect.Type:
    return inspect.type_info(shape)


def _walk(data: Any, shape: inspect.Type, place: str) -> Iterator[str]:
    if isinstance(shape, inspect.UnionType):
        structs = [item for item in shape.types if isinstance(item, inspect.StructType)]
        if structs:
            yield from _walk(data, structs[0], place)
    elif isinstance(shape, inspect.StructType) and isinstance(data, dict):
        known = {field.encode_name: field.type for field in shape.fields}
        for name, value in data.items():
            if name not in known:
                yield f"{place}.{name}"
            else:
                yield from _walk(value, known[name], f"{place}.{name}")
    elif isinstance(shape, inspect.VarTupleType) and isinstance(data, list):
        for index, value in enumerate(data):
            yield from _walk(value, shape.item_type, f"{place}[{index}]")
