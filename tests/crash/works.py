"""
Give a storm work to do, and judge what became of it.

Each work begins something that jobs carry out, tells when it is done, and then says what is wrong
with the outcome: a download, an upload into the store, and changes in the store that are polled
and delivered to a receiver.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from polyvalent.db import open_database
from polyvalent.db.key_file import open_key_file
from polyvalent.jobs.find import list_jobs
from polyvalent.jobs.submit import wake
from polyvalent.sandbox.magento import RunningStore
from tests.crash.fleet import Fleet
from tests.notifications.receiver import Receiver

PRODUCTS = 3000
PEOPLE = 25  # of one upload
TOUCHED = 30  # orders that change at once
_ENDS = ("COMPLETED", "FAILED", "ABORTED", "CANCELLED", "CANCELED")
_BOUNDARY = "----a-boundary"


class Work(Protocol):
    """Something that jobs carry out."""

    name: str
    points: tuple[str, ...]

    def begin(self) -> None:
        """Ask for it."""

    def is_done(self) -> bool:
        """Say whether all of it was carried out."""

    def judge(self) -> list[str]:
        """Say what is wrong with what was carried out last."""

    def show(self) -> str:
        """Tell where it stands, for whoever waited in vain."""


@dataclass
class Downloads:
    """Read all products of the store, each row exactly once."""

    fleet: Fleet
    token: str
    name: str = "downloads"
    points: tuple[str, ...] = ("bulk.fetched", "bulk.written", "bulk.saved", "bulk.finished")
    _id: str = ""

    def begin(self) -> None:
        query = {"q": "select * from products"}
        self._id = _id_of(self.fleet.call("POST", "/bulk/query", query=query, token=self.token))

    def is_done(self) -> bool:
        return _status(self.fleet, self.token, self._id)["status"] in _ENDS

    def show(self) -> str:
        return str(_status(self.fleet, self.token, self._id))

    def judge(self) -> list[str]:
        shown = _status(self.fleet, self.token, self._id)
        if shown["status"] != "COMPLETED":
            return [f"download {self._id} ended {shown}"]
        rows = _lines(self.fleet, self.token, self._id, "products")
        receipt = self.fleet.call("GET", f"/bulk/{self._id}/receipt", token=self.token).content
        ids = Counter(row["id"] for row in rows)
        wrong = []
        if doubled := [row_id for row_id, times in ids.items() if times > 1]:
            wrong.append(f"{len(doubled)} rows are there twice, such as {doubled[0]}")
        if len(ids) != PRODUCTS:
            wrong.append(f"{PRODUCTS - len(ids)} rows are missing")
        if shown["recordsCount"] != len(rows):
            wrong.append(f"recordsCount is {shown['recordsCount']}, there are {len(rows)} rows")
        if receipt.get("complete") is not True or receipt.get("intact") is not True:
            wrong.append(f"the receipt does not prove it: {receipt}")
        return [f"download {self._id}: {text}" for text in wrong]


@dataclass
class Uploads:
    """Create customers in the store, each exactly once."""

    fleet: Fleet
    token: str
    shop: RunningStore
    name: str = "uploads"
    points: tuple[str, ...] = (
        "write.before_send",
        "write.after_send",
        "bulk.row_written",
        "bulk.outcomes_written",
        "bulk.saved",
        "bulk.finished",
    )
    _id: str = ""
    _round: int = 0
    _emails: tuple[str, ...] = ()

    def begin(self) -> None:
        self._round += 1
        self._emails = tuple(f"a{self._round}.{at}@example.com" for at in range(PEOPLE))
        lines = ["email,firstname,lastname,website_id,group_id"]
        lines += [f"{email},Ada,Uploaded,1,1" for email in self._emails]
        name = 'name="file"; filename="people.csv"'
        told = json.dumps({"action": "create"})
        parts = ((name, "\n".join(lines)), ('name="metaData"', told))
        body = "".join(
            f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n"
            for head, content in parts
        )
        reply = self.fleet.call(
            "POST",
            "/bulk/customers",
            raw=f"{body}--{_BOUNDARY}--\r\n".encode(),
            content_type=f"multipart/form-data; boundary={_BOUNDARY}",
            token=self.token,
        )
        self._id = _id_of(reply)

    def is_done(self) -> bool:
        return _status(self.fleet, self.token, self._id)["status"] in _ENDS

    def show(self) -> str:
        return str(_status(self.fleet, self.token, self._id))

    def judge(self) -> list[str]:
        shown = _status(self.fleet, self.token, self._id)
        there = Counter(row["email"] for row in self.shop.store.customers.rows.values())
        found = {email: there[email] for email in self._emails}
        wrong = []
        if shown["status"] != "COMPLETED" or shown.get("outcomes") != {"created": PEOPLE}:
            wrong.append(f"it ended {shown}")
        if missing := [email for email, times in found.items() if times == 0]:
            wrong.append(f"{len(missing)} rows are not in the store, such as {missing[0]}")
        if doubled := [email for email, times in found.items() if times > 1]:
            wrong.append(f"{len(doubled)} rows are twice in the store, such as {doubled[0]}")
        rows = _lines(self.fleet, self.token, self._id, "customers")
        if [row["row"] for row in rows] != list(range(1, PEOPLE + 1)):
            wrong.append("the outcomes are not one for each row")
        return [f"upload {self._id}: {text}" for text in wrong]


@dataclass
class Changes:
    """Change orders in the store; each change is noticed once and delivered at least once."""

    fleet: Fleet
    token: str
    instance_id: int
    shop: RunningStore
    receiver: Receiver
    name: str = "polls and deliveries"
    points: tuple[str, ...] = (
        "poll.read",
        "poll.before_commit",
        "poll.saved",
        "deliver.sent",
        "deliver.saved",
    )
    _cursor: str = "0"  # behind it lie the changes of this round
    _end: str = "0"
    _ids: tuple[str, ...] = ()
    _known: set[tuple[str, str]] = field(default_factory=set)  # event id and object, of all rounds

    def begin(self) -> None:
        self._cursor = self._end
        store = self.shop.store
        orders = store.orders.ids()[:TOUCHED]
        for order in orders:
            store.orders.change(order, {"status": "holded", "updated_at": store.timestamp()})
        self._ids = tuple(map(str, orders))
        self._ask_to_poll()

    def is_done(self) -> bool:
        noted = self._noted()
        if not {order for _, order in noted}.issuperset(self._ids):
            self._ask_to_poll()
            return False
        return self._arrived().issuperset(noted)

    def show(self) -> str:
        noted = self._noted()
        missing = set(noted) - self._arrived()
        return f"{len(noted)} of {len(self._ids)} changes noted, {len(missing)} not delivered"

    def judge(self) -> list[str]:
        noted = self._noted()
        wrong = []
        times = Counter(order for _, order in noted)
        if set(times) != set(self._ids):
            wrong.append(f"noted were {sorted(times)}, changed {sorted(self._ids)}")
        if doubled := [order for order, count in times.items() if count > 1]:
            wrong.append(f"{len(doubled)} changes are noted twice, such as of order {doubled[0]}")
        self._known.update(noted)
        if strange := self._arrived() - self._known:
            wrong.append(f"{len(strange)} events arrived that nobody noted: {min(strange)}")
        if missing := set(noted) - self._arrived():
            wrong.append(f"{len(missing)} events did not arrive: {min(missing)}")
        return [f"changes: {text}" for text in wrong]

    def _noted(self) -> list[tuple[str, str]]:
        # Event id and order of each change of an order behind the last round; customers that are
        # uploaded meanwhile are polled as well.
        reply = self.fleet.call(
            "GET",
            f"/instances/{self.instance_id}/changes",
            query={"after": self._cursor, "pageSize": "2000"},
        )
        assert reply.status == 200, reply
        self._end = reply.content[-1]["cursor"] if reply.content else self._cursor
        orders = [item for item in reply.content if item["objectType"] == "orders"]
        return [(item["eventId"], item["objectId"]) for item in orders]

    def _arrived(self) -> set[tuple[str, str]]:
        # The same, of all that the receiver ever took.
        messages = [received.json()["message"] for received in tuple(self.receiver.taken)]
        return {
            (message["eventId"], str(event["objectId"]))
            for message in messages
            for event in message["events"]
            if event["objectType"] == "orders"
        }

    def _ask_to_poll(self) -> None:
        asyncio.run(_wake_poll(self.fleet, self.instance_id))


async def _wake_poll(fleet: Fleet, instance_id: int) -> None:
    # Polls come once a minute at most, which is long for a storm.
    now = datetime.now(UTC)
    database = await open_database(fleet.url)
    try:
        keys = open_key_file(fleet.key_path, now=now, random=bytes)
        async with database.transaction() as connection:
            jobs = await list_jobs(
                connection,
                keys,
                organization_id=1,
                kinds=("poll",),
                states=(),
                before_id=None,
                limit=100,
            )
            for job in jobs:
                if job.instance_id == instance_id:
                    await wake(connection, job.id, due_at=now, now=now)
    finally:
        await database.close()


def _id_of(reply: Any) -> str:
    assert reply.status == 200, reply
    return str(reply.content["id"])


def _status(fleet: Fleet, token: str, bulk_id: str) -> dict[str, Any]:
    reply = fleet.call("GET", f"/bulk/{bulk_id}/status", token=token)
    assert reply.status == 200, reply
    shown: dict[str, Any] = reply.content
    return shown


def _lines(fleet: Fleet, token: str, bulk_id: str, name: str) -> list[dict[str, Any]]:
    reply = fleet.call("GET", f"/bulk/{bulk_id}/{name}", token=token, as_lines=True)
    assert reply.status == 200, reply
    found: list[dict[str, Any]] = reply.content
    return found
