"""Downloads from elements of an account's own: dates in the vendor's words, disabled objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.bulk.yard import Yard
from tests.features.small_shop import PASSWORD, USER, SmallShop, open_small_shop
from tests.features.test_custom_elements_instances import bring, create, small_element
from tests.journeys.stage import platform_on_stage

MASK = "yyyy-MM-dd'T'HH:mm:ssXXX"


@pytest.fixture
def vendor() -> Iterator[SmallShop]:
    with open_small_shop() as shop:
        yield shop


@pytest.fixture
def connect(tmp_path: Path, vendor: SmallShop) -> Iterator[Any]:
    with platform_on_stage(tmp_path) as stage:

        def connect(key: str, objects: list[dict[str, Any]], **changes: Any) -> Yard:
            bring(stage, small_element(vendor, key, objects=objects, **changes))
            instance = create(stage, key, username=USER, password=PASSWORD).json()
            return Yard(stage=stage, token=instance["token"], instance_id=instance["id"])

        yield connect


def test_the_vendor_gets_the_date_as_its_object_wants_it(connect: Any, vendor: SmallShop) -> None:
    yard = connect(
        "dated",
        [
            {
                "name": "items",
                "primaryKeyName": "no",
                "bulkDownloadEnabled": True,
                "queryDateName": "createdDate",
                "queryDateOperator": "=",
                "queryDateFormat": MASK,
            }
        ],
    )
    vendor.asked.clear()
    bulk_id = yard.start("select * from items", **{"from": "2017-05-24T18:31:01.000Z"})
    yard.work_off()

    queries = [dict(parse_qsl(urlsplit(target).query)) for _, target, _, _ in vendor.asked]
    assert queries
    assert all(query["createdDate"] == "2017-05-24T18:31:01Z" for query in queries)
    assert [row["no"] for row in yard.lines(bulk_id, "items")] == list(range(1, 8))


def test_pages_by_number_alone_are_not_proven_complete(connect: Any, vendor: SmallShop) -> None:
    vendor.rows = {n: {"no": n, "title": f"T{n}", "none": None} for n in range(1, 241)}
    yard = connect(
        "numbered", [{"name": "items", "primaryKeyName": "no", "bulkDownloadEnabled": True}]
    )
    yard.crowded = True

    bulk_id, receipt = yard.download("select * from items")

    assert [row["id"] for row in yard.lines(bulk_id, "items")] == list(range(1, 241))
    assert receipt["complete"] is False
    assert "by number only" in receipt["reasons"][0]
    assert (receipt["watermark"], receipt["distinct"], receipt["proof"]) == (None, 240, None)


def test_a_limit_is_gone_on_behind_within_a_numbered_page(connect: Any, vendor: SmallShop) -> None:
    vendor.rows = {n: {"no": n, "title": f"T{n}"} for n in range(1, 91)}
    yard = connect(
        "limited", [{"name": "items", "primaryKeyName": "no", "bulkDownloadEnabled": True}]
    )
    first, _ = yard.download("select * from items limit 40")
    second, _ = yard.download("", continueFromJobId=first)
    third, _ = yard.download("", continueFromJobId=second)

    found = [row["id"] for job in (first, second, third) for row in yard.lines(job, "items")]
    assert found == list(range(1, 91))


def test_an_object_says_whether_it_is_downloaded(connect: Any) -> None:
    yard = connect("closed", [{"name": "items", "primaryKeyName": "no"}])
    closed = yard.call("POST", "/bulk/query", query={"q": "select * from items"})
    whole = connect(
        "shut",
        [{"name": "items", "primaryKeyName": "no", "bulkDownloadEnabled": True}],
        bulkDownloadEnabled=False,
    )
    shut = whole.call("POST", "/bulk/query", query={"q": "select * from items"})

    assert (closed.status, "disabled for items" in closed.message) == (400, True)
    assert (shut.status, "disabled for Small shop" in shut.message) == (400, True)


def test_one_row_is_an_object_on_a_line(connect: Any, vendor: SmallShop) -> None:
    vendor.rows = {1: {"no": 1, "title": "Only"}}
    yard = connect(
        "single", [{"name": "items", "primaryKeyName": "no", "bulkDownloadEnabled": True}]
    )
    bulk_id = yard.start("select * from items")
    yard.work_off()

    reply = yard.call("GET", f"/bulk/{bulk_id}/items", headers={"Accept": "application/json"})
    assert json.loads(reply.body) == {"id": 1, "no": 1, "title": "Only"}
