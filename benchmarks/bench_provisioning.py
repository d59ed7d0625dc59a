"""
How many instances are created in a second, through the whole flow, and who works for them?

One creation is GET …/oauth/token, the merchant's consent, and POST /instances: five calls over
HTTP to the platform and from it to the store (request token, exchange, one verified read), and
two transactions. The consent is given straight at the store's own data, without its pages: it is
a person's part, and no work of the platform.

Three processes: this one calls, one runs `polyvalent serve`, one runs the simulated store.
Processor time is that of the platform and of the store, a creation, in milliseconds; the store's
share is of the two. Each row is the median over rounds in which all rows take turns.

    .venv/bin/python -m benchmarks.bench_provisioning [--rounds 7] [--creations 60]
                                                      [--no-postgresql] [--json] [--keep]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.calls import Api, at_once, secrets_of
from benchmarks.machine import RESULTS, describe
from benchmarks.postgresql import running_postgresql
from benchmarks.sandbox_process import Sandbox, start_sandbox
from benchmarks.serve_process import Served, serve

CONCURRENCIES = (1, 8)
CALLBACK = "https://app.example.com/auth"
WARM_UP = 10


@dataclass(frozen=True, kw_only=True)
class Round:
    """Hold one round of one row: instances a second, processor time a creation."""

    instances_a_second: float
    platform_ms: float
    store_ms: float


def create(api: Api, sandbox: Sandbox, number: int) -> None:
    """Walk through the flow once; raises RuntimeError unless an instance comes out."""
    application = {
        "apiKey": sandbox.consumer_key,
        "apiSecret": sandbox.consumer_secret,
        "callbackUrl": CALLBACK,
        "siteAddress": sandbox.url,
    }
    started = api.call("GET", "/elements/magento/oauth/token", query=application)
    verifier = sandbox.consent(started["token"])
    body = {
        "name": f"Shop {number}",
        "element": {"key": "magento"},
        "configuration": {
            "store.url": sandbox.url,
            "oauth.api.key": sandbox.consumer_key,
            "oauth.api.secret": sandbox.consumer_secret,
            "oauth.callback.url": CALLBACK,
        },
        "providerData": {
            "oauth_token": started["token"],
            "oauth_verifier": verifier,
            "secret": started["secret"],
        },
    }
    made = api.call("POST", "/instances", body=body)
    if len(made["token"]) != 44:
        raise RuntimeError(f"no instance came out: {made}")


def measure(
    api: Api, served: Served, sandbox: Sandbox, *, creations: int, concurrency: int
) -> Round:
    """Create instances, some at once, and tell how it went."""
    platform_s, store_s = served.cpu_s, sandbox.cpu_s
    started = time.perf_counter()
    at_once(lambda number: create(api, sandbox, number), range(creations), concurrency=concurrency)
    seconds = time.perf_counter() - started
    return Round(
        instances_a_second=creations / seconds,
        platform_ms=(served.cpu_s - platform_s) / creations * 1e3,
        store_ms=(sandbox.cpu_s - store_s) / creations * 1e3,
    )


def run(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every row, round by round in turns."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="polyvalent-bench-")))
        urls = {"SQLite": f"sqlite:///{folder / 'SQLite' / 'polyvalent.db'}"}
        if not chosen.no_postgresql:
            urls["PostgreSQL"] = stack.enter_context(running_postgresql())()
        sandbox = start_sandbox()
        stack.callback(sandbox.stop)
        servers: dict[str, tuple[Served, Api]] = {}
        for name, url in urls.items():
            served = serve(folder / name, database_url="" if name == "SQLite" else url)
            stack.callback(served.stop)
            api = Api(served.url, **asyncio.run(secrets_of(url, folder / name)))
            stack.callback(api.close)
            servers[name] = (served, api)
            measure(api, served, sandbox, creations=WARM_UP, concurrency=4)
        rounds: dict[tuple[str, int], list[Round]] = {
            (name, concurrency): [] for concurrency in CONCURRENCIES for name in servers
        }
        with Progress(console=Console(stderr=True)) as progress:
            task = progress.add_task("rounds", total=chosen.rounds * len(rounds))
            for _ in range(chosen.rounds):
                for (name, concurrency), done in rounds.items():
                    served, api = servers[name]
                    done.append(
                        measure(
                            api,
                            served,
                            sandbox,
                            creations=chosen.creations,
                            concurrency=concurrency,
                        )
                    )
                    progress.advance(task)
    return [
        row(name, concurrency=concurrency, rounds=done)
        for (name, concurrency), done in rounds.items()
    ]


def row(name: str, *, concurrency: int, rounds: list[Round]) -> dict[str, Any]:
    """Return the medians of the rounds of one row."""
    speeds = [done.instances_a_second for done in rounds]
    platform_ms = statistics.median(done.platform_ms for done in rounds)
    store_ms = statistics.median(done.store_ms for done in rounds)
    return {
        "database": name,
        "concurrency": concurrency,
        "instances_a_second": round(statistics.median(speeds), 1),
        "slowest_round": round(min(speeds), 1),
        "fastest_round": round(max(speeds), 1),
        "platform_cpu_ms": round(platform_ms, 1),
        "store_cpu_ms": round(store_ms, 1),
        "store_share": round(store_ms / (platform_ms + store_ms), 2),
        "platform_alone_a_second": round(1000 / platform_ms, 1),
    }


COLUMNS = {
    "database": "database",
    "concurrency": "at once",
    "instances_a_second": "instances/s",
    "slowest_round": "slowest",
    "fastest_round": "fastest",
    "platform_cpu_ms": "platform ms",
    "store_cpu_ms": "store ms",
    "store_share": "store's share",
    "platform_alone_a_second": "platform alone/s",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="How many instances are created in a second?")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--creations", type=int, default=60, help="a round and row")
    parser.add_argument("--no-postgresql", action="store_true")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/…")
    chosen = parser.parse_args()

    rows = run(chosen)
    report = {
        "question": "instances created in a second, and processor time of one creation",
        "machine": describe("uvicorn", "sqlalchemy", "aiosqlite", "asyncpg", "httptools"),
        "rounds": chosen.rounds,
        "creations_a_round": chosen.creations,
        "consent": "straight at the store's data, outside the platform and without its pages",
        "rows": rows,
    }
    if chosen.keep:
        (RESULTS / "provisioning.json").write_text(json.dumps(report, indent=1) + "\n")
    if chosen.json:
        json.dump(report, sys.stdout, indent=1)
        print()
        return
    table = Table(title="instances created through the whole flow")
    for title in COLUMNS.values():
        table.add_column(title, justify="left" if title == "database" else "right")
    for values in rows:
        table.add_row(*(str(values[name]) for name in COLUMNS))
    # Wide enough for all columns, also where the output is no terminal.
    Console(width=max(Console().width, 110)).print(table)


if __name__ == "__main__":
    main()
