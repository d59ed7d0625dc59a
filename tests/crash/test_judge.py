"""The judge of the crash tests sees what it is there to see: each fault planted once."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.crash.acts import ask_token, new_scene, start_over
from tests.crash.judge import look
from tests.crash.keeper import Keeper

FAULTS = {
    "a configuration without its instance": (
        "DELETE FROM instance WHERE id = 1",
        "configuration_entry of instance 1, which is gone",
    ),
    "a tag without its instance": (
        "INSERT INTO instance_tag (instance_id, position, tag) VALUES (9, 0, 'lost')",
        "instance_tag of instance 9",
    ),
    "an instance without a configuration entry": (
        "DELETE FROM configuration_entry WHERE key = 'store.url'",
        "instance 1 lacks configuration store.url",
    ),
    "an instance without tags": ("DELETE FROM instance_tag", "lacks tags"),
    "an authorization that is used and keeps its secret": (
        "UPDATE authorization_request SET used_at = created_at WHERE id = 2",
        "request 2 is used and keeps its secret",
    ),
    "an authorization that is unused and lost its secret": (
        "UPDATE authorization_request SET used_at = NULL WHERE id = 1",
        "request 1 is unused and has lost its secret",
    ),
    "a secret in another row's place": (
        "UPDATE authorization_request SET token_sealed = handle_sealed WHERE id = 2",
        "authorization_request 2 token_sealed",
    ),
    "a digest of another token": (
        "UPDATE instance SET token_digest = substr(token_digest, 1, 9) || 'x'",
        "token_digest is of another secret",
    ),
}


@pytest.fixture(scope="module")
def left_behind(shop, recording, tmp_path_factory) -> Keeper:
    """Return a dead server that left one instance and one authorization that waits."""
    keeper = Keeper(folder=tmp_path_factory.mktemp("left"))
    keeper.start()
    try:
        start_over(new_scene(keeper, shop))
        ask_token(new_scene(keeper, shop))
    finally:
        keeper.close()
    return keeper


def test_the_judge_finds_nothing_where_nothing_is_wrong(left_behind, recording):
    kept = look(left_behind.url, left_behind.key_path, complete=recording.complete)

    assert kept.wrong == ()
    assert len(kept.instances) == 1
    assert sorted(kept.requests.values()) == [False, True]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_judge_sees(fault, left_behind, recording, tmp_path: Path):
    statement, expected = FAULTS[fault]
    shutil.copytree(left_behind.data_dir, tmp_path / "data")
    copy = Keeper(folder=tmp_path)
    connection = sqlite3.connect(tmp_path / "data" / "polyvalent.db")
    with connection:
        connection.execute(statement)
    connection.close()

    wrong = look(copy.url, copy.key_path, complete=recording.complete).wrong

    assert any(expected in complaint for complaint in wrong), wrong
