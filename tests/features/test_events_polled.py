"""Changes at a store are noticed by asking, kept in order, and none is lost or doubled."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.databases import on_both, url_of
from tests.journeys.application import Application
from tests.journeys.stage import Stage, platform_on_stage
from tests.notifications.receiver import receiving

SOON_S = 20
POLLING = {
    "event.notification.enabled": "true",
    "event.vendor.type": "polling",
    "event.poller.refresh_interval": "1",
}


class Polled:
    """A store, an instance of it that is polled, and the clock of both."""

    def __init__(self, stage: Stage, shop: RunningStore, **configuration: str) -> None:
        self.stage, self.store = stage, shop.store
        # Both tell the same time.
        shop.store.clock = lambda: stage.clock().timestamp()
        extra = {**POLLING, **configuration}
        self.instance = Application(stage, shop.store, shop.url, extra=extra).connect()
        self.id = self.instance["id"]

    def job(self) -> dict[str, Any] | None:
        jobs = self.stage.call("GET", "/jobs", query={"kind": "poll"}).json()
        return next((job for job in jobs if job.get("instanceId") == self.id), None)

    def turn(self, minutes: int = 2) -> None:
        """Let a poll happen whose read begins from now on."""
        before = (self.job() or {}).get("progress", {}).get("polledAt", "")
        self.stage.clock.ahead += timedelta(minutes=minutes)
        self.until(lambda: self.polled_at() > before)

    def polled_at(self) -> str:
        job = self.job()
        if job is None or job["state"] != "waiting":
            return ""
        return str(job["progress"].get("polledAt", ""))

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SOON_S
        while not condition():
            assert time.monotonic() < deadline, self.job()
            time.sleep(0.05)

    def changes(self, after: str = "0") -> list[tuple[str, str, str]]:
        query = {"after": after, "pageSize": 2000}
        found = self.stage.call("GET", f"/instances/{self.id}/changes", query=query).json()
        return [(item["eventType"], item["objectType"], item["objectId"]) for item in found]

    def touch(self, table: str, row_id: int, **values: Any) -> None:
        """Change a row as a person in the store's admin does."""
        values.setdefault("updated_at", self.store.timestamp())
        getattr(self.store, table).change(row_id, values)


@pytest.fixture
def polled(
    request: pytest.FixtureRequest, tmp_path: Path, open_shop: Callable[..., RunningStore]
) -> Iterator[Polled]:
    with platform_on_stage(tmp_path / "own", database_url=url_of(request), works=True) as stage:
        found = Polled(stage, open_shop())
        found.until(lambda: found.polled_at() != "")
        yield found


def test_rows_that_were_there_before_are_not_reported(polled: Polled) -> None:
    assert polled.changes() == []
    assert polled.instance["eventsEnabled"] is True
    polled.turn()
    assert polled.changes() == []


@on_both("polled")
def test_changes_of_every_resource_are_reported_once(polled: Polled) -> None:
    polled.stage.clock.ahead += timedelta(minutes=1)
    order = polled.store.orders.ids()[0]
    customer = polled.store.customers.ids()[1]
    product = polled.store.products.ids()[2]
    item = polled.store.stock.ids()[3]
    polled.touch("orders", order, status="complete")
    polled.touch("customers", customer, firstname="Ada")
    polled.touch("products", product, name="Lamp")
    polled.store.stock.change(item, {"qty": "77.0000"})
    created = polled.stage.call(
        "POST",
        "/hubs/ecommerce/customers",
        element=polled.instance["token"],
        body={"firstname": "New", "lastname": "One", "email": "new@example.com",
              "website_id": 1, "group_id": 1},
    )  # fmt: skip
    assert created.status == 200, created.body
    polled.turn()
    assert sorted(polled.changes()) == sorted(
        [
            ("UPDATED", "orders", str(order)),
            ("UPDATED", "customers", str(customer)),
            ("CREATED", "customers", str(created.json()["id"])),
            ("UPDATED", "products", str(product)),
            ("UPDATED", "inventory", str(item)),
        ]
    )
    polled.turn()
    polled.turn()
    assert len(polled.changes()) == 5


def test_an_event_says_what_changed(polled: Polled) -> None:
    order = polled.store.orders.ids()[0]
    polled.touch("orders", order, status="holded")
    polled.turn()
    (record,) = polled.stage.call("GET", f"/instances/{polled.id}/events").json()
    assert record["status"] == "RECEIVED"
    assert record["source"] == "polling"
    said = json.loads(record["providerData"])
    assert said["objectType"] == "orders"
    assert [row["status"] for row in said["orders"]] == ["holded"]
    (event,) = record["events"]
    assert (event["eventType"], event["objectType"], event["objectId"]) == (
        "UPDATED",
        "orders",
        str(order),
    )
    alone = polled.stage.call("GET", f"/instances/{polled.id}/events/{record['id']}")
    assert alone.json() == record


def test_the_read_of_all_finds_what_dates_do_not_show(polled: Polled) -> None:
    old, gone = polled.store.products.ids()[:2]
    polled.touch("products", old, name="Quiet", updated_at="2020-01-01 00:00:00")
    polled.store.products.delete(gone)
    polled.turn()
    assert ("UPDATED", "products", str(old)) not in polled.changes()
    polled.turn(minutes=25 * 60)
    changes = polled.changes()
    assert ("UPDATED", "products", str(old)) in changes
    assert ("DELETED", "products", str(gone)) in changes
    assert len([item for item in changes if item[1] == "products"]) == 2


