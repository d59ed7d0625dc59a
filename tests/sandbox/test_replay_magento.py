"""
The simulator answers like the recorded store.

The recordings lie outside the repository: in the directory that POLYVALENT_RECORDINGS names, or
in ../shared/magento1 beside it. Exceptions are listed, each with its reason, in
replay_exceptions.yaml; one that begins to agree must be taken off the list.
"""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.sandbox.replay import Outcome, play_all, recordings_home

EXCEPTIONS = Path(__file__).with_name("replay_exceptions.yaml")
MINIMUM = 0.95


def report(outcomes: list[Outcome]) -> str:
    """Say how many of how many agree, by folder, and list each disagreement."""
    lines = []
    totals: Counter[str] = Counter()
    agreed: Counter[str] = Counter()
    for outcome in outcomes:
        folder = outcome.name.rsplit("/", 1)[0]
        totals[folder] += 1
        agreed[folder] += not outcome.differences
        if outcome.differences:
            lines.append(f"  {outcome.name}: {'; '.join(outcome.differences[:4])}")
    values = sum(outcome.has_equal_values for outcome in outcomes)
    head = [f"replay: {sum(agreed.values())} of {len(outcomes)} agree"]
    head += [f"  {folder}: {agreed[folder]} of {totals[folder]}" for folder in totals]
    head.append(f"  with equal values too: {values}")
    return "\n".join([*head, *(["disagreements:"] if lines else []), *lines])


def test_it_answers_like_the_recorded_store(capsys: pytest.CaptureFixture[str]) -> None:
    home = recordings_home()
    if home is None:
        pytest.skip("no recordings: set POLYVALENT_RECORDINGS to their directory")
    listed = {e["recording"]: e["reason"] for e in yaml.safe_load(EXCEPTIONS.read_text())}

    outcomes = list(play_all(home))

    with capsys.disabled():
        print("\n" + report(outcomes))
    disagreeing = {o.name for o in outcomes if o.differences}
    known = {o.name for o in outcomes}
    assert len(outcomes) > 1000
    assert 1 - len(disagreeing) / len(outcomes) >= MINIMUM
    assert sorted(set(listed) - known) == [], "exceptions that name no recording"
    assert sorted(disagreeing - set(listed)) == [], "disagreements without a reason"
    assert sorted(set(listed) - disagreeing) == [], "exceptions that agree by now"
    assert all(listed.values())
