"""The rows of uploaded files: CSV and JSON, read piece by piece; what is broken names its place."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterable, Iterator

import pytest

from polyvalent.bulk.upload_csv import read_csv
from polyvalent.bulk.upload_json import read_json
from polyvalent.bulk.upload_text import ROW_CHARACTERS_MAX, UploadRow
from polyvalent.errors import BadRequest

Read = Callable[[Iterable[bytes]], Iterator[UploadRow]]


def rows_of(read: Read, content: bytes, *, piece: int = 7) -> list[tuple[int, int, object]]:
    pieces = (content[at : at + piece] for at in range(0, len(content), piece))
    return [(item.number, item.line, item.row) for item in read(pieces)]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
def test_it_reads_csv_however_it_comes(piece: int) -> None:
    content = (
        "\ufeffsku,name,billing.city,billing.zip\r\n"
        'a-1,"Lamp, ""small""\r\nand green",Orléans,"045"\r\n'
        "\r\n"
        'a-2,,"",\r\n'
        "a-3,😀,,7"
    ).encode()

    assert rows_of(read_csv, content, piece=piece) == [
        (
            1,
            2,
            {
                "sku": "a-1",
                "name": 'Lamp, "small"\r\nand green',
                "billing": {"city": "Orléans", "zip": "045"},
            },
        ),
        (2, 5, {"sku": "a-2", "billing": {"city": ""}}),
        (3, 6, {"sku": "a-3", "name": "😀", "billing": {"zip": "7"}}),
    ]


@pytest.mark.parametrize("piece", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    "content",
    [
        '[{"sku":"a]1","n":1.50},\n {"sku":"é","list":[{"x":null}]}]\n',
        '{"sku":"a]1","n":1.50}\n{"sku":"é","list":[{"x":null}]}\n',
        '\ufeff{"sku":"a]1",\n"n":1.50}\r\n\r\n{"sku":"é","list":[{"x":null}]}',
    ],
)
def test_it_reads_json_however_it_comes(content: str, piece: int) -> None:
    found = rows_of(read_json, content.encode(), piece=piece)

    assert [row for _, _, row in found] == [
        {"sku": "a]1", "n": 1.5},
        {"sku": "é", "list": [{"x": None}]},
    ]
    assert [number for number, _, _ in found] == [1, 2]
    assert found[1][1] == content[: content.index('{"sku":"é"')].count("\n") + 1


def test_it_reads_files_without_rows() -> None:
    assert rows_of(read_csv, b"sku,name\r\n") == []
    assert rows_of(read_json, b" [ ] ") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Line 1: the file is empty"),
        (b"\r\n\r\n", "Line 1: the file is empty"),
        (b"sku,,name\n1,2,3\n", "Line 1, column 5: the name of a field is missing"),
        (b"sku,name,sku\n", "Line 1, column 10: the field 'sku' is named twice"),
        (b"a.b,a\n", "Line 1, column 5: 'a' is both"),
        (b"a,a.b\n", "Line 1, column 3: 'a.b' is both"),
        (b"a..b\n", "Line 1, column 1: 'a..b' is no name"),
        (b"sku,name\n1,2\n1,2,3\n", "Line 3, column 5: 3 values, but the first line names 2"),
        (b"sku,name\n1\n", "Line 2, column 2: 1 value, but"),
        (b'sku,name\n1,5" pipe\n', "Line 2, column 4: a quote within a value"),
        (b'sku,name\n1,"x"y\n', "Line 2, column 6: a quoted value must be followed"),
        (b'sku,name\n1,"x\ny""\n', "Line 2, column 3: a quote is opened here and never closed"),
        (b'sku,name\n1,2\n"a",b"\n', "Line 3, column 6: a quote"),
        (b"sku,name\n1,a\rb\n", "Line 2, column 4: a carriage return"),
        (b"sku,name\n1,Orl\xe9ans\n", "Line 2, column 6: byte 0xe9 is no UTF-8"),
        ("sku,name\n".encode("utf-16"), "Line 1, column 1: the file is UTF-16"),
        (b"sku\n1\n\x00", "Line 3, column 1: a NUL"),
    ],
)
@pytest.mark.parametrize("piece", [1, 4, 1000])
def test_it_names_the_place_of_broken_csv(content: bytes, words: str, piece: int) -> None:
    with pytest.raises(BadRequest) as caught:
        rows_of(read_csv, content, piece=piece)

    assert words in caught.value.message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b" \n", "Line 1: the file is empty"),
        (b'"text"', "Line 1, column 1: a row must be an object"),
        (b"[1]", "Line 1, column 2: a row must be an object"),
        (b'[{"a":1}\n{"a":2}]', "Line 2, column 1: the array goes on with a comma"),
        (b'[{"a":1},\n', "never closed"),
        (b'[{"a":1}', "goes on with a comma, or ends"),
        (b"[", "never closed"),
        (b'[{"a":1}]\n{', "Line 2, column 1: something stands behind"),
        (b'{"a":1}\n{"a":}\n{"a":1111111111111111111111}', "Line 2, column 6: no JSON"),
        (b'{"a":1}\n{"a":"x', "Line 2, column 6: no JSON: Unterminated string"),
        (b'{"a":1}\n {"a":1,"a":2}', "Line 2, column 2: the row names its member 'a' twice"),
        (b'{"a":NaN}', "Line 1, column 1: NaN is no value"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "Line 1: the row is nested more than 100"),
        (b'{"a":' * 100_000, "no JSON"),
        (
            b'{"a":1}\n{"a":' + b"1" * 5000 + b"}",
            "Line 2, column 1: the row has a number of too many",
        ),
        (b'{"a":"\xff"}', "Line 1, column 7: byte 0xff"),
    ],
)
@pytest.mark.parametrize("piece", [1, 1000])
def test_it_names_the_place_of_broken_json(content: bytes, words: str, piece: int) -> None:
    if len(content) > 10_000:
        piece = 10_000
    with pytest.raises(BadRequest) as caught:
        rows_of(read_json, content, piece=piece)

    assert words in caught.value.message or "nested" in caught.value.message


@pytest.mark.parametrize(
    ("read", "begin", "words"),
    [
        (read_csv, b"", "Line 3: the row that begins here is longer than 10 MB"),
        (read_csv, b'"', "Line 3, column 1: a quote is opened here and never closed"),
        (read_json, b'{"a":"', "Line 1: the row that begins here is longer than 10 MB"),
    ],
)
def test_it_refuses_rows_that_are_too_long(read: Read, begin: bytes, words: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"sku\n1\n" if read is read_csv else b""
        yield begin
        for _ in range(2 * ROW_CHARACTERS_MAX // 65536):
            yield (b"x" * 63 + b"\n") * 1024 if begin == b'"' else b"x" * 65536

    with pytest.raises(BadRequest) as caught:
        list(read(pieces()))

    assert words in caught.value.message


@pytest.mark.parametrize("read", [read_csv, read_json])
def test_it_holds_one_piece_of_a_file_at_a_time(read: Read) -> None:
    line = b"1,2,3\n" if read is read_csv else json.dumps({"a": 1}).encode() + b"\n"
    piece = line * 2000

    def pieces() -> Iterator[bytes]:
        yield b"a,b,c\n" if read is read_csv else b"\n"
        for _ in range(50):
            yield piece

    tracemalloc.start()
    count = sum(1 for _ in read(pieces()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 100_000
    assert peak < 2_000_000
