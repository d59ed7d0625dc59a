"""Uploads that change many rows in one call: what becomes of each, and after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.test_upload import csv_of, die_at, outcomes, start
from tests.bulk.yard import Yard, asked_of, open_yard

MANY = "PUT /api/rest/stockitems"
ONE = "PUT /api/rest/stockitems/:id"


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with open_yard(tmp_path, orders=1, products=130, customers=1) as opened:
        yield opened


def stock(yard: Yard, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < count:
        where = f"item_id > {found[-1]['item_id'] if found else 0}"
        query = {"where": where, "pageSize": 100, "orderBy": "item_id"}
        found += yard.call("GET", "/inventory", query=query).json()
    return found[:count]


def counts(yard: Yard) -> tuple[int, int]:
    assert yard.shop is not None
    return asked_of(yard.shop, MANY), asked_of(yard.shop, ONE)


def test_it_sends_fifty_rows_in_a_call(yard: Yard) -> None:
    items = stock(yard, 120)
    rows = [{"id": item["id"], "qty": 7000 + n} for n, item in enumerate(items)]
    rows[3]["qty"] = items[3]["qty"]
    bulk_id = start(yard, "inventory", csv_of(rows), action="update")
    assert yard.shop is not None
    read = asked_of(yard.shop, "GET /api/rest/stockitems")
    yard.work_off()

    lines = yard.lines(bulk_id, "inventory")
    assert counts(yard) == (3, 0)
    assert asked_of(yard.shop, "GET /api/rest/stockitems") - read == 3
    assert yard.status(bulk_id)["outcomes"] == {"updated": 119, "unchanged": 1}
    assert [line["outcome"] for line in lines].index("unchanged") == 3
    assert lines[0]["changes"] == {"qty": {"from": items[0]["qty"], "to": "7000"}}
    assert [float(item["qty"]) for item in stock(yard, 120)] == [float(row["qty"]) for row in rows]
    assert yard.receipt(bulk_id)["complete"] is True


def test_each_row_has_its_own_outcome_in_the_stores_words(yard: Yard) -> None:
    items = stock(yard, 5)
    rows = [{"id": item["id"], "qty": 5000} for item in items]
    rows[1]["qty"] = "many"
    rows[2]["id"] = "999999"
    rows[3]["id"] = ""
    bulk_id = start(yard, "inventory", csv_of(rows), action="update")
    yard.work_off()

    assert outcomes(yard, bulk_id, "inventory") == [
        "updated", "failed", "failed", "failed", "updated",
    ]  # fmt: skip
    errors = yard.call("GET", f"/bulk/{bulk_id}/errors").json()
    assert [error["row"] for error in errors] == [2, 3, 4]
    assert (errors[0]["status"], "'many' is not between" in errors[0]["response"]) == (400, True)
    assert "999999" in errors[1]["message"]
    assert counts(yard) == (1, 0)
    assert [float(item["qty"]) for item in stock(yard, 5)][::4] == [5000, 5000]


def test_rows_are_found_by_their_product_and_by_the_stores_key(yard: Yard) -> None:
    items = stock(yard, 4)
    by_product = [{"product_id": item["product_id"], "qty": 31} for item in items[:2]]
    by_key = [{"item_id": item["item_id"], "qty": 32} for item in items[2:]]
    first = start(
        yard, "inventory", csv_of(by_product), action="update", identifierFieldName="product_id"
    )
    second = start(
        yard, "inventory", csv_of(by_key), action="update", identifierFieldName="item_id"
    )
    yard.work_off()

    assert [*outcomes(yard, first, "inventory"), *outcomes(yard, second, "inventory")] == [
        "updated"
    ] * 4
    assert [float(item["qty"]) for item in stock(yard, 4)] == [31, 31, 32, 32]
    assert counts(yard) == (2, 0)


def test_rows_that_the_answer_does_not_name_are_looked_up(tmp_path: Path) -> None:
    # This store writes a row and reports a failure without saying of which one.
    with open_yard(tmp_path, orders=1, products=40, customers=1, deadlocks=0.3) as yard:
        items = stock(yard, 40)
        rows = [{"id": item["id"], "qty": 4000 + n} for n, item in enumerate(items)]
        bulk_id = start(yard, "inventory", csv_of(rows), action="update")
        yard.work_off()

        lines = yard.lines(bulk_id, "inventory")
        assert yard.status(bulk_id)["outcomes"] == {"updated": 40}
        assert all(
            line["changes"]["qty"]["from"] == item["qty"]
            for line, item in zip(lines, items, strict=True)
        )
        assert counts(yard) == (1, 0)


def test_a_lost_answer_is_found_out_about(tmp_path: Path) -> None:
    with open_yard(tmp_path, orders=1, products=60, customers=1) as yard:
        items = stock(yard, 60)
        rows = [{"id": item["id"], "qty": 9} for item in items]
        bulk_id = start(yard, "inventory", csv_of(rows), action="update")
        assert yard.shop is not None
        yard.shop.store.set_options(lost_answers=1.0)

        def on_mark(name: str) -> None:
            if name == "bulk.batch_sent":
                assert yard.shop is not None
                yard.shop.store.set_options(lost_answers=0.0)

        yard.on_mark = on_mark
        yard.work_off()

        assert yard.status(bulk_id)["outcomes"] == {"updated": 60}
        assert counts(yard) == (2, 0)


def test_the_caller_says_how_many_go_in_a_call(yard: Yard) -> None:
    rows = [{"id": item["id"], "qty": 77} for item in stock(yard, 6)]
    start(yard, "inventory", csv_of(rows), action="update", bulkUploadRecordSize="4")
    yard.work_off()
    together = counts(yard)
    rows = [{**row, "qty": 78} for row in rows]
    start(yard, "inventory", csv_of(rows), action="update", bulkUploadRecordSize="1")
    yard.work_off()

    assert together == (2, 0)
    assert counts(yard) == (2, 6)


def test_short_turns_lose_nothing(yard: Yard) -> None:
    yard.crowded = True
    rows = [{"id": item["id"], "qty": 66} for item in stock(yard, 120)]
    bulk_id = start(yard, "inventory", csv_of(rows), action="update")
    assert yard.work_off() > 2

    assert yard.status(bulk_id)["outcomes"] == {"updated": 120}
    assert counts(yard) == (3, 0)


def test_mapped_rows_go_together_in_the_vendors_names(yard: Yard) -> None:
    items = yard.call("GET", "/commerce-inventory", query={"pageSize": 3}).json()
    rows = [
        {"id": item["id"], "quantity": "12.5", "backorders": "notify", "inStock": "1"}
        for item in items
    ]
    by_id = start(yard, "commerce-inventory", csv_of(rows), action="update")
    yard.work_off()
    rows = [{"productId": item["productId"], "quantity": "13"} for item in items]
    by_product = start(
        yard,
        "commerce-inventory",
        csv_of(rows),
        action="update",
        identifierFieldName="productId",
    )
    yard.work_off()

    first = yard.lines(by_id, "commerce-inventory")
    after = yard.call("GET", "/commerce-inventory", query={"pageSize": 3}).json()
    assert [line["outcome"] for line in first] == ["updated"] * 3
    assert first[0]["changes"]["backorders"] == {"from": "no", "to": "notify"}
    assert outcomes(yard, by_product, "commerce-inventory") == ["updated"] * 3
    assert [(float(item["quantity"]), item["backorders"]) for item in after] == [(13, "notify")] * 3
    assert counts(yard) == (2, 0)


def test_a_row_goes_to_the_id_it_is_found_by(yard: Yard) -> None:
    one, two = stock(yard, 2)
    rows = [{"id": one["id"], "item_id": two["item_id"], "qty": 55}]
    start(yard, "inventory", csv_of(rows), action="update")
    yard.work_off()

    assert [float(item["qty"]) for item in stock(yard, 2)] == [55, float(two["qty"])]


def test_a_dry_run_sends_nothing(yard: Yard) -> None:
    rows = [{"id": item["id"], "qty": 66} for item in stock(yard, 2)]
    bulk_id = start(yard, "inventory", csv_of(rows), action="update", query={"dryRun": "true"})
    yard.work_off()

    assert outcomes(yard, bulk_id, "inventory") == ["updated"] * 2
    assert counts(yard) == (0, 0)


@pytest.mark.parametrize(
    ("point", "after"),
    [
        ("bulk.batch_noted", 1),
        ("write.before_send", 2),
        ("write.after_send", 1),
        ("bulk.batch_sent", 2),
        ("bulk.row_written", 1),
        ("bulk.outcomes_written", 2),
        ("bulk.saved", 2),
        ("bulk.finished", 1),
    ],
)
def test_a_kill_makes_no_outcome_untrue(yard: Yard, point: str, after: int) -> None:
    items = stock(yard, 70)
    rows = [{"id": item["id"], "qty": 3000 + n} for n, item in enumerate(items)]
    for n in (4, 60):
        rows[n]["qty"] = items[n]["qty"]
    rows[5]["qty"] = "many"
    rows[6]["id"] = "999999"
    rows[7]["id"] = ""
    bulk_id = start(yard, "inventory", csv_of(rows), action="update")
    die_at(yard, point, time=after)
    yard.pass_time(timedelta(minutes=1))
    yard.take_over()
    yard.work_off()

    expected = ["updated"] * 70
    for n in (4, 60):
        expected[n] = "unchanged"
    expected[5:8] = ["failed"] * 3
    assert yard.status(bulk_id)["status"] == "COMPLETED"
    assert outcomes(yard, bulk_id, "inventory") == expected
    now = stock(yard, 70)
    assert all(
        float(now[n]["qty"]) == float(rows[n]["qty"]) for n in range(70) if n not in (5, 6, 7)
    )
