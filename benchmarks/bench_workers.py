"""
Do more workers do more, and does a large job of one tenant leave room for a small one of another?

    .venv/bin/python -m benchmarks.bench_workers [--rows 2000] [--instances 50] [--keep]

On PostgreSQL, with stores that take 100 ms for a page, as real ones do. First 1, 2 and 4 processes
of `polyvalent worker`, beside a `polyvalent serve --no-worker`, download the products of fifty
instances: rows a second from the first job's begin to the last one's end. Then one worker has
downloads of a million rows to do, one and as many as it does at a time (eight), when another
tenant asks for ten rows: seconds from the request to the end of the job, five times each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

from rich.console import Console

from benchmarks.bulk.ours import Platform
from benchmarks.machine import RESULTS, ROOT, describe
from benchmarks.postgresql import running_postgresql
from benchmarks.serve_process import read_cpu_s

PAGE_MS = 100
MILLION = 1_000_000
WORKERS = (1, 2, 4)
AT_ONCE = 8
SMALL_TIMES = 5


@contextmanager
def upstream(rows: int) -> Iterator[str]:
    """Serve the store in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bulk.upstream", str(rows), str(PAGE_MS)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.communicate()


@contextmanager
def workers(number: int, data_dir: Path, database_url: str) -> Iterator[list[int]]:
    """Run so many workers; give their process ids."""
    environment = {
        **os.environ,
        "POLYVALENT_DATA_DIR": str(data_dir),
        "POLYVALENT_DATABASE_URL": database_url,
        "POLYVALENT_EGRESS_ALLOW": "127.0.0.1/32",
        "POLYVALENT_LOG_LEVEL": "error",
        "POLYVALENT_JOBS_AT_ONCE": str(AT_ONCE),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "polyvalent.cli", "worker"], cwd=ROOT, env=environment
        )
        for _ in range(number)
    ]
    try:
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=40)


def start(platform: Platform, token: str, statement: str) -> str:
    """Ask for a download and return its id."""
    path = f"/bulk/query?q={quote(statement)}"
    return str(platform.call("POST", path, token=token)["id"])


def wait(platform: Platform, token: str, bulk_id: str) -> dict[str, Any]:
    """Wait for the end of a download and return its status."""
    while True:
        shown = platform.call("GET", f"/bulk/{bulk_id}/status", token=token)
        if shown["status"] not in ("CREATED", "RUNNING"):
            assert shown["status"] == "COMPLETED", shown
            return shown
        time.sleep(0.05)


def scale(platform: Platform, tokens: list[str], *, number: int, url: str) -> dict[str, Any]:
    """Download everything of all instances with so many workers."""
    with workers(number, platform.data_dir, url) as pids:
        wait(platform, tokens[0], start(platform, tokens[0], "select * from products limit 1"))
        before_s = sum(map(read_cpu_s, pids))
        jobs = [(token, start(platform, token, "select * from products")) for token in tokens]
        ended = [wait(platform, token, bulk_id) for token, bulk_id in jobs]
        used_s = sum(map(read_cpu_s, pids)) - before_s
    rows = sum(shown["recordsCount"] for shown in ended)
    begin = min(shown["startTime"] for shown in ended)
    end = max(shown["completionTime"] for shown in ended)
    seconds = (end - begin) / 1000
    return {
        "workers": number,
        "rows": rows,
        "seconds": round(seconds, 1),
        "rows_a_second": round(rows / seconds),
        "cores_used": round(used_s / seconds, 2),
        "complete": all(shown["receipt"]["complete"] for shown in ended),
    }


def squeeze(platform: Platform, tokens: list[str], *, large: int, url: str) -> dict[str, Any]:
    """Ask for ten rows while so many jobs of a million rows are at work."""
    with workers(1, platform.data_dir, url):
        wait(platform, tokens[-1], start(platform, tokens[-1], "select * from products limit 1"))
        jobs = [
            (token, start(platform, token, "select * from products")) for token in tokens[:large]
        ]
        time.sleep(5)
        alone = []
        for _ in range(SMALL_TIMES):
            began_s = time.monotonic()
            bulk_id = start(platform, tokens[-1], "select * from products limit 10")
            wait(platform, tokens[-1], bulk_id)
            alone.append(time.monotonic() - began_s)
        for token, bulk_id in jobs:
            platform.call("PUT", f"/bulk/{bulk_id}/cancel", token=token)
    return {
        "large_jobs": large,
        "ten_rows_s": [round(seconds, 2) for seconds in alone],
        "median_s": round(median(alone), 2),
        "slowest_s": round(max(alone), 2),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="More workers, and room for small jobs.")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--instances", type=int, default=50)
    parser.add_argument("--keep", action="store_true")
    chosen = parser.parse_args()
    result: dict[str, Any] = {"scale": [], "room": []}
    with (
        tempfile.TemporaryDirectory(prefix="polyvalent-workers-") as folder,
        running_postgresql() as new_url,
    ):
        for rows, part in ((chosen.rows, "scale"), (MILLION, "room")):
            url = new_url()
            with upstream(rows) as store:
                platform = Platform(
                    Path(folder) / part, store, database_url=url, options=("--no-worker",)
                )
                try:
                    count = chosen.instances if part == "scale" else AT_ONCE + 1
                    tokens = [platform.connect() for _ in range(count)]
                    if part == "scale":
                        for number in WORKERS:
                            result[part].append(scale(platform, tokens, number=number, url=url))
                            Console(stderr=True).print(result[part][-1])
                    else:
                        for large in (1, AT_ONCE):
                            result[part].append(squeeze(platform, tokens, large=large, url=url))
                            Console(stderr=True).print(result[part][-1])
                finally:
                    platform.stop()
    Console().print_json(data=result)
    if chosen.keep:
        kept = {"machine": describe(), "page_ms": PAGE_MS, **result}
        (RESULTS / "workers.json").write_text(json.dumps(kept, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
