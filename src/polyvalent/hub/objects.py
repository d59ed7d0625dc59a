"""Tell which objects an element has and what fields they carry. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from polyvalent.catalog.element import Element, ElementObject, ObjectField, Resource
from polyvalent.errors import NotFound
from polyvalent.hub.read import find_object
from polyvalent.hub.resolve import strip_hub

# The vendor's own names of types to the few that callers know.
_TYPES = {
    "integer": "number",
    "long": "number",
    "float": "number",
    "double": "number",
    "dateTime": "date",
}
_WRITES = frozenset(("POST", "PUT", "PATCH"))


def list_objects(element: Element) -> tuple[str, ...]:
    """Return the names of the objects that have a list of their own: ("customers", "orders")."""
    tops = {strip_hub(item.path) for item in element.resources if item.method == "GET"}
    return tuple(item.name for item in element.objects if f"/{item.name}" in tops)


def describe_objects(element: Element) -> list[dict[str, str]]:
    """Return the newer form of the list: name, the vendor's name and where it comes from."""
    names = list_objects(element)
    return [
        {"name": item.name, "vendorName": item.vendor_name or item.name, "type": "vendor"}
        for item in element.objects
        if item.name in names
    ]


def describe_fields(
    element: Element, name: str, *, custom_only: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """
    Return the fields of an object, as `/objects/{name}/metadata` answers them.

    Our own data knows no custom fields, so `custom_only` gives none.
    Raises NotFound for an unknown object, naming those there are.
    """
    found = find_object(element, name)
    if found is None:
        known = ", ".join(item.name for item in element.objects)
        raise NotFound(f"{element.name} has no object {name[:100]!r}. Its objects: {known}.")
    methods = _methods_of(element, found)
    fields = [] if custom_only else [_describe(item, methods) for item in found.fields]
    return {"fields": fields}


def _methods_of(element: Element, item: ElementObject) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            resource.method
            for resource in element.resources
            if resource.object == item.name and _carries_fields(resource)
        )
    )


def _carries_fields(resource: Resource) -> bool:
    return resource.method == "GET" or resource.method in _WRITES


def _describe(item: ObjectField, methods: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": _TYPES.get(item.type, item.type),
        "vendorPath": item.name,
        "vendorNativeType": item.type,
        "vendorRequired": item.required,
        "vendorReadOnly": item.read_only,
        "hidden": item.hidden,
        "method": list(_describe_methods(item, methods)),
    }


def _describe_methods(item: ObjectField, methods: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for method in methods:
        written = method in _WRITES and not item.read_only
        yield {"name": method, "response": True, "request": written}
