"""An element that was exported and brought along under another key behaves identically."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from polyvalent.builder.complete import complete_brought
from polyvalent.builder.export import export_element
from polyvalent.builder.judge import find_faults
from polyvalent.builder.read import read_element
from polyvalent.catalog.element import Element
from polyvalent.catalog.load import find_element_folders, load_element
from tests.elements.golden import list_cases, run_case

CASES = tuple(list_cases())


def copy_of(folder: Path) -> Element:
    """Export an element and read it as `POST /elements` does."""
    exported = json.loads(json.dumps(export_element(load_element(folder))))
    element, warnings = read_element({**exported, "key": "copy"})
    assert warnings == ()
    assert not list(find_faults(element))
    return complete_brought(element, element_id=100_001)


@pytest.mark.parametrize(
    ("folder", "case"), CASES, ids=[f"{folder.name}: {case['name']}" for folder, case in CASES]
)
async def test_answers_as_the_exchange_says(folder: Path, case: dict[str, Any]) -> None:
    await run_case(folder, case, element=copy_of(folder))


@pytest.mark.parametrize("folder", find_element_folders(), ids=lambda folder: folder.name)
def test_keeps_everything_but_numbers_and_what_every_element_has(folder: Path) -> None:
    element, copy = load_element(folder), copy_of(folder)

    def shape(item: Element) -> dict[str, Any]:
        shown = export_element(structs.replace(item, key="", origin="", configuration=()))
        entries = {entry.key: msgspec.to_builtins(entry) for entry in item.configuration}
        own = {entry.key for entry in element.configuration}
        shown["configuration"] = [
            {**entry, "id": 0} for key, entry in entries.items() if key in own
        ]
        return shown

    assert shape(copy) == shape(element)
    twice, _ = read_element(export_element(copy))
    assert export_element(complete_brought(twice, element_id=7)) == export_element(copy)
