"""A server that is killed -9 leaves whole instances, or none: every named point once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.crash.keeper import Keeper
from tests.crash.kill import COMMITTED, Case, Recording, named_points, suffer

AT_ONCE = 2
# Where something lies open in the database, or was just closed.
TOUCHING = ("token.before_commit", "provision.inserted", "provision.before_commit")


def suffer_all(
    cases: Sequence[Case],
    *,
    folder: Path,
    shop: RunningStore,
    recording: Recording,
    database_url: str = "",
) -> list[str]:
    keeper = Keeper(folder=folder, database_url=database_url)
    try:
        keeper.start()
        return [
            f"{case}: {wrong}"
            for case in cases
            for wrong in suffer(case, keeper=keeper, shop=shop, complete=recording.complete)
        ]
    finally:
        keeper.close()


def test_every_point_that_the_source_names_is_passed(recording):
    assert len(named_points()) >= 20
    assert recording.points == named_points()


def test_a_kill_at_any_point_leaves_a_whole_instance_or_none(tmp_path, shop, recording):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        judged = pool.map(
            lambda number: suffer_all(
                recording.cases[number::AT_ONCE],
                folder=tmp_path / str(number),
                shop=shop,
                recording=recording,
            ),
            range(AT_ONCE),
        )

        wrong = [complaint for complaints in judged for complaint in complaints]

    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_forgets_what_a_killed_server_had_begun(tmp_path, shop, recording, database_url):
    cases = [
        case
        for case in recording.cases
        if case.point in TOUCHING
        or COMMITTED.search(case.point)
        or case.act in ("change", "remove", "write")
    ]

    wrong = suffer_all(
        cases, folder=tmp_path, shop=shop, recording=recording, database_url=database_url
    )

    assert len(cases) >= 8
    assert not wrong, "\n" + "\n".join(wrong)
