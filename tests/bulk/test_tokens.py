"""Downloads of lists that lead on by the vendor's own tokens: stops, loops, and what is proven."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.bulk.test_upload import Killed
from tests.bulk.yard import Yard
from tests.features.small_shop import PASSWORD, USER, SmallShop, open_small_shop
from tests.features.test_custom_elements_instances import bring, create, small_element
from tests.journeys.stage import platform_on_stage


@dataclass
class Vendor:
    """Turns the small vendor's list into one of tokens; `style` is how it names the next page."""

    shop: SmallShop
    style: str = "token"
    tells_total: bool = False
    loops_at: int = 0
    expired: bool = False
    asked: list[str | None] = field(default_factory=list)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        if urlsplit(target).path != "/v1/items":
            return self.usual(method, target, headers, body)
        query = dict(parse_qsl(urlsplit(target).query))
        token, size = query.get("cursor"), int(query.get("limit", 100))
        self.asked.append(token)
        assert len(self.asked) < 400, "the read has no end"
        if token and self.expired:
            return 410, {"message": "this cursor has expired"}
        begin = int((token or "c0")[1:])
        rows = list(self.shop.rows.values())[begin : begin + size]
        following: str | None = f"c{begin + size}" if begin + size < len(self.shop.rows) else None
        if self.loops_at and begin + size >= self.loops_at:
            following = "c100"
        if self.style == "endless":
            following = f"c{begin + size}"
        if self.style == "url" and following:
            following = f"{self.shop.url}/v1/items?cursor={following}&limit={size}"
        told: dict[str, Any] = {"items": rows, "next": following}
        return 200, {"result": told | ({"total": len(self.shop.rows)} if self.tells_total else {})}

    def __post_init__(self) -> None:
        self.usual = self.shop.answer
        self.shop.answer = self.answer  # type: ignore[method-assign]
        self.shop.rows = {n: {"no": n, "title": f"T{n}"} for n in range(1, 351)}


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with open_small_shop() as shop:
        yield Vendor(shop)


@pytest.fixture
def yard(tmp_path: Path, vendor: Vendor) -> Iterator[Yard]:
    items = {
        "path": "/items",
        "method": "GET",
        "vendorPath": "/items",
        "rootKey": "result.items",
        "nextPageKey": "result.next",
        "object": "items",
        "collection": {"totalKey": "result.total"},
        "parameters": [
            {"name": name, "type": "query", "vendorName": theirs, "vendorType": "query"}
            for name, theirs in (("nextPage", "cursor"), ("pageSize", "limit"), ("page", "p"))
        ],
    }
    with platform_on_stage(tmp_path) as stage:
        element = small_element(
            vendor.shop,
            "tokens",
            objects=[{"name": "items", "primaryKeyName": "no", "bulkDownloadEnabled": True}],
        )
        element["resources"][0] = items
        bring(stage, element)
        instance = create(stage, "tokens", username=USER, password=PASSWORD).json()
        vendor.asked.clear()
        yield Yard(stage=stage, token=instance["token"], instance_id=instance["id"])


def ids(yard: Yard, bulk_id: str) -> list[int]:
    return [int(row["id"]) for row in yard.lines(bulk_id, "items")]


@pytest.mark.parametrize("style", ["token", "url"])
@pytest.mark.parametrize("crowded", [False, True])
def test_it_reads_every_page_once_from_token_to_token(
    yard: Yard, vendor: Vendor, style: str, crowded: bool
) -> None:
    vendor.style, yard.crowded = style, crowded
    bulk_id, receipt = yard.download("select * from items")

    assert ids(yard, bulk_id) == list(range(1, 351))
    assert vendor.asked == [None, "c100", "c200", "c300"]
    assert (receipt["distinct"], receipt["pages"]["count"], receipt["proof"]) == (350, 4, None)
    assert receipt["complete"] is False
    assert "tokens of its own" in receipt["reasons"][0]
    assert receipt["watermark"] is None


