"""Lay what an account adds to an element over it. Pure."""

from __future__ import annotations

from msgspec import structs

from polyvalent.builder.judge import place_of
from polyvalent.catalog.element import Element, Resource


def extend_element(base: Element, additions: Element | None) -> Element:
    """
    Return an element with an account's own resources.

    One with the type, method and path of the element's own stands in its place, whatever the
    placeholders are called; others come behind.
    """
    if additions is None or not additions.resources:
        return base
    own = {_name(item): item for item in additions.resources}
    kept = tuple(own.pop(_name(item), item) for item in base.resources)
    return structs.replace(base, resources=(*kept, *own.values()), extended=True)


def begin_additions(base: Element, *, key: str) -> Element:
    """Return additions to an element that add nothing yet."""
    return Element(
        name=base.name,
        description=base.description,
        authentication=base.authentication,
        key=key,
        hub=base.hub,
    )


def _name(resource: Resource) -> tuple[str, str, str]:
    return resource.type, resource.method, place_of(resource)
