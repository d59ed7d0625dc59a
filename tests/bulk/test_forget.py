"""The job behind a bulk job stays as long as that does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from polyvalent.bulk import sql as bulk_sql
from polyvalent.jobs.forget.sql import delete_ended
from tests.bulk.yard import Yard, open_yard


@pytest.fixture
def yard(tmp_path: Path, database_url: str) -> Iterator[Yard]:
    with open_yard(
        tmp_path, database_url=database_url, orders=3, products=1, customers=1
    ) as opened:
        yield opened


async def forget(yard: Yard, *, with_bulk_jobs: bool) -> int:
    ports = yard.stage.platform.ports
    later = ports.now() + timedelta(days=100)
    async with ports.database.transaction() as connection:
        if with_bulk_jobs:
            await bulk_sql.delete_old(connection, before=later)
        return await delete_ended(connection, before=later, but=(), limit=9)


def test_the_job_of_a_download_goes_after_its_receipt(yard: Yard) -> None:
    bulk_id, receipt = yard.download("select * from orders")

    assert yard.stage.run(forget(yard, with_bulk_jobs=False)) == 0
    assert yard.receipt(bulk_id) == receipt
    # Files first, the row of the bulk job after them.
    yard.pass_time(timedelta(days=40))
    yard.work_off(rounds_max=3)
    assert yard.stage.run(forget(yard, with_bulk_jobs=True)) == 1
