"""
Does `serve` stay as large as it is, and answer everybody, however long it is used?

In front of the store of `benchmarks/gateway`: 100 000 calls for an object and pages, mapped and
not, at 16 at once; then 200 clients for 60 s that ask for mapped pages. Memory is compared with
that after a first use of the same kind. wrk says whether a call failed or was not answered within
ten seconds.

    .venv/bin/python -m benchmarks.bench_steady [--requests 100000] [--clients 200] [--seconds 60]
                                                [--keep]

The promise: no error, and memory within 5 MB. The exit status is 1 if it is broken. nginx and wrk
come from the system's packages.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.gateway import builds
from benchmarks.gateway.builds import Build
from benchmarks.machine import RESULTS, describe
from benchmarks.serve_process import read_status

GROWTH_MB = 5.0
ROWS = ("strict object", "passing object", "strict page", "plain page")
WARM_S = 5
ROUND_S = 5


def use(build: Build, what: str, *, clients: int, seconds: int) -> tuple[int, str]:
    """Call a build for some seconds; return how many calls were answered, and what went wrong."""
    headers = [part for name, value in build.headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["taskset", "-c", str(builds.OTHER_CORE), "wrk", "-t1", f"-c{clients}"]
    command += [f"-d{seconds}s", "--timeout", "10s", "--latency", *headers]
    command.append(build.url + build.path(what))
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wrong = [line.strip() for line in text.splitlines() if "Non-2xx" in line or "errors" in line]
    found = re.search(r"(\d+) requests in", text)
    assert found is not None
    return int(found[1]), "; ".join(wrong)


def measure(folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Use one server and tell its memory on the way."""
    folder.chmod(0o755)
    (folder / "store").mkdir()
    store = builds.start_store(folder / "store")
    ours = builds.start_ours(folder / "ours", store)
    errors: list[str] = []
    done = 0

    def load(what: str, *, clients: int, seconds: int) -> int:
        number, wrong = use(ours, what, clients=clients, seconds=seconds)
        if wrong:
            errors.append(f"{what} at {clients}: {wrong}")
        return number

    def memory_mb() -> float:
        return round(read_status(ours.pids[0], "VmRSS"), 1)

    try:
        memory = {"idle": memory_mb()}
        for what in ROWS:
            load(what, clients=16, seconds=WARM_S)
        load("strict page", clients=chosen.clients, seconds=WARM_S)
        memory["after a first use"] = memory_mb()
        for what in itertools.cycle(ROWS):
            done += load(what, clients=16, seconds=ROUND_S)
            if done >= chosen.requests:
                break
        memory[f"after {chosen.requests} calls"] = memory_mb()
        at_once = load("strict page", clients=chosen.clients, seconds=chosen.seconds)
        memory[f"after {chosen.clients} clients at once"] = memory_mb()
    finally:
        ours.stop()
        store.stop()
    first = memory["after a first use"]
    growth_mb = round(max(list(memory.values())[2:]) - first, 1)
    return {
        "calls": done,
        "clients": chosen.clients,
        "seconds": chosen.seconds,
        "calls_of_clients": at_once,
        "memory_mb": memory,
        "errors": errors,
        "promise": {
            "growth_mb": GROWTH_MB,
            "measured_mb": growth_mb,
            "holds": not errors and growth_mb <= GROWTH_MB,
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/steady.json")
    chosen = parser.parse_args()
    lacking = [name for name in ("wrk", "nginx", "taskset") if shutil.which(name) is None]
    if lacking:
        print(f"skipped: {', '.join(lacking)} missing; see the top of {__file__}")
        return 0
    with tempfile.TemporaryDirectory(prefix="steady-bench-") as scratch:
        measured = measure(Path(scratch), chosen)
    report = {
        "question": "memory and errors of one `polyvalent serve` in long use",
        "machine": describe("uvicorn", "httptools", "msgspec"),
        **measured,
    }
    if chosen.keep:
        (RESULTS / "steady.json").write_text(json.dumps(report, indent=1) + "\n")
    for name, value in measured.items():
        print(f"{name}: {value}")
    return 0 if measured["promise"]["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
