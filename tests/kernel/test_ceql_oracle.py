"""
The meaning of queries, judged by SQLite.

Rows as a store would send them (numbers as texts, dates in any form, members that are absent) are
also loaded into a table of plain values. 2 000 queries, written once in our language and once in
SQL from the same draw, must give the same rows in the same order. The test's own moments and
numbers are made before they are written in any form, so none of our readers judges itself.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest

from polyvalent.ceql import (
    check_where,
    compile_match,
    compile_order,
    parse_order,
    parse_where,
)

ROWS, QUERIES = 300, 2000
KINDS = {"id": "number", "name": "text", "qty": "number", "placed": "date", "paid": "boolean"}
NAMES = ["Mug", "mug", "MUG-1", "mug_red", "mugXred", "O'Hara", "", " mug", "a.b", "Zoë", "10", "9"]
NUMBERS = [0, 1, 7, -3, 12.5, 12.25, 99.99, 100, 1000000, 9007199254740993]
DAY = datetime(2024, 2, 1, tzinfo=UTC)
MOMENTS = [DAY + timedelta(hours=6 * n, seconds=n % 3) for n in range(-8, 9)]
SIGNS = ("=", "!=", "<>", "<", "<=", ">", ">=")


def write_number(random, number):
    """Write a number as a store may send it."""
    forms = [number, str(number), f" {number} "]
    if number != 9007199254740993:
        forms += [f"{number:.4f}", float(number)]
    return random.choice(forms)


def write_moment(random, at):
    """Write a moment as a store may send it."""
    local = at.astimezone(timezone(timedelta(hours=random.choice((-8, 2, 5.5)))))
    forms = [
        f"{at:%Y-%m-%d %H:%M:%S}",
        at.isoformat().replace("+00:00", "Z"),
        local.isoformat(),
        f"{local:%Y-%m-%dT%H:%M:%S%z}",
        int(at.timestamp()),
        int(at.timestamp()) * 1000,
    ]
    if at.hour == at.second == 0:
        forms.append(f"{at:%Y-%m-%d}")
    return random.choice(forms)


def make_rows(random):
    """Make rows twice: as JSON of a store, as values for SQLite."""
    sent, stored = [], []
    for number in range(ROWS):
        plain = {
            "name": random.choice(NAMES),
            "qty": random.choice(NUMBERS),
            "placed": random.choice(MOMENTS),
            "paid": random.choice((True, False)),
        }
        row = {
            "id": number,
            "name": plain["name"],
            "qty": write_number(random, plain["qty"]),
            "placed": write_moment(random, plain["placed"]),
            "paid": random.choice([plain["paid"], int(plain["paid"]), str(plain["paid"])]),
        }
        for field in plain:
            if random.random() < 0.15:
                plain[field] = None
                row[field] = None
                if random.random() < 0.5:
                    del row[field]
        moment = plain["placed"]
        stored.append(
            (number, plain["name"], plain["qty"], moment and moment.timestamp(), plain["paid"])
        )
        sent.append(row)
    return sent, stored


def quote(random, text):
    double = '"' + text.replace('"', '""') + '"'
    return random.choice(["'" + text.replace("'", "''") + "'", double])


def draw_value(random, field):
    """Draw a value twice: as text of our language, as parameter of SQLite."""
    if field == "name":
        text = random.choice(NAMES)
        if text.isalpha() and random.random() < 0.3:
            return text, text
        return quote(random, text), text
    if field == "placed":
        at = random.choice(MOMENTS)
        form = str(write_moment(random, at))
        return (form if " " not in form and random.random() < 0.3 else quote(random, form)), (
            at.timestamp()
        )
    if field == "paid":
        truth = random.choice((True, False))
        return random.choice([f"'{str(truth).lower()}'", str(int(truth)), str(truth)]), truth
    number = random.choice(NUMBERS if field == "qty" else range(0, ROWS, 7))
    return random.choice([str(number), f"'{number}'"]), number


def any_case(random, word):
    return random.choice([word, word.upper(), word.title()])


def draw_predicate(random):
    """Draw a predicate twice: ours, and SQL with its parameters."""
    field = random.choice(["id", "name", "name", "qty", "qty", "placed", "placed", "paid"])
    space = random.choice(["", " ", "  "])
    kind = random.random()
    if kind < 0.1:
        test = random.choice(["is null", "is not null"])
        return f"{field} {any_case(random, test)}", f"{field} {test}", ()
    negated = random.choice(["", "not "])
    if kind < 0.3:
        pairs = [draw_value(random, field) for _ in range(random.randint(1, 4))]
        ours = f"{field} {any_case(random, negated + 'in')}{space}(" + ",".join(
            f"{space}{text}" for text, _ in pairs
        )
        marks = ",".join("?" * len(pairs))
        return f"{ours})", f"{field} {negated}in ({marks})", tuple(v for _, v in pairs)
    if kind < 0.5 and field == "name":
        pieces = ["%", "m", "U", "g", "_", "red", "-", ".", "'", "o", " "]
        pattern = "".join(random.choice(pieces) for _ in range(random.randint(1, 4)))
        if random.random() < 0.5:
            pattern = f"%{pattern}%"
        ours = f"{field} {any_case(random, negated + 'like')} {quote(random, pattern)}"
        escaped = pattern.replace("\\", "\\\\").replace("_", "\\_")
        return ours, f"{field} {negated}like ? escape '\\'", (escaped,)
    sign = random.choice(SIGNS[:3] if field == "paid" else SIGNS)
    text, value = draw_value(random, field)
    return f"{field}{space}{sign}{space}{text}", f"{field} {sign} ?", (value,)


def draw_query(random, depth=3):
    if depth == 0 or random.random() < 0.35:
        return draw_predicate(random)
    join = random.choice(["and", "or"])
    parts = [draw_query(random, depth - 1) for _ in range(random.randint(2, 3))]
    ours = f" {any_case(random, join)} ".join(f"({text})" for text, *_ in parts)
    sql = f" {join} ".join(f"({text})" for _, text, _ in parts)
    return ours, sql, tuple(value for *_, values in parts for value in values)


def draw_order(random):
    fields = random.sample(list(KINDS), random.randint(0, 3))
    return ", ".join(f"{field}{random.choice(['', ' asc', ' desc'])}" for field in fields)


@pytest.mark.parametrize("seed", [1, 2])
def test_queries_give_the_rows_that_sqlite_gives_in_the_same_order(seed):
    random = Random(seed)
    sent, stored = make_rows(random)
    database = sqlite3.connect(":memory:")
    database.execute("create table t (id, name, qty, placed, paid)")
    database.executemany("insert into t values (?, ?, ?, ?, ?)", stored)
    sizes = Counter()
    for _ in range(QUERIES // 2):
        ours, sql, values = draw_query(random)
        order = draw_order(random)

        tree = parse_where(ours)
        check_where(tree, KINDS, object_name="rows")
        rows = filter(compile_match(tree, KINDS), sent)
        found = [row["id"] for row in sorted(rows, key=compile_order(parse_order(order), KINDS))]

        by = f"{order}, rowid" if order else "rowid"
        expected = [
            number
            for (number,) in database.execute(f"select id from t where {sql} order by {by}", values)
        ]
        assert found == expected, (ours, order)
        sizes["none" if not expected else "all" if len(expected) == ROWS else "some"] += 1
    database.close()

    # Queries that take nothing or everything would show little.
    assert sizes["some"] > 0.75 * QUERIES / 2, sizes
