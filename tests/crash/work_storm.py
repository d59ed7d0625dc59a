"""
Kill workers -9 at random moments and at every named point, and look whether anything is missing.

    .venv/bin/python -m tests.crash.work_storm [--kills 200] [--postgresql] [--only WORK] [--keep]

On SQLite one server that works on jobs itself is killed and started again; on PostgreSQL two
servers share the work and the first that passes a point is killed. Meanwhile, again and again and
all at once, a store of 3000 products is downloaded, customers are uploaded into it row by row and
stock in batches, and orders that change in it, and those customers, are polled and delivered to a
receiver. Each finished download must hold every row once, prove it by its receipt and be called
back about, each uploaded row must be in the store once, and each change must be noted once and have
arrived, under the id by which it was noted. Half of the kills are at points that the source names,
in turn, half at any moment. `--keep` writes
`benchmarks/results/work_storm.json`; the exit status is 1 if anything was wrong. A kill costs
about seven seconds, until the lease of the dead worker ends.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.machine import RESULTS, describe
from benchmarks.postgresql import running_postgresql
from polyvalent.sandbox.magento import RunningStore, StoreOptions, start_store
from tests.crash.fleet import ANY_MOMENT, Fleet
from tests.crash.keeper import ROOT, Keeper
from tests.crash.kill import points_of
from tests.crash.works import PRODUCTS, TOUCHED, Changes, Downloads, Stock, Uploads, Work
from tests.notifications.receiver import Receiver, receiving

LATENCY_MS = 80.0
# Points that all work passes.
SHARED_POINTS = ("job.begun", "job.settled", "jobs.enqueued")
# Points of work that is not done here; their own tests break it off there.
ELSEWHERE = {
    "tests/bulk/test_workflows.py": ("bulk.step_done", "bulk.download_begun", "bulk.upload_begun"),
    "tests/bulk/test_api.py": ("bulk.swept",),  # once a day, and nothing is lost by it
    "tests/features/test_events_polled.py": ("poll.checked",),  # rows that are gone
    "tests/features/test_events_told.py": ("inbound.before_commit",),
    "tests/features/test_scheduled_calls.py": ("call.planned", "call.made"),
}
WORKS = ("downloads", "uploads", "batches", "changes")
PASSES_WITHIN_S = 25.0
PATIENCE_S = 180.0
KILLS_A_ROUND = 5
EVERY = (Downloads, Uploads, Stock, Changes)


def connect(fleet: Fleet, shop: RunningStore, receiver: Receiver) -> dict[str, Any]:
    """Make an instance of the store, polled and told to the receiver."""
    issued = shop.store.issue_token(admin=shop.store.admin_user)
    body = {
        "element": {"key": "magento"},
        "name": "Shop",
        "externalAuthentication": "initial",
        "configuration": {
            "oauth.api.key": shop.store.consumer_key,
            "oauth.api.secret": shop.store.consumer_secret,
            "oauth.callback.url": "https://app.example.com/auth",
            "store.url": shop.url,
            "oauth.user.token": issued.token,
            "oauth.user.token.secret": issued.secret,
            "event.notification.enabled": "true",
            "event.vendor.type": "polling",
            "event.poller.refresh_interval": "1",
            "event.notification.callback.url": receiver.url,
        },
    }
    reply = fleet.call("POST", "/instances", body=body)
    assert reply.status == 200, reply
    made: dict[str, Any] = reply.content
    return made


def open_fleet(folder: Path, *, url: str, servers: int, seed: int) -> Fleet:
    """Make the servers of one storm, on one database and one data directory."""
    keepers = [
        Keeper(folder=folder / str(number), database_url=url, works=True, shared=folder / "data")
        for number in range(servers)
    ]
    return Fleet(keepers=keepers, chance=random.Random(seed))


def make_works(
    fleet: Fleet, shop: RunningStore, receiver: Receiver, only: Sequence[str]
) -> list[Work]:
    """Connect the store and make the works that are asked for."""
    instance = connect(fleet, shop, receiver)
    token = str(instance["token"])
    every: dict[str, Work] = {
        "downloads": Downloads(fleet=fleet, token=token, receiver=receiver),
        "uploads": Uploads(fleet=fleet, token=token, shop=shop),
        "batches": Stock(fleet=fleet, token=token, shop=shop),
        "changes": Changes(fleet, token, int(instance["id"]), shop, receiver),
    }
    # What is there when polling begins is no change.
    wait_until(lambda: is_polled(fleet, int(instance["id"])), "the first poll")
    return [work for name, work in every.items() if name in only]


def is_polled(fleet: Fleet, instance_id: int) -> bool:
    """Say whether the instance was polled at all."""
    jobs = fleet.call("GET", "/jobs", query={"kind": "poll"}).content
    mine = [job for job in jobs if job.get("instanceId") == instance_id]
    return any(job["state"] == "waiting" and job["progress"].get("polledAt") for job in mine)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that comes about by itself; raises AssertionError if it does not."""
    ends_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > ends_s:
            raise AssertionError(f"{what} does not come to its end")
        time.sleep(0.1)


