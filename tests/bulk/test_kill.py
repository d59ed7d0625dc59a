"""A worker that is killed at any named point loses no row and doubles none."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.yard import Yard, open_yard

POINTS = ("bulk.fetched", "bulk.written", "bulk.saved", "bulk.finished")


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it, nothing cleans up after it."""


@pytest.mark.parametrize("flavor", ["newer", "classic"])
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("time", [1, 3])
def test_each_row_is_once_in_the_file_whatever_breaks_off(
    tmp_path: Path, point: str, time: int, flavor: Any
) -> None:
    with open_yard(tmp_path, orders=330, flavor=flavor) as yard:
        expected, _ = yard.download("select * from orders")
        bulk_id = yard.start("select * from orders")
        died = break_off(yard, point, time)
        yard.crowded = False
        yard.work_off()

        receipt = yard.receipt(bulk_id)
        assert yard.lines(bulk_id, "orders") == yard.lines(expected, "orders")
        assert (receipt["rows"], receipt["distinct"], receipt["complete"]) == (330, 330, True)
        assert died or point == "bulk.finished"
        # Another run compares with what this one has kept.
        _, later = yard.download("select * from orders", lastRunDate="last")
        assert (later["complete"], later["rows"]) == (True, 0)


def break_off(yard: Yard, point: str, time: int) -> bool:
    """Let the work end at a point as a kill would: what is not committed is lost."""
    passed = 0

    def mark(name: str) -> None:
        nonlocal passed
        passed += name == point
        if name == point and passed == time:
            raise Killed

    yard.on_mark = mark
    yard.crowded = True
    died = False
    try:
        yard.work_off()
    except Killed:
        died = True
    yard.on_mark = lambda _: None
    yard.take_over()
    return died


def test_a_real_kill_leaves_files_that_nobody_knows_at_most(tmp_path: Path) -> None:
    with open_yard(tmp_path, orders=230) as yard:
        pid = os.fork()
        if pid == 0:
            # The child writes a file as a worker does, and dies before its row is there.
            from polyvalent.bulk.part import Folder

            folder = Folder(path=yard.stage.settings.bulk_path, random=os.urandom)
            folder.write(b"x" * 100_000, bulk_id=7, key=b"k" * 32)
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(pid, 0)
        _, receipt = yard.download("select * from orders")

        assert receipt["rows"] == 230
        assert len(list(yard.stage.settings.bulk_path.glob("7/*.part"))) == 1
