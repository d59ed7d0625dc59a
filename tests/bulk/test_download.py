"""Rows are downloaded each once, and the receipt says what is proven."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from polyvalent.jobs.sql import delete_job, find_job
from tests.bulk.yard import Yard, open_yard


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with open_yard(tmp_path, orders=230, products=40, customers=30) as opened:
        yield opened


def orders(yard: Yard) -> dict[int, dict[str, object]]:
    assert yard.shop is not None
    return yard.shop.store.orders.rows


def test_it_reads_every_row_once_and_proves_it(yard: Yard) -> None:
    bulk_id, receipt = yard.download("select * from orders")

    rows = yard.lines(bulk_id, "orders")
    shown = yard.status(bulk_id)
    assert [int(row["id"]) for row in rows] == sorted(orders(yard))
    assert shown["recordsCount"] == shown["recordCount"] == 230
    assert shown["recordsFailedCount"] == 0
    assert (receipt["complete"], receipt["proof"]) == (True, "keyset")
    assert (receipt["rows"], receipt["distinct"], receipt["received"]) == (230, 230, 230)
    assert (receipt["lowestKey"], receipt["highestKey"]) == ("1", "230")
    assert receipt["pages"]["count"] == 3
    assert receipt["changedDuringRead"]["rows"] == 0
    # The rows are those of a search, member for member.
    found = yard.call("GET", "/hubs/ecommerce/orders", query={"pageSize": 100}).json()
    assert rows[:100] == found


def test_it_takes_no_more_than_one_request_beyond_full_pages(tmp_path: Path) -> None:
    with open_yard(tmp_path, orders=300) as yard:
        assert yard.shop is not None
        before = sum(yard.shop.store.counters.values())
        bulk_id, receipt = yard.download("select * from orders")

        assert sum(yard.shop.store.counters.values()) - before <= 4
        assert (receipt["rows"], receipt["distinct"], receipt["complete"]) == (300, 300, True)
        assert len({row["id"] for row in yard.lines(bulk_id, "orders")}) == 300


def test_it_goes_on_turn_by_turn_where_others_wait(yard: Yard) -> None:
    bulk_id = yard.start("select * from orders")
    yard.crowded = True

    assert yard.work_off() >= 3
    assert yard.receipt(bulk_id)["complete"] is True
    assert [int(row["id"]) for row in yard.lines(bulk_id, "orders")] == sorted(orders(yard))


def test_it_filters_cuts_and_limits(yard: Yard) -> None:
    bulk_id, receipt = yard.download(
        "select id, status from orders where status = 'complete' and grand_total > 50 limit 5"
    )

    rows = yard.lines(bulk_id, "orders")
    found = yard.call(
        "GET",
        "/orders",
        query={"where": "status = 'complete' and grand_total > 50", "fields": "id,status"},
    ).json()
    assert rows == found[:5]
    assert all(set(row) == {"id", "status"} for row in rows)
    assert (receipt["limited"], receipt["watermark"], receipt["gaps"]["keys"]) == (True, None, None)


def test_it_goes_on_behind_the_limit_of_another(yard: Yard) -> None:
    first, _ = yard.download("select * from orders limit 120")
    second = yard.start(continueFromJobId=first)
    yard.work_off()
    third = yard.start(continueFromJobId=second)
    yard.work_off()

    given = [int(row["id"]) for job in (first, second, third) for row in yard.lines(job, "orders")]
    assert given == sorted(orders(yard))[: len(given)] == list(range(1, 231))
    assert yard.status(second)["continuesJobId"] == first


def test_it_reads_downwards_too(yard: Yard) -> None:
    bulk_id, receipt = yard.download("select id from orders order by entity_id desc")

    assert [int(row["id"]) for row in yard.lines(bulk_id, "orders")] == list(range(230, 0, -1))
    assert (receipt["complete"], receipt["gaps"]["keys"]) == (True, 0)


def test_it_gives_a_mapped_object_under_its_names(yard: Yard) -> None:
    bulk_id, receipt = yard.download("select * from `commerce-orders`")

    found = yard.call("GET", "/commerce-orders", query={"pageSize": 100}).json()
    assert yard.lines(bulk_id, "commerce-orders")[:100] == found
    assert receipt["rows"] == 230


def test_it_skips_an_offset(yard: Yard) -> None:
    bulk_id, _ = yard.download("select id from orders limit 3 offset 110")

    assert [int(row["id"]) for row in yard.lines(bulk_id, "orders")] == [111, 112, 113]


def test_it_asks_for_changes_alone(yard: Yard) -> None:
    changed = {3, 77, 200}
    moment = datetime.now(UTC) + timedelta(days=1)
    for number in changed:
        orders(yard)[number]["updated_at"] = f"{moment:%Y-%m-%d %H:%M:%S}"
    begin = f"{moment - timedelta(minutes=1):%Y-%m-%dT%H:%M:%S.000Z}"

    bulk_id, receipt = yard.download("select * from orders", **{"from": begin})
    none, empty = yard.download(
        "select * from orders", **{"from": "2001-01-01", "to": "2001-01-02T00:00:00Z"}
    )

    assert {int(row["id"]) for row in yard.lines(bulk_id, "orders")} == changed
    assert receipt["incremental"]["method"] == "filter"
    assert receipt["incremental"]["field"] == "updated_at"
    assert yard.lines(none, "orders") == []
    assert (empty["complete"], empty["rows"]) == (True, 0)


def test_it_reads_on_from_what_was_proven(yard: Yard) -> None:
    _, first = yard.download("select * from orders", lastRunDate="last")
    moment = datetime.now(UTC) + timedelta(hours=1)
    orders(yard)[9]["updated_at"] = f"{moment:%Y-%m-%d %H:%M:%S}"

    bulk_id, second = yard.download("select * from orders", lastRunDate="last")
    # A caller who believes that more was read than was proven gets what lies between as well.
    later, _ = yard.download("select * from orders", lastRunDate="2099-01-01T00:00:00Z")

    assert (first["rows"], first["incremental"]) == (230, None)
    assert second["incremental"]["from"] == first["watermark"]
    assert [int(row["id"]) for row in yard.lines(bulk_id, "orders")] == [9]
    assert [int(row["id"]) for row in yard.lines(later, "orders")] == [9]


def test_it_compares_where_the_store_cannot_say_what_changed(tmp_path: Path) -> None:
    with open_yard(tmp_path, flavor="classic", orders=150) as yard:
        _, first = yard.download("select * from orders")
        rows = orders(yard)
        rows[5]["status"], rows[120]["grand_total"] = "holded", "1.0000"
        assert yard.shop is not None
        for number in (7, 149, 150):
            yard.shop.store.orders.delete(number)

        bulk_id, second = yard.download("select * from orders", lastRunDate="last")
        quiet, third = yard.download("select * from orders", **{"from": "2020-01-01"})

        assert first["rows"] == 150
        assert second["incremental"]["method"] == "compare"
        assert {int(row["id"]) for row in yard.lines(bulk_id, "orders")} == {5, 120}
        gone = yard.lines(bulk_id, "orders.deleted")
        assert [row["id"] for row in gone] == ["7", "149", "150"]
        assert {"new": 0, "modified": 2, "deleted": 3}.items() <= second["incremental"].items()
        assert (second["complete"], third["rows"], third["incremental"]["deleted"]) == (True, 0, 0)
        assert yard.lines(quiet, "orders") == []


def test_it_compares_turn_by_turn_as_well(tmp_path: Path) -> None:
    with open_yard(tmp_path, orders=0, products=350) as yard:
        yard.crowded = True
        # An object without any date of change.
        _, first = yard.download("select * from inventory")
        assert yard.shop is not None
        stock = yard.shop.store.stock
        ids = sorted(stock.rows)
        stock.rows[ids[3]]["qty"] = "7.0000"
        stock.rows[ids[-2]]["qty"] = "8.0000"

        bulk_id, second = yard.download("select * from inventory", lastRunDate="2020-01-01")

        assert first["rows"] == len(ids)
        assert {int(row["id"]) for row in yard.lines(bulk_id, "inventory")} == {ids[3], ids[-2]}
        assert second["incremental"]["modified"] == 2


def test_it_adds_metadata(yard: Yard) -> None:
    yard.configure(bulk__add_metadata="true")

    bulk_id, _ = yard.download("select id from orders limit 1")

    (row,) = yard.lines(bulk_id, "orders")
    told = row["bulkMetadata"]
    assert (told["instanceId"], told["elementKey"], told["jobId"]) == (
        yard.instance_id,
        "magento",
        bulk_id,
    )
    assert set(told) == {"instanceId", "elementKey", "jobId", "extractedAt"}


def test_it_puts_members_apart(yard: Yard) -> None:
    yard.configure(bulk__relations="order_items:separate, orders.addresses")

    bulk_id, receipt = yard.download("select * from orders")

    rows, items = yard.lines(bulk_id, "orders"), yard.lines(bulk_id, "order_items")
    assert all("order_items" not in row and "addresses" in row for row in rows)
    assert len(items) >= len(rows) == receipt["rows"]
    assert {item["parentId"] for item in items} <= {row["id"] for row in rows}


def test_it_brings_lists_below_rows_along(yard: Yard) -> None:
    yard.configure(bulk__relations="products.images, products.websites:separate")

    bulk_id, receipt = yard.download("select * from products limit 8")

    rows = yard.lines(bulk_id, "products")
    for row in rows[:2]:
        path = f"/products/{row['id']}"
        assert row["images"] == yard.call("GET", f"{path}/images").json()
        websites = [
            {name: value for name, value in item.items() if name != "parentId"}
            for item in yard.lines(bulk_id, "websites")
            if item["parentId"] == row["id"]
        ]
        assert websites == yard.call("GET", f"{path}/websites").json()
    assert receipt["failedRows"] == 0


def test_it_notes_what_the_store_refuses_of_a_row(tmp_path: Path) -> None:
    with open_yard(tmp_path, products=30, admin_role="limited") as yard:
        yard.configure(bulk__relations="products.images")

        bulk_id, receipt = yard.download("select * from products")

        failed = yard.status(bulk_id)["recordsFailedCount"]
        assert failed == receipt["rows"] > 20  # that role may not read images
        page = yard.call("GET", f"/bulk/{bulk_id}/errors", query={"pageSize": 20})
        assert page.headers["elements-returned-count"] == "20"
        token = page.headers["elements-next-page-token"]
        rest = yard.call(
            "GET", f"/bulk/{bulk_id}/errors", query={"pageSize": 20, "nextPage": token}
        )
        assert "elements-next-page-token" not in rest.headers
        assert len(page.json()) + len(rest.json()) == failed
        assert receipt["complete"] is False
        assert "errors" in receipt["reasons"][0]


def test_it_waits_out_a_failing_store(yard: Yard) -> None:
    assert yard.shop is not None
    yard.shop.store.set_options(php_down=True)
    bulk_id = yard.start("select * from orders")
    yard.work_off(rounds_max=2)
    assert yard.status(bulk_id)["status"] == "CREATED"

    yard.shop.store.set_options(php_down=False)
    yard.stage.clock.ahead += timedelta(minutes=10)
    yard.work_off()

    assert yard.receipt(bulk_id)["rows"] == 230


def test_it_says_why_it_failed(yard: Yard) -> None:
    assert yard.shop is not None
    bulk_id = yard.start("select * from orders")
    yard.shop.store.revoke_tokens()
    for _ in range(20):
        yard.work_off()
        yard.stage.clock.ahead += timedelta(minutes=10)

    shown = yard.status(bulk_id)
    assert (shown["status"], shown["jobStatus"]) == ("FAILED", "ABORTED")
    assert "authoriz" in shown["statusMessage"]
    assert yard.call("GET", f"/bulk/{bulk_id}/orders").status == 400
    assert yard.call("GET", f"/bulk/{bulk_id}/receipt").status == 404


def test_it_bounds_a_mapped_object_by_the_vendors_date(yard: Yard) -> None:
    moment = datetime.now(UTC) + timedelta(days=1)
    orders(yard)[11]["updated_at"] = f"{moment:%Y-%m-%d %H:%M:%S}"
    begin = f"{moment - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"

    bulk_id, receipt = yard.download("select * from `commerce-orders`", **{"from": begin})

    assert [int(row["id"]) for row in yard.lines(bulk_id, "commerce-orders")] == [11]
    assert receipt["incremental"]["method"] == "filter"


def test_deletions_are_looked_for_where_somebody_asks(yard: Yard) -> None:
    assert yard.shop is not None
    q = "select * from orders"
    first, _ = yard.download(q, lastRunDate="last", reconcile="true")
    moment = datetime.now(UTC) + timedelta(hours=1)
    orders(yard)[7] |= {"status": "holded", "updated_at": f"{moment:%Y-%m-%d %H:%M:%S}"}
    yard.shop.store.orders.delete(9)
    filtered, plain = yard.download(q, lastRunDate="last")
    compared, found = yard.download(q, lastRunDate="last", reconcile="true")
    refused = yard.call("POST", "/bulk/query", query={"q": q, "reconcile": "maybe"})

    assert [int(row["id"]) for row in yard.lines(filtered, "orders")] == [7]
    assert (plain["incremental"]["method"], plain["incremental"]["deletions"]) == (
        "filter",
        "not looked for",
    )
    assert [int(row["id"]) for row in yard.lines(compared, "orders")] == [7]
    assert yard.lines(compared, "orders.deleted") == [{"id": "9"}]
    told = found["incremental"]
    assert (told["method"], told["deletions"], told["comparedWith"]) == ("compare", "found", first)
    assert (refused.status, "reconcile" in refused.message) == (400, True)
    assert yard.status(compared)["jobCriteria"]["reconcile"] is True


def test_the_first_comparison_says_that_it_has_nothing_to_compare_with(yard: Yard) -> None:
    begin = {"from": "2020-01-01", "reconcile": "true"}
    bulk_id, receipt = yard.download("select * from orders", **begin)

    assert receipt["incremental"]["deletions"] == "nothing to compare with"
    assert len(yard.lines(bulk_id, "orders")) == 230


def test_it_says_that_a_query_is_about_what_the_store_does_not_tell(tmp_path: Path) -> None:
    with open_yard(tmp_path, flavor="classic", orders=20) as yard:
        bulk_id = yard.start("select * from orders where updated_at > '2024-01-01'")
        for _ in range(12):
            yard.work_off()
            yard.pass_time(timedelta(minutes=6))

        shown = yard.status(bulk_id)
        assert shown["status"] == "FAILED"
        assert "does not tell updated_at" in shown["statusMessage"]


def test_it_does_the_same_on_both_databases(tmp_path: Path, database_url: str) -> None:
    with open_yard(tmp_path, database_url=database_url, orders=230, flavor="classic") as yard:
        yard.crowded = True
        first, receipt = yard.download("select * from orders", lastRunDate="last", fileFormat="CSV")
        orders(yard)[7]["status"] = "holded"
        second, later = yard.download("select * from orders", lastRunDate="last")
        yard.crowded = False
        stopped = yard.start("select * from orders")
        yard.call("PUT", f"/bulk/{stopped}/cancel")
        yard.work_off()

        text = yard.call("GET", f"/bulk/{first}/orders").body.decode()
        assert len(text.splitlines()) >= 231
        assert (receipt["rows"], receipt["complete"]) == (230, True)
        assert [int(row["id"]) for row in yard.lines(second, "orders")] == [7]
        assert later["incremental"]["comparedWith"] == first
        assert [job["status"] for job in yard.call("GET", "/bulk/jobs").json()] == [
            "CANCELLED",
            "COMPLETED",
            "COMPLETED",
        ]
        # The digests of the last run outlive its rows, for the next one to compare with.
        yard.pass_time(timedelta(days=4))
        yard.work_off()
        orders(yard)[8]["status"] = "holded"
        third, _ = yard.download("select * from orders", lastRunDate="last")
        assert [int(row["id"]) for row in yard.lines(third, "orders")] == [8]


def test_it_goes_on_where_it_failed_once_somebody_has_mended_the_cause(yard: Yard) -> None:
    assert yard.shop is not None
    yard.crowded = True
    bulk_id = yard.start("select * from orders")
    yard.work_off(rounds_max=1)
    yard.shop.store.set_options(php_down=True)
    for _ in range(20):
        yard.work_off()
        yard.pass_time(timedelta(minutes=6))
    failed = yard.status(bulk_id)
    yard.shop.store.set_options(php_down=False)
    yard.retry()
    yard.work_off()

    assert (failed["status"], bool(failed["statusMessage"])) == ("FAILED", True)
    assert yard.receipt(bulk_id)["rows"] == 230
    assert "statusMessage" not in yard.status(bulk_id)
    assert [int(row["id"]) for row in yard.lines(bulk_id, "orders")] == sorted(orders(yard))


def test_a_download_whose_user_is_gone_has_failed(yard: Yard) -> None:
    done, _ = yard.download("select id from orders limit 1")
    bulk_id = yard.start("select * from orders")
    yard.stage.run(forget_job(yard))
    yard.pass_time(timedelta(hours=2))
    yard.work_off()

    assert yard.status(bulk_id)["status"] == "FAILED"
    assert "user" in yard.status(bulk_id)["statusMessage"]
    assert yard.status(done)["status"] == "COMPLETED"


async def forget_job(yard: Yard) -> None:
    ports = yard.stage.platform.ports
    async with ports.database.transaction() as connection:
        for number in range(2, 5):
            job = await find_job(connection, ports.keys, number)
            if job is not None and job.kind == "bulk.download":
                await delete_job(connection, job.id)
