"""Write rows as lines of JSON, each as the caller of a search would see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from polyvalent.bulk.plan import ReadPlan
from polyvalent.bulk.relations import Relation
from polyvalent.hub.compiled_rows import CompiledRow, write_lines
from polyvalent.hub.model import Row
from polyvalent.hub.project import project

METADATA = "bulkMetadata"
PARENT = "parentId"
_dumps = orjson.dumps


@dataclass(kw_only=True)
class LineWriter:
    """
    Turn rows into lines: mapped, cut down to what was asked for, with what belongs to them.

    `metadata` is added to each row if it is given.
    """

    plan: ReadPlan
    fields: tuple[str, ...]
    metadata: dict[str, Any] | None = None
    _apart: tuple[Relation, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Find out what needs to be done to a row at all."""
        self._apart = tuple(item for item in self.plan.relations if item.separate)

    def write(self, rows: Sequence[Row]) -> tuple[bytes, dict[str, tuple[bytes, int]]]:
        """
        Return the lines of rows, and by relation the lines of what belongs to them, with counts.

        The rows are this function's to change.
        """
        if rows and isinstance(rows[0], CompiledRow):
            return self._write_compiled(rows), {}
        beside = {item.name: self._take_apart(rows, item) for item in self._apart}
        route, fields, metadata = self.plan.made.route, self.fields, self.metadata
        shown: Iterable[Row] = rows
        if route.mapping is not None:
            shown = map(route.mapping.outwards, rows)
        if fields:
            shown = [project(row, fields) for row in shown]
        if metadata is not None:
            shown = [{**row, METADATA: metadata} for row in shown]
        return join_lines(shown), beside

    def _write_compiled(self, rows: Sequence[Any]) -> bytes:
        lines = write_lines([row.show() for row in rows])
        if self.metadata is None:
            return lines
        # No text in JSON has a line's end within, so that each one here ends a row.
        told = b',"' + METADATA.encode() + b'":' + _dumps(self.metadata) + b"}\n"
        return lines.replace(b"}\n", told)

    def _take_apart(self, rows: Sequence[Row], item: Relation) -> tuple[bytes, int]:
        made = []
        for row in rows:
            children = row.pop(item.name, None)
            for child in children if isinstance(children, list) else ():
                whole = child if isinstance(child, dict) else {"value": child}
                made.append({PARENT: row.get("id"), **whole})
                if self.metadata is not None:
                    made[-1][METADATA] = self.metadata
        return join_lines(made), len(made)


def join_lines(rows: Iterable[Any]) -> bytes:
    """Write values as lines of JSON, each with its end."""
    lines = [*map(_dumps, rows), b""]
    return b"\n".join(lines)
