"""Hold one call with everything that its steps share, and send what it asks of the vendor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from polyvalent.exchange import Exchange
from polyvalent.hub.build import build_request
from polyvalent.hub.chain import list_chain
from polyvalent.hub.compiled_rows import CompiledRow, Reading
from polyvalent.hub.mapped import Route
from polyvalent.hub.model import Answer, Incoming, NoteRows, Pairs, Reach, Row, note_nothing
from polyvalent.hub.project import project
from polyvalent.hub.read import NO_FIELDS, check
from polyvalent.hub.resolve import Match
from polyvalent.instances.model import Connection
from polyvalent.value import Value

_WARNING_MAX = 1000  # characters of Elements-Error


class MadeCall(Value, frozen=True, kw_only=True):
    """Hold one call; `route` says where its path leads and how its rows are mapped."""

    connection: Connection
    incoming: Incoming
    route: Route
    match: Match
    reach: Reach
    # Reads rows with types made for them, where no more is asked than to show them.
    reading: Reading | None = None
    # Is told "compiled" or "dicts" for each page of rows that was read.
    note_rows: NoteRows = note_nothing

    def show(self, row: Row | CompiledRow, fields: tuple[str, ...] = ()) -> Any:
        """Return a vendor's row as the caller sees it, cut down to the fields asked for."""
        if isinstance(row, CompiledRow):
            return row.show()
        return project(self.route.outwards(row), fields)

    def show_all(self, rows: Sequence[Row | CompiledRow], fields: tuple[str, ...]) -> list[Any]:
        """Return rows as the caller sees them; see `show`."""
        kinds = set(map(type, rows))
        if len(kinds) == 1 and issubclass(kind := kinds.pop(), CompiledRow):
            return kind.show_all(rows)
        return [self.show(row, fields) for row in rows]

    async def send(
        self, match: Match, *, pairs: Pairs = (), echoed: Pairs = (), body: bytes = b""
    ) -> Exchange:
        """
        Send the request that a resource stands for; `pairs` and `echoed` are as in `build_request`.

        Of a chain all of them, each after the one before was answered well; the last answer
        counts. Raises what an answer in between means when it is no success.
        """
        element = self.connection.element
        previous: Exchange | None = None
        for link in list_chain(element, match.resource):
            if previous is not None:
                check(element, previous)
            request = build_request(
                element,
                link,
                configuration=self.connection.configuration,
                path_parameters=match.path_parameters,
                incoming=self.incoming,
                pairs=pairs,
                echoed=echoed,
                body=body,
                previous=None if previous is None else previous.response,
            )
            previous = await self.reach(self.connection, request)
        assert previous is not None  # a chain has one call at least
        return previous


def compose_answer(
    connection: Connection,
    body: object,
    *,
    headers: tuple[tuple[str, str], ...] = (),
    warnings: tuple[str, ...] = (),
) -> Answer:
    """
    Make the answer to a call that went well; warnings become the header Elements-Error.

    A body of bytes is JSON already.
    """
    own = [("Elements-Element-Instance-Id", str(connection.instance_id)), *headers]
    if warnings:
        text = "; ".join(warnings).encode("ascii", "replace").decode()
        own.append(("Elements-Error", " ".join(text.split())[:_WARNING_MAX]))
    encoded = body if isinstance(body, bytes) else orjson.dumps(body)
    return Answer(body=encoded, headers=tuple(own))


def warn_of_empty(rows: Sequence[Row | CompiledRow]) -> tuple[str, ...]:
    """Return the warning that rows came without any field, if one did."""
    # A compiled row has more than its id.
    plain = dict in set(map(type, rows))
    empty = plain and any(isinstance(row, dict) and set(row) <= {"id"} for row in rows)
    return (NO_FIELDS,) if empty else ()
