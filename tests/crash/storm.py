"""
Kill the server -9 at every named point, ten times each, and at moments that nobody named.

    .venv/bin/python -m tests.crash.storm [--rounds 10] [--unforeseen 100] [--first-starts 40]
                                          [--postgresql] [--forked] [--keep]

The long form of `test_kill.py`. Every round has a data directory of its own, which all the
servers of the round inherit from each other; every life is a new interpreter, unless `--forked`
makes it faster. `--postgresql` does all of it a second time on PostgreSQL. Progress is shown,
`--keep` writes `benchmarks/results/kill_storm.json`; the exit status is 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.machine import RESULTS, describe
from benchmarks.postgresql import running_postgresql
from polyvalent.sandbox.magento import RunningStore, StoreOptions, start_store
from tests.crash.keeper import Keeper
from tests.crash.kill import Recording, named_points, record, suffer
from tests.crash.unforeseen import kill_at_work, kill_in_first_start

AT_ONCE = 2
LONGEST_FIRST_START_S = 1.2
Tick = Callable[[], None]


def storm(
    recording: Recording, *, shop: RunningStore, folder: Path, url: str, fresh: bool, tick: Tick
) -> list[tuple[str, str]]:
    """Suffer every case once on one data directory; return (point, what is wrong) pairs."""
    keeper = Keeper(folder=folder, database_url=url, fresh=fresh)
    wrong = []
    try:
        keeper.start()
        for case in recording.cases:
            complaints = suffer(case, keeper=keeper, shop=shop, complete=recording.complete)
            wrong += [(case.point, f"{case}: {complaint}") for complaint in complaints]
            tick()
    finally:
        keeper.close()
    return wrong


def storm_unforeseen(
    recording: Recording,
    *,
    shop: RunningStore,
    folder: Path,
    url: str,
    fresh: bool,
    times: int,
    tick: Tick,
) -> list[tuple[str, str]]:
    """Kill a server at random moments while callers work; return what is wrong."""
    keeper = Keeper(folder=folder, database_url=url, fresh=fresh)
    chance = random.Random(str(folder.name))
    wrong = []
    try:
        keeper.start()
        for _ in range(times):
            complaints = kill_at_work(keeper, shop, complete=recording.complete, chance=chance)
            wrong += [("any moment of work", complaint) for complaint in complaints]
            tick()
    finally:
        keeper.close()
    return wrong


def storm_first_starts(
    *,
    shop: RunningStore,
    folder: Path,
    new_url: Callable[[], str],
    fresh: bool,
    times: int,
    tick: Tick,
) -> list[tuple[str, str]]:
    """Kill servers at evenly spread moments of their first start; return what is wrong."""
    wrong = []
    for number in range(times):

        def make_keeper(number: int = number) -> Keeper:
            return Keeper(folder=folder / str(number), database_url=new_url(), fresh=fresh)

        delay_s = LONGEST_FIRST_START_S * number / times
        complaints = kill_in_first_start(make_keeper, shop, delay_s=delay_s)
        wrong += [("first start", f"after {delay_s:.2f} s: {it}") for it in complaints]
        tick()
    return wrong


def run(chosen: argparse.Namespace, *, database: str, new_url: Callable[[], str]) -> dict[str, Any]:
    """Run the whole storm on one kind of database and return its result."""
    shop = start_store(StoreOptions(products=20, customers=3, orders=3))
    fresh = not chosen.forked
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="polyvalent-storm-") as scratch:
        folder = Path(scratch)
        keeper = Keeper(folder=folder / "recording", database_url=new_url())
        try:
            recording = record(keeper, shop)
        finally:
            keeper.close()
        cases = len(recording.cases)
        with (
            Progress(
                TextColumn("{task.description:<22}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
            ) as progress,
            ThreadPoolExecutor(AT_ONCE) as pool,
        ):
            named = progress.add_task(f"{database}: named", total=cases * chosen.rounds)
            rounds = [
                pool.submit(
                    storm,
                    recording,
                    shop=shop,
                    folder=folder / f"round-{number}",
                    url=new_url(),
                    fresh=fresh,
                    tick=lambda: progress.advance(named),
                )
                for number in range(chosen.rounds)
            ]
            wrong = [pair for done in rounds for pair in done.result()]
            at_work = progress.add_task(f"{database}: at work", total=chosen.unforeseen)
            # One after the other: four callers keep this machine busy enough.
            wrong += storm_unforeseen(
                recording,
                shop=shop,
                folder=folder / "unforeseen",
                url=new_url(),
                fresh=fresh,
                times=chosen.unforeseen,
                tick=lambda: progress.advance(at_work),
            )
            first = progress.add_task(f"{database}: first start", total=chosen.first_starts)
            wrong += storm_first_starts(
                shop=shop,
                folder=folder / "first",
                new_url=new_url,
                fresh=fresh,
                times=chosen.first_starts,
                tick=lambda: progress.advance(first),
            )
    shop.stop()
    return {
        "database": database,
        "life": "a new interpreter" if fresh else "a fork",
        "points_named_in_the_source": len(named_points()),
        "points_killed_at": len(recording.points),
        "acts_with_points": cases,
        "rounds": chosen.rounds,
        "kills_at_named_points": cases * chosen.rounds,
        "kills_at_work": chosen.unforeseen,
        "kills_in_a_first_start": chosen.first_starts,
        "seconds": round(time.monotonic() - started, 1),
        "wrong": [complaint for _, complaint in wrong],
        "kills_by_point": {
            point: {
                "kills": sum(case.point == point for case in recording.cases) * chosen.rounds,
                "wrong": sum(where == point for where, _ in wrong),
            }
            for point in sorted(recording.points)
        },
    }


def show(result: dict[str, Any]) -> None:
    """Print one result as a table."""
    table = Table(title=f"{result['database']}: killed -9 {result['rounds']} times at each point")
    table.add_column("point")
    table.add_column("kills", justify="right")
    table.add_column("wrong", justify="right")
    for point, counts in result["kills_by_point"].items():
        table.add_row(point, str(counts["kills"]), str(counts["wrong"]))
    table.add_row("any moment of work", str(result["kills_at_work"]), "")
    table.add_row("first start", str(result["kills_in_a_first_start"]), "")
    console = Console()
    console.print(table)
    for complaint in result["wrong"]:
        console.print(f"[red]{complaint}")
    console.print(f"{len(result['wrong'])} wrong, in {result['seconds']} s")


def main() -> int:
    """Run the storm as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--unforeseen", type=int, default=100)
    parser.add_argument("--first-starts", type=int, default=40)
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL as well")
    parser.add_argument("--forked", action="store_true", help="start lives by fork: faster")
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/…")
    chosen = parser.parse_args()

    results = [run(chosen, database="SQLite", new_url=lambda: "")]
    with running_postgresql() if chosen.postgresql else nullcontext() as new_database:
        if new_database is not None:
            results.append(run(chosen, database="PostgreSQL", new_url=new_database))
    for result in results:
        show(result)
    missed = [result for result in results if result["points_killed_at"] < len(named_points())]
    if chosen.keep:
        report = {"machine": describe("sqlalchemy", "aiosqlite", "asyncpg"), "results": results}
        (RESULTS / "kill_storm.json").write_text(json.dumps(report, indent=1) + "\n")
    return 1 if missed or any(result["wrong"] for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
