"""Keep what is the operator's business from callers."""

from __future__ import annotations

from tests.journeys.stage import Stage


def test_a_missing_key_file_is_not_named_to_callers(own_stage: Stage) -> None:
    own_stage.settings.key_path.rename(own_stage.settings.key_path.with_name("moved.json"))

    answer = own_stage.call("GET", "/instances")

    assert answer.status == 500
    assert "operator" in answer.message
    assert str(own_stage.settings.data_dir) not in answer.message
