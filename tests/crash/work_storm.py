"""
Kill workers -9 at random moments and at every named point, and look whether anything is missing.

    .venv/bin/python -m tests.crash.work_storm [--kills 200] [--postgresql] [--keep]

On SQLite one server that works on jobs itself is killed and started again; on PostgreSQL two
servers share the work and one of them is killed at a time. A store of 3000 products is downloaded
meanwhile, again and again: each finished download must hold every row exactly once, and its
receipt must prove it. Half of the kills are at points that the source names, in turn, half at any
moment. `--keep` writes `benchmarks/results/work_storm.json`; the exit status is 1 if anything was
wrong. A kill costs about seven seconds, until the lease of the dead worker ends.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console

from benchmarks.machine import RESULTS, describe
from benchmarks.postgresql import running_postgresql
from polyvalent.sandbox.magento import RunningStore, StoreOptions, start_store
from tests.crash.keeper import BASE_PATH, Died, Keeper
from tests.crash.kill import ROOT, points_of

PRODUCTS = 3000
LATENCY_MS = 80.0
# Points of a download, each passed several times in one; the others are of other work.
POINTS = ("job.begun", "bulk.fetched", "bulk.written", "bulk.saved", "bulk.finished", "job.settled")
PATIENCE_S = 90.0
SECRETS = ("oauth.user.token", "oauth.user.token.secret")


@dataclass(kw_only=True)
class Fleet:
    """Hold the servers of one storm; the first one answers, and all of them work."""

    keepers: list[Keeper]
    chance: random.Random
    kills: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        for keeper in self.keepers:
            keeper.disarm()
            keeper.start()

    def close(self) -> None:
        for keeper in self.keepers:
            keeper.close()

    def call(self, method: str, path: str, **more: Any) -> Any:
        """Make a call to a server that lives, trying again where one dies meanwhile."""
        for keeper in itertools.cycle(self.keepers):
            if keeper.running is None:
                keeper.disarm()
                keeper.start()
            try:
                return keeper.call(method, path, **more)
            except Died:
                keeper.bury()
        raise AssertionError("unreachable")

    def lines(self, bulk_id: str, token: str) -> list[dict[str, Any]]:
        """Fetch the rows of a finished download."""
        for keeper in self.keepers:
            if keeper.running is None:
                keeper.disarm()
                keeper.start()
        running = self.keepers[0].running
        assert running is not None
        parts = urlsplit(running["url"])
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        secrets = f"User {running['user']}, Organization {running['organization']}"
        connection.request(
            "GET",
            f"{BASE_PATH}/bulk/{bulk_id}/products",
            headers={"Authorization": f"{secrets}, Element {token}", "Accept": "application/json"},
        )
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        assert answer.status == 200, raw[:500]
        return [json.loads(line) for line in raw.splitlines()]


def connect(fleet: Fleet, shop: RunningStore) -> str:
    """Make an instance of the store and return its token."""
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
            SECRETS[0]: issued.token,
            SECRETS[1]: issued.secret,
        },
    }
    reply = fleet.call("POST", "/instances", body=body)
    assert reply.status == 200, reply
    return str(reply.content["token"])


def suffer_download(fleet: Fleet, token: str, *, points: list[str]) -> list[str]:
    """Download all products while servers die, once for each point; return what is wrong."""
    reply = fleet.call("POST", "/bulk/query", query={"q": "select * from products"}, token=token)
    assert reply.status == 200, reply
    bulk_id = str(reply.content["id"])
    for point in points:
        if not _kill_one(fleet, bulk_id, token, point):
            break
    shown = _wait(fleet, bulk_id, token)
    if shown["status"] != "COMPLETED":
        return [f"download {bulk_id} ended {shown}"]
    return judge(
        fleet.lines(bulk_id, token),
        fleet.call("GET", f"/bulk/{bulk_id}/receipt", token=token).content,
        shown,
    )


def judge(rows: list[dict[str, Any]], receipt: dict[str, Any], shown: dict[str, Any]) -> list[str]:
    """Say what is wrong with a finished download."""
    ids = Counter(row["id"] for row in rows)
    wrong = []
    if doubled := [row_id for row_id, times in ids.items() if times > 1]:
        wrong.append(f"{len(doubled)} rows are there twice, such as {doubled[0]}")
    if len(ids) != PRODUCTS:
        wrong.append(f"{PRODUCTS - len(ids)} rows are missing")
    if shown["recordsCount"] != len(rows):
        wrong.append(f"recordsCount is {shown['recordsCount']}, and there are {len(rows)} rows")
    if receipt.get("complete") is not True or receipt.get("intact") is not True:
        wrong.append(f"the receipt does not prove it: {receipt}")
    return wrong


def _kill_one(fleet: Fleet, bulk_id: str, token: str, point: str) -> bool:
    """Let one server die; False if the download came to its end before."""
    keeper = fleet.chance.choice(fleet.keepers)
    if keeper.running is None:
        keeper.disarm()
        keeper.start()
    if point == "any moment":
        if not _at_work(fleet, bulk_id, token):
            return False
        time.sleep(fleet.chance.uniform(0, 0.4))
        assert keeper.running is not None
        os.kill(keeper.running["pid"], signal.SIGKILL)
    else:
        keeper.arm(point, nth=fleet.chance.choice((1, 1, 2, 3)))
        if not _dies(keeper, fleet, bulk_id, token):
            keeper.disarm()
            return False
    keeper.bury()
    keeper.disarm()
    keeper.start()
    fleet.kills[point] += 1
    return True


def _at_work(fleet: Fleet, bulk_id: str, token: str) -> bool:
    first = fleet.call("GET", f"/bulk/{bulk_id}/status", token=token).content
    ends_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_s:
        shown = fleet.call("GET", f"/bulk/{bulk_id}/status", token=token).content
        if shown["status"] in ("COMPLETED", "FAILED", "ABORTED"):
            return False
        if shown["recordsCount"] != first["recordsCount"] or shown["status"] == "RUNNING":
            return True
        time.sleep(0.02)
    raise AssertionError(f"download {bulk_id} does not go on")


def _dies(keeper: Keeper, fleet: Fleet, bulk_id: str, token: str) -> bool:
    assert keeper.running is not None
    others = [item for item in fleet.keepers if item is not keeper] or [keeper]
    pid, ends_s = keeper.running["pid"], time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_s:
        if _is_dead(pid):
            return True
        try:
            shown = others[0].call("GET", f"/bulk/{bulk_id}/status", token=token).content
        except Died:
            return True
        if shown["status"] in ("COMPLETED", "FAILED", "ABORTED"):
            return _is_dead(pid)
        time.sleep(0.05)
    raise AssertionError(f"download {bulk_id} does not go on")


def _is_dead(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return status.rpartition(")")[2].split()[0] == "Z"


def _wait(fleet: Fleet, bulk_id: str, token: str) -> Any:
    ends_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_s:
        shown = fleet.call("GET", f"/bulk/{bulk_id}/status", token=token).content
        if shown["status"] in ("COMPLETED", "FAILED", "ABORTED", "CANCELLED"):
            return shown
        time.sleep(0.1)
    raise AssertionError(f"download {bulk_id} does not end")


def open_fleet(folder: Path, *, url: str, servers: int, seed: int) -> Fleet:
    """Make the servers of one storm, on one database and one data directory."""
    data = folder / "data"
    keepers = [
        Keeper(folder=folder / str(number), database_url=url, works=True, shared=data)
        for number in range(servers)
    ]
    return Fleet(keepers=keepers, chance=random.Random(seed))


def storm(
    *, folder: Path, url: str, servers: int, kills: int, seed: int, say: Callable[[str], None]
) -> tuple[Counter[str], int, list[str]]:
    """Kill so often; return the kills by point, the downloads and what was wrong."""
    shop = start_store(StoreOptions(products=PRODUCTS, customers=3, orders=3))
    fleet = open_fleet(folder, url=url, servers=servers, seed=seed)
    known = points_of(ROOT / "src" / "polyvalent" / "bulk") | set(POINTS[:1] + POINTS[-1:])
    points = [point for point in POINTS if point in known]
    turns = itertools.cycle([item for point in points for item in (point, "any moment")])
    wrong: list[str] = []
    downloads = 0
    try:
        fleet.start()
        token = connect(fleet, shop)
        shop.store.set_options(latency_ms=LATENCY_MS)
        while fleet.kills.total() < kills:
            wrong += suffer_download(fleet, token, points=[next(turns) for _ in range(4)])
            downloads += 1
            say(
                f"{fleet.kills.total()} of {kills} kills, {downloads} downloads, {len(wrong)} wrong"
            )
    finally:
        fleet.close()
        shop.stop()
    return fleet.kills, downloads, wrong


def main() -> int:
    """Run the storm and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--keep", action="store_true")
    chosen = parser.parse_args()
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
                folder=Path(scratch) / str(seed),
                url=url,
                servers=servers,
                kills=share,
                seed=seed,
                say=lambda text, name=name: console.print(f"{name}: {text}"),
            )
            for seed, (name, url, servers) in enumerate(kinds)
        }
        for name, done in running.items():
            kills, downloads, complaints = done.result()
            results[name] = {
                "kills": kills.total(),
                "by_point": dict(sorted(kills.items())),
                "downloads": downloads,
                "wrong": len(complaints),
            }
            wrong += [f"{name}: {complaint}" for complaint in complaints]
        seconds = round(time.monotonic() - started)
    console.print_json(data=results)
    for complaint in wrong:
        console.print(f"[red]{complaint}[/red]")
    if chosen.keep:
        kept = {"machine": describe(), "seconds": seconds, "storms": results, "wrong": wrong}
        (RESULTS / "work_storm.json").write_text(json.dumps(kept, indent=2) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
