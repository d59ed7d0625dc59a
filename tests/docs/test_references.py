"""The reference names everything that the code offers, and nothing that it does not."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
import tomllib

import msgspec
import pytest
from packaging.requirements import Requirement

import polyvalent
from polyvalent.api.app import OPERATIONS
from polyvalent.catalog import element as model
from polyvalent.catalog import writing
from polyvalent.catalog.element import FailureKind
from polyvalent.catalog.load import load_catalog
from polyvalent.errors import PolyvalentError
from polyvalent.sandbox.magento.options import FAULT_NAMES, StoreOptions
from polyvalent.settings import Settings
from tests.docs.generate import DOCUMENTS
from tests.docs.pages import DOCS, ROOT, read_page

REFERENCE = DOCS / "reference"


def error_classes() -> set[type[PolyvalentError]]:
    """Return every class of error, wherever in the package it is defined."""
    for module in pkgutil.walk_packages(polyvalent.__path__, "polyvalent."):
        if ".migrations" not in module.name and ".elements." not in module.name:
            importlib.import_module(module.name)

    def below(kind: type[PolyvalentError]) -> set[type[PolyvalentError]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    # The command line's own are never on the wire.
    ours = re.compile(r"polyvalent\.(?!cli\b)")
    return {kind for kind in below(PolyvalentError) if ours.match(kind.__module__)}


def rows(page: str) -> dict[str, tuple[str, ...]]:
    """Read the tables of a page: the first cell's code to the cells of its row."""
    found = {}
    for line in (REFERENCE / page).read_text("utf-8").splitlines():
        cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
        name = re.match(r"`([^`]+)`", cells[0])
        if line.startswith("|") and name:
            found[name[1]] = cells
    return found


def test_every_error_has_a_row_with_its_status():
    table = rows("errors.md")
    classes = {kind.__name__: kind for kind in error_classes()}

    assert set(classes) == set(table)
    for name, kind in classes.items():
        fixed = "status" in inspect.signature(kind.__init__).parameters
        assert fixed or str(kind.status) in table[name][1], name
        assert len(table[name][3]) > 20, f"{name}: what to do?"


def test_every_setting_has_a_heading():
    text = (REFERENCE / "settings.md").read_text("utf-8")
    source = (ROOT / "src" / "polyvalent" / "settings.py").read_text("utf-8")
    known = set(re.findall(r"# ((?:POLYVALENT|OTEL)_[A-Z_]+):", source))

    assert len(known) == len(dataclasses.fields(Settings))
    assert set(re.findall(r"^## ((?:POLYVALENT|OTEL)_[A-Z_]+)$", text, re.MULTILINE)) >= known


def test_variables_are_known():
    scripts = "".join(
        (ROOT / name).read_text("utf-8")
        for name in ("src/polyvalent/settings.py", "bin/_environment.sh")
    )
    known = set(re.findall(r"POLYVALENT_[A-Z_]+", scripts))

    for page in (*DOCS.rglob("*.md"), *ROOT.glob("*.md")):
        used = set(re.findall(r"POLYVALENT_[A-Z_]+", page.read_text("utf-8")))
        assert used <= known, page


def test_every_member_of_the_element_model_is_described():
    page = read_page("docs/reference/element-format.md")
    sections = re.split(r"^## ", page.text, flags=re.MULTILINE)
    tables = {section.split("\n", 1)[0].strip("`"): section for section in sections}
    structs = {
        name: kind
        for name, kind in (*vars(model).items(), *vars(writing).items())
        if inspect.isclass(kind) and issubclass(kind, msgspec.Struct) and kind is not msgspec.Struct
    }

    assert set(structs) <= set(tables)
    for name, kind in structs.items():
        described = set(re.findall(r"^\| `(\w+)`", tables[name], re.MULTILINE))
        assert described == set(kind.__struct_encode_fields__), name
    for kind in FailureKind.__args__:
        assert f"`{kind}`" in page.text


def test_every_option_of_the_simulated_store_is_described():
    described = rows("sandbox.md")

    assert {field.name for field in dataclasses.fields(StoreOptions)} <= set(described)
    for name in FAULT_NAMES:
        assert "yes" in described[name][2], f"{name} can be switched while it runs"


def test_every_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(text for extra in extras for text in extra)]
    named = {Requirement(text).name for text in wanted}
    text = (DOCS / "decisions" / "0002-dependencies.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", text, re.MULTILINE))

    assert set(listed) == named
    assert all(len(reason) > 20 for reason in listed.values())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_generated_page_is_up_to_date(name):
    made = DOCUMENTS[name]()

    assert (REFERENCE / name).read_text("utf-8") == made, "run: python -m tests.docs.generate"


def test_every_operation_is_in_the_reference():
    text = (REFERENCE / "api.md").read_text("utf-8")

    for operation in OPERATIONS:
        assert f"### {operation.method} {operation.path}\n" in text


def test_every_resource_and_configuration_key_of_an_element_is_in_its_page():
    for element in load_catalog().elements:
        page = (REFERENCE / f"{element.key}.md").read_text("utf-8")
        for resource in element.resources:
            path = resource.path.removeprefix(f"/hubs/{element.hub}")
            assert f"`{resource.method} {path}`" in page
        for entry in element.configuration:
            assert f"`{entry.key}`" in page


def test_the_picture_of_the_architecture_shows_every_package():
    text = (DOCS / "explanation" / "architecture.md").read_text("utf-8")
    packages = {
        file.stem
        for file in (ROOT / "src" / "polyvalent").iterdir()
        if (file.is_dir() and list(file.iterdir())) or file.suffix == ".py"
    } - {"__init__", "__pycache__"}

    assert {name for name in packages if not re.search(rf"\b{name}\b", text)} == set()


def test_the_glossary_is_in_order():
    text = (DOCS / "glossary.md").read_text("utf-8")
    words = re.findall(r"^\*\*([^*]+)\.\*\*", text, re.MULTILINE)

    assert len(words) > 30
    assert words == sorted(words, key=str.lower)


def test_every_default_number_is_shown_with_its_setting():
    text = (REFERENCE / "settings.md").read_text("utf-8")

    for field in dataclasses.fields(Settings):
        if isinstance(field.default, (int, float)):
            assert re.search(rf"\b{field.default:.0f}\b", text), field.name
