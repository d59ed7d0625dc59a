"""
Write one row of an uploaded file into the store, and say what became of it.

Each write goes under a key of its own job and row. What a killed worker had sent is answered from
what was noted then, or looked up; so nothing is written twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

import orjson

from polyvalent.bulk.upload_target import Target
from polyvalent.errors import BadRequest, NotFound, OutcomeUnknown, PolyvalentError, VendorRefused
from polyvalent.hub.access import HubAccess, Opened
from polyvalent.hub.model import Incoming, Row
from polyvalent.hub.once import HEADER, was_begun
from polyvalent.hub.same_row import find_differences

Outcome = Literal["created", "updated", "unchanged", "deleted", "failed", "unknown"]
_UNAUTHORIZED = 401
_VERBS = ("post", "patch", "delete")


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """Say what became of one row; `changes` has the members that differed, from and to."""

    outcome: Outcome
    id: Any = None
    changes: dict[str, Any] | None = field(default=None, repr=False)
    status: int | None = None
    message: str | None = field(default=None, repr=False)
    response: str | None = field(default=None, repr=False)  # the vendor's words

    @property
    def went_wrong(self) -> bool:
        """Say whether the row is not known to be written."""
        return self.outcome in ("failed", "unknown")

    def show(self) -> dict[str, Any]:
        """Return what a caller sees, without what is not known."""
        told = {
            "outcome": self.outcome,
            "id": self.id,
            "changes": self.changes,
            "status": self.status,
            "message": self.message,
            "response": self.response,
        }
        return {name: value for name, value in told.items() if value is not None}


class _Refused(Exception):
    """Tell that a row cannot be written as it is."""


@dataclass(frozen=True, kw_only=True)
class RowWriter:
    """Hold what the rows of one upload are written with; `bulk_id` makes their keys."""

    access: HubAccess
    opened: Opened
    target: Target
    bulk_id: int

    async def write(
        self,
        number: int,
        row: Row,
        *,
        may_be_begun: bool,
        sent: dict[str, Any] | None = None,
    ) -> Written:
        """
        Write a row, or with `dry_run` say what would be done.

        `may_be_begun`: an earlier turn may have been killed at this very row. `sent`: it was sent
        with others before, and whether it was written is not known; it has the members that
        differed then, as far as that is known.
        Raises what failures of the store mean that are not about this row. Effects: calls the
        store.
        """
        try:
            if self.target.dry_run:
                return await self._try_dry(row)
            return await self._write(number, row, may_be_begun=may_be_begun, sent=sent)
        except VendorRefused as error:
            if error.status == _UNAUTHORIZED:
                raise
            return give_up(error)
        except (BadRequest, NotFound) as error:
            return give_up(error)
        except _Refused as error:
            return Written(outcome="failed", status=BadRequest.status, message=str(error))

    async def _write(
        self, number: int, row: Row, *, may_be_begun: bool, sent: dict[str, Any] | None
    ) -> Written:
        action = self.target.action
        keys = {
            verb: f"bulk-{self.bulk_id}-{number}-{verb}" for verb in ("post", "patch", "delete")
        }
        begun = set()
        if may_be_begun:
            begun = {verb for verb, key in keys.items() if await self._was_begun(key)}
        if action == "create" or "post" in begun:
            return await self._create(row, key=keys["post"])
        found = await self._find(row, read=action != "delete")
        if found is None:
            if action == "upsert" and not self._names_row(row):
                return await self._create(row, key=keys["post"])
            if "delete" in begun:
                return Written(outcome="deleted")
            raise self._nowhere(row)
        if action == "delete":
            return await self._delete(found["id"], key=keys["delete"], begun="delete" in begun)
        changes = self.compare(row, found)
        if not changes and sent is not None:
            return Written(outcome="updated", id=found["id"], changes=sent or None)
        if not changes and "patch" not in begun:
            return Written(outcome="unchanged", id=found["id"])
        answer = await self._send(
            self.target.update_method, found["id"], body=self.change_of(row), key=keys["patch"]
        )
        known = answer if isinstance(answer, dict) else {}
        return Written(outcome="updated", id=known.get("id", found["id"]), changes=changes or None)

    async def _try_dry(self, row: Row) -> Written:
        target = self.target
        if target.action == "create":
            found = await self._find_by(
                {name: row[name] for name in target.natural_key if name in row}
            )
            if found is not None:
                raise _Refused(f"There is such a row already: {found['id']}.")
            return Written(outcome="created")
        found = await self._find(row, read=True)
        if found is None:
            if target.action == "upsert" and not self._names_row(row):
                return Written(outcome="created")
            raise self._nowhere(row)
        if target.action == "delete":
            return Written(outcome="deleted", id=found["id"])
        changes = self.compare(row, found)
        return Written(
            outcome="updated" if changes else "unchanged",
            id=found["id"],
            changes=changes or None,
        )

    async def _create(self, row: Row, *, key: str) -> Written:
        made = await self._send("POST", None, body=self.change_of(row), key=key)
        return Written(outcome="created", id=made.get("id") if isinstance(made, dict) else None)

    async def _delete(self, row_id: Any, *, key: str, begun: bool) -> Written:
        try:
            await self._send("DELETE", row_id, body=None, key=key)
        except (VendorRefused, NotFound) as error:
            # It was gone already, by our own hand.
            if not (begun and error.status == NotFound.status):
                raise
        return Written(outcome="deleted", id=row_id)

    async def _was_begun(self, key: str) -> bool:
        return await was_begun(self.access.ledger, self.opened.connection, key)

    def _names_row(self, row: Row) -> bool:
        """Say whether a row says by the store's own number which one it means."""
        return self.target.by_id and row.get(self.target.identifier) not in (None, "")

    async def _find(self, row: Row, *, read: bool) -> Row | None:
        """Find the row of the store that is meant; with `read` as it is now."""
        name = self.target.identifier
        value = row.get(name)
        if value is None or value == "":
            if self.target.by_id and self.target.action == "upsert":
                return None
            raise _Refused(f"The row has no {name}, which says what row of the store is meant.")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise _Refused(f"{name} must be a text or a number.")
        if not self.target.by_id:
            return await self._find_by({name: value})
        if not read:
            return {"id": value}
        try:
            found = await self._call("GET", value)
        except (VendorRefused, NotFound) as error:
            if error.status != NotFound.status:
                raise
            return None
        return {"id": value, **found} if isinstance(found, dict) else None

    async def _find_by(self, values: Row) -> Row | None:
        if not values:
            return None
        where = " AND ".join(f"{name} = {literal(value)}" for name, value in values.items())
        path = f"/{quote(self.target.object_name, safe='')}"
        query = (("where", where), ("pageSize", "2"))
        asked = Incoming(method="GET", path=path, query=query)
        answer = await self.access.call(self.opened, asked)
        rows = orjson.loads(answer.body)
        if len(rows) > 1:
            raise _Refused(f"More than one row of the store has {where}.")
        return rows[0] if rows else None

    def _nowhere(self, row: Row) -> _Refused:
        name = self.target.identifier
        return _Refused(f"There is no row with {name} = {literal(row.get(name))[:200]}.")

    def change_of(self, row: Row) -> Row:
        """Return what of a row of the file is written: without what says which row is meant."""
        own = {"id", self.target.identifier} if self.target.by_id else {"id"}
        return {name: value for name, value in row.items() if name not in own}

    def compare(self, row: Row, found: Row) -> dict[str, Any]:
        """Return the members that are not known to be in the store as they are in the file."""
        wanted = self.change_of(row)
        differing = set(find_differences(wanted, found))
        return {
            name: {"from": found.get(name), "to": value}
            for name, value in wanted.items()
            if name in differing or not _is_shown(value, found.get(name))
        }

    async def _send(self, method: str, row_id: Any, *, body: Row | None, key: str) -> Any:
        return await self._call(method, row_id, body=body, headers=((HEADER, key),))

    async def _call(
        self,
        method: str,
        row_id: Any,
        *,
        body: Row | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Any:
        path = f"/{quote(self.target.object_name, safe='')}"
        if row_id is not None:
            path += f"/{quote(str(row_id), safe='')}"
        asked = Incoming(
            method=method,
            path=path,
            headers=headers,
            body=b"" if body is None else orjson.dumps(body),
        )
        answer = await self.access.call(self.opened, asked)
        return orjson.loads(answer.body)


def _is_shown(value: Any, found: Any) -> bool:
    # What was not told to differ is the same only if it was there to compare.
    if isinstance(value, dict | list) or isinstance(found, dict | list):
        return bool(value == found)
    return (value is None) == (found is None)


def literal(value: Any) -> str:
    """Return a value as a query has it: "O'Neil" → "'O''Neil'"."""
    if isinstance(value, int | float):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def give_up(error: PolyvalentError) -> Written:
    """Return what is said of a row that is not tried any more."""
    return Written(
        outcome="unknown" if isinstance(error, OutcomeUnknown) else "failed",
        status=error.status,
        message=error.message,
        response=error.provider_message,
    )
