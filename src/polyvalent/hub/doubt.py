"""Find what a transformation names and its element does not have: slips that map nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from polyvalent.catalog.element import Element, ElementObject
from polyvalent.hub.mapped import find_resource_name
from polyvalent.hub.resolve import strip_hub, top_resources
from polyvalent.mapping import ObjectDefinition, Transformation

_SHOWN_MAX = 100  # characters of a caller's name in a warning
_DOUBTS_MAX = 5


def find_doubts(
    element: Element, transformation: Transformation, definition: ObjectDefinition | None
) -> tuple[str, ...]:
    """
    Return warnings, the first five: ("shop has no object 'custmers'; did you mean customers?",).

    A field of an object that may have others than are declared is doubted only where it looks like
    a slip.
    """
    return tuple(_find(element, transformation, definition))[:_DOUBTS_MAX]


def _find(
    element: Element, transformation: Transformation, definition: ObjectDefinition | None
) -> Iterator[str]:
    wanted = transformation.vendor_name
    name = find_resource_name(element, wanted)
    objects = _objects_of(element, name)
    if objects is None:
        known = (*top_resources(element), *(item.name for item in element.objects))
        yield f"{element.key} has no object {_cut(wanted)!r}{_hint(wanted, known)}"
    elif objects and all(item.fields for item in objects):
        open_ended = any(item.custom_fields for item in objects)
        fields = {_top(field.name) for item in objects for field in item.fields}
        for field in transformation.fields:
            top = _top(field.vendor_path)
            hint = _hint(top, fields)
            if top not in fields and (hint or not open_ended):
                yield f"{name} have no field {_cut(top)!r}{hint}"
    if definition is not None and definition.fields:
        fields = {_top(field.path) for field in definition.fields}
        for field in transformation.fields:
            top = _top(field.path)
            if top not in fields:
                hint = _hint(top, fields)
                yield f"{definition.object_name} is defined without a field {_cut(top)!r}{hint}"


def _objects_of(element: Element, name: str) -> tuple[ElementObject, ...] | None:
    """Return the objects whose rows a resource of this name gives; None if there is neither."""
    ends = [item for item in element.resources if strip_hub(item.path).endswith(f"/{name}")]
    objects = {item.object for item in ends} | {name}
    found = tuple(item for item in element.objects if item.name in objects)
    return found if ends or found else None


def _top(path: str) -> str:
    """Return the outermost member of a path: "items[*].sku" → "items"."""
    return path.partition(".")[0].partition("[")[0]


def _hint(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name[:_SHOWN_MAX], sorted(known), n=1, cutoff=0.75)
    return f"; did you mean {near[0]}?" if near else ""


def _cut(text: str) -> str:
    return text[:_SHOWN_MAX]
