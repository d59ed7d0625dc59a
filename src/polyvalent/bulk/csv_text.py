"""
Write rows as CSV: RFC 4180, UTF-8, a header, dotted columns for members of members. Pure.

{"id": 1, "billing": {"city": "Lyon"}, "tags": ["a"]} has the columns id, billing.city, tags; what
lies in a list stays JSON. Rows need not have the same members: the header has those of all rows,
in the order in which they first appear.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from polyvalent.errors import BadRequest

COLUMNS_MAX = 10_000
_PIECE_BYTES = 256 * 1024


def find_columns(lines: Iterable[bytes]) -> tuple[str, ...]:
    """
    Find the columns of all rows; raises BadRequest for more than 10 000.

    Rows with the same members are looked at once.
    """
    columns: dict[str, None] = {}
    known: set[tuple[str, ...]] = set()
    for line in lines:
        flat = tuple(_names_of(orjson.loads(line)))
        if flat in known:
            continue
        if len(known) < COLUMNS_MAX:
            known.add(flat)
        columns.update(dict.fromkeys(flat))
        if len(columns) > COLUMNS_MAX:
            raise BadRequest(
                f"The rows have more than {COLUMNS_MAX} different members, too many for CSV. "
                "Fetch application/json, or ask for fewer fields."
            )
    return tuple(columns)


def write_csv(lines: Iterable[bytes], columns: Sequence[str]) -> Iterator[bytes]:
    """Write the header, then a record for each line; nothing at all if there are no columns."""
    if not columns:
        return
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for line in lines:
        flat = flatten(orjson.loads(line))
        writer.writerow([flat.get(name, "") for name in columns])
        if text.tell() >= _PIECE_BYTES:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _names_of(row: Any) -> list[str]:
    names: list[str] = []
    if isinstance(row, dict):
        _gather_names(row, "", names)
    else:
        names.append("value")
    return names


def _gather_names(row: dict[str, Any], prefix: str, names: list[str]) -> None:
    for name, value in row.items():
        if type(value) is dict and value:
            _gather_names(value, f"{prefix}{name}.", names)
        else:
            names.append(prefix + name if prefix else name)


def flatten(row: Any) -> dict[str, Any]:
    """Return the columns of a row: {"a": {"b": 1}} → {"a.b": "1"}; null is an empty column."""
    flat: dict[str, Any] = {}
    if isinstance(row, dict):
        _flatten(row, "", flat)
    else:
        flat["value"] = _cell(row)
    return flat


def _flatten(row: dict[str, Any], prefix: str, flat: dict[str, Any]) -> None:
    for name, value in row.items():
        if type(value) is str:
            flat[prefix + name] = value
        elif type(value) is dict and value:
            _flatten(value, f"{prefix}{name}.", flat)
        else:
            flat[prefix + name] = _cell(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if type(value) is str:
        return value
    return orjson.dumps(value).decode()
