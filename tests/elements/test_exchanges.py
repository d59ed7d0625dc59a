"""Every golden exchange of every element."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.elements.golden import list_cases, run_case

CASES = tuple(list_cases())


@pytest.mark.parametrize(
    ("folder", "case"), CASES, ids=[f"{folder.name}: {case['name']}" for folder, case in CASES]
)
async def test_answers_as_the_exchange_says(folder: Path, case: dict[str, Any]):
    await run_case(folder, case)


def test_tells_cases_apart_by_name():
    names = [(folder, case["name"]) for folder, case in CASES]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "change",
    [
        {"answer": {"json": {"id": "9"}}},
        {"answer": {"json": {}, "returned": 1}},
        {"exchanges": []},
        {"error": {"status": 404, "message": ""}, "answer": None},
    ],
)
async def test_notices_a_case_that_is_wrong(change: dict[str, Any]):
    folder, case = next(item for item in CASES if item[1]["name"] == "deletes a product")
    wrong = {key: value for key, value in {**case, **change}.items() if value is not None}

    with pytest.raises(AssertionError):
        await run_case(folder, wrong)
