"""
How long does it take to map 100 records of 20 fields, ours beside the dict code most would write?

Ours is a compiled transformation; the other walks the list of fields for each record, splitting
the paths as it goes. Three mappings: `renamed` (20 members renamed), `typed` (of these 6 converted:
numbers, booleans, dates) and `nested` (of these 6 nested and a list of lines). Both give the same
records, which is checked first; they run in alternating rounds, and each cell is the median.

    .venv/bin/python -m benchmarks.bench_mapping [--rounds 31] [--keep]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from benchmarks.machine import RESULTS, describe
from polyvalent.mapping import Entry, MappedField, Transformation, compile_mapping

RECORDS = 100
FIELDS = 20
TARGET_MS = 1.0
STRICT = Entry(type="passThrough", properties={"fromVendor": False, "toVendor": False})
MASKED = Entry(type="dateMask", properties={"vendor": "yyyy-MM-dd HH:mm:ss"})


def make_fields(kind: str) -> list[MappedField]:
    fields = [MappedField(path=f"c{n}", vendor_path=f"vendor_{n}") for n in range(FIELDS)]
    if kind in ("typed", "nested"):
        fields[0] = MappedField(path="c0", vendor_path="vendor_0", type="number")
        fields[1] = MappedField(path="c1", vendor_path="vendor_1", type="number")
        fields[2] = MappedField(path="c2", vendor_path="vendor_2", type="boolean")
        fields[3] = MappedField(path="c3", vendor_path="vendor_3", type="boolean")
        for n in (4, 5):
            fields[n] = MappedField(
                path=f"c{n}", vendor_path=f"vendor_{n}", type="date", configuration=(MASKED,)
            )
    if kind == "nested":
        for n in range(6, 10):
            fields[n] = MappedField(path=f"address.c{n}", vendor_path=f"vendor_{n}")
        fields[10] = MappedField(path="lines[*].code", vendor_path="items[*].sku")
        fields[11] = MappedField(path="lines[*].amount", vendor_path="items[*].qty")
    return fields


def make_row(number: int) -> dict[str, Any]:
    row: dict[str, Any] = {f"vendor_{n}": f"value {number} {n}" for n in range(FIELDS)}
    row |= {"vendor_0": "313.06", "vendor_1": str(number), "vendor_2": "1", "vendor_3": "0"}
    row |= {"vendor_4": "2023-11-16 06:13:20", "vendor_5": "2024-02-29 23:59:59"}
    row["items"] = [{"sku": f"sku-{n}", "qty": n} for n in range(3)]
    return row


def map_naively(fields: list[MappedField], row: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field in fields:
        if "[*]" in field.vendor_path:
            source, inner = field.vendor_path.split("[*].")
            target, leaf = field.path.split("[*].")
            lines = made.setdefault(target, [])
            for place, item in enumerate(row.get(source, [])):
                if place == len(lines):
                    lines.append({})
                lines[place][leaf] = item[inner]
            continue
        value: Any = row
        for part in field.vendor_path.split("."):
            value = value.get(part)
        if field.type == "number":
            value = float(value) if "." in value else int(value)
        elif field.type == "boolean":
            value = value in ("1", "true", 1, True)
        elif field.type == "date":
            moment = datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            value = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        place_in = made
        *parents, leaf = field.path.split(".")
        for part in parents:
            place_in = place_in.setdefault(part, {})
        place_in[leaf] = value
    return made


def time_ms(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return (time.perf_counter() - started) * 1e3


def measure(*, rounds: int) -> list[dict[str, object]]:
    found = []
    rows = [make_row(number) for number in range(RECORDS)]
    for kind in ("renamed", "typed", "nested"):
        fields = make_fields(kind)
        transformation = Transformation(
            object_name="o", fields=tuple(fields), configuration=(STRICT,)
        )
        mapping = compile_mapping(None, transformation)
        shown = [mapping.outwards(row) for row in rows]
        if shown != [map_naively(fields, row) for row in rows]:
            raise SystemExit(f"{kind}: the two results differ")
        ours, naive, back = [], [], []
        for _ in range(rounds):
            ours.append(time_ms(lambda: [mapping.outwards(row) for row in rows]))  # noqa: B023
            naive.append(time_ms(lambda: [map_naively(fields, row) for row in rows]))  # noqa: B023
            back.append(time_ms(lambda: [mapping.inwards(row) for row in shown]))  # noqa: B023
        found.append(
            {
                "mapping": kind,
                "outwards_ms": round(statistics.median(ours), 3),
                "inwards_ms": round(statistics.median(back), 3),
                "naive_ms": round(statistics.median(naive), 3),
                "ratio": round(statistics.median(naive) / statistics.median(ours), 2),
            }
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/mapping.json")
    chosen = parser.parse_args()

    rows = measure(rounds=chosen.rounds)
    print(f"{'mapping':<10}{'outwards ms':>13}{'inwards ms':>12}{'naive ms':>10}{'ratio':>8}")
    for row in rows:
        print(
            f"{row['mapping']:<10}{row['outwards_ms']:>13}{row['inwards_ms']:>12}"
            f"{row['naive_ms']:>10}{row['ratio']:>8}"
        )
    if chosen.keep:
        report = {
            "question": "how long does it take to map a page of records?",
            "machine": describe("msgspec"),
            "records": RECORDS,
            "fields": FIELDS,
            "rounds": chosen.rounds,
            "target_outwards_ms": TARGET_MS,
            "rows": rows,
        }
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "mapping.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