def test_a_vendor_that_tells_how_many_there_are_is_proven(yard: Yard, vendor: Vendor) -> None:
    vendor.tells_total = True
    _, receipt = yard.download("select * from items")
    assert (receipt["complete"], receipt["proof"], receipt["vendorTotal"]) == (True, "counts", 350)


def test_a_list_of_one_page_is_proven(yard: Yard, vendor: Vendor) -> None:
    vendor.shop.rows = {1: {"no": 1}}
    _, receipt = yard.download("select * from items")
    assert (receipt["complete"], receipt["proof"], receipt["rows"]) == (True, "whole", 1)


def test_rows_that_come_again_are_left_out(yard: Yard, vendor: Vendor) -> None:
    vendor.tells_total = True
    rows = list(vendor.shop.rows.values())
    vendor.shop.rows = dict(enumerate([*rows[:120], *rows[90:]]))
    bulk_id, receipt = yard.download("select * from items")

    assert ids(yard, bulk_id) == list(range(1, 351))
    assert (receipt["repeats"]["rows"], receipt["complete"]) == (30, False)
    assert "380 rows, but 350 were read" in receipt["reasons"][0]


def test_tokens_that_lead_in_a_circle_end_the_read_and_are_told(yard: Yard, vendor: Vendor) -> None:
    vendor.loops_at = 300
    bulk_id, receipt = yard.download("select * from items")

    assert ids(yard, bulk_id) == list(range(1, 301))
    assert any("had given before" in reason for reason in receipt["reasons"])


def test_pages_without_end_and_without_rows_end_the_read(yard: Yard, vendor: Vendor) -> None:
    vendor.style = "endless"
    bulk_id, receipt = yard.download("select * from items")

    assert ids(yard, bulk_id) == list(range(1, 351))
    assert len(vendor.asked) == 104
    assert any("brought nothing new" in reason for reason in receipt["reasons"])


@pytest.mark.parametrize("point", ["bulk.fetched", "bulk.written", "bulk.saved", "bulk.finished"])
def test_it_goes_on_behind_the_last_saved_token_after_a_kill(
    yard: Yard, vendor: Vendor, point: str
) -> None:
    yard.crowded = True
    bulk_id = yard.start("select * from items")
    passed = 0

    def on_mark(name: str) -> None:
        nonlocal passed
        passed += name == point
        if passed == (1 if point == "bulk.finished" else 3) and name == point:
            raise Killed

    yard.on_mark = on_mark
    with pytest.raises(Killed):
        yard.work_off()
    yard.on_mark = lambda _: None
    yard.stage.clock.ahead += timedelta(minutes=1)
    yard.take_over()
    yard.work_off()

    assert yard.status(bulk_id)["status"] == "COMPLETED"
    assert ids(yard, bulk_id) == list(range(1, 351))
    assert len(vendor.asked) <= 6
    assert yard.receipt(bulk_id)["distinct"] == 350


def test_a_limit_is_gone_on_behind_within_a_page(yard: Yard, vendor: Vendor) -> None:
    first, receipt = yard.download("select * from items limit 130")
    second, _ = yard.download("", continueFromJobId=first)
    third, _ = yard.download("", continueFromJobId=second)

    assert (receipt["limited"], receipt["reasons"]) == (True, [])
    assert [*ids(yard, first), *ids(yard, second), *ids(yard, third)] == list(range(1, 351))
    assert vendor.asked.count(None) == 1


def test_a_token_that_has_expired_is_told(yard: Yard, vendor: Vendor) -> None:
    yard.crowded = True
    bulk_id = yard.start("select * from items")
    yard.work_off(rounds_max=1)
    vendor.expired = True
    for _ in range(12):
        yard.work_off()
        yard.stage.clock.ahead += timedelta(minutes=10)

    shown = yard.status(bulk_id)
    assert shown["status"] == "FAILED"
    assert "Start the download again" in shown["statusMessage"]
