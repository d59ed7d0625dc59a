"""
How fast are many rows read, beside others, and what does it cost?

    python3 -m venv .venv-bench-bulk
    .venv-bench-bulk/bin/pip install -r benchmarks/bulk/requirements.txt
    .venv/bin/python -m benchmarks.bulk [--rows 10000] [--rounds 5] [--keep]

One upstream serves the rows to all of them, one after the other in each round. `read_s` is the
read phase alone, as each of them tells it: without the start of the program, and for polyvalent
from the beginning of the job to its end with the receipt. Processor time is the whole program's,
its start included; for polyvalent it is the server's, which was there before.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.bulk.ours import Platform
from benchmarks.machine import RESULTS, ROOT, describe

PEERS = ROOT / ".venv-bench-bulk" / "bin" / "python"
OTHERS = {
    "aiohttp loop": "plain_loop",
    "airbyte-cdk": "with_airbyte",
    "dlt": "with_dlt",
    "singer-sdk": "with_singer",
}
OURS = "polyvalent"
# What stands beside the figures: who does what is not the same.
DOES = {
    OURS: "signs OAuth 1.0a, adds ids, drops nulls, checkpoints, sealed flushed files, receipt",
    "aiohttp loop": "decodes and encodes with json; nothing else",
    "airbyte-cdk": "wraps rows in messages; no authentication",
    "dlt": "extracts, types, normalises and loads into files; no authentication",
    "singer-sdk": "checks rows against a schema, writes messages and states; no authentication",
}


def main() -> None:
    """Measure in rounds that take turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", type=Path, default=PEERS, help="python of the others")
    parser.add_argument("--only", default="", help="names with commas between")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    names = [OURS, *OTHERS]
    if options.only:
        names = [name for name in names if name in options.only.split(",")]
    if not options.peers.exists() and set(names) - {OURS}:
        sys.exit(f"{options.peers} is missing: see the top of benchmarks/bulk/__main__.py")
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder, _upstream(options.rows) as url:
        platform = Platform(Path(folder) / "data", url)
        try:
            for number in range(options.rounds):
                for name in names:
                    result = (
                        platform.download()
                        if name == OURS
                        else _run(options.peers, OTHERS[name], url, Path(folder) / "out")
                    )
                    assert result["rows"] == options.rows, (name, result)
                    found[name].append(result)
                print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        finally:
            platform.stop()
    report = {
        "machine": describe("aiohttp", "msgspec", "dbos"),
        "rows": options.rows,
        "rounds": options.rounds,
        "results": [_summary(name, results) for name, results in found.items()],
    }
    for line in report["results"]:
        print(
            f"{line['name']:22} {line['rows_a_second']:>8,} rows/s  read {line['read_s']:.2f} s  "
            f"({line['slowest_s']:.2f} to {line['fastest_s']:.2f})  "
            f"CPU {line['cpu_us_a_row']:.1f} us/row  peak {line['peak_mb']:.0f} MB"
        )
    if options.keep:
        target = RESULTS / f"bulk_{options.rows}.json"
        target.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def _summary(name: str, results: list[dict[str, float]]) -> dict[str, Any]:
    reads = [result["read_s"] for result in results]
    return {
        "name": name,
        "does": DOES[name],
        "rows_a_second": round(results[0]["rows"] / median(reads)),
        "read_s": round(median(reads), 3),
        "slowest_s": round(max(reads), 3),
        "fastest_s": round(min(reads), 3),
        "wall_s": round(median(result["wall_s"] for result in results), 3),
        "cpu_us_a_row": round(
            median(result["cpu_s"] / result["rows"] * 1e6 for result in results), 1
        ),
        "peak_mb": round(max(result["peak_mb"] for result in results), 1),
    }


def _run(python: Path, module: str, url: str, out: Path) -> dict[str, float]:
    if module == "with_dlt":
        out.mkdir()
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(python), "-m", f"benchmarks.bulk.{module}", url, str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - began
    assert process.returncode == 0, (module, process.returncode)
    if out.is_dir():
        shutil.rmtree(out)
    else:
        out.unlink()
    shown = json.loads(told.strip().splitlines()[-1])
    return {
        **shown,
        "wall_s": wall_s,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss * 1024 / 1e6,
    }


@contextmanager
def _upstream(rows: int) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bulk.upstream", str(rows)],
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


if __name__ == "__main__":
    main()
