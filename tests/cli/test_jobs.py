"""`polyvalent jobs`: what workers did, and what failed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bulk.yard import open_yard


@pytest.fixture
def place(tmp_path: Path):
    """Return where a platform is whose bulk job failed, since its instance was disabled."""
    data = tmp_path / "data"
    with open_yard(data, orders=1, products=1, customers=1) as yard:
        bulk_id = yard.start("select * from orders")
        yard.stage.call("DELETE", f"/instances/{yard.instance_id}/enabled")
        yard.work_off()
        assert yard.status(bulk_id)["status"] == "FAILED"
        yield ("--data-dir", str(data))


def test_they_are_listed_with_their_bulk_jobs_and_what_went_wrong(here, place):
    (failed,) = json.loads(here("jobs", "list", "--state", "failed", "--json", *place).out)
    listed = here("jobs", "list", "--kind", "all", *place)
    shown = here("jobs", "show", str(failed["id"]), *place)

    assert failed["bulkId"] == "1"
    assert f"  {failed['id']}: The instance is disabled.\n" in listed.out
    assert "bulk 1" in listed.out
    assert "The instance is disabled. Enable it: " in shown.out
    assert here("jobs", "list", "--kind", "nope", *place).out == "There are no such jobs.\n"


def test_one_that_is_not_there_is_looked_for_in_the_list(here, place):
    done = here("jobs", "show", "99", *place)

    assert done.err == "polyvalent: There is no job 99. polyvalent jobs list shows them.\n"
