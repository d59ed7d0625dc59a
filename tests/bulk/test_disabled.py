"""A disabled instance is left alone by jobs that are under way as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bulk.test_upload import csv_of, people, start
from tests.bulk.yard import Yard, open_yard


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with open_yard(tmp_path, orders=230, products=1, customers=1) as opened:
        opened.crowded = True  # turns are short
        yield opened


def calls(yard: Yard) -> int:
    assert yard.shop is not None
    return sum(yard.shop.store.counters.values())


def work_off_disabled(yard: Yard, bulk_id: str) -> None:
    """Do a turn, and the rest while the instance is disabled; then mend it and do the rest."""
    place = f"/instances/{yard.instance_id}/enabled"
    yard.work_off(rounds_max=1)
    yard.stage.call("DELETE", place)
    before = calls(yard)
    yard.work_off()
    failed = yard.status(bulk_id)
    assert (failed["status"], calls(yard)) == ("FAILED", before)
    assert failed["statusMessage"].startswith("The instance is disabled. Enable it: ")
    yard.stage.call("PUT", place)
    yard.retry()
    yard.work_off()
    assert yard.status(bulk_id)["status"] == "COMPLETED"


def test_a_download_under_way_reads_no_more_until_it_is_enabled(yard: Yard) -> None:
    bulk_id = yard.start("select * from orders")
    work_off_disabled(yard, bulk_id)
    assert yard.receipt(bulk_id)["rows"] == 230


def test_an_upload_under_way_writes_no_more_until_it_is_enabled(yard: Yard) -> None:
    bulk_id = start(yard, "customers", csv_of(people(20)))
    work_off_disabled(yard, bulk_id)
    assert yard.receipt(bulk_id)["outcomes"] == {"created": 20}
