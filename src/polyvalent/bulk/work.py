"""Hold what bulk jobs work with, and read what lies below the rows of a list."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import orjson

from polyvalent.bulk import sql
from polyvalent.bulk.model import BulkJob
from polyvalent.bulk.part import Folder
from polyvalent.bulk.plan import ReadPlan
from polyvalent.bulk.progress import Batch
from polyvalent.bulk.receipt import Tally
from polyvalent.bulk.relations import Relation
from polyvalent.errors import Forbidden, VendorRefused
from polyvalent.exchange import find_header
from polyvalent.hub.access import HubAccess, Opened
from polyvalent.hub.model import Incoming, Row
from polyvalent.hub.resolve import strip_hub
from polyvalent.jobs.turn import Turn

DOWNLOAD: Final = "bulk.download"
UPLOAD: Final = "bulk.upload"
CALLBACK: Final = "bulk.callback"
WORKFLOW: Final = "bulk.workflow"
SWEEP: Final = "bulk.sweep"
_AT_ONCE = 4  # calls for what lies below rows


@dataclass(frozen=True, kw_only=True)
class BulkWork:
    """Hold the way to instances and the folder of files."""

    access: HubAccess
    folder: Folder

    async def open(self, bulk: BulkJob) -> Opened:
        """Open the instance of a bulk job; raises Forbidden if it is disabled by now."""
        opened = await self.access.open(bulk.instance_id)
        refuse_disabled(opened)
        return opened

    async def bring_along(
        self, opened: Opened, plan: ReadPlan, rows: Sequence[Row], batch: Batch, tally: Tally
    ) -> None:
        """
        Put into each row the lists below it that were asked for; refusals are noted as errors.

        Raises what failures of the vendor mean, for which the page is read again later. Effects:
        calls the vendor.
        """
        for relation in plan.relations:
            if not relation.below:
                continue
            for begin in range(0, len(rows), _AT_ONCE):
                some = rows[begin : begin + _AT_ONCE]
                found = await asyncio.gather(
                    *(self._read_below(opened, plan, row, relation) for row in some)
                )
                for row, (children, error) in zip(some, found, strict=True):
                    row[relation.name] = children
                    if error is not None:
                        batch.errors.append(error)
                        tally.failed_rows += 1

    async def _read_below(
        self, opened: Opened, plan: ReadPlan, row: Row, relation: Relation
    ) -> tuple[list[Any], dict[str, Any] | None]:
        path = f"{strip_hub(plan.resource.path)}/{quote(str(row.get('id')), safe='')}"
        children: list[Any] = []
        token: str | None = None
        while True:
            query = () if token is None else (("nextPage", token),)
            asked = Incoming(method="GET", path=f"{path}/{relation.name}", query=query)
            try:
                answer = await self.access.call(opened, asked)
            except VendorRefused as error:
                return children, {
                    "status": error.status,
                    "id": row.get("id"),
                    "relation": relation.name,
                    "message": error.message,
                    "response": error.provider_message,
                }
            found = orjson.loads(answer.body)
            children += found if isinstance(found, list) else [found]
            token = find_header(answer.headers, "Elements-Next-Page-Token")
            if token is None:
                return children, None


def refuse_disabled(opened: Opened) -> None:
    """Raise Forbidden for an instance that is disabled."""
    if opened.connection.disabled:
        raise Forbidden("The instance is disabled. Enable it: PUT /instances/{id}/enabled.")


async def find_work(work: BulkWork, turn: Turn) -> BulkJob | None:
    """Find the bulk job that a job is about; None if it is gone."""
    ports = work.access.ports
    async with ports.database.reading() as connection:
        return await sql.find_bulk_job(connection, ports.keys, bulk_id=int(turn.job.spec["bulk"]))
