"""A platform with one store connected, whose jobs are done when a test says so: turn by turn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

from polyvalent.api.inside import Inside
from polyvalent.instances.ports import pass_by
from polyvalent.jobs import sql
from polyvalent.jobs.change import retry_job
from polyvalent.jobs.run import Desk, run_turn
from polyvalent.sandbox.magento import RunningStore, StoreOptions, start_store
from polyvalent.worker import make_kinds
from tests.journeys.application import Application
from tests.journeys.stage import Reply, Stage, platform_on_stage

SECRETS = ("oauth.user.token", "oauth.user.token.secret")


@dataclass
class Yard:
    """What a test of bulk jobs works with."""

    stage: Stage
    token: str
    instance_id: int
    shop: RunningStore | None = None
    marks: list[str] = field(default_factory=list)
    crowded: bool = False  # whether others wait, so that turns are short
    on_mark: Callable[[str], None] = pass_by

    def call(self, method: str, path: str, **more: Any) -> Reply:
        return self.stage.call(method, path, element=self.token, **more)

    def start(self, q: str = "", *, headers: dict[str, str] | None = None, **query: str) -> str:
        """Start a download and return its id."""
        asked = {"q": q, **query} if q else query
        reply = self.call("POST", "/bulk/query", query=asked, headers=headers)
        assert reply.status == 200, reply
        assert set(reply.json()) == {"id", "status"}
        assert reply.json()["status"] == "CREATED"
        return str(reply.json()["id"])

    def work_off(self, *, rounds_max: int = 1000) -> int:
        """Do all jobs that are due, one turn after the other; return how many turns it took."""
        return int(self.stage.run(self._work_off(rounds_max)))

    async def _work_off(self, rounds_max: int) -> int:
        platform = self.stage.platform
        ports = platform.ports
        turns = 0

        def mark(point: str) -> None:
            self.marks.append(point)
            self.on_mark(point)

        seconds = iter(range(10**9)) if self.crowded else None
        desk = Desk(
            database=ports.database,
            keys=ports.keys,
            kinds=make_kinds(
                platform.access,
                call_api=Inside(platform),
                bulk_path=self.stage.settings.bulk_path,
                deliveries=platform.deliveries,
                event_work=platform.event_work,
            ),
            now=ports.now,
            clock=(lambda: float(3 * next(seconds))) if seconds else monotonic,
            random=ports.random,
            chance=lambda: 0.0,
            mark=mark,
            crowded=lambda: frozenset(("bulk", "swift")) if self.crowded else frozenset(),
            closing=lambda: False,
        )
        while turns < rounds_max:
            async with ports.database.reading() as connection:
                due = await sql.list_due(connection, now=ports.now(), limit=1)
            if not due:
                break
            await run_turn(desk, due[0].id, due[0].run + 1)
            turns += 1
        return turns

    def take_over(self) -> None:
        """Let jobs wait again that a worker was at when it died, as the leader does."""
        self.stage.run(self._take_over())

    async def _take_over(self) -> None:
        ports = self.stage.platform.ports
        async with ports.database.transaction() as connection:
            later = ports.now() + timedelta(days=1)
            for job_id, run in await sql.list_with_engine(connection, since=later, limit=9):
                await sql.take_back(connection, job_id, run=run, now=ports.now())

    def retry(self) -> None:
        """Begin the first job again, as whoever asks for it does."""
        self.stage.run(self._retry())

    async def _retry(self) -> None:
        ports = self.stage.platform.ports
        async with ports.database.transaction() as connection:
            job = await sql.find_job(connection, ports.keys, 1)
            assert job is not None
            await retry_job(connection, job, now=ports.now())

    def pass_time(self, delta: timedelta) -> None:
        """Let time pass for the platform and the store alike."""
        self.stage.clock.ahead += delta
        assert self.shop is not None
        ahead_s = int(self.stage.clock.ahead.total_seconds())
        self.shop.store.set_options(clock_skew_s=ahead_s)

    def status(self, bulk_id: str) -> dict[str, Any]:
        reply = self.call("GET", f"/bulk/{bulk_id}/status")
        assert reply.status == 200, reply
        shown: dict[str, Any] = reply.json()
        return shown

    def lines(self, bulk_id: str, name: str) -> list[dict[str, Any]]:
        """Fetch rows as lines of JSON."""
        reply = self.call("GET", f"/bulk/{bulk_id}/{name}", headers={"Accept": "application/json"})
        assert reply.status == 200, reply
        return [json.loads(line) for line in reply.body.decode().split("\n") if line]

    def receipt(self, bulk_id: str) -> dict[str, Any]:
        reply = self.call("GET", f"/bulk/{bulk_id}/receipt")
        assert reply.status == 200, reply
        shown: dict[str, Any] = reply.json()
        assert shown["intact"] is True
        return shown

    def download(self, q: str, **query: str) -> tuple[str, dict[str, Any]]:
        """Download, to the end; return the id and the receipt."""
        bulk_id = self.start(q, **query)
        self.work_off()
        shown = self.status(bulk_id)
        assert shown["status"] == "COMPLETED", shown
        return bulk_id, self.receipt(bulk_id)

    def configure(self, **changes: str | None) -> None:
        """Change the instance's configuration; __ in a name stands for a dot."""
        told = {name.replace("__", "."): value for name, value in changes.items()}
        path = f"/instances/{self.instance_id}"
        reply = self.stage.call("PATCH", path, body={"configuration": told})
        assert reply.status == 200, reply


@contextmanager
def open_yard(
    data_dir: Path,
    *,
    database_url: str = "",
    settings: Mapping[str, Any] = MappingProxyType({}),
    **options: Any,
) -> Iterator[Yard]:
    """Connect a fresh platform, with settings, to a fresh store, with options."""
    shop = start_store(StoreOptions(**options))
    try:
        with platform_on_stage(data_dir, database_url=database_url, **settings) as stage:
            issued = shop.store.issue_token(admin=shop.store.admin_user)
            application = Application(stage, shop.store, shop.url)
            body = {
                "element": {"key": "magento"},
                "name": "Shop",
                "externalAuthentication": "initial",
                "configuration": {
                    **application.configuration,
                    **dict(zip(SECRETS, (issued.token, issued.secret), strict=True)),
                },
            }
            created = stage.call("POST", "/instances", body=body)
            assert created.status == 200, created
            instance = created.json()
            yield Yard(stage=stage, token=instance["token"], instance_id=instance["id"], shop=shop)
    finally:
        shop.stop()


def asked_of(shop: RunningStore, name: str) -> int:
    """Return how often a route of a store was called."""
    return int(shop.store.counters[name])


def path_of(target: str) -> str:
    return unquote(urlsplit(target).path)