def suffer_round(fleet: Fleet, works: list[Work], points: deque[str], *, kills: int) -> list[str]:
    """
    Begin every work, kill servers until all are done, and say what is wrong.

    Points at which one died go to the end of the queue; those that nobody passed stay before it.
    """
    for work in works:
        work.begin()

    def ended() -> bool:
        return all(work.is_done() for work in works)

    missed: list[str] = []
    for _ in range(kills):
        point = points.popleft()
        if fleet.kill_one(point, ended=ended, patience_s=PASSES_WITHIN_S):
            points.append(point)
        else:
            missed.append(point)
        if ended():
            break
    points.extendleft(reversed(missed))
    for work in works:
        try:
            wait_until(work.is_done, work.name)
        except AssertionError as error:
            return [f"{error}: {work.show()}"]
    return [complaint for work in works for complaint in work.judge()]


def storm(
    *,
    folder: Path,
    url: str,
    servers: int,
    kills: int,
    seed: int,
    only: Sequence[str],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Kill so often, and return what came of it."""
    shop = start_store(StoreOptions(products=PRODUCTS, customers=3, orders=2 * TOUCHED))
    fleet = open_fleet(folder, url=url, servers=servers, seed=seed)
    wrong: list[str] = []
    rounds = 0
    with receiving() as receiver:
        try:
            fleet.start()
            works = make_works(fleet, shop, receiver, only)
            shop.store.set_options(latency_ms=LATENCY_MS)
            named = [*SHARED_POINTS, *(point for work in works for point in work.points)]
            fleet.chance.shuffle(named)
            points = deque(item for point in named for item in (point, ANY_MOMENT))
            while fleet.kills.total() < kills and len(wrong) < 5:
                left = min(KILLS_A_ROUND, kills - fleet.kills.total())
                wrong += suffer_round(fleet, works, points, kills=left)
                rounds += 1
                say(f"{fleet.kills.total()} of {kills} kills, {rounds} rounds, {len(wrong)} wrong")
        finally:
            fleet.close()
            shop.stop()
    again = [work.redelivered for work in works if isinstance(work, Changes)]
    return {
        "kills": fleet.kills.total(),
        "by_point": dict(sorted(fleet.kills.items())),
        "rounds": rounds,
        "delivered_again": sum(again),
        "wrong": wrong,
    }


def check_points() -> None:
    """Raise AssertionError where a point of jobs is killed at neither here nor elsewhere."""
    source = ROOT / "src" / "polyvalent"
    named = {
        point
        for package in ("bulk", "events", "notifications", "jobs")
        for point in points_of(source / package)
    }
    here = {*SHARED_POINTS, *(point for work in EVERY for point in work.points)}
    elsewhere = {point for points in ELSEWHERE.values() for point in points}
    assert named <= here | elsewhere, f"nobody dies at {sorted(named - here - elsewhere)}"


def main() -> int:
    """Run the storm and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--postgresql", action="store_true", help="half of the kills there")
    parser.add_argument("--only", action="append", choices=WORKS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    chosen = parser.parse_args()
    check_points()
    console = Console(stderr=True)
    results: dict[str, Any] = {}
    wrong: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="polyvalent-work-storm-") as scratch,
        running_postgresql() if chosen.postgresql else nullcontext(None) as new_url,
        ThreadPoolExecutor(2) as pool,
    ):
        started = time.monotonic()
        kinds = [("SQLite, one server", "", 1)]
        if new_url is not None:
            kinds.append(("PostgreSQL, two servers", new_url(), 2))
        share = -(-chosen.kills // len(kinds))
        running = {
            name: pool.submit(
                storm,
                folder=Path(scratch) / str(number),
                url=url,
                servers=servers,
                kills=share,
                seed=chosen.seed + number,
                only=chosen.only or WORKS,
                say=lambda text, name=name: console.print(f"{name}: {text}"),
            )
            for number, (name, url, servers) in enumerate(kinds)
        }
        for name, done in running.items():
            found = done.result()
            wrong += [f"{name}: {complaint}" for complaint in found["wrong"]]
            results[name] = {**found, "wrong": len(found["wrong"])}
        seconds = round(time.monotonic() - started)
    console.print_json(data=results)
    for complaint in wrong:
        console.print(f"[red]{complaint}[/red]")
    if chosen.keep:
        kept = {
            "machine": describe(),
            "seconds": seconds,
            "works": list(chosen.only or WORKS),
            "storms": results,
            "wrong": wrong,
        }
        (RESULTS / "work_storm.json").write_text(json.dumps(kept, indent=2) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
