"""Workflows: rows of one instance are written into another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.yard import Yard, open_yard


class Killed(BaseException):
    """Stand for a process that ends at once."""


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with open_yard(tmp_path, orders=3, products=5, customers=12) as opened:
        yield opened


def step(yard: Yard, **changes: Any) -> dict[str, Any]:
    target = {"token": yard.token, "objectName": "customers", "elementKey": "magento"}
    return {
        "query": "select email, firstname from customers",
        "objectName": "customers",
        "statusCheckInterval": 10000,
        "targetConfiguration": {**target, **changes.pop("target", {})},
        **changes,
    }


def work_off(yard: Yard) -> None:
    for _ in range(12):
        yard.work_off()
        yard.pass_time(timedelta(seconds=10))


def test_it_writes_what_it_has_read_step_after_step(yard: Yard) -> None:
    remove = step(
        yard,
        query="select email from customers where entity_id <= 2",
        target={"metaData": {"action": "delete", "identifierFieldName": "email"}},
    )
    reply = yard.call("POST", "/hubs/any/bulk/workflows", body=[step(yard), remove])
    before = yard.call("GET", "/bulkloader", query={"pageSize": 1}).json()
    work_off(yard)
    after = yard.call("GET", "/bulkloader", query={"jobId": reply.json()["id"]}).json()

    assert (reply.status, reply.json()["status"]) == (200, "CREATED")
    assert [(item["groupName"], item["status"]) for item in before] == [
        (reply.json()["id"], "CREATED")
    ]
    assert [item["status"] for item in after] == ["COMPLETED"]
    assert after[0]["stepsDone"] == 2
    assert (after[0]["recordsCount"], after[0]["recordsFailedCount"]) == (14, 0)
    outcomes = [
        item["outcomes"]
        for item in yard.call("GET", "/bulk/jobs").json()
        if item["jobDirection"] == "UPLOAD"
    ]
    assert outcomes == [{"deleted": 2}, {"unchanged": 12}]


def test_a_step_that_finds_no_rows_is_done(yard: Yard) -> None:
    nothing = step(yard, query="select email from customers where entity_id > 999")
    reply = yard.call("POST", "/bulk/workflows", body=[nothing, step(yard)])
    work_off(yard)

    (shown,) = yard.call("GET", "/bulkloader", query={"jobId": reply.json()["id"]}).json()
    assert (shown["status"], shown["stepsDone"], shown["recordsCount"]) == ("COMPLETED", 2, 12)


def test_it_lists_the_runs_of_a_schedule(yard: Yard) -> None:
    headers = {"Elements-Schedule-Request": "0 * * * * ?"}
    reply = yard.call("POST", "/bulk/workflows", body=[step(yard)], headers=headers)
    assert reply.status == 200, reply
    yard.pass_time(timedelta(seconds=70))
    yard.work_off()

    runs = yard.call("GET", "/bulkloader", query={"jobId": reply.json()["id"]}).json()
    others = yard.call("GET", "/bulkloader", query={"jobId": "99999"}).json()
    assert len(runs) >= 1
    assert {item["jobId"] for item in runs} == {str(reply.json()["id"])}
    assert others == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"query": "select * contacts"}, "Step 1: Error parsing query"),
        ({"query": "select id from orders where nonsense = 1"}, "nonsense"),
        ({"query": "select id from nothing"}, "no object 'nothing'"),
        ({"query": 1}, "Step 1: query must be a statement"),
        ({"target": {"token": "nobody"}}, "Step 1: targetConfiguration.token is of no"),
        ({"target": {"objectName": "orders"}}, "Step 1: Bulk upload is disabled for orders"),
        ({"target": {"metaData": {"action": "merge"}}}, "Step 1: action is 'merge'"),
        ({"statusCheckInterval": "often"}, "Step 1: statusCheckInterval"),
        ({"targetConfiguration": None}, "Step 1 must be an object"),
    ],
)
def test_it_refuses_steps_that_cannot_be(yard: Yard, changes: dict[str, Any], words: str) -> None:
    before = yard.stage.rows()
    reply = yard.call("POST", "/bulk/workflows", body=[step(yard, **changes)])
    none = yard.call("POST", "/bulk/workflows", body=[])

    assert (reply.status, words in reply.message) == (400, True), reply.message
    assert none.status == 400
    assert yard.stage.rows() == before


def test_it_says_why_it_failed(yard: Yard) -> None:
    reply = yard.call("POST", "/bulk/workflows", body=[step(yard)])
    yard.work_off(rounds_max=1)
    download = yard.call("GET", "/bulk/jobs").json()[0]["id"]
    yard.call("PUT", f"/bulk/{download}/cancel")
    work_off(yard)

    shown = yard.call("GET", "/bulkloader", query={"jobId": reply.json()["id"]}).json()[0]
    assert (shown["status"], shown["stepsDone"]) == ("FAILED", 0)
    assert f"bulk job {download}, is CANCELLED" in shown["statusMessage"]


@pytest.mark.parametrize("point", ["bulk.download_begun", "bulk.upload_begun", "bulk.step_done"])
def test_it_begins_nothing_twice_after_a_kill(yard: Yard, point: str) -> None:
    def on_mark(name: str) -> None:
        if name == point:
            raise Killed

    reply = yard.call("POST", "/bulk/workflows", body=[step(yard)])
    yard.on_mark = on_mark
    with pytest.raises(Killed):
        work_off(yard)
    yard.on_mark = lambda _: None
    yard.take_over()
    work_off(yard)

    shown = yard.call("GET", "/bulkloader", query={"jobId": reply.json()["id"]}).json()[0]
    assert shown["status"] == "COMPLETED"
    assert len(yard.call("GET", "/bulk/jobs").json()) == 2
