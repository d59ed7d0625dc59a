"""
Write `benchmarks/results/README.md` from the result files beside it.

    .venv/bin/python -m benchmarks.tabulate
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks.machine import RESULTS


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield the lines of a table whose first column holds names and the others numbers."""
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield f"| --- |{' ---: |' * (len(names) - 1)}"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"
    yield ""


def machine(report: dict[str, Any]) -> str:
    """Say in one sentence where and from what a result comes."""
    it = report["machine"]
    return (
        f"Measured {it['measured_at']} at commit `{it['commit']}`: {it['cores']} cores of "
        f"{it['cpu']}, {it['system']}, Python {it['python']}, SQLite {it['sqlite']}."
    )


def provisioning(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on creations."""
    yield "## Creating instances\n"
    yield f"{machine(report)}"
    yield (
        f"Medians of {report['rounds']} rounds of {report['creations_a_round']} creations; "
        "the rows take turns. Processor time is that of one creation.\n"
    )
    yield from table(
        (
            "database",
            "at once",
            "instances/s",
            "slowest and fastest round",
            "platform, CPU ms",
            "store, CPU ms",
            "store's share",
        ),
        (
            (
                row["database"],
                row["concurrency"],
                row["instances_a_second"],
                f"{row['slowest_round']} to {row['fastest_round']}",
                row["platform_cpu_ms"],
                row["store_cpu_ms"],
                f"{row['store_share']:.0%}",
            )
            for row in report["rows"]
        ),
    )


def serve(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on readiness and memory."""
    yield "## Readiness and memory of `serve`\n"
    yield f"{machine(report)}"
    yield (
        f"{report['starts']} starts each; {report['instances']} instances, all listed once, then "
        f"{report['hub_calls']} calls to the hub. Promised: {report['promise']['ready_s']:g} s "
        f"and {report['promise']['memory_mb']:g} MB.\n"
    )
    yield from table(
        ("start", "median, s", "fastest, s", "slowest, s"),
        (
            (
                {"again": "on a directory used before", "first": "on an empty directory"}[kind],
                f"{row['median']:.2f}",
                f"{row['fastest']:.2f}",
                f"{row['slowest']:.2f}",
            )
            for kind, row in report["ready_s"].items()
        ),
    )
    yield from table(("resident memory", "MB"), report["memory_mb"].items())


def mapping(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on mapping records."""
    yield "## Mapping records\n"
    yield f"{machine(report)}"
    yield (
        f"Medians of {report['rounds']} rounds that take turns, for {report['records']} records of "
        f"{report['fields']} fields. Promised: {report['target_outwards_ms']} ms outwards.\n"
    )
    yield from table(
        ("mapping", "outwards, ms", "inwards, ms", "plain dict code, ms", "ratio"),
        (
            (
                row["mapping"],
                row["outwards_ms"],
                row["inwards_ms"],
                row["naive_ms"],
                row["ratio"],
            )
            for row in report["rows"]
        ),
    )


def ceql(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on the query language."""
    yield "## Reading and planning a query\n"
    yield (
        f"{machine(report)} Medians of {report['rounds']} rounds, processor time. Promised: "
        f"{report['limit_plan_us']:g} µs to read and plan a typical `where`; "
        f"{'holds' if report['within_limit'] else 'broken'}.\n"
    )
    yield from table(
        ("query", "characters", "read, µs", "read and plan, µs", "match 100 rows, µs"),
        (
            (row["query"], row["characters"], row["read_us"], row["plan_us"], row["match_us"])
            for row in report["rows"]
        ),
    )


def writes(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on writes to a store that loses answers."""
    yield "## Writing to a store that loses answers\n"
    yield (
        f"{machine(report)} {report['callers']} callers, two servers on one SQLite file, one of "
        "them killed -9 after a third of the rows; the store loses "
        f"{report['lost_answers']:.0%} of the answers and reports a deadlock for "
        f"{report['deadlocks']:.0%} of the creates that it carried out.\n"
    )
    yield from table(
        ("rows asked for", "rows added", "missing", "doubled", "answered with 200", "seconds"),
        (
            (
                report["rows"],
                report["rows_added"],
                report["missing"],
                report["doubled"],
                report["told"].get("200", 0),
                report["seconds"],
            ),
        ),
    )


def kill_storm(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on kills."""
    yield "## Killed -9\n"
    yield f"{machine(report)}\n"
    yield from table(
        (
            "database",
            "each life is",
            "points in the source",
            "points killed at",
            "kills there",
            "kills at work",
            "kills in a first start",
            "seconds",
            "wrong afterwards",
        ),
        (
            (
                row["database"],
                row["life"],
                row["points_named_in_the_source"],
                row["points_killed_at"],
                row["kills_at_named_points"],
                row["kills_at_work"],
                row["kills_in_a_first_start"],
                row["seconds"],
                len(row["wrong"]),
            )
            for row in report["results"]
        ),
    )
    points = sorted({point for row in report["results"] for point in row["kills_by_point"]})
    yield from table(
        ("point", *(f"{row['database']}: kills" for row in report["results"]), "wrong"),
        (
            (
                f"`{point}`",
                *(row["kills_by_point"][point]["kills"] for row in report["results"]),
                sum(row["kills_by_point"][point]["wrong"] for row in report["results"]),
            )
            for point in points
        ),
    )


def gateway(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on the gateway beside other builds."""
    yield "## The gateway beside other builds\n"
    yield (
        f"{machine(report)} {report['rounds']} rounds of {report['seconds']} s a build and row, in "
        f"turns; load of the machine {report['load']['before']} before and "
        f"{report['load']['after']} after, so others had a part in it. Where the profile says what "
        "takes the time: [gateway_profile.md](gateway_profile.md).\n"
    )
    columns = {
        "row": "row",
        "concurrency": "at once",
        "build": "build",
        "requests_a_second": "requests/s",
        "added_p50_ms": "added p50, ms",
        "added_p99_ms": "added p99, ms",
        "cpu_us": "CPU a request, µs",
        "to_common": "to the common build",
        "to_nginx": "to nginx",
        "cpu_to_common": "the same by CPU",
        "cpu_to_nginx": "and to nginx by CPU",
    }
    yield from table(columns.values(), ([row[name] for name in columns] for row in report["rows"]))
    names = {
        "common": "times the common build, at 16",
        "nginx": "of nginx, at 16",
        "added_p50_ms": "ms added at p50, at 1",
    }
    yield from table(
        ("asked for", "target", "measured", "reached"),
        (
            (
                f"{item['row']}: {names[item['of']]}",
                item["target"],
                item["measured"],
                "yes" if item["reached"] else "no",
            )
            for item in report["targets"]
        ),
    )


def steady(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on long use."""
    yield "## Long use\n"
    promise = report["promise"]
    yield (
        f"{machine(report)} {report['calls']} calls at 16 at once, then {report['clients']} "
        f"clients for {report['seconds']} s with {report['calls_of_clients']} calls. Errors: "
        f"{'; '.join(report['errors']) or 'none'}. Promised: no error, and memory within "
        f"{promise['growth_mb']:g} MB of that after a first use; measured "
        f"{promise['measured_mb']:g} MB.\n"
    )
    yield from table(("resident memory", "MB"), report["memory_mb"].items())


def slow_store(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on a slow store."""
    yield "## In front of a slow store\n"
    yield (
        f"{machine(report)} Pages of 100 products from a store that waits {report['latency_ms']:g} "
        f"ms before it answers, {report['calls']} calls each way in turns. Promised: at most "
        f"{report['promise']['added']:.0%} more at the median.\n"
    )
    yield from table(
        ("asked", "p50, ms", "p90, ms", "added"),
        (
            (row["way"], row["p50_ms"], row["p90_ms"], f"{row['added']:+.1%}")
            for row in report["rows"]
        ),
    )


def bulk(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on bulk downloads."""
    yield f"## Downloading {report['rows']:,} rows\n"
    yield (
        f"{machine(report)} Medians of {report['rounds']} rounds in turns, one fast upstream, "
        "pages of a hundred rows of 1.3 kB. The read phase is without the start of the program; "
        "processor time of the others is with it, that of polyvalent is the server's.\n"
    )
    yield from table(
        ("", "rows/s", "read, s", "slowest and fastest", "CPU, us a row", "peak, MB", "does"),
        (
            (
                row["name"],
                f"{row['rows_a_second']:,}",
                row["read_s"],
                f"{row['slowest_s']} to {row['fastest_s']}",
                row["cpu_us_a_row"],
                row["peak_mb"],
                row["does"],
            )
            for row in report["results"]
        ),
    )


def work_storm(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on kills of workers."""
    yield "## Kills of workers\n"
    yield f"{machine(report)}"
    yield (
        "A store of 3000 products is downloaded, 25 customers are uploaded into it row by row and "
        "60 stock items in batches, 30 of its orders change, and orders and customers are polled "
        "and delivered to a receiver, all at once and again and again, while the processes that "
        "work on it are killed -9. Wrong is a row that is missing or doubled in a file or in the "
        "store, a receipt that does not prove a download, a change that is noted twice or not, "
        "and one that did not arrive under its id.\n"
    )
    storms = report["storms"].items()
    fields = ("kills", "rounds", "delivered_again", "wrong")
    rows = [(name, *(it[field] for field in fields)) for name, it in storms]
    yield from table(("database", "kills", "rounds", "deliveries repeated", "wrong"), rows)
    points = sorted({point for _, it in storms for point in it["by_point"]})
    by_point = [
        (
            f"`{point}`" if "." in point else point,
            *(it["by_point"].get(point, 0) for _, it in storms),
        )
        for point in points
    ]
    yield from table(("killed at", *(name for name, _ in storms)), by_point)


def deliveries(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on deliveries."""
    yield "## Deliveries\n"
    yield f"{machine(report)}"
    yield "A receiver that fails three times in ten and is killed twice.\n"
    names = ("events", "lost", "again", "objects_out_of_order", "restarts", "a_second")
    shown = ("events", "lost", "delivered again", "objects out of order", "restarts", "a second")
    yield from table(shown, [[report[name] for name in names]])


def workers(report: dict[str, Any]) -> Iterator[str]:
    """Yield the section on many workers."""
    yield "## Workers\n"
    yield f"{machine(report)}"
    yield f"PostgreSQL; each page of a store takes {report['page_ms']} ms.\n"
    yield from table(
        ("workers", "rows", "seconds", "rows a second", "cores used"),
        [
            (it["workers"], it["rows"], it["seconds"], it["rows_a_second"], it["cores_used"])
            for it in report["scale"]
        ],
    )
    yield from table(
        ("downloads of a million rows beside it", "ten rows, median s", "slowest s"),
        [(it["large_jobs"], it["median_s"], it["slowest_s"]) for it in report["room"]],
    )


SECTIONS = {
    "provisioning": provisioning,
    "serve": serve,
    "gateway": gateway,
    "slow_store": slow_store,
    "steady": steady,
    "bulk_10000": bulk,
    "bulk_1000000": bulk,
    "mapping": mapping,
    "ceql": ceql,
    "writes": writes,
    "kill_storm": kill_storm,
    "work_storm": work_storm,
    "deliveries": deliveries,
    "workers": workers,
}


def main() -> None:
    lines = ["# Results\n", "Made by `benchmarks/tabulate.py` from the files beside this one.\n"]
    for name, section in SECTIONS.items():
        file = RESULTS / f"{name}.json"
        if file.exists():
            lines += section(json.loads(file.read_text()))
    (RESULTS / "README.md").write_text("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
