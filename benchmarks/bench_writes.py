"""
Does a store that loses answers get every row once, from two processes of which one is killed?

A simulated store carries out every create, and then loses the answer of 20 % of them (504) and
reports a deadlock for 20 %. Two `polyvalent serve` on one SQLite file create 1 000 products for 16
callers; after a third of them one server is killed -9 and started again. Callers whose connection
breaks repeat the call with its Idempotency-Key at the other server.

    .venv/bin/python -m benchmarks.bench_writes [--rows 1000] [--callers 16] [--keep]

The promise: exactly as many rows as were asked for, each SKU once, and every call answered with
200 in the end. The exit status is 1 if it is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.calls import BASE_PATH, Api, secrets_of
from benchmarks.machine import RESULTS, describe
from benchmarks.serve_process import Served, serve
from polyvalent.sandbox.magento import RunningStore, StoreOptions, start_store

LOST, DEADLOCKS = 0.2, 0.2
PATIENCE_S = 60
PRODUCT = {
    "type_id": "simple",
    "attribute_set_id": 4,
    "name": "Mug",
    "description": "A mug.",
    "short_description": "Mug",
    "weight": 1.5,
    "status": 1,
    "visibility": 4,
    "price": 12.5,
    "tax_class_id": 2,
}


@dataclass
class Callers:
    """Hold what the callers share: what is left to do, and what they were told."""

    authorization: str = field(repr=False)
    servers: list[Served]
    skus: list[str]
    told: Counter[int] = field(default_factory=Counter)
    repeated: int = 0

    def work(self, number: int) -> None:
        """Create what is left, one row after the other, until each is answered with 200."""
        while self.skus:
            try:
                sku = self.skus.pop()
            except IndexError:
                return
            ends_at = time.monotonic() + PATIENCE_S
            status = 0
            while status != 200 and time.monotonic() < ends_at:
                served = self.servers[number % len(self.servers)]
                status = self.create(served.port, sku)
                if status != 200:
                    self.repeated += 1
                    number += 1
                    time.sleep(0.1)
            self.told[status] += 1

    def create(self, port: int, sku: str) -> int:
        """Create one product; return the status, 0 where the connection broke."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {
            "Authorization": self.authorization,
            "Content-Type": "application/json",
            "Idempotency-Key": f"key of {sku}",
        }
        body = json.dumps({**PRODUCT, "sku": sku})
        try:
            connection.request("POST", f"{BASE_PATH}/products", body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


def connect(served: Served, shop: RunningStore, secrets: dict[str, str]) -> str:
    """Create an instance with credentials of the store's; return the element token."""
    issued = shop.store.issue_token(admin=shop.store.admin_user)
    api = Api(served.url, user=secrets["user"], organization=secrets["organization"])
    created = api.call(
        "POST",
        "/instances",
        body={
            "name": "Shop",
            "element": {"key": "magento"},
            "externalAuthentication": "initial",
            "configuration": {
                "store.url": shop.url,
                "oauth.api.key": shop.store.consumer_key,
                "oauth.api.secret": shop.store.consumer_secret,
                "oauth.callback.url": "https://app.example.com/auth",
                "oauth.user.token": issued.token,
                "oauth.user.token.secret": issued.secret,
            },
        },
    )
    api.close()
    token: str = created["token"]
    return token


def measure(folder: Path, *, rows: int, callers: int) -> dict[str, Any]:
    """Let the callers create their rows and count what the store has."""
    shop = start_store(StoreOptions(products=20, customers=3, orders=3))
    data_dir = folder / "data"
    servers = [serve(data_dir), serve(data_dir)]
    secrets = asyncio.run(secrets_of(f"sqlite:///{data_dir / 'polyvalent.db'}", data_dir))
    token = connect(servers[0], shop, secrets)
    before = len(shop.store.products.rows)
    shop.store.set_options(lost_answers=LOST, deadlocks=DEADLOCKS)
    wanted = [f"mug-{number}" for number in range(rows)]
    shared = Callers(
        f"User {secrets['user']}, Organization {secrets['organization']}, Element {token}",
        servers,
        list(wanted),
    )
    threads = [threading.Thread(target=shared.work, args=(number,)) for number in range(callers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    while len(shared.skus) > rows * 2 / 3:
        time.sleep(0.01)
    servers[1].process.kill()
    servers[1].process.wait()
    servers[1] = serve(data_dir)
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    found = Counter(row["sku"] for row in shop.store.products.rows.values())
    for served in servers:
        served.stop()
    shop.stop()
    return {
        "seconds": round(seconds, 1),
        "told": {str(status): count for status, count in sorted(shared.told.items())},
        "repeated_by_callers": shared.repeated,
        "rows_added": sum(found.values()) - before,
        "missing": sum(found[sku] == 0 for sku in wanted),
        "doubled": sum(found[sku] > 1 for sku in wanted),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/writes.json")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="polyvalent-bench-") as scratch:
        result = measure(Path(scratch), rows=chosen.rows, callers=chosen.callers)
    holds = (
        result["told"] == {"200": chosen.rows}
        and result["rows_added"] == chosen.rows
        and not result["missing"]
        and not result["doubled"]
    )
    report: dict[str, Any] = {
        "question": "rows created by two servers, one killed, at a store that loses answers",
        "machine": describe("uvicorn", "sqlalchemy", "httptools"),
        "rows": chosen.rows,
        "callers": chosen.callers,
        "lost_answers": LOST,
        "deadlocks": DEADLOCKS,
        **result,
        "promise": {"every_row_once": True, "holds": holds},
    }
    Console().print_json(json.dumps(report))
    if chosen.keep:
        (RESULTS / "writes.json").write_text(json.dumps(report, indent=1) + "\n")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
