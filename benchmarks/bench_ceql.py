"""
How long does it take to read a query, and to plan it?

Each cell is the median over the rounds of the mean of one round, in microseconds of processor
time, since nothing here waits and others may be at work on the machine: reading the text
(`read`), reading and planning it for a shop's list (`plan`), matching a page of 100 rows (`match`),
which includes making the matcher. The limit is 100 µs for reading and planning a typical `where`.

    .venv/bin/python -m benchmarks.bench_ceql [--rounds 15] [--calls 300] [--keep]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

from benchmarks.machine import RESULTS, describe
from polyvalent.ceql import (
    Capabilities,
    Encoding,
    Filter,
    Sorting,
    check_where,
    compile_match,
    make_plan,
    parse_where,
)

LIMIT_US = 100.0
EVERY = ("=", "!=", "<", "<=", ">", ">=", "in", "notIn")
KINDS = {
    "entity_id": "number",
    "status": "text",
    "grand_total": "number",
    "created_at": "date",
    "email": "text",
    "is_active": "boolean",
}
SHOP = Capabilities(
    filters=(
        Filter(fields=("entity_id", "grand_total"), exact=EVERY, values_max=100),
        Filter(
            fields=("created_at",),
            exact=EVERY,
            encoding=Encoding(date="yyyy-MM-dd HH:mm:ss"),
        ),
        Filter(
            fields=("status", "email"),
            superset=("=", "in", "like"),
            encoding=Encoding(escaped="\\_"),
        ),
    ),
    sorting=Sorting(fields=("entity_id",)),
    keyset="entity_id",
)
QUERIES = {
    "one": "email = 'user4@example.test'",
    "typical": (
        "created_at >= '2024-02-01T00:00:00Z' AND created_at < '2024-03-01T00:00:00Z' "
        "AND status IN ('processing', 'complete')"
    ),
    "either": (
        "status = 'paid' AND (grand_total >= 100 OR email LIKE '%@example.test') "
        "AND (entity_id = 7 OR entity_id = 8)"
    ),
    "long list": "entity_id in (" + ", ".join(map(str, range(100))) + ")",
}
LIMITED = ("one", "typical", "either")
ROWS = [
    {
        "entity_id": str(number),
        "status": ("processing", "complete", "canceled")[number % 3],
        "grand_total": f"{number * 7 % 200}.5000",
        "created_at": f"2024-02-{number % 28 + 1:02} 10:00:00",
        "email": f"user{number}@example.{('test', 'org')[number % 2]}",
    }
    for number in range(100)
]


def read(text: str):
    return parse_where(text)


def plan(text: str):
    tree = parse_where(text)
    check_where(tree, KINDS, object_name="orders")
    return make_plan(tree, (), capabilities=SHOP, kinds=KINDS)


def match(text: str):
    takes = compile_match(parse_where(text), KINDS)
    return [row for row in ROWS if takes(row)]


STEPS = {"read_us": read, "plan_us": plan, "match_us": match}


def time_us(function, text: str, calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        function(text)
    return (time.process_time() - started) / calls * 1e6


def measure(*, rounds: int, calls: int) -> list[dict[str, object]]:
    times = {(name, step): [] for name in QUERIES for step in STEPS}
    for _ in range(rounds):
        for name, text in QUERIES.items():
            for step, function in STEPS.items():
                many = calls // 10 if step == "match_us" else calls
                times[name, step].append(time_us(function, text, many))
    return [
        {"query": name, "characters": len(text)}
        | {step: round(statistics.median(times[name, step]), 1) for step in STEPS}
        | {"rows": len(match(text))}
        for name, text in QUERIES.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/ceql.json")
    chosen = parser.parse_args()

    rows = measure(rounds=chosen.rounds, calls=chosen.calls)
    within = all(row["plan_us"] <= LIMIT_US for row in rows if row["query"] in LIMITED)
    if chosen.keep:
        report = {
            "question": "microseconds to read, plan and match a query",
            "machine": describe("msgspec"),
            "rounds": chosen.rounds,
            "calls": chosen.calls,
            "limit_plan_us": LIMIT_US,
            "within_limit": within,
            "rows": rows,
        }
        (RESULTS / "ceql.json").write_text(json.dumps(report, indent=1) + "\n")
    print(f"{'query':<12}{'chars':>7}{'read us':>10}{'plan us':>10}{'match 100 us':>14}{'rows':>6}")
    for row in rows:
        print(
            f"{row['query']:<12}{row['characters']:>7}{row['read_us']:>10}{row['plan_us']:>10}"
            f"{row['match_us']:>14}{row['rows']:>6}"
        )
    print(f"reading and planning within {LIMIT_US:.0f} us: {'yes' if within else 'no'}")


if __name__ == "__main__":
    main()
