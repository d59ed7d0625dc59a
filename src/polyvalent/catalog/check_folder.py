"""Hold the rules on the files of an element folder; see `check`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from polyvalent.catalog.element import Element
from polyvalent.catalog.read_yaml import read_yaml

README_SECTIONS = ("Credentials", "Limits", "Known gaps")
ICON_MAX_BYTES = 20_000
KNOWN_FILES = frozenset(("element.yaml", "README.md", "icon.svg", "hooks.py"))
KNOWN_FOLDERS = frozenset(("resources", "objects", "transformations", "exchanges", "__pycache__"))

# What would make a drawing load or run something.
_ACTIVE = re.compile(r"<script|<foreignObject|<!ENTITY|\bon\w+\s*=|href\s*=", re.IGNORECASE)


def folder_is_named_by_key(element: Element, folder: Path) -> Iterator[str]:
    """Find a folder whose name is not the element's key."""
    if element.key != folder.name:
        yield f"The folder {folder.name} holds an element with the key {element.key!r}."
    if not re.fullmatch(r"[a-z0-9]+", element.key):
        yield f"The key {element.key!r} may hold small letters and digits only."


def files_are_known(element: Element, folder: Path) -> Iterator[str]:
    """Find files that nothing reads, such as resources in the wrong folder."""
    del element
    for item in sorted(folder.iterdir()):
        if item.name not in (KNOWN_FOLDERS if item.is_dir() else KNOWN_FILES):
            yield f"{item.name} is not part of an element folder."
    for name in ("resources", "objects", "transformations", "exchanges"):
        for item in sorted((folder / name).glob("*")):
            if item.suffix != ".yaml":
                yield f"{name}/{item.name} is no .yaml file."


def objects_are_filed_by_name(element: Element, folder: Path) -> Iterator[str]:
    """Find object files that are called otherwise than their object."""
    names = {item.name for item in element.objects}
    for file in sorted((folder / "objects").glob("*.yaml")):
        if file.stem not in names:
            yield f"objects/{file.name} holds an object of another name."


def transformations_lead_to_objects(element: Element, folder: Path) -> Iterator[str]:
    """Find transformations of objects or fields that the element does not have."""
    fields = {item.name: {field.name for field in item.fields} for item in element.objects}
    for file in sorted((folder / "transformations").glob("*.yaml")):
        content = read_yaml(file)
        known = fields.get(content.get("vendorName"))
        if known is None:
            yield f"transformations/{file.name}: the element has no object {content['vendorName']}."
            continue
        for item in content.get("fields", ()):
            top = re.split(r"[.\[]", item["vendorPath"])[0]
            if top not in known:
                yield f"transformations/{file.name}: {content['vendorName']} has no field {top}."


def icon_is_a_drawing(element: Element, folder: Path) -> Iterator[str]:
    """Find a missing icon, or one that is no plain small drawing."""
    del element
    file = folder / "icon.svg"
    if not file.is_file():
        yield "icon.svg is missing."
        return
    text = file.read_text(encoding="utf-8")
    if not text.lstrip().startswith("<svg") or "viewBox" not in text:
        yield "icon.svg must begin with <svg and have a viewBox."
    if len(text.encode()) > ICON_MAX_BYTES:
        yield f"icon.svg is larger than {ICON_MAX_BYTES} bytes."
    if _ACTIVE.search(text):
        yield "icon.svg must not load or run anything."


def readme_has_its_sections(element: Element, folder: Path) -> Iterator[str]:
    """Find a README that leaves out what a merchant or engineer looks for."""
    file = folder / "README.md"
    if not file.is_file():
        yield "README.md is missing."
        return
    text = file.read_text(encoding="utf-8")
    for section in README_SECTIONS:
        body = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
        if body is None or not body.group(1).strip():
            yield f"README.md lacks the section {section!r}."
    for entry in element.configuration:
        if entry.required and not entry.default_value and f"`{entry.key}`" not in text:
            yield f"README.md does not say where `{entry.key}` comes from."


def exchanges_are_there(element: Element, folder: Path) -> Iterator[str]:
    """Find resources that no golden exchange shows at work."""
    files = sorted((folder / "exchanges").glob("*.yaml"))
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    tops = dict.fromkeys(item.path.split("/")[3] for item in element.resources)
    for name in tops:
        if not re.search(rf"\bpath: [\"']?(/hubs/\w+)?/{re.escape(name)}\b", text):
            yield f"exchanges/ shows no call of /{name}."


FolderRule = Callable[[Element, Path], Iterator[str]]
FOLDER_RULES: tuple[FolderRule, ...] = (
    folder_is_named_by_key,
    files_are_known,
    objects_are_filed_by_name,
    transformations_lead_to_objects,
    icon_is_a_drawing,
    readme_has_its_sections,
    exchanges_are_there,
)
