"""
What does the gateway cost beside nginx, a bare proxy and the build that most people would write?

`polyvalent serve` as users run it: three secrets, instance lookup, signature, mapping, budget,
breaker, address policy, headers and a log line for every call. All builds stand in front of the
same nginx that answers with one product of 1 kB or a page of 100; the proxies pass it through, the
other two map it, and the outputs of those are compared first. Each build has one core for itself,
store and caller (wrk) share another. Rounds take turns; every cell is the median over the rounds.
"to common" and "to nginx" compare requests a second, "CPU to ..." processor time a request; where
others use the machine as well only the latter means much.

"strict" maps 20 members and drops the others, "passing" renames ten and lets the others through,
"plain" is the vendor's row without nulls.

    .venv/bin/python -m benchmarks.gateway [--rounds 5] [--seconds 2] [--only ROW] [--keep]

wrk and nginx come from the system's packages; the common build from an environment of its own:

    python3 -m venv .venv-bench && .venv-bench/bin/pip install -r benchmarks/requirements.txt
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.gateway import builds
from benchmarks.gateway.builds import Build
from benchmarks.machine import RESULTS, describe

CONCURRENCIES = (1, 16, 64)
ROWS = ("strict object", "passing object", "strict page", "passing page", "plain page")
COMMON, NGINX, OURS = "FastAPI + httpx + oauthlib", "nginx proxy_pass", "polyvalent"
DIRECT = "direct to the store"
_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
# What is asked of the ratios at 16 at once, and of the median added to the direct call at 1.
TARGETS = {
    "strict page": {"common": 7.0, "nginx": 0.13, "added_p50_ms": 0.9},
    "strict object": {"common": 8.0, "nginx": 0.11, "added_p50_ms": 0.6},
    "passing page": {"common": 4.0},
    "passing object": {"common": 4.0},
}


@dataclass(frozen=True, kw_only=True)
class Round:
    """Hold one round of one build: requests a second, latencies, processor time a request."""

    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


def load(build: Build, what: str, *, concurrency: int, seconds: int) -> Round:
    """Call a build for some seconds; raises RuntimeError for an answer that is no success."""
    headers = [part for name, value in build.headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["taskset", "-c", str(builds.OTHER_CORE), "wrk", "-t1", f"-c{concurrency}"]
    # A busy machine is slow, which is no error.
    command += [f"-d{seconds}s", "--timeout", "10s", "--latency", *headers]
    command.append(build.url + build.path(what))
    before_s = build.cpu_s
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used_s = build.cpu_s - before_s
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"{build.name}, {what}: {text}")
    requests = int(re.search(r"(\d+) requests in", text)[1])
    return Round(
        rps=float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
        p50_ms=_latency_ms(text, "50%"),
        p99_ms=_latency_ms(text, "99%"),
        cpu_us=used_s / requests * 1e6,
    )


def _latency_ms(text: str, name: str) -> float:
    number, unit = re.search(rf"{name}\s+([\d.]+)(us|ms|s)", text).groups()
    return float(number) * _UNITS_MS[unit]


def check_outputs(started: list[Build], what: str) -> None:
    """Raise RuntimeError unless builds that map agree, and the others pass the body through."""
    outputs: dict[bool, dict[str, Any]] = {True: {}, False: {}}
    for build in started:
        body = builds.fetch(build.url + build.path(what), build.headers)
        outputs[build.maps][build.name] = json.loads(body)
    for same in outputs.values():
        first, *others = same.items()
        for name, output in others:
            if output != first[1]:
                raise RuntimeError(f"{what}: the outputs of {first[0]} and {name} differ")


def start(stack: ExitStack, folder: Path) -> list[Build]:
    """Start store and builds, to be stopped at the end."""

    def keep(build: Build) -> Build:
        stack.callback(build.stop)
        return build

    (folder / "store").mkdir()
    store = keep(builds.start_store(folder / "store"))
    return [
        store,
        keep(builds.start_nginx_proxy(folder / "proxy", store)),
        keep(builds.start_bare_proxy(store)),
        keep(builds.start_common_build(store)),
        keep(builds.start_ours(folder / "ours", store)),
    ]


def measure(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every build on every row, in turns."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-bench-")))
        folder.chmod(0o755)
        started = start(stack, folder)
        rows: list[dict[str, Any]] = []
        for what in chosen.only or ROWS:
            check_outputs(started, what)
            for build in started:
                load(build, what, concurrency=16, seconds=1)
            for concurrency in chosen.concurrency or CONCURRENCIES:
                done: dict[str, list[Round]] = {build.name: [] for build in started}
                for _ in range(chosen.rounds):
                    for build in started:
                        done[build.name].append(
                            load(build, what, concurrency=concurrency, seconds=chosen.seconds)
                        )
                rows += summarize(what, concurrency, done)
        return rows


def summarize(what: str, concurrency: int, done: dict[str, list[Round]]) -> list[dict[str, Any]]:
    """Return one row a build, with its ratios; those are medians of the rounds' own ratios."""

    def median(name: str, field: str) -> float:
        return statistics.median(getattr(item, field) for item in done[name])

    def ratio(name: str, other: str) -> float:
        pairs = zip(done[name], done[other], strict=True)
        return statistics.median(mine.rps / its.rps for mine, its in pairs)

    return [
        {
            "row": what,
            "concurrency": concurrency,
            "build": name,
            "requests_a_second": round(median(name, "rps")),
            "slowest_round": round(min(item.rps for item in rounds)),
            "fastest_round": round(max(item.rps for item in rounds)),
            "p50_ms": round(median(name, "p50_ms"), 3),
            "p99_ms": round(median(name, "p99_ms"), 3),
            "added_p50_ms": round(median(name, "p50_ms") - median(DIRECT, "p50_ms"), 3),
            "added_p99_ms": round(median(name, "p99_ms") - median(DIRECT, "p99_ms"), 3),
            "cpu_us": round(median(name, "cpu_us")),
            "to_common": round(ratio(name, COMMON), 2),
            "to_nginx": round(ratio(name, NGINX), 3),
            "cpu_to_common": round(median(COMMON, "cpu_us") / median(name, "cpu_us"), 2),
            "cpu_to_nginx": round(median(NGINX, "cpu_us") / median(name, "cpu_us"), 3),
        }
        for name, rounds in done.items()
    ]


