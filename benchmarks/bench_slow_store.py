"""
What does the platform add to the answer of a store that takes its time?

The simulated store, slowed down by 25 ms a call as a real one would be, gives pages of 100
products: asked directly by a signed call, and through the platform, mapped and not; one after the
other, in turns. The store runs in this process, the platform in its own.

    .venv/bin/python -m benchmarks.bench_slow_store [--calls 100] [--latency-ms 25] [--keep]

The promise: at most 10 % more at the median. The exit status is 1 if it is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.calls import Api, secrets_of
from benchmarks.fill import fill
from benchmarks.gateway import rows
from benchmarks.machine import RESULTS, describe
from benchmarks.serve_process import serve
from polyvalent.auth import ClientCredentials, TokenCredentials, make_nonce, sign
from polyvalent.exchange import Request
from polyvalent.sandbox.magento import RunningStore, StoreOptions, start_store

ADDED = 0.10
PATH = "/api/rest/products?order=entity_id&dir=asc&page=1&limit=100"
HUB = "/hubs/ecommerce"


def ask_store(shop: RunningStore, token: TokenCredentials) -> Callable[[], int]:
    """Return a function that asks the store for a page and tells how many rows came."""
    connection = http.client.HTTPConnection("127.0.0.1", int(shop.url.rpartition(":")[2]))
    client = ClientCredentials(shop.store.consumer_key, shop.store.consumer_secret)

    def ask() -> int:
        unsigned = Request(
            method="GET", url=shop.url + PATH, headers=(("Accept", "application/json"),)
        )
        signed = sign(
            unsigned,
            client=client,
            token=token,
            nonce=make_nonce(os.urandom(16)),
            timestamp=int(time.time()),
        )
        connection.request("GET", PATH, headers=dict(signed.request.headers))
        answer = connection.getresponse()
        found = json.loads(answer.read())
        if answer.status != 200:
            raise RuntimeError(f"the store answered with {answer.status}: {found}")
        return len(found)

    return ask


def define(api: Api, token: str) -> None:
    """Map the products of an instance to an object "strict-products"."""
    body = rows.transformation(passing=False)
    fields = [{"path": item["path"], "type": "string"} for item in body["fields"]]
    name = "strict-products"
    api.call("POST", f"/instances/objects/{name}/definitions", body={"fields": fields}, token=token)
    api.call("POST", f"/instances/transformations/{name}", body=body, token=token)


def measure(folder: Path, *, calls: int, latency_ms: float) -> dict[str, list[float]]:
    """Ask in turns; return the milliseconds of each call."""
    shop = start_store(StoreOptions(latency_ms=latency_ms))
    issued = shop.store.issue_token(admin=shop.store.admin_user)
    url = f"sqlite:///{folder / 'polyvalent.db'}"
    served = serve(folder)
    try:
        (token,) = fill(
            url,
            folder / "keys.json",
            count=1,
            store_url=shop.url,
            credentials={
                "oauth.api.key": shop.store.consumer_key,
                "oauth.api.secret": shop.store.consumer_secret,
                "oauth.user.token": issued.token,
                "oauth.user.token.secret": issued.secret,
            },
        )
        api = Api(served.url, **asyncio.run(secrets_of(url, folder)))
        define(api, token)

        def ask_platform(resource: str) -> Callable[[], int]:
            path, query = f"{HUB}/{resource}", {"pageSize": "99"}
            return lambda: len(api.call("GET", path, query=query, token=token))

        ways = {
            "direct": ask_store(shop, TokenCredentials(issued.token, issued.secret)),
            "through the platform": ask_platform("products"),
            "mapped": ask_platform("strict-products"),
        }
        taken_ms: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(calls + 3):
            for name, ask in ways.items():
                started_s = time.perf_counter()
                found = ask()
                elapsed_ms = (time.perf_counter() - started_s) * 1000
                assert found >= 99, f"{name}: {found} rows"
                if number >= 3:  # the first ones open connections
                    taken_ms[name].append(elapsed_ms)
        api.close()
    finally:
        served.stop()
        shop.stop()
    return taken_ms


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--calls", type=int, default=100, help="each way")
    parser.add_argument("--latency-ms", type=float, default=25)
    parser.add_argument("--keep", action="store_true", help="write results/slow_store.json")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slow-bench-") as scratch:
        taken_ms = measure(Path(scratch), calls=chosen.calls, latency_ms=chosen.latency_ms)
    median_ms = {name: statistics.median(values) for name, values in taken_ms.items()}
    shown: list[dict[str, Any]] = [
        {
            "way": name,
            "p50_ms": round(median_ms[name], 2),
            "p90_ms": round(statistics.quantiles(values, n=10)[-1], 2),
            "added": round(median_ms[name] / median_ms["direct"] - 1, 3),
        }
        for name, values in taken_ms.items()
    ]
    holds = all(row["added"] <= ADDED for row in shown)
    report = {
        "question": "what the platform adds to the answer of a slow store",
        "machine": describe("uvicorn", "httptools", "msgspec"),
        "calls": chosen.calls,
        "latency_ms": chosen.latency_ms,
        "rows": shown,
        "promise": {"added": ADDED, "holds": holds},
    }
    if chosen.keep:
        (RESULTS / "slow_store.json").write_text(json.dumps(report, indent=1) + "\n")
    for row in shown:
        print(
            f"{row['way']:22} p50 {row['p50_ms']} ms, p90 {row['p90_ms']} ms, {row['added']:+.1%}"
        )
    print(f"promised at most {ADDED:+.0%}: {'holds' if holds else 'broken'}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
