"""`polyvalent bulk`: rows into a file with and without a server, again after a kill, receipts."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bulk.yard import Yard, open_yard

ALLOW = {"POLYVALENT_EGRESS_ALLOW": "127.0.0.1/32"}


@pytest.fixture
def yard(tmp_path: Path):
    with open_yard(tmp_path / "data", orders=230) as opened:
        yield opened


def arguments(yard: Yard, tmp_path: Path, *more: str, name: str = "orders.jsonl") -> list[str]:
    return [
        *("bulk", "download", "--instance", str(yard.instance_id)),
        *("--query", "select * from orders", "--out", str(tmp_path / name)),
        *("--data-dir", str(tmp_path / "data"), *more),
    ]


def test_it_writes_rows_and_prints_the_receipt(shell, here, yard, tmp_path):
    done = shell.run(*arguments(yard, tmp_path, name="orders.csv"), **ALLOW)

    assert done.status == 0, done
    assert "230 rows of orders: complete" in done.out
    with (tmp_path / "orders.csv").open(newline="") as file:
        assert [int(row["id"]) for row in csv.DictReader(file)] == list(range(1, 231))
    assert {path.name for path in tmp_path.iterdir()} == {"data", "orders.csv", "tmp"}
    place = ("--instance", str(yard.instance_id), "--data-dir", str(tmp_path / "data"))
    told = json.loads(here("bulk", "receipt", "1", "--json", *place).out)
    (job,) = json.loads(here("bulk", "list", "--json", *place).out)
    assert (told["rows"], told["intact"], job["status"]) == (230, True, "COMPLETED")


def test_it_goes_on_after_a_kill(shell, yard, tmp_path):
    yard.shop.store.set_options(latency_ms=700)
    command = [sys.executable, "-m", "polyvalent.cli", *arguments(yard, tmp_path, "--json")]
    killed = subprocess.Popen(
        command, env=shell.environment | ALLOW, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    note = tmp_path / ".orders.jsonl.bulk"
    deadline = time.monotonic() + 20
    while not note.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(1.5)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    yard.shop.store.set_options(latency_ms=0)

    done = shell.run(*arguments(yard, tmp_path, "--json"), **ALLOW)

    assert done.status == 0, done
    receipt = json.loads(done.out)
    assert (receipt["jobId"], receipt["complete"]) == ("1", True)
    lines = (tmp_path / "orders.jsonl").read_text("utf-8").splitlines()
    assert [int(json.loads(line)["id"]) for line in lines] == list(range(1, 231))


def test_it_says_how_many_rows_are_gone(shell, yard, tmp_path):
    again = arguments(yard, tmp_path, "--since-last", "--reconcile")
    first = shell.run(*again, **ALLOW)
    for number in (9, 17):
        yard.shop.store.orders.delete(number)

    second = shell.run(*again, **ALLOW)
    third = shell.run(*again, "--json", **ALLOW)

    assert (first.status, "Deleted" in first.out) == (0, False), first
    assert "0 rows of orders: complete" in second.out, second
    assert second.out.partition("Deleted")[2].splitlines()[0].strip() == "2"
    assert json.loads(third.out)["incremental"]["deleted"] == 0


def test_it_says_what_is_wrong(here, yard, tmp_path):
    place = ("--data-dir", str(tmp_path / "data"), "--instance", str(yard.instance_id))
    out = ("--out", str(tmp_path / "x.csv"))
    bad = here("bulk", "download", *place, *out, "--query", "select * orders")
    kind = here("bulk", "download", *place, *out, "--query", "x", "--format", "xls")
    nowhere = here(
        *("bulk", "download", *place, "--query", "select * from orders"),
        *("--out", str(tmp_path / "no" / "x.csv")),
    )
    receipt = here("bulk", "receipt", "99", *place)

    assert (bad.status, "Error parsing query" in bad.err) == (1, True), bad
    assert bad.err.endswith("\n  select * orders\n           ^\n")
    assert kind.status == 2
    assert (nowhere.status, "does not exist" in nowhere.err) == (1, True)
    assert (receipt.status, "no bulk job 99" in receipt.err) == (1, True)
    assert {path.name for path in tmp_path.iterdir()} == {"data"}
