"""
Change rows of an uploaded file many at a time, where the element says how.

The rows are read together, those that differ are sent together, and what the store says of each is
what became of it. All that is not told so, whatever the reason, is left to `RowWriter`, which reads
the row and sends it alone if it has to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

import orjson

from polyvalent.bulk.upload_row import RowWriter, Written, give_up, literal
from polyvalent.bulk.upload_target import Together
from polyvalent.errors import BadRequest, NotFound, VendorFailure, VendorRefused, VendorTimeout
from polyvalent.exchange import find_header
from polyvalent.hub.model import Incoming, Row
from polyvalent.hub.write_batch import write_batch

_UNAUTHORIZED = 401


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """Hold a row that is to be sent: the id it has in the store, and what differs there."""

    id: Any
    change: Row = field(repr=False)
    changes: dict[str, Any] = field(repr=False)


# By the row's number in the file.
Looked: TypeAlias = dict[int, Written | Pending]


@dataclass(frozen=True, kw_only=True)
class BatchWriter:
    """Hold what the rows of one upload are sent with, many in one call."""

    writer: RowWriter
    together: Together

    async def look(self, rows: Sequence[tuple[int, Row]]) -> Looked:
        """
        Read rows as they are in the store, and say which are to be sent.

        One that is missing from what is returned has to be looked at alone. Raises what failures of
        the store mean. Effects: calls the store.
        """
        found = await self._find([row for _, row in rows])
        looked: Looked = {}
        for number, row in rows:
            there = found.get(self._name_of(row))
            change = self.writer.change_of(row)
            # A list may show less of a row than the row alone does.
            if there is None or there.get("id") is None or not set(change) <= set(there):
                continue
            changes = self.writer.compare(row, there)
            if changes:
                looked[number] = Pending(id=there["id"], change=change, changes=changes)
            else:
                looked[number] = Written(outcome="unchanged", id=there["id"])
        return looked

    async def send(self, pending: dict[int, Pending]) -> dict[int, Written]:
        """
        Send rows in one call, and return what became of those that the store tells of.

        Raises what failures of the store mean after which nothing more can be sent now. Effects:
        writes at the store.
        """
        access, opened = self.writer.access, self.writer.opened
        rows = [(row.id, row.change) for row in pending.values()]
        try:
            fates = await write_batch(
                opened.connection,
                self.together.call,
                rows,
                reach=access.reach,
                ledger=access.ledger,
            )
        except (VendorFailure, VendorTimeout):
            return {}
        except VendorRefused as error:
            if error.status == _UNAUTHORIZED:
                raise
            return {}
        told: dict[int, Written] = {}
        for number, row in pending.items():
            if str(row.id) not in fates:
                continue
            refusal = fates[str(row.id)]
            if refusal is None:
                told[number] = Written(outcome="updated", id=row.id, changes=row.changes)
            else:
                told[number] = give_up(refusal)
        return told

    async def _find(self, rows: Sequence[Row]) -> dict[str, Row]:
        """Find the rows that are meant, by the text of their identifier; nothing in doubt."""
        name = self.together.name
        values = {self._name_of(row): self._value_of(row) for row in rows}
        values.pop("", None)
        if not name or not values:
            return {}
        told = ", ".join(literal(value) for value in values.values())
        asked = Incoming(
            method="GET",
            path=f"/{quote(self.writer.target.object_name, safe='')}",
            query=(("where", f"{name} IN ({told})"), ("pageSize", str(len(values) + 1))),
        )
        try:
            answer = await self.writer.access.call(self.writer.opened, asked)
        except (BadRequest, NotFound):
            return {}
        except VendorRefused as error:
            if error.status == _UNAUTHORIZED:
                raise
            return {}
        if find_header(answer.headers, "Elements-Next-Page-Token") is not None:
            return {}  # one identifier stands for several rows
        found: dict[str, Row] = {}
        twice: set[str] = set()
        for row in orjson.loads(answer.body):
            text = str(row.get(name))
            if text in found:
                twice.add(text)
            found[text] = row
        return {text: row for text, row in found.items() if text not in twice}

    def _value_of(self, row: Row) -> Any:
        value = row.get(self.writer.target.identifier)
        usable = isinstance(value, str | int | float) and not isinstance(value, bool)
        return value if usable else ""

    def _name_of(self, row: Row) -> str:
        return str(self._value_of(row))
