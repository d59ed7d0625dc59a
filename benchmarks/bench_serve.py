"""
How fast is `polyvalent serve` ready, and how much memory does it hold?

Ready: from the start of the process to the first 200 on /health, on a data directory that was
used before, and once more on an empty one (which also makes database, keys and first user);
medians of alternating starts. Memory: resident set of the one process, with 1 000 instances
stored, after all of them were listed in pages of 200, and after 2 000 calls to the hub at 8 at
once (orders, products and customers of a simulated store in this process).

    .venv/bin/python -m benchmarks.bench_serve [--starts 10] [--instances 1000] [--calls 2000]
                                               [--keep]

The promise: ready within 2 s, and no more than 120 MB. The exit status is 1 if it is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.calls import Api, at_once, secrets_of
from benchmarks.fill import fill
from benchmarks.machine import RESULTS, describe
from benchmarks.serve_process import serve
from polyvalent.sandbox.magento import StoreOptions, start_store

READY_S = 2.0
MEMORY_MB = 120.0
CONCURRENCY = 8
RESOURCES = ("orders", "products", "customers")


def measure_starts(folder: Path, *, starts: int) -> dict[str, list[float]]:
    """Start a server again and again, on a used and on an empty directory in turn."""
    used = folder / "used"
    serve(used).stop()
    seconds: dict[str, list[float]] = {"again": [], "first": []}
    for number in range(starts):
        for kind, data_dir in (("again", used), ("first", folder / f"empty-{number}")):
            served = serve(data_dir)
            seconds[kind].append(served.ready_s)
            served.stop()
    return seconds


def measure_memory(folder: Path, *, instances: int, calls: int) -> dict[str, float]:
    """Use a server and tell its memory after each kind of use, in MB."""
    shop = start_store(StoreOptions())
    credentials = shop.store.issue_token(admin=shop.store.admin_user)
    data_dir = folder / "memory"
    url = f"sqlite:///{data_dir / 'polyvalent.db'}"
    served = serve(data_dir)
    try:
        memory = {"idle": served.rss_mb}
        tokens = fill(
            url,
            data_dir / "keys.json",
            count=instances,
            store_url=shop.url,
            credentials={
                "oauth.api.key": shop.store.consumer_key,
                "oauth.api.secret": shop.store.consumer_secret,
                "oauth.callback.url": "https://app.example.com/auth",
                "oauth.user.token": credentials.token,
                "oauth.user.token.secret": credentials.secret,
            },
        )
        api = Api(served.url, **asyncio.run(secrets_of(url, data_dir)))
        list_all(api, instances)
        memory["instances listed"] = served.rss_mb

        def call_hub(number: int) -> int:
            resource = RESOURCES[number % len(RESOURCES)]
            token = tokens[number % len(tokens)]
            query = {"pageSize": "20"}
            return len(api.call("GET", f"/hubs/ecommerce/{resource}", query=query, token=token))

        rows = at_once(call_hub, range(calls), concurrency=CONCURRENCY)
        assert min(rows) == 20
        memory["hub called"] = served.rss_mb
        memory["peak"] = served.peak_mb
        api.close()
    finally:
        served.stop()
        shop.stop()
    return memory


def list_all(api: Api, expected: int) -> None:
    """List every instance once, in pages of 200."""
    seen: set[int] = set()
    for page in range(1, expected // 200 + 2):
        query = {"page": str(page), "pageSize": "200"}
        seen |= {item["id"] for item in api.call("GET", "/instances", query=query)}
    assert len(seen) == expected, f"{len(seen)} instances are listed"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/serve.json")
    chosen = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="polyvalent-bench-") as scratch:
        starts = measure_starts(Path(scratch), starts=chosen.starts)
        memory = measure_memory(Path(scratch), instances=chosen.instances, calls=chosen.calls)
    ready: dict[str, dict[str, float]] = {
        kind: {
            "median": round(statistics.median(seconds), 3),
            "fastest": round(min(seconds), 3),
            "slowest": round(max(seconds), 3),
        }
        for kind, seconds in starts.items()
    }
    holds = max(row["median"] for row in ready.values()) <= READY_S and memory["peak"] <= MEMORY_MB
    report: dict[str, Any] = {
        "question": "seconds until ready, and memory in use, of one `polyvalent serve`",
        "machine": describe("uvicorn", "starlette", "sqlalchemy", "httptools", "msgspec"),
        "starts": chosen.starts,
        "instances": chosen.instances,
        "hub_calls": chosen.calls,
        "ready_s": ready,
        "memory_mb": {name: round(value, 1) for name, value in memory.items()},
        "promise": {"ready_s": READY_S, "memory_mb": MEMORY_MB, "holds": holds},
    }
    show(report)
    if chosen.keep:
        (RESULTS / "serve.json").write_text(json.dumps(report, indent=1) + "\n")
    return 0 if holds else 1


def show(report: dict[str, Any]) -> None:
    """Print a report as two tables."""
    console = Console()
    table = Table(title=f"ready after, seconds, {report['starts']} starts each")
    for name in ("start", "median", "fastest", "slowest"):
        table.add_column(name, justify="left" if name == "start" else "right")
    for kind, row in report["ready_s"].items():
        table.add_row(kind, *(f"{row[name]:.3f}" for name in ("median", "fastest", "slowest")))
    console.print(table)
    table = Table(title=f"memory, MB, {report['instances']} instances")
    table.add_column("after")
    table.add_column("resident", justify="right")
    for name, value in report["memory_mb"].items():
        table.add_row(name, f"{value:.1f}")
    console.print(table)
    promise = report["promise"]
    console.print(
        f"promised: {promise['ready_s']} s and {promise['memory_mb']} MB: "
        + ("holds" if promise["holds"] else "[red]broken")
    )


if __name__ == "__main__":
    sys.exit(main())
