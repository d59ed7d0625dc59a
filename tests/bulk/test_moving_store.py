"""Rows come, change and go while a store is read, and the receipt tells the truth about each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.yard import Yard, open_yard

ROWS = 450


@pytest.fixture(params=["newer", "classic"])
def yard(tmp_path: Path, request: Any) -> Iterator[Yard]:
    with open_yard(tmp_path, orders=ROWS, flavor=request.param) as opened:
        yield opened


class Mover:
    """Changes a store at the moments between pages, and keeps a log of what it did."""

    def __init__(self, yard: Yard) -> None:
        assert yard.shop is not None
        self.orders = yard.shop.store.orders
        self.inserted: list[int] = []
        self.updated: list[int] = []
        self.deleted: list[int] = []
        self.pages = 0
        self.steps: dict[int, Callable[[], None]] = {}
        yard.on_mark = self.mark

    def mark(self, point: str) -> None:
        if point == "bulk.fetched":
            self.pages += 1
            self.steps.get(self.pages, lambda: None)()

    def insert(self) -> None:
        row = copy.deepcopy(self.orders.rows[max(self.orders.rows)])
        row.pop("entity_id", None)
        number = self.orders.insert(row)
        self.orders.rows[number]["entity_id"] = number
        self.touch(number)
        self.orders.rows[number]["created_at"] = self.orders.rows[number]["updated_at"]
        self.inserted.append(number)

    def update(self, number: int) -> None:
        self.orders.rows[number]["status"] = "holded"
        self.touch(number)
        self.updated.append(number)

    def delete(self, number: int) -> None:
        self.orders.delete(number)
        self.deleted.append(number)

    def touch(self, number: int) -> None:
        # Seconds behind the start, as a store would write it while it is read.
        moment = datetime.now(UTC) + timedelta(seconds=5)
        self.orders.rows[number]["updated_at"] = f"{moment:%Y-%m-%d %H:%M:%S}"


def test_it_tells_the_truth_about_what_moved(yard: Yard) -> None:
    mover = Mover(yard)

    def early() -> None:
        mover.update(350)  # not read yet
        mover.update(20)  # read already
        mover.delete(30)  # read already
        mover.delete(360)  # not read yet
        mover.insert()

    mover.steps = {1: early, 3: mover.insert}
    bulk_id, receipt = yard.download("select * from orders")

    given = [int(row["id"]) for row in yard.lines(bulk_id, "orders")]
    rows = {int(row["id"]): row for row in yard.lines(bulk_id, "orders")}
    assert len(given) == len(set(given)) == receipt["rows"] == receipt["distinct"]
    # Deleted before it was read: absent. Deleted after: as it was. New rows: at the end.
    assert set(given) == (set(range(1, ROWS + 1)) - {360}) | set(mover.inserted)
    assert rows[350]["status"] == "holded"
    assert rows[20]["status"] != "holded"
    assert receipt["highestKey"] == str(max(mover.inserted))
    assert receipt["gaps"]["keys"] == 1
    assert receipt["complete"] is True
    assert receipt["createdDuringRead"] == {"rows": 2, "field": "created_at"}


def test_it_finds_in_the_next_run_what_moved_during_the_last(yard: Yard) -> None:
    newer = "newer" in yard.shop.store.options.flavor if yard.shop else False
    mover = Mover(yard)

    def early() -> None:
        mover.update(20)
        mover.delete(30)

    mover.steps = {2: early}
    yard.download("select * from orders", lastRunDate="last")
    mover.steps = {}
    bulk_id, second = yard.download("select * from orders", lastRunDate="last")

    given = {int(row["id"]) for row in yard.lines(bulk_id, "orders")}
    assert 20 in given
    assert second["complete"] is True
    if not newer:
        # A store that cannot say what changed is compared with, which also shows what is gone.
        assert given == {20}
        assert [row["id"] for row in yard.lines(bulk_id, "orders.deleted")] == ["30"]


def test_it_counts_rows_that_changed_after_the_start(tmp_path: Path) -> None:
    with open_yard(tmp_path, orders=ROWS) as yard:
        mover = Mover(yard)
        mover.steps = {1: lambda: [mover.update(number) for number in (300, 301, 440)]}
        _, receipt = yard.download("select * from orders")

        assert receipt["changedDuringRead"]["rows"] == 3
        assert receipt["watermark"] is not None
