"""Calls are made by a schedule, as their owner, once for each time; jobs can be looked at."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from polyvalent.api.inside import Inside
from polyvalent.instances.ports import Ports
from polyvalent.jobs.find import find_job
from polyvalent.jobs.model import Job, JobState, Owner
from polyvalent.jobs.scheduled_call import (
    ELEMENT_ALONE,
    KIND,
    Called,
    ScheduledCall,
    call_kind,
)
from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Stage, ask

EVERY_SECOND = {"cron": "* * * * * ?"}
SOON_S = 15


def job_of(stage: Stage, job_id: int) -> dict[str, Any]:
    reply = stage.call("GET", f"/jobs/{job_id}")
    assert reply.status == 200, reply.body
    return reply.json()


def until_run(stage: Stage, job_id: int, *, number: int = 1) -> dict[str, Any]:
    deadline = time.monotonic() + SOON_S
    while len(job_of(stage, job_id)["runs"]) < number:
        assert time.monotonic() < deadline, job_of(stage, job_id)
        time.sleep(0.1)
    return job_of(stage, job_id)


def test_a_call_is_made_at_its_times_for_the_instance_that_was_named(
    working_stage: Stage, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    instance = Application(working_stage, shop.store, shop.url).connect()
    path = "/elements/api-v2/hubs/ecommerce/products?pageSize=2"
    made = working_stage.call(
        "POST",
        "/jobs",
        element=instance["token"],
        body={"uri": path, "name": "products", "trigger": EVERY_SECOND},
    ).json()
    asked = shop.store.counters.total()

    job = until_run(working_stage, made["id"], number=2)

    assert {run["status"] for run in job["runs"]} == {200}
    planned = [run["plannedDate"] for run in job["runs"]]
    assert len(set(planned)) == len(planned)
    assert shop.store.counters.total() > asked
    assert job["instanceId"] == instance["id"]
    assert (job["kind"], job["name"], job["trigger"]["cron"]) == ("call", "products", "* * * * * ?")
    assert instance["token"] not in str(job)


def test_a_call_with_the_schedule_header_is_made_later(
    working_stage: Stage, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    instance = Application(working_stage, shop.store, shop.url).connect()
    reply = working_stage.call(
        "POST",
        "/hubs/ecommerce/customers",
        element=instance["token"],
        body={"firstname": "Ada", "email": "no"},
        headers={"Elements-Schedule-Request": "* * * * * ?"},
    )
    assert reply.status == 200
    assert set(reply.json()) == {"id"}

    job = until_run(working_stage, reply.json()["id"])

    assert job["method"] == "POST"
    # The store refuses the customer; that is told and the schedule goes on.
    assert job["runs"][0]["status"] == 400
    assert job["runs"][0]["message"]
    assert job["state"] in ("waiting", "queued", "running")


def test_a_call_is_made_with_no_more_than_it_was_asked_for_with(
    working_stage: Stage, open_shop: Callable[..., RunningStore]
) -> None:
    """An element token alone is good for its instance alone, also an hour later."""
    stage, shop = working_stage, open_shop()
    token = Application(stage, shop.store, shop.url).connect()["token"]
    user = stage.authorization.partition(",")[0]
    header = {"Elements-Schedule-Request": "* * * * * ?"}
    made = stage.call("GET", "/products", authorization=user, element=token, headers=header).json()
    assert until_run(stage, made["id"])["runs"][0]["status"] == 200

    # Read, this is the path of an instance's resource; written, that of an element's export.
    url = f"{stage.url}/elements/api%2Dv2/export"
    secrets = {"Authorization": f"{user}, Element {token}"}
    refused = ask(url, headers={**header, **secrets})
    assert refused.status == 404, refused
    assert "begin with /elements/api-v2" in refused.message

    ports = stage.platform.ports
    asked: list[str] = []

    class Listening:
        """Stand where the calls of jobs come in."""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            asked.append(dict(scope["headers"])[b"authorization"].decode())
            await send({"type": "http.response.start", "status": 200, "headers": []})

    inside = Inside(stage.platform, edge=Listening())
    for alone in (True, False):
        spec = {ELEMENT_ALONE: alone}
        job = stage.run(_job_of(ports, made["id"]))
        call = ScheduledCall(
            job=replace(job, spec=spec), method="GET", path="/x", query=(), headers=(), body=b""
        )
        stage.run(inside(call))
    assert ["Organization" in text for text in asked] == [False, True]
    assert all(token in text for text in asked)


async def _job_of(ports: Ports, job_id: int) -> Job:
    async with ports.database.reading() as connection:
        return await find_job(connection, ports.keys, job_id, organization_id=1)


def test_a_deleted_job_is_not_done_any_more(working_stage: Stage) -> None:
    made = working_stage.call(
        "POST", "/jobs", body={"uri": "/hubs", "trigger": EVERY_SECOND}
    ).json()
    until_run(working_stage, made["id"])
    assert working_stage.call("DELETE", f"/jobs/{made['id']}").status == 200
    assert working_stage.call("GET", f"/jobs/{made['id']}").status == 404
    assert working_stage.call("GET", "/jobs").json() == []


def test_a_cancelled_job_stays_and_rests(stage: Stage) -> None:
    made = stage.call("POST", "/jobs", body={"uri": "/hubs", "trigger": EVERY_SECOND}).json()
    cancelled = stage.call("PUT", f"/jobs/{made['id']}/cancel")
    assert cancelled.json()["state"] == "cancelled"
    assert "nextDate" not in cancelled.json()
    retried = stage.call("PUT", f"/jobs/{made['id']}/retry")
    assert retried.status == 409
    assert "failed" in retried.message


def test_jobs_are_listed_by_pages_and_states(stage: Stage) -> None:
    hourly = {"uri": "/hubs", "trigger": {"cron": "0 0 * * * ?", "timeZone": "Europe/Berlin"}}
    ids = [stage.call("POST", "/jobs", body=hourly).json()["id"] for _ in range(3)]
    first = stage.call("GET", "/jobs", query={"state": "waiting", "pageSize": 2})
    assert [job["id"] for job in first.json()] == [ids[2], ids[1]]
    token = first.headers["elements-next-page-token"]
    second = stage.call(
        "GET", "/jobs", query={"state": "waiting", "pageSize": 2, "nextPage": token}
    )
    assert second.json()[0]["id"] == ids[0]
    assert first.json()[0]["trigger"] == {
        "cron": "0 0 * * * ?",
        "timeZone": "Europe/Berlin",
        "missed": "once",
    }
    for job_id in ids:
        stage.call("DELETE", f"/jobs/{job_id}")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "uri"),
        ({"uri": "/hubs"}, "trigger"),
        ({"uri": "/hubs", "trigger": {"cron": "every day"}}, "6 or 7 fields"),
        ({"uri": "/hubs", "trigger": {"cron": "0 0 0 1 1 ? 2020"}}, "no time in the future"),
        ({"uri": "/hubs", "trigger": {"cron": "* * * * * ?", "timeZone": "X"}}, "time zone"),
        ({"uri": "/hubs", "trigger": {"cron": "* * * * * ?", "missed": "all"}}, "once or skip"),
        ({"uri": "https://example.com/hubs", "trigger": EVERY_SECOND}, "path of this API"),
        ({"uri": "/jobs", "trigger": EVERY_SECOND}, "cannot make jobs"),
        ({"uri": "/%6Aobs", "trigger": EVERY_SECOND}, "cannot make jobs"),
        ({"uri": "/hubs/ecommerce/orders", "trigger": EVERY_SECOND}, "needs the element token"),
        ({"uri": "/hubs/x/bulk/query", "trigger": EVERY_SECOND}, "needs the element token"),
        ({"uri": "/hubs", "method": "TRACE", "trigger": EVERY_SECOND}, "method must be"),
        ({"uri": "/hubs", "trigger": EVERY_SECOND, "body": "x" * 70_000}, "65536 characters"),
    ],
)
def test_a_wrong_job_is_refused_and_nothing_stored(stage: Stage, body: Any, said: str) -> None:
    before = stage.rows()["job"]
    reply = stage.call("POST", "/jobs", body=body)
    assert reply.status == 400
    assert said in reply.message
    assert stage.rows()["job"] == before


def test_jobs_of_others_are_not_found(stage: Stage) -> None:
    for method in ("GET", "DELETE"):
        assert stage.call(method, "/jobs/999999").status == 404
    assert stage.call("GET", "/jobs/x").status == 404
    assert stage.call("GET", "/jobs", authorization="").status == 401


class Book:
    """Stand for turn and database of one job, to see what is decided without waiting for it."""

    def __init__(self, now: datetime, planned_at: datetime, missed: str) -> None:
        self.calls: list[ScheduledCall] = []
        self.saved: list[Any] = []
        self.at = now
        self.job = Job(
            id=7, owner=Owner(organization_id=1, account_id=1, user_id=1), instance_id=None,
            kind=KIND, key=None, queue="swift", partition="job/7", state=JobState.RUNNING,
            due_at=planned_at, run=1, fence=1, attempts=0,
            spec={
                "method": "POST", "path": "/hubs", "query": [], "headers": [], "body": "{}",
                "cron": "0 0 * * * ?", "zone": "UTC", "missed": missed,
            },
            checkpoint=None, progress={}, error=None, created_at=now, updated_at=now,
            started_at=None, finished_at=None,
        )  # fmt: skip
        self.checkpoint: Any = None

    async def call(self, call: ScheduledCall) -> Called:
        self.calls.append(call)
        return Called(status=200, request_id="")

    def now(self) -> datetime:
        return self.at

    def mark(self, point: str) -> None:
        pass

    async def save(self, _connection: Any, **what: Any) -> None:
        self.checkpoint = what["checkpoint"]
        self.saved.append(deepcopy(what))

    def transaction(self) -> Book:
        return self

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("missed", "calls"), [("once", 1), ("skip", 0)])
async def test_times_at_which_nobody_worked_are_made_up_for_once_or_left_out(
    missed: str, calls: int
) -> None:
    book = Book(NOON + timedelta(minutes=30), NOON - timedelta(hours=9), missed)
    outcome: Any = await call_kind(book, book.call).handle(book)  # type: ignore[arg-type]
    assert len(book.calls) == calls
    assert outcome.due_at == NOON + timedelta(hours=1)


async def test_a_call_repeated_after_a_kill_has_the_same_key() -> None:
    book = Book(NOON + timedelta(seconds=1), NOON, "once")
    kind = call_kind(book, book.call)  # type: ignore[arg-type]
    await kind.handle(book)  # type: ignore[arg-type]
    book.checkpoint = book.saved[0]["checkpoint"]  # killed before the outcome was saved
    book.at += timedelta(minutes=2)
    await kind.handle(book)  # type: ignore[arg-type]
    keys = {dict(call.headers)["Idempotency-Key"] for call in book.calls}
    assert len(book.calls) == 2
    assert keys == {"job-7-20261128T120000"}
