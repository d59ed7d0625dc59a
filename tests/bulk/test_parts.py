"""What downloads are made of: receipts, marks, files, formats, comparison."""

from __future__ import annotations

import csv
import io
import json
import os
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from polyvalent.bulk.bounds import find_date_query, parse_moment
from polyvalent.bulk.compare import Comparison, digest_rows, pack_pairs
from polyvalent.bulk.csv_text import find_columns, write_csv
from polyvalent.bulk.marks import Marks, mark_of, pack
from polyvalent.bulk.parquet import write_parquet
from polyvalent.bulk.part import PIECE_BYTES, Folder
from polyvalent.bulk.receipt import (
    Facts,
    PageFacts,
    Tally,
    is_intact,
    make_receipt,
    note_page,
    seal_receipt,
)
from polyvalent.catalog.element import ElementObject, ObjectField
from polyvalent.errors import BadRequest, Misconfigured, NotFound
from polyvalent.vault import KeyRing

KEY = bytes(range(32))
FACTS = Facts(
    job_id=7,
    instance_id=1,
    element_key="shop",
    object_name="orders",
    statement_fingerprint="f" * 32,
    key_field="id",
    by="keyset",
    filtered=False,
    limited=False,
    changed_field="updated_at",
    created_field=None,
    incremental=None,
    started_at="2026-11-28T12:00:00.000Z",
    finished_at="2026-11-28T12:00:05.000Z",
    vendor_clock_s=0.0,
    watermark="2026-11-28T11:59:00.000Z",
)


def page(numbers: list[int], **more: Any) -> PageFacts:
    defaults: dict[str, Any] = {
        "fingerprint": f"{numbers}",
        "received": len(numbers) + more.get("repeated", 0),
        "keys": list(map(str, numbers)),
        "numbers": numbers,
    }
    return PageFacts(**{**defaults, **more})


def tally_of(*pages: PageFacts) -> Tally:
    tally = Tally()
    for facts in pages:
        note_page(tally, facts)
        tally.rows += len(facts.keys)
    return tally


@given(st.lists(st.lists(st.integers(1, 300), min_size=1, unique=True), max_size=6))
@example([[1, 2, 5], [6, 9]])
@example([[9, 8, 5], [4, 1]])
def test_a_receipt_counts_keys_as_a_set_would(pages: list[list[int]]) -> None:
    seen: set[int] = set()
    fresh = []
    for numbers in pages:
        fresh.append([number for number in numbers if number not in seen])
        seen.update(numbers)
    tally = tally_of(*(page(numbers) for numbers in fresh if numbers))

    if seen:
        assert (tally.lowest, tally.highest) == (str(min(seen)), str(max(seen)))
        assert tally.missing_keys == max(seen) - min(seen) + 1 - len(seen)


def test_a_receipt_says_why_it_is_not_complete(ring: KeyRing) -> None:
    from dataclasses import replace

    whole = make_receipt(tally_of(page([1, 2]), page([3])), FACTS)
    numbered = make_receipt(tally_of(page([1, 2])), replace(FACTS, by="pages"))
    counted = make_receipt(tally_of(page([1, 2], total=2)), replace(FACTS, by="counts"))
    moved = make_receipt(
        tally_of(page([1, 2], total=3), page([3], total=4)), replace(FACTS, by="counts")
    )
    missed = make_receipt(tally_of(page([1, 2], total=3)), replace(FACTS, by="counts"))
    hidden = make_receipt(tally_of(page([], keyless=2, received=2)), FACTS)

    assert (whole["complete"], whole["proof"], whole["watermark"]) == (
        True,
        "keyset",
        FACTS.watermark,
    )
    assert (counted["complete"], counted["proof"]) == (True, "counts")
    for receipt, words in (
        (numbered, "by number only"),
        (moved, "3 rows at the start and 4 at the end"),
        (missed, "tells of 3 rows, but 2 were read"),
        (hidden, "without their key"),
    ):
        assert (receipt["complete"], receipt["watermark"], receipt["proof"]) == (False, None, None)
        assert words in receipt["reasons"][0]
    sealed = seal_receipt(ring, whole)
    assert is_intact(ring, json.loads(json.dumps(sealed))) is True
    assert is_intact(ring, {**sealed, "complete": False}) is False
    assert is_intact(ring, {**sealed, "seal": f"00000000.{'0' * 64}"}) is None
    assert is_intact(ring, whole) is False


