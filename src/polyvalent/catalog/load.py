"""
Turn folders of data into the catalog.

Knows where the files of an element lie and how they become one `Element`. Judges only what must
hold for the data to be read at all; whether an element is a good one is the work of `check`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, structs

from polyvalent.catalog.common_resources import CommonResources, load_common_resources
from polyvalent.catalog.element import Element, ElementObject, Resource
from polyvalent.catalog.number import number_element
from polyvalent.catalog.read_yaml import read_yaml
from polyvalent.catalog.unknown import find_unknown_members
from polyvalent.errors import Misconfigured, NotFound

T = TypeVar("T")

_PACKAGE = Path(__file__).resolve().parent.parent
ELEMENTS_FOLDER = _PACKAGE / "elements"
HUBS_FILE = _PACKAGE / "hubs" / "hubs.yaml"


class HubResource(Struct, frozen=True, rename="camel"):
    """Name one canonical resource of a hub: `{"path": "/products", "methods": ["GET"]}`."""

    path: str
    methods: tuple[str, ...]


class Hub(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Describe a category of elements; its key is the cosmetic part of resource paths."""

    id: int
    key: str
    name: str
    description: str
    active: bool = True
    # Resources by which elements of this hub name the same things.
    resources: tuple[HubResource, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Hold every element and hub that this process knows; see `load_catalog`."""

    elements: tuple[Element, ...]
    hubs: tuple[Hub, ...]
    by_name: Mapping[str, Element] = field(repr=False)
    common: CommonResources = field(default_factory=CommonResources, repr=False)

    def find(self, key_or_id: str) -> Element:
        """
        Return the element with this key or numeric id: `find("356")`.

        Raises NotFound, listing the known keys.
        """
        element = self.by_name.get(key_or_id)
        if element is None:
            known = ", ".join(item.key for item in self.elements)
            raise NotFound(f"There is no element {key_or_id[:100]!r}. Known keys: {known}.")
        return element

    def find_hub(self, key: str) -> Hub:
        """Return the hub with this key; raises NotFound, listing the known keys."""
        for hub in self.hubs:
            if hub.key == key:
                return hub
        known = ", ".join(hub.key for hub in self.hubs)
        raise NotFound(f"There is no hub {key[:100]!r}. Known keys: {known}.")

    def elements_of(self, hub_key: str) -> tuple[Element, ...]:
        """Return the elements of a hub, in the catalog's order."""
        return tuple(item for item in self.elements if item.hub == hub_key)


def load_catalog(folder: Path | None = None) -> Catalog:
    """
    Read the catalog: every element folder below `folder`, by default the packaged ones.

    Elements are ordered by key. Raises Misconfigured, naming file and place, when a file cannot
    be read as what it should be, or when two elements share a key or id. Effects: reads files.
    """
    hubs = load_hubs()
    folders = find_element_folders(folder)
    elements = tuple(load_element(item) for item in folders)
    by_name: dict[str, Element] = {}
    for element in elements:
        if element.hub not in {hub.key for hub in hubs}:
            raise Misconfigured(f"Element {element.key!r} belongs to an unknown hub: {element.hub}")
        for name in (element.key, str(element.id)):
            if name in by_name:
                raise Misconfigured(f"Two elements answer to the name {name!r}.")
            by_name[name] = element
    common = load_common_resources(
        (element.hub, item) for element, item in zip(elements, folders, strict=True)
    )
    return Catalog(elements=elements, hubs=hubs, by_name=by_name, common=common)


def load_hubs(file: Path = HUBS_FILE) -> tuple[Hub, ...]:
    """Read the list of hubs; raises Misconfigured, naming the place. Effects: reads a file."""
    return _convert(read_yaml(file), tuple[Hub, ...], file)


def find_element_folders(folder: Path | None = None) -> tuple[Path, ...]:
    """Return the folders that hold an `element.yaml`, ordered by name."""
    return tuple(file.parent for file in sorted((folder or ELEMENTS_FOLDER).glob("*/element.yaml")))


def load_element(folder: Path) -> Element:
    """
    Read one element folder: `element.yaml`, `resources/*.yaml`, `objects/*.yaml`.

    A resource file is a list of resources, an object file is one object. Numbers are given to
    entries that have none (see `number`), resource paths get their `/hubs/{hub}` prefix, an
    absent vendor method is the resource's own.
    Raises Misconfigured, naming file and place. Effects: reads files.
    """
    file = folder / "element.yaml"
    element = _convert(read_yaml(file), Element, file)
    resources = tuple(_read_resources(folder))
    objects = tuple(
        _convert(read_yaml(item), ElementObject, item)
        for item in sorted((folder / "objects").glob("*.yaml"))
    )
    return complete_element(
        structs.replace(
            element,
            resources=element.resources + resources,
            objects=element.objects + objects,
        )
    )


def complete_element(element: Element) -> Element:
    """Return the element with hub prefixes, vendor methods and numbers filled in."""
    hub = element.hub.lower()
    resources = tuple(
        structs.replace(
            resource,
            path=_prefix(resource.path, hub),
            method=resource.method.upper(),
            vendor_method=(resource.vendor_method or resource.method).upper(),
        )
        for resource in element.resources
    )
    return number_element(structs.replace(element, hub=hub, resources=resources))


def _prefix(path: str, hub: str) -> str:
    path = path if path.startswith("/") else f"/{path}"
    return path if path.startswith("/hubs/") else f"/hubs/{hub}{path}"


def _read_resources(folder: Path) -> Iterator[Resource]:
    for file in sorted((folder / "resources").glob("*.yaml")):
        yield from _convert(read_yaml(file), tuple[Resource, ...], file)


def _convert(data: Any, shape: type[T], file: Path) -> T:
    for place in find_unknown_members(data, shape):
        raise Misconfigured(f"{file}: {place} is not a member that the format knows.")
    try:
        return msgspec.convert(data, type=shape)
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{file}: {error}") from error
