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
        names = tuple(flatten(orjson.loads(line)))
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
    known, records, size = list(columns), [_record(columns)], 0
    for line in lines:
        row = flatten(orjson.loads(line))
        # Most rows have all members, in their order.
        values = row.values() if list(row) == known else map(row.get, known)
        record = _record([value if type(value) is str else _cell(value) for value in values])
        records.append(record)
        size += len(record)
        if size >= _PIECE_CHARACTERS:
            yield "".join(records).encode()
            records, size = [], 0
    yield "".join(records).encode()


def flatten(row: Any) -> dict[str, Any]:
    """Return the columns of a row: {"a": {"b": 1}} → {"a.b": 1}; a flat one is returned itself."""
    if not isinstance(row, dict):
        return {"value": row}
    if dict not in map(type, row.values()):
        return row
    flat: dict[str, Any] = {}
    _flatten(row, "", flat)
    return flat


def _flatten(row: dict[str, Any], prefix: str, flat: dict[str, Any]) -> None:
    for name, value in row.items():
        if type(value) is dict and value:
            _flatten(value, f"{prefix}{name}.", flat)
        else:
            flat[prefix + name] = value


def _cell(value: Any) -> str:
    return "" if value is None else orjson.dumps(value).decode()


def _record(cells: Sequence[str]) -> str:
    # The module csv takes thrice as long; most records have nothing to quote.
    text = ",".join(cells)
    if text and text.count(",") == len(cells) - 1 and _QUOTED.search(text) is None:
        return f"{text}\r\n"
    held = io.StringIO(newline="")
    csv.writer(held, lineterminator="\r\n").writerow(cells)
    return held.getvalue()
