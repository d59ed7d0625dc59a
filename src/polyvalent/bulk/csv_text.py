"""
Write rows as CSV: RFC 4180, UTF-8, a header, dotted columns for members of members. Pure.

{"id": 1, "billing": {"city": "Lyon"}, "tags": ["a"]} has the columns id, billing.city, tags; what
lies in a list stays JSON. Rows need not have the same members: the header has those of all rows,
in the order in which they first appear.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from polyvalent.errors import BadRequest

COLUMNS_MAX = 10_000
_PIECE_CHARACTERS = 256 * 1024
_QUOTED = re.compile('["\\r\\n]')


def find_columns(lines: Iterable[bytes]) -> tuple[str, ...]:
    """
    Find the columns of all rows; raises BadRequest for more than 10 000.

    Rows with the same members are looked at once.
    """
    columns: dict[str, None] = {}
    known: set[tuple[str, ...]] = set()
    for line in lines:
        names = tuple(_names_of(orjson.loads(line)))
        if names in known:
            continue
        if len(known) < COLUMNS_MAX:
            known.add(names)
        columns.update(dict.fromkeys(names))
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
    known = list(columns)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(known)
    for line in lines:
        row = orjson.loads(line)
        if not isinstance(row, dict) or dict in map(type, row.values()):
            flat = flatten(row)
            writer.writerow([flat.get(name, "") for name in known])
        else:
            # Most rows have all members, in their order.
            values = row.values() if list(row) == known else map(row.get, known)
            cells = [value if type(value) is str else _cell(value) for value in values]
            record = ",".join(cells)
            # The writer takes ten times as long, and many rows have nothing to quote.
            if record and record.count(",") == len(cells) - 1 and not _QUOTED.search(record):
                text.write(f"{record}\r\n")
            else:
                writer.writerow(cells)
        if text.tell() >= _PIECE_CHARACTERS:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _names_of(row: Any) -> Iterable[str]:
    if not isinstance(row, dict):
        return ("value",)
    if dict not in map(type, row.values()):
        return row
    names: list[str] = []
    _gather_names(row, "", names)
    return names


def _gather_names(row: dict[str, Any], prefix: str, names: list[str]) -> None:
    for name, value in row.items():
        if type(value) is dict and value:
            _gather_names(value, f"{prefix}{name}.", names)
        else:
            names.append(prefix + name if prefix else name)


def flatten(row: Any) -> dict[str, str]:
    """Return the columns of a row: {"a": {"b": 1}} → {"a.b": "1"}; null is an empty column."""
    flat: dict[str, str] = {}
    if isinstance(row, dict):
        _flatten(row, "", flat)
    else:
        flat["value"] = row if type(row) is str else _cell(row)
    return flat


def _flatten(row: dict[str, Any], prefix: str, flat: dict[str, str]) -> None:
    for name, value in row.items():
        if type(value) is str:
            flat[prefix + name] = value
        elif type(value) is dict and value:
            _flatten(value, f"{prefix}{name}.", flat)
        else:
            flat[prefix + name] = _cell(value)


def _cell(value: Any) -> str:
    return "" if value is None else orjson.dumps(value).decode()
