"""`polyvalent bulk upload`: the rows of a file into a store, and what it says about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bulk.yard import Yard, open_yard

ALLOW = {"POLYVALENT_EGRESS_ALLOW": "127.0.0.1/32"}
ROWS = """email,firstname,lastname,website_id,group_id
one@example.com,One,Uploaded,1,1
two@example.com,Two,Uploaded,77,1
"""


@pytest.fixture
def yard(tmp_path: Path):
    with open_yard(tmp_path / "data", orders=1, products=1, customers=3) as opened:
        yield opened


def arguments(yard: Yard, tmp_path: Path, content: str, *more: str) -> list[str]:
    file = tmp_path / "rows.csv"
    file.write_text(content)
    return [
        *("bulk", "upload", "--instance", str(yard.instance_id), "--object", "customers"),
        *("--file", str(file), "--data-dir", str(tmp_path / "data"), *more),
    ]


def count(yard: Yard) -> int:
    return len(yard.call("GET", "/customers", query={"where": "lastname = 'Uploaded'"}).json())


def test_it_writes_rows_and_says_what_failed(shell, here, yard, tmp_path):
    dry = shell.run(*arguments(yard, tmp_path, ROWS, "--dry-run", "--json"), **ALLOW)
    before = count(yard)
    done = shell.run(*arguments(yard, tmp_path, ROWS, "--action", "create"), **ALLOW)

    assert json.loads(dry.out)["outcomes"] == {"created": 2}
    assert (dry.status, before) == (0, 0)
    assert (done.status, count(yard)) == (3, 1)
    assert "2 rows of customers: not all done" in done.out
    assert "line 3: " in done.err
    assert 'Invalid value "77" for website_id' in done.err
    place = ("--instance", str(yard.instance_id), "--data-dir", str(tmp_path / "data"))
    assert "Created" in here("bulk", "receipt", "2", *place).out


def test_it_refuses_a_broken_file(shell, yard, tmp_path):
    done = shell.run(*arguments(yard, tmp_path, 'email\n"a\n'), **ALLOW)

    assert done.status == 1
    assert "Line 2, column 1" in done.err
    assert count(yard) == 0
