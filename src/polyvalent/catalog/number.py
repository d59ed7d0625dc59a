"""
Give numbers to the parts of an element that have none.

Callers address configuration entries, parameters, resources and fields by number, and keep those
numbers. So a number may depend on nothing but the part's own name: not on its place in a file, not
on what else the element holds.
"""

from __future__ import annotations

import hashlib

from msgspec import structs

from polyvalent.catalog.element import (
    ConfigurationEntry,
    Element,
    ElementObject,
    Hook,
    Parameter,
    Resource,
)

# Numbers lie in this range: clear of those a database counts up, and within 31 bits, which some
# callers' integer types end at.
FIRST_NUMBER = 1_000_000_000
NUMBERS = 1_000_000_000


def number_of(*names: str) -> int:
    """
    Return the number of a thing called so: `number_of("356", "configuration", "store.url")`.

    The same names give the same number on every machine and in every version. Two different names
    may collide (about one in two thousand for a thousand parts); a catalog rule looks for that.
    """
    digest = hashlib.sha256("\x1f".join(names).encode()).digest()
    return FIRST_NUMBER + int.from_bytes(digest[:8], "big") % NUMBERS


def number_entries(
    entries: tuple[ConfigurationEntry, ...], owner: str
) -> tuple[ConfigurationEntry, ...]:
    """Return configuration entries with a number each, kept where there is one."""
    return tuple(
        structs.replace(entry, id=entry.id or number_of(owner, "configuration", entry.key))
        for entry in entries
    )


def number_element(element: Element) -> Element:
    """Return the element with a number on every part that lacks one."""
    owner = str(element.id) if element.id else element.key
    return structs.replace(
        element,
        configuration=number_entries(element.configuration, owner),
        parameters=_number_parameters(element.parameters, (owner,), element_id=element.id),
        hooks=_number_hooks(element.hooks, (owner,)),
        resources=tuple(_number_resource(item, owner) for item in element.resources),
        objects=tuple(_number_object(item, owner) for item in element.objects),
    )


def _number_resource(resource: Resource, owner: str) -> Resource:
    names = (owner, "resource", resource.type, resource.method, resource.path)
    number = resource.id or number_of(*names)
    return structs.replace(
        resource,
        id=number,
        parameters=_number_parameters(resource.parameters, names, resource_id=number),
        hooks=_number_hooks(resource.hooks, names),
    )


def _number_parameters(
    parameters: tuple[Parameter, ...],
    names: tuple[str, ...],
    *,
    element_id: int = 0,
    resource_id: int = 0,
) -> tuple[Parameter, ...]:
    return tuple(
        structs.replace(
            item,
            id=item.id
            or number_of(*names, "parameter", item.source, item.type, item.name, item.vendor_name),
            element_id=item.element_id or element_id,
            resource_id=item.resource_id or resource_id,
        )
        for item in parameters
    )


def _number_hooks(hooks: tuple[Hook, ...], names: tuple[str, ...]) -> tuple[Hook, ...]:
    return tuple(
        structs.replace(item, id=item.id or number_of(*names, "hook", item.type, item.body))
        for item in hooks
    )


def _number_object(item: ElementObject, owner: str) -> ElementObject:
    return structs.replace(
        item,
        id=item.id or number_of(owner, "object", item.name),
        fields=tuple(
            structs.replace(
                field, id=field.id or number_of(owner, "object", item.name, "field", field.name)
            )
            for field in item.fields
        ),
    )
