"""Forms with a file, read piece by piece, and files larger than what is in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from polyvalent.api.form import read_form
from tests.bulk.test_upload import form, outcomes, start
from tests.bulk.yard import open_yard

BOUNDARY = "----a-boundary"


@pytest.mark.parametrize("size", [1, 2, 3, 17, 64, 100_000])
def test_it_finds_the_parts_wherever_the_pieces_end(size: int) -> None:
    content = b"a\r\n--" + BOUNDARY[:-1].encode() + b"\r\n----\r\n\x00\xff--" + b"\r" * 5
    body = b"preamble\r\n" + form(
        [
            ('name="metaData"', b'{"a":1}'),
            ('name="file"; filename="röws.csv"', content),
            ('name="empty"', b""),
        ]
    )
    taken = bytearray()

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    async def take(piece: bytes) -> None:
        taken.extend(piece)

    content_type = f'multipart/form-data; boundary="{BOUNDARY}"'
    found = asyncio.run(
        read_form(content_type, pieces(), file="file", take=take, example="-F file=@f")
    )

    assert bytes(taken) == content
    assert found.fields == {"metaData": '{"a":1}', "empty": ""}
    assert found.file_name is not None


def test_it_takes_in_files_that_are_larger_than_a_piece_in_memory(tmp_path: Path) -> None:
    rows = [{"email": f"n{number}@example.com", "firstname": "x" * 150_000} for number in range(40)]
    content = b"\n".join(json.dumps(row).encode() for row in rows)
    with open_yard(tmp_path, orders=1, products=1, customers=2) as yard:
        dry = {"dryRun": "true"}
        bulk_id = start(yard, "customers", content, file="rows.jsonl", query=dry, action="create")
        kept = [path.stat().st_size for path in yard.stage.settings.bulk_path.glob("*/*")]
        yard.work_off()

        assert len(kept) == 3
        assert sum(kept) > 40 * 150_000
        assert outcomes(yard, bulk_id) == ["created"] * 40
