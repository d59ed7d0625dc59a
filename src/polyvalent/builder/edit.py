"""
Change one part of an element: a parameter, hook, resource, object, field, or entry. Pure.

A place says which list is meant: `Place(kind="parameters", resource_id=7)` are the parameters of
resource 7, `Place(kind="parameters")` those of the element.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import structs

from polyvalent.builder.complete import give_numbers
from polyvalent.builder.read import read_part
from polyvalent.catalog.element import (
    ConfigurationEntry,
    Element,
    ElementObject,
    Hook,
    ObjectField,
    Parameter,
    Resource,
)
from polyvalent.errors import BadRequest, Conflict, NotFound

Part = ConfigurationEntry | Parameter | Hook | Resource | ElementObject | ObjectField

_SHAPES: dict[str, Any] = {
    "configuration": ConfigurationEntry,
    "parameters": Parameter,
    "hooks": Hook,
    "resources": Resource,
    "objects": ElementObject,
    "fields": ObjectField,
}
_SINGULAR = {
    "configuration": "configuration entry",
    "parameters": "parameter",
    "hooks": "hook",
    "resources": "resource",
    "objects": "object",
    "fields": "field",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Name a list of parts of an element, or of one of its resources or objects."""

    kind: str
    resource_id: int | None = None
    object_id: int | None = None


def list_parts(element: Element, place: Place) -> tuple[Part, ...]:
    """Return the parts at a place; raises NotFound for an unknown resource or object."""
    holder: Any = element
    if place.resource_id is not None:
        holder = find_resource(element, place.resource_id)
    elif place.object_id is not None:
        holder = _find(element.objects, str(place.object_id), kind="objects")
    parts: tuple[Part, ...] = getattr(holder, place.kind)
    return parts


def find_part(element: Element, place: Place, name: str) -> Part:
    """Return one part by its number, a configuration entry by its key; raises NotFound."""
    found: Part = _find(list_parts(element, place), name, kind=place.kind)
    return found


def find_resource(element: Element, resource_id: int) -> Resource:
    """Return a resource by its number; raises NotFound."""
    found: Resource = _find(element.resources, str(resource_id), kind="resources")
    return found


def add_part(
    element: Element, place: Place, members: dict[str, Any], *, created_at: str
) -> Element:
    """
    Return the element with one more part at the end of a place, numbered.

    `created_at` is the time in ISO form. Raises BadRequest for members that make no part,
    Conflict for a configuration entry that is there already, NotFound as `list_parts`.
    """
    parts = list_parts(element, place)
    part = read_part(members, _SHAPES[place.kind])
    if isinstance(part, ConfigurationEntry) and part.key in {
        item.key for item in parts if isinstance(item, ConfigurationEntry)
    }:
        raise Conflict(f"There is a configuration entry {part.key[:100]} already.")
    if isinstance(part, Parameter | Resource):
        part = structs.replace(part, created_date=created_at)
    return give_numbers(_put(element, place, (*parts, part)))


def change_part(element: Element, place: Place, name: str, members: dict[str, Any]) -> Element:
    """
    Return the element with one part changed; members that are absent stay as they are.

    Its number, a configuration entry's key, and the time it was made never change. Raises
    NotFound, and BadRequest also for a hook that would become a legacy one.
    """
    parts = list_parts(element, place)
    before = _find(parts, name, kind=place.kind)
    kept: dict[str, Any] = msgspec.to_builtins(before)
    merged = {**kept, **members, "id": before.id}
    if isinstance(before, ConfigurationEntry):
        merged["key"] = before.key
    after: Any = read_part(merged, _SHAPES[place.kind], known=_numbers(before))
    if isinstance(before, Hook) and after.is_legacy and not before.is_legacy:
        raise BadRequest("A hook that is not a legacy one cannot become one: leave out isLegacy.")
    if isinstance(before, Parameter | Resource):
        after = structs.replace(after, created_date=before.created_date)
    changed = tuple(after if item is before else item for item in parts)
    return give_numbers(_put(element, place, changed))


def drop_part(element: Element, place: Place, name: str) -> Element:
    """Return the element without one part; raises NotFound."""
    parts = list_parts(element, place)
    gone = _find(parts, name, kind=place.kind)
    return _put(element, place, tuple(item for item in parts if item is not gone))


def set_model(element: Element, resource_id: int, model: dict[str, Any] | None) -> Element:
    """Return the element with another model of a resource, or none; raises NotFound."""
    found = find_resource(element, resource_id)
    changed = structs.replace(found, model=model)
    return structs.replace(
        element,
        resources=tuple(changed if item is found else item for item in element.resources),
    )


def numbers_of(element: Element) -> frozenset[int]:
    """Return the numbers of all parts of an element."""
    parts: list[Any] = [
        *element.configuration,
        *element.parameters,
        *element.hooks,
        *element.resources,
        *element.objects,
    ]
    return frozenset(number for part in parts for number in _numbers(part))


def _put(element: Element, place: Place, parts: tuple[Any, ...]) -> Element:
    if place.resource_id is not None:
        return structs.replace(
            element,
            resources=tuple(
                structs.replace(item, **{place.kind: parts})
                if item.id == place.resource_id
                else item
                for item in element.resources
            ),
        )
    if place.object_id is not None:
        return structs.replace(
            element,
            objects=tuple(
                structs.replace(item, **{place.kind: parts}) if item.id == place.object_id else item
                for item in element.objects
            ),
        )
    return structs.replace(element, **{place.kind: parts})


def _find(parts: tuple[Any, ...], name: str, *, kind: str) -> Any:
    for part in parts:
        if name == (part.key if isinstance(part, ConfigurationEntry) else str(part.id)):
            return part
    raise NotFound(f"There is no {_SINGULAR[kind]} {name[:100]!r} here.")


def _numbers(part: Any) -> tuple[int, ...]:
    inner = [
        *getattr(part, "parameters", ()),
        *getattr(part, "hooks", ()),
        *getattr(part, "fields", ()),
    ]
    return (part.id, *(item.id for item in inner))