@given(st.lists(st.text(max_size=5), max_size=300))
def test_marks_know_what_was_there(keys: list[str]) -> None:
    marks, seen = Marks(), set()
    for key in keys:
        assert marks.add(mark_of(key)) == (key not in seen)
        seen.add(key)
    assert len(marks) == len(seen)
    again = Marks(pack([mark_of(key) for key in seen]))
    assert not any(again.add(mark_of(key)) for key in seen)


def test_marks_of_a_million_rows_take_little() -> None:
    marks = Marks()
    tracemalloc.start()
    for number in range(200_000):
        marks.add(mark_of(str(number)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(marks) == 200_000
    assert peak < 8 * 1024 * 1024


@given(
    st.binary(max_size=40),
    st.integers(0, 3 * PIECE_BYTES),
    st.integers(0, 3 * PIECE_BYTES + 50),
)
@example(b"", 0, 0)
@example(b"x", PIECE_BYTES - 1, PIECE_BYTES)
def test_a_file_is_read_from_any_byte_on(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, length: int, begin: int
) -> None:
    folder = Folder(path=tmp_path_factory.getbasetemp() / "parts", random=os.urandom)
    content = (head + b"abcdefg" * (length // 7 + 1))[:length]
    name = folder.write(content, bulk_id=1, key=KEY)

    found = b"".join(folder.read(name, key=KEY, size_bytes=len(content), begin=begin))

    assert found == content[begin:]
    folder.remove(name)


def test_a_file_that_was_altered_cut_or_moved_is_not_read(tmp_path: Path) -> None:
    folder = Folder(path=tmp_path, random=os.urandom)
    name = folder.write(b"a" * 300_000, bulk_id=1, key=KEY)
    other = folder.write(b"b" * 300_000, bulk_id=1, key=KEY)
    file = tmp_path / name
    sealed = file.read_bytes()

    def read() -> bytes:
        return b"".join(folder.read(name, key=KEY, size_bytes=300_000))

    assert read() == b"a" * 300_000
    assert file.stat().st_mode & 0o777 == 0o600
    for wrong in (sealed[:-1], sealed[:9] + b"\0" + sealed[10:], (tmp_path / other).read_bytes()):
        file.write_bytes(wrong)
        with pytest.raises(Misconfigured, match="altered or cut"):
            read()
    file.unlink()
    with pytest.raises(NotFound, match="three days"):
        read()


def test_a_folder_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("a file where a folder should be")
    with pytest.raises(Misconfigured, match="POLYVALENT_BULK_DIR"):
        Folder(path=tmp_path, random=os.urandom).write(b"x", bulk_id=1, key=KEY)


SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8)
ROWS = st.lists(
    st.dictionaries(st.text(max_size=4), SCALARS | st.dictionaries(st.text(max_size=3), SCALARS)),
    max_size=8,
)


@given(ROWS)
@example([{"a": 'x,"y"\r\nz'}, {"b": {"c": 1, "d": [1]}}])
def test_csv_holds_every_value_under_a_header_of_all(rows: list[dict[str, Any]]) -> None:
    lines = [json.dumps(row).encode() for row in rows]
    columns = find_columns(lines)
    text = b"".join(write_csv(iter(lines), columns)).decode("utf-8", "surrogatepass")

    if not columns:
        assert text == ""
        return
    head, *records = csv.reader(io.StringIO(text, newline=""))
    assert head == list(columns)
    assert len(records) == len(rows)
    for row, record in zip(rows, records, strict=True):
        found = dict(zip(head, record, strict=True))
        for name, value in row.items():
            if isinstance(value, str) and not any(
                f"{other}." in name or name.startswith(f"{other}.") for other in row
            ):
                assert found[name] == value


def test_csv_refuses_more_columns_than_anybody_reads() -> None:
    lines = [json.dumps({f"c{n}_{m}": 1 for m in range(600)}).encode() for n in range(20)]
    with pytest.raises(BadRequest, match="more than 10000"):
        find_columns(lines)


def test_parquet_keeps_kinds_where_rows_agree() -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    rows = [
        {"id": 1, "price": 1, "ok": True, "name": "a", "mixed": 1, "in": {"x": 1}},
        {"id": 2, "price": 2.5, "ok": None, "name": None, "mixed": "b", "none": None},
    ]

    def lines() -> Iterator[bytes]:
        return iter([json.dumps(row).encode() for row in rows])

    table = pq.read_table(io.BytesIO(b"".join(write_parquet(lines))))

    assert {name: str(table.schema.field(name).type) for name in table.column_names} == {
        "id": "int64",
        "price": "double",
        "ok": "bool",
        "name": "string",
        "mixed": "string",
        "in": "string",
        "none": "string",
    }
    first, second = table.to_pylist()
    assert (first["price"], second["price"], first["in"]) == (1.0, 2.5, '{"x":1}')
    assert (first["mixed"], second["mixed"], second["ok"]) == ("1", "b", None)


NUMBERED = st.dictionaries(st.integers(0, 60), st.integers(0, 3), max_size=30)


@given(NUMBERED, NUMBERED, st.integers(1, 7), st.integers(1, 40))
def test_a_comparison_finds_what_sets_would(
    before: dict[int, int], after: dict[int, int], size: int, piece: int
) -> None:
    def rows_of(known: dict[int, int]) -> list[dict[str, int]]:
        return [{"id": number, "v": known[number]} for number in sorted(known)]

    old, new = rows_of(before), rows_of(after)
    packed = pack_pairs([row["id"] for row in old], digest_rows(old))
    comparison = Comparison(packed[at : at + piece] for at in range(0, len(packed), piece))
    found: dict[str, set[int]] = {"new": set(), "modified": set(), "deleted": set()}
    for at in range(0, len(new), size):
        some = new[at : at + size]
        told = comparison.compare([row["id"] for row in some], digest_rows(some))
        found["new"] |= {some[place]["id"] for place in told.new}
        found["modified"] |= {some[place]["id"] for place in told.modified}
        found["deleted"] |= set(told.deleted)
    found["deleted"] |= set(comparison.rest())

    assert found["new"] == set(after) - set(before)
    assert found["deleted"] == set(before) - set(after)
    assert found["modified"] == {n for n in set(before) & set(after) if before[n] != after[n]}


def test_the_field_of_a_bound_is_the_instances_or_the_objects_own() -> None:
    own = ElementObject(
        name="orders",
        updated_date_name="updated_at",
        fields=(ObjectField(name="updated_at"), ObjectField(name="seen_at")),
    )
    settings = {
        "bulk.query.field_name": "seen_at",
        "bulk.query.operator": ">",
        "bulk.query.date_mask": "dd/MM/yyyy",
    }
    moment = datetime(2017, 5, 24, 18, 31, 1, tzinfo=UTC)

    named = find_date_query(own, settings)
    plain = find_date_query(own, {})
    other = find_date_query(own, {**settings, "bulk.query.field_name": "of_another_object"})

    assert named is not None
    assert plain is not None
    assert other is not None
    assert (named.field, named.bounds(moment, None)) == ("seen_at", ((">", "24/05/2017"),))
    assert (plain.field, plain.bounds(moment, moment)) == (
        "updated_at",
        ((">=", "2017-05-24T18:31:01Z"), ("<=", "2017-05-24T18:31:01Z")),
    )
    assert other.field == "updated_at"
    assert find_date_query(ElementObject(name="stock"), {}) is None
    with pytest.raises(BadRequest, match=r"bulk\.query\.operator"):
        find_date_query(own, {"bulk.query.operator": "~"})
    wrong = find_date_query(own, {**settings, "bulk.query.date_mask": "QQQ"})
    assert wrong is not None
    with pytest.raises(BadRequest, match="date_mask"):
        wrong.bounds(moment, None)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2017-05-24T18:31:01.000Z", "2017-05-24T18:31:01+00:00"),
        ("2017-05-24T20:31:01+02:00", "2017-05-24T18:31:01+00:00"),
        ("2017-05-24 18:31:01", "2017-05-24T18:31:01+00:00"),
        ("2017-05-24", "2017-05-24T00:00:00+00:00"),
        (" ", None),
    ],
)
def test_moments_are_read_as_people_write_them(text: str, shown: str | None) -> None:
    found = parse_moment("from", text)

    assert (found and found.isoformat()) == shown
