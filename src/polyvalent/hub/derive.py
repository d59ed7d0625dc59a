"""
Show the query language what only mappings can reach. Pure.

The city of "addresses[address_type=billing].city" lies at a place that the query language has no
path for. It is read as mappings read it, and laid beside the row's members under the whole name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import UNSET as MISSING

from polyvalent.ceql import Row
from polyvalent.errors import BadRequest
from polyvalent.mapping.path import Every, Index, Member, Read, make_reader, parse_path


def compile_derived(fields: Iterable[str]) -> Callable[[Row], Row] | None:
    """
    Make a function that lays the values of such fields beside a row's own; None if there are none.

    {"addresses": [{"address_type": "billing", "city": "Lyon"}]} with
    "addresses[address_type=billing].city" gets a member of that name with "Lyon".
    """
    readers = {name: read for name in fields if (read := _find_reader(name)) is not None}
    if not readers:
        return None

    def derive(row: Row) -> Row:
        return {**row, **{name: _tidy(read(row)) for name, read in readers.items()}}

    return derive


def _find_reader(name: str) -> Read | None:
    if not any(sign in name for sign in "[("):
        return None
    try:
        steps = parse_path(name).steps
    except BadRequest:  # a name with odd characters, and no path
        return None
    if all(isinstance(step, Member | Index | Every) for step in steps):
        return None
    return make_reader(steps)


def _tidy(value: Any) -> Any:
    if type(value) is list:
        return [_tidy(item) for item in value if item is not MISSING]
    return None if value is MISSING else value