def judge(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Set what was asked for beside what was measured."""
    ours = {(row["row"], row["concurrency"]): row for row in rows if row["build"] == OURS}
    fields = {"common": (16, "to_common"), "nginx": (16, "to_nginx"), "added_p50_ms": (1, None)}
    judged = []
    for what, targets in TARGETS.items():
        for name, target in targets.items():
            concurrency, field = fields[name]
            row = ours.get((what, concurrency))
            if row is None:
                continue
            reached = row[field or name]
            good = reached <= target if name == "added_p50_ms" else reached >= target
            judged.append(
                {"row": what, "of": name, "target": target, "measured": reached, "reached": good}
            )
    return judged


COLUMNS = {
    "row": "row",
    "concurrency": "at once",
    "build": "build",
    "requests_a_second": "requests/s",
    "slowest_round": "slowest",
    "fastest_round": "fastest",
    "added_p50_ms": "added p50 ms",
    "added_p99_ms": "added p99 ms",
    "cpu_us": "CPU µs",
    "to_common": "to common",
    "to_nginx": "to nginx",
    "cpu_to_common": "CPU to common",
    "cpu_to_nginx": "CPU to nginx",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="What does the gateway cost?")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="a round of one build")
    parser.add_argument("--only", action="append", choices=ROWS)
    parser.add_argument("--concurrency", action="append", type=int)
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/gateway.json")
    chosen = parser.parse_args()
    lacking = [name for name in ("wrk", "nginx", "taskset") if shutil.which(name) is None]
    if not (builds.OTHERS / "uvicorn").exists():
        lacking.append(".venv-bench")
    if lacking:
        print(f"skipped: {', '.join(lacking)} missing; see the top of {__file__}")
        return
    load_before = os.getloadavg()[0]
    rows = measure(chosen)
    report = {
        "question": "what the gateway costs beside nginx, a bare proxy and the common build",
        "machine": describe("uvicorn", "uvloop", "httptools", "starlette", "aiohttp", "msgspec"),
        "load": {"before": round(load_before, 1), "after": round(os.getloadavg()[0], 1)},
        "rounds": chosen.rounds,
        "seconds": chosen.seconds,
        "targets": judge(rows),
        "rows": rows,
    }
    if chosen.keep:
        (RESULTS / "gateway.json").write_text(json.dumps(report, indent=1) + "\n")
    console = Console(width=150)
    table = Table(title="one core each")
    for title in COLUMNS.values():
        table.add_column(title, justify="left" if title in ("row", "build") else "right")
    for values in rows:
        table.add_row(*(str(values[name]) for name in COLUMNS))
    console.print(table)
    for item in report["targets"]:
        console.print(item)
    console.print(f"load {report['load']}")


if __name__ == "__main__":
    main()
