"""
Give a storm work to do, and judge what became of it.

Each work begins something that jobs carry out, tells when it is done, and then says what is wrong
with the outcome: a download with its callback, an upload row by row, one in the store's own
batches, and changes in the store that are polled and delivered to a receiver.
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
from tests.notifications.receiver import Received, Receiver

PRODUCTS = 3000
PEOPLE = 25  # of one upload
TOUCHED = 30  # orders that change at once
STOCKED = 60  # stock items of one upload; 20 go in one call
_ENDS = ("COMPLETED", "FAILED", "ABORTED", "CANCELLED", "CANCELED")
_BOUNDARY = "----a-boundary"


# Event id, what happened, to which row.
_Change = tuple[str, str, str]


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


@dataclass(kw_only=True)
class _BulkJob:
    """What works that are one bulk job have in common."""

    fleet: Fleet
    token: str
    _id: str = field(default="", init=False)

    def is_done(self) -> bool:
        return _status(self.fleet, self.token, self._id)["status"] in _ENDS

    def show(self) -> str:
        return str(_status(self.fleet, self.token, self._id))


@dataclass(kw_only=True)
class Downloads(_BulkJob):
    """Read all products of the store, each row exactly once, and be called back."""

    receiver: Receiver
    name: str = "downloads"
    points: tuple[str, ...] = (
        "bulk.fetched",
        "bulk.written",
        "bulk.saved",
        "bulk.finished",
        "bulk.calling_back",
    )

    def begin(self) -> None:
        self._id = _id_of(
            self.fleet.call(
                "POST",
                "/bulk/query",
                query={"q": "select * from products"},
                token=self.token,
                headers={"Elements-Async-Callback-Url": f"{self.receiver.url}/bulk"},
            )
        )

    def is_done(self) -> bool:
        return super().is_done() and self._called_back()

    def _called_back(self) -> bool:
        calls = [item for item in tuple(self.receiver.taken) if item.path.endswith("/bulk")]
        return any(str(call.json()["id"]) == self._id for call in calls)

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


@dataclass(kw_only=True)
class Uploads(_BulkJob):
    """Create customers in the store, each exactly once."""

    shop: RunningStore
    name: str = "uploads"
    points: tuple[str, ...] = (
        "write.before_send",
        "write.after_send",
        "write.before_settle",
        "bulk.row_written",
        "bulk.outcomes_written",
        "bulk.saved",
        "bulk.finished",
    )
    _round: int = 0
    _emails: tuple[str, ...] = ()

    def begin(self) -> None:
        self._round += 1
        self._emails = tuple(f"a{self._round}.{at}@example.com" for at in range(PEOPLE))
        lines = ["email,firstname,lastname,website_id,group_id"]
        lines += [f"{email},Ada,Uploaded,1,1" for email in self._emails]
        self._id = _upload(self.fleet, self.token, "customers", lines, action="create")

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


@dataclass(kw_only=True)
class Stock(_BulkJob):
    """Set the stock of products, many in one call, each to what the file says."""

    shop: RunningStore
    name: str = "uploads in batches"
    points: tuple[str, ...] = ("bulk.batch_noted", "bulk.batch_sent")
    _round: int = 0
    _wanted: dict[int, float] = field(default_factory=dict)

    def begin(self) -> None:
        self._round += 1
        items = self.shop.store.stock.ids()[:STOCKED]
        self._wanted = {item: self._round * 1000.0 + at for at, item in enumerate(items)}
        lines = ["id,qty", *(f"{item},{qty}" for item, qty in self._wanted.items())]
        self._id = _upload(self.fleet, self.token, "inventory", lines, action="update", by="id")

    def judge(self) -> list[str]:
        shown = _status(self.fleet, self.token, self._id)
        outcomes = shown.get("outcomes") or {}
        rows = self.shop.store.stock.rows
        wrong = []
        # What a worker wrote just before it died is found to be so already.
        good = sum(outcomes.get(name, 0) for name in ("updated", "unchanged"))
        if shown["status"] != "COMPLETED" or good != STOCKED:
            wrong.append(f"it ended {shown}")
        if other := [at for at, qty in self._wanted.items() if float(rows[at]["qty"]) != qty]:
            wrong.append(f"{len(other)} items are not what the file says, such as {other[0]}")
        return [f"stock {self._id}: {text}" for text in wrong]


@dataclass
class Changes:
    """
    Change orders in the store, while customers are uploaded into it.

    Each change is noted once and delivered at least once, always under the id by which it was
    noted.
    """

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
    redelivered: int = 0
    _cursor: str = "0"  # behind it lie the changes of this round
    _end: str = "0"
    _orders: tuple[str, ...] = ()
    _customers: frozenset[str] = frozenset()  # that were there before
    _known: set[_Change] = field(default_factory=set)  # of all rounds

    def __post_init__(self) -> None:
        self._customers = frozenset(map(str, self.shop.store.customers.ids()))

    def begin(self) -> None:
        self._cursor = self._end
        store = self.shop.store
        orders = store.orders.ids()[:TOUCHED]
        for order in orders:
            store.orders.change(order, {"status": "holded", "updated_at": store.timestamp()})
        self._orders = tuple(map(str, orders))
        self._ask_to_poll()

    def is_done(self) -> bool:
        noted = self._noted()
        if not {(kind, name) for _, kind, name in noted}.issuperset(self._expected()):
            self._ask_to_poll()
            return False
        return self._arrived().issuperset(noted)

    def show(self) -> str:
        noted = self._noted()
        missing = set(noted) - self._arrived()
        return f"{len(noted)} of {len(self._expected())} noted, {len(missing)} not delivered"

    def judge(self) -> list[str]:
        noted, expected = self._noted(), self._expected()
        wrong = []
        times = Counter((kind, name) for _, kind, name in noted)
        if other := set(times) ^ expected:
            wrong.append(f"{len(other)} are noted and did not change, or the reverse: {min(other)}")
        if doubled := [change for change, count in times.items() if count > 1]:
            wrong.append(f"{len(doubled)} are noted twice, such as {doubled[0]}")
        self._known.update(noted)
        if strange := self._arrived() - self._known:
            wrong.append(f"{len(strange)} arrived that nobody noted: {min(strange)}")
        if missing := set(noted) - self._arrived():
            wrong.append(f"{len(missing)} did not arrive: {min(missing)}")
        self._customers |= {name for kind, name in expected if kind == "CREATED customers"}
        self.redelivered = self._count_redelivered()
        return [f"changes: {text}" for text in wrong]

    def _expected(self) -> set[tuple[str, str]]:
        created = set(map(str, tuple(self.shop.store.customers.ids()))) - self._customers
        return {
            *(("UPDATED orders", order) for order in self._orders),
            *(("CREATED customers", customer) for customer in created),
        }

    def _noted(self) -> list[_Change]:
        # The changes behind the last round; stock that is uploaded meanwhile is polled as well.
        reply = self.fleet.call(
            "GET",
            f"/instances/{self.instance_id}/changes",
            query={"after": self._cursor, "pageSize": "2000"},
        )
        assert reply.status == 200, reply
        self._end = reply.content[-1]["cursor"] if reply.content else self._cursor
        return [_change(item["eventId"], item) for item in reply.content if _is_judged(item)]

    def _arrived(self) -> set[_Change]:
        # All that the receiver ever took, under the id that the headers tell.
        found = set()
        for received in self._received():
            headers, message = received.headers, received.json()["message"]
            assert headers["webhook-id"] == headers["elements-webhook-id"] == message["eventId"]
            found |= {
                _change(headers["webhook-id"], event)
                for event in message["events"]
                if _is_judged(event)
            }
        return found

    def _count_redelivered(self) -> int:
        times = Counter(received.headers["webhook-id"] for received in self._received())
        return sum(count - 1 for count in times.values())

    def _received(self) -> list[Received]:
        return [item for item in tuple(self.receiver.taken) if item.path == "/events"]

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


def _change(event_id: str, told: dict[str, Any]) -> _Change:
    return (event_id, f"{told['eventType']} {told['objectType']}", str(told["objectId"]))


def _is_judged(told: dict[str, Any]) -> bool:
    return told["objectType"] in ("orders", "customers")


def _upload(
    fleet: Fleet, token: str, name: str, lines: list[str], *, action: str, by: str = ""
) -> str:
    told = {"action": action, **({"identifierFieldName": by} if by else {})}
    parts = (
        ('name="file"; filename="rows.csv"', "\n".join(lines)),
        ('name="metaData"', json.dumps(told)),
    )
    body = "".join(
        f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n"
        for head, content in parts
    )
    reply = fleet.call(
        "POST",
        f"/bulk/{name}",
        raw=f"{body}--{_BOUNDARY}--\r\n".encode(),
        content_type=f"multipart/form-data; boundary={_BOUNDARY}",
        token=token,
    )
    return _id_of(reply)


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
