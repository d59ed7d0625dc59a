"""
Load the objects that every element of a hub is to speak of alike, and how each element does.

`hubs/{hub}/*.yaml` define the objects, one a file, each field with its type and meaning;
`elements/{key}/transformations/*.yaml` map them to the vendor's. Both are the platform's own
definitions and transformations, of the level "system": what an organization, account or instance
defines stands above them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from polyvalent.catalog.read_yaml import read_yaml
from polyvalent.catalog.unknown import find_unknown_members
from polyvalent.errors import BadRequest, Misconfigured
from polyvalent.mapping import SYSTEM, ObjectDefinition, Transformation, compile_mapping

T = TypeVar("T")

HUBS_FOLDER = Path(__file__).resolve().parent.parent / "hubs"


@dataclass(frozen=True, kw_only=True)
class CommonResources:
    """Hold definitions by hub and name, transformations by element key and name."""

    definitions: Mapping[str, Mapping[str, ObjectDefinition]] = field(default_factory=dict)
    transformations: Mapping[str, Mapping[str, Transformation]] = field(default_factory=dict)

    def definitions_of(self, hub: str) -> Mapping[str, ObjectDefinition]:
        """Return the definitions of a hub by name."""
        return self.definitions.get(hub, {})

    def transformations_of(self, element_key: str) -> Mapping[str, Transformation]:
        """Return the transformations of an element by name."""
        return self.transformations.get(element_key, {})

    def find_definition(self, name: str) -> ObjectDefinition | None:
        """Return the definition of a name, whatever its hub."""
        for known in self.definitions.values():
            if name in known:
                return known[name]
        return None

    def all_definitions(self) -> tuple[ObjectDefinition, ...]:
        """Return the definitions of all hubs, by hub and name."""
        return tuple(item for known in self.definitions.values() for item in known.values())


def load_common_resources(
    folders: Iterable[tuple[str, Path]], *, hubs_folder: Path = HUBS_FOLDER
) -> CommonResources:
    """
    Read the definitions of all hubs, and the transformations of element folders.

    `folders` are pairs of an element's hub and its folder, which is named by its key.
    Raises Misconfigured, naming the file: a member that is not known, an object that the hub does
    not define, a field that the object lacks, a path that cannot be read. Effects: reads files.
    """
    definitions = {
        folder.name: _read_definitions(folder)
        for folder in sorted(hubs_folder.iterdir())
        if folder.is_dir() and any(folder.glob("*.yaml"))
    }
    transformations = {
        folder.name: _read_transformations(folder, definitions.get(hub, {}))
        for hub, folder in folders
    }
    return CommonResources(definitions=definitions, transformations=transformations)


def _read_definitions(folder: Path) -> dict[str, ObjectDefinition]:
    found: dict[str, ObjectDefinition] = {}
    for file in sorted(folder.glob("*.yaml")):
        item = replace(_read(file, ObjectDefinition), level=SYSTEM)
        if item.object_name != file.stem:
            raise Misconfigured(f"{file}: holds an object of another name: {item.object_name}")
        found[item.object_name] = item
    return found


def _read_transformations(
    folder: Path, definitions: Mapping[str, ObjectDefinition]
) -> dict[str, Transformation]:
    found: dict[str, Transformation] = {}
    for file in sorted((folder / "transformations").glob("*.yaml")):
        item = replace(_read(file, Transformation), level=SYSTEM)
        definition = definitions.get(item.object_name)
        if definition is None or item.object_name != file.stem:
            raise Misconfigured(f"{file}: {item.object_name!r} is no object of the hub so named.")
        unknown = {part.path for part in item.fields} - {part.path for part in definition.fields}
        if unknown:
            raise Misconfigured(f"{file}: {item.object_name} has no field {min(unknown)!r}.")
        try:
            compile_mapping(definition, item)
        except BadRequest as error:
            raise Misconfigured(f"{file}: {error.message}") from error
        found[item.object_name] = item
    return found


def _read(file: Path, shape: type[T]) -> T:
    data = read_yaml(file)
    for place in find_unknown_members(data, shape):
        raise Misconfigured(f"{file}: {place} is not a member that the format knows.")
    try:
        return msgspec.convert(data, type=shape)
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{file}: {error}") from error
