"""Tell whoever waits for a bulk job that it has ended: a job of its own, tried for some hours."""

from __future__ import annotations

from datetime import datetime

import orjson

from polyvalent.bulk import sql
from polyvalent.bulk.model import BulkJob
from polyvalent.bulk.present import present
from polyvalent.bulk.work import CALLBACK, BulkWork
from polyvalent.db import Connection
from polyvalent.errors import Unavailable
from polyvalent.exchange import Request
from polyvalent.instances.ports import Ports
from polyvalent.jobs.model import Done, GiveUp, Outcome, Owner
from polyvalent.jobs.submit import Request as Wanted
from polyvalent.jobs.submit import submit
from polyvalent.jobs.turn import Turn
from polyvalent.notifications.delivery.signature import sign_body

SIGNATURE_KEY = "event.notification.signature.key"
_DEADLINE_S = 20.0
_LARGEST_REPLY_BYTES = 64 * 1024


async def submit_callback(
    connection: Connection, ports: Ports, bulk: BulkJob, owner: Owner, *, now: datetime
) -> None:
    """Put the callback of an ended job on its way, in the transaction that ends it."""
    if not bulk.asked.callback:
        return
    wanted = Wanted(
        kind=CALLBACK,
        owner=owner,
        instance_id=bulk.instance_id,
        spec={"bulk": bulk.id},
        due_at=now,
        queue="swift",
        partition=f"bulk/{bulk.id}",
    )
    await submit(connection, ports.keys, wanted, now=now, random=ports.random)


async def call_back(work: BulkWork, turn: Turn) -> Outcome:
    """
    POST the job object to the caller's address, signed where the instance has a key for it.

    Raises Unavailable where the receiver does not take it, to be tried again.
    """
    ports = work.access.ports
    async with ports.database.reading() as connection:
        bulk = await sql.find_bulk_job(connection, ports.keys, bulk_id=int(turn.job.spec["bulk"]))
    if bulk is None or not bulk.asked.callback:
        return Done()
    opened = await work.access.open(bulk.instance_id)
    body = orjson.dumps(present(bulk))
    request = Request(
        method="POST",
        url=bulk.asked.callback,
        headers=(
            ("Content-Type", "application/json"),
            *sign_body(body, key=opened.connection.configuration.get(SIGNATURE_KEY)),
        ),
        body=body,
    )
    turn.mark("bulk.calling_back")
    exchange = await ports.door.send(
        request, deadline_s=_DEADLINE_S, max_body_bytes=_LARGEST_REPLY_BYTES
    )
    status = exchange.response.status
    if status == 410:
        raise GiveUp("The callback's receiver answered 410: it does not want it any more.")
    if not 200 <= status < 300:
        raise Unavailable(f"The callback's receiver answered {status}.")
    return Done()