def test_polling_follows_the_configuration_at_once(polled: Polled) -> None:
    def patch(**configuration: str) -> Any:
        body = {"configuration": {name.replace("_", "."): v for name, v in configuration.items()}}
        return polled.stage.call("PATCH", f"/instances/{polled.id}", body=body)

    assert patch(event_notification_enabled="false").status == 200
    assert polled.job() is None
    rows = polled.stage.rows()
    assert (rows["row_digest"], rows["poll_state"]) == (0, 0)
    refused = patch(event_notification_enabled="true", event_poller_configuration="{oops")
    assert refused.status == 400
    assert "no JSON" in refused.message
    assert polled.job() is None
    assert patch(event_notification_enabled="true", event_objects="orders").status == 200
    polled.until(lambda: polled.polled_at() != "")
    assert polled.stage.rows()["poll_state"] == 1
    assert polled.stage.call("DELETE", f"/instances/{polled.id}").status == 200
    assert polled.job() is None
    assert polled.stage.rows()["row_digest"] == 0


def test_a_cursor_can_be_read_from_again(polled: Polled) -> None:
    path = f"/instances/{polled.id}/changes"
    for name in ("One", "Two", "Three"):
        polled.touch("customers", polled.store.customers.ids()[0], firstname=name)
        polled.turn()
    seen, cursor = [], "0"
    while True:
        reply = polled.stage.call("GET", path, query={"after": cursor, "pageSize": 1})
        if not reply.json():
            break
        cursor = reply.headers["elements-next-cursor"]
        seen += reply.json()
    assert len(seen) == 3
    assert polled.stage.call("GET", path).json() == seen
    again = polled.stage.call("GET", path, query={"after": seen[0]["cursor"]}).json()
    assert again == seen[1:]
    refused = polled.stage.call("GET", path, query={"after": "yesterday"})
    assert refused.status == 400


class Killed(Exception):
    """Ends a turn where a kill would."""


@contextmanager
def polled_and_cut_off(
    tmp_path: Path, shop: RunningStore, point: str, armed: list[str]
) -> Iterator[Polled]:
    """Poll a store; each time that a point is passed takes one from `armed`, and ends the turn."""

    def mark(passed: str) -> None:
        if passed == point and armed:
            armed.pop()
            raise Killed

    with platform_on_stage(tmp_path / "cut", works=True, mark=mark) as stage:
        polled = Polled(stage, shop)
        polled.until(lambda: polled.polled_at() != "")
        yield polled


@pytest.mark.parametrize("point", ["poll.read", "poll.before_commit", "poll.saved"])
def test_a_poll_that_is_cut_off_loses_and_doubles_nothing(
    point: str, tmp_path: Path, open_shop: Callable[..., RunningStore]
) -> None:
    armed: list[str] = []
    with polled_and_cut_off(tmp_path, open_shop(), point, armed) as polled:
        customers = polled.store.customers.ids()
        for row_id in customers:
            polled.touch("customers", row_id, firstname="New")
        armed += ["once", "twice", "thrice"]
        polled.turn()
        polled.turn()
        assert not armed
        assert sorted(polled.changes()) == sorted(
            ("UPDATED", "customers", str(row_id)) for row_id in customers
        )
        assert polled.stage.rows()["event"] == 1


@pytest.mark.parametrize("point", ["poll.checked", "poll.saved"])
def test_rows_that_are_gone_are_told_once_though_the_look_is_cut_off(
    point: str, tmp_path: Path, open_shop: Callable[..., RunningStore]
) -> None:
    armed: list[str] = []
    with polled_and_cut_off(tmp_path, open_shop(), point, armed) as polled:
        gone = polled.store.products.ids()[:3]
        for row_id in gone:
            polled.store.products.delete(row_id)
        armed += ["once", "twice"]
        polled.turn(minutes=25 * 60)
        polled.turn()
        assert not armed
        told = [item for item in polled.changes() if item[1] == "products"]
        assert sorted(told) == sorted(("DELETED", "products", str(row_id)) for row_id in gone)


@pytest.fixture
def swept(tmp_path: Path) -> Iterator[Stage]:
    with platform_on_stage(tmp_path / "swept", works=True, events_days=1) as stage:
        yield stage


def test_what_is_kept_no_longer_is_deleted(
    swept: Stage, open_shop: Callable[..., RunningStore]
) -> None:
    polled = Polled(swept, open_shop())
    polled.until(lambda: polled.polled_at() != "")
    polled.touch("customers", polled.store.customers.ids()[0], firstname="New")
    polled.turn()
    assert len(polled.changes()) == 1
    swept.clock.ahead += timedelta(days=2)
    polled.until(lambda: swept.rows()["change"] == 0)
    polled.until(lambda: swept.rows()["event"] == 0)


@on_both("polled")
def test_a_change_reaches_the_callback_and_is_then_notified(polled: Polled) -> None:
    with receiving() as receiver:
        body = {"configuration": {"event.notification.callback.url": receiver.url}}
        assert polled.stage.call("PATCH", f"/instances/{polled.id}", body=body).status == 200
        polled.touch("orders", polled.store.orders.ids()[0], status="complete")
        polled.turn()
        polled.until(lambda: bool(receiver.taken))
        message = receiver.taken[0].json()["message"]
        assert message["raw"]["objectType"] == "orders"
        assert message["events"][0]["eventType"] == "UPDATED"
        path = f"/instances/{polled.id}/events/{message['eventId']}"
        polled.until(lambda: polled.stage.call("GET", path).json()["status"] == "NOTIFIED")
