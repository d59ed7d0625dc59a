"""What a caller was answered outlives a kill at any moment; the long form is `storm.py`."""

from __future__ import annotations

import random

import pytest

from tests.crash.keeper import Keeper
from tests.crash.unforeseen import kill_at_work, kill_in_first_start


def test_a_kill_while_callers_work_takes_nothing_back(tmp_path, shop, recording):
    keeper = Keeper(folder=tmp_path)
    keeper.start()
    try:
        wrong = [
            complaint
            for number in range(3)
            for complaint in kill_at_work(
                keeper, shop, complete=recording.complete, chance=random.Random(number)
            )
        ]
    finally:
        keeper.close()

    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("delay_s", [0.02, 0.3])
def test_a_kill_in_the_first_start_leaves_a_folder_to_start_from(tmp_path, shop, delay_s):
    wrong = kill_in_first_start(lambda: Keeper(folder=tmp_path), shop, delay_s=delay_s)

    assert not wrong, "\n" + "\n".join(wrong)
