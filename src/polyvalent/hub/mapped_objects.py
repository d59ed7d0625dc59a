"""Put mapped objects beside an element's own, for who describes what an instance offers. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from polyvalent.catalog.element import Element, ElementObject, ObjectField, Resource
from polyvalent.hub.mapped import find_resource_name
from polyvalent.hub.resolve import strip_hub
from polyvalent.transformations.find import Found
from polyvalent.transformations.present import types_of
from polyvalent.transformations.resolve import Mappings

_ROW_SEGMENTS = 2  # /contacts/{id}; what lies deeper is described with the vendor's resource


def with_mapped_objects(element: Element, mappings: Mappings) -> Element:
    """
    Return the element with each mapped object as a resource and an object of its own.

    /customers and /customers/{id} → also /contacts and /contacts/{id}, whose object `contacts`
    has the fields of the transformation. A mapped name takes the place of a resource so called.
    """
    found = [item for name in mappings.names() if (item := mappings.show(name)) is not None]
    added = [resource for item in found for resource in _resources(element, item)]
    taken = {resource.object for resource in added}
    return structs.replace(
        element,
        resources=(*(item for item in element.resources if _top(item) not in taken), *added),
        objects=(
            *(item for item in element.objects if item.name not in taken),
            *(_object(item) for item in found if item.transformation.object_name in taken),
        ),
    )


def _resources(element: Element, found: Found) -> Iterator[Resource]:
    name = found.transformation.object_name
    vendor_name = find_resource_name(element, found.transformation.vendor_name)
    for resource in element.resources:
        segments = strip_hub(resource.path).strip("/").split("/")
        if segments[0] == vendor_name and len(segments) <= _ROW_SEGMENTS:
            prefix = resource.path.removesuffix("/".join(segments))
            yield structs.replace(
                resource,
                id=0,
                path=prefix + "/".join((name, *segments[1:])),
                object=name,
                operation_id="",
                description=f"{resource.description} Mapped: {name}.".strip(),
                model=None,
                response=None,
            )


def _object(found: Found) -> ElementObject:
    transformation, types = found.transformation, types_of(found.definition)
    return ElementObject(
        name=transformation.object_name,
        vendor_name=transformation.vendor_name,
        fields=tuple(
            ObjectField(name=path, type=kind)
            for path, kind in {
                field.path: field.type or types.get(field.path, "string")
                for field in transformation.fields
            }.items()
        ),
    )


def _top(resource: Resource) -> str:
    return strip_hub(resource.path).strip("/").split("/")[0]
