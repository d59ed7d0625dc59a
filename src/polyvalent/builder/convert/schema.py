"""Read schemas as the fields of objects. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from polyvalent.builder.convert.document import Document
from polyvalent.catalog.element import ObjectField

FIELDS_MAX = 500  # of one object
_DEPTH_MAX = 8  # of fields inside fields
_FIELDS_A_STEP = 100  # laid upon others
_BRANCHES_DEPTH_MAX = 20  # of allOf inside allOf
_TYPES = {
    "integer": "integer",
    "number": "double",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
}
_DATES = frozenset(("date", "date-time"))


@dataclass(frozen=True, kw_only=True)
class Shape:
    """
    Say what a schema describes, its references followed and its branches (allOf) laid together.

    `kind` is "object", "array", "string", "number", "integer" or "boolean"; `passed` are the
    references on the way.
    """

    kind: str = "string"
    format: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    items: Any = None
    read_only: bool = False
    declared: bool = True  # false if the kind is a guess, since nothing is said
    passed: frozenset[str] = frozenset()


def read_shape(document: Document, schema: Any, *, place: str, depth: int = 0) -> Shape:
    """
    Return what a schema describes.

    Members of allOf, oneOf and anyOf come together, those of the last two as not required.
    Raises as `Document.follow`.
    """
    found, passed = document.follow(schema, place=place)
    properties: dict[str, Any] = {}
    required = {name for name in _list(found.get("required")) if isinstance(name, str)}
    kind, format_ = _kind(found), str(found.get("format") or "")
    items, names = found.get("items"), set(passed)
    if isinstance(items, list):  # one schema for each place, in older documents
        items = items[0] if items else {}
    if depth < _BRANCHES_DEPTH_MAX:
        for word in ("allOf", "oneOf", "anyOf"):
            for branch in _list(found.get(word)):
                inner = read_shape(document, branch, place=place, depth=depth + 1)
                # Laying a schema of thousands of fields upon others is work as well.
                document.count(place=place, steps=len(inner.properties) // _FIELDS_A_STEP)
                properties |= inner.properties
                names |= inner.passed
                if word == "allOf":
                    required |= inner.required
                kind = kind or (inner.kind if inner.declared else "")
                format_ = format_ or inner.format
                items = inner.items if items is None else items
    properties |= _mapping(found.get("properties"))
    return Shape(
        kind=kind or ("object" if properties else "array" if items is not None else "string"),
        format=format_,
        properties=properties,
        required=frozenset(required),
        items=items,
        declared=bool(kind or properties or items is not None),
        read_only=found.get("readOnly") is True,
        passed=frozenset(names),
    )


def list_fields(document: Document, shape: Shape, *, place: str) -> tuple[ObjectField, ...]:
    """
    Return the fields of what a schema describes, those inside others by their paths.

    {"address": {"country": …}, "items": [{"sku": …}]} → address, address.country, items,
    items[*].sku. At most 500 and eight levels; a schema inside itself is not entered again.
    """
    found: list[ObjectField] = []
    for item in _walk(document, shape, place=place, prefix="", seen=shape.passed):
        if len(found) == FIELDS_MAX:
            break
        found.append(item)
    return tuple(found)


def data_type(shape: Shape) -> str:
    """Return an element's word for the type of a value: "integer", "double", "date"."""
    if shape.format in _DATES and shape.kind == "string":
        return "date"
    return _TYPES.get(shape.kind, "string")


def _walk(
    document: Document, shape: Shape, *, place: str, prefix: str, seen: frozenset[str]
) -> Iterator[ObjectField]:
    for name, schema in shape.properties.items():
        if not name or name.startswith("$"):
            continue
        inner = read_shape(document, schema, place=f"{place}, field {prefix}{name}"[:300])
        path = f"{prefix}{name}"
        format_ = inner.format if inner.kind in ("string", "number", "integer") else ""
        yield ObjectField(
            name=path,
            type=data_type(inner),
            format=format_,
            required=name in shape.required and not prefix,
            read_only=inner.read_only,
        )
        step, way = ".", seen | inner.passed
        if inner.kind == "array" and inner.items is not None:
            loops = inner.passed & seen
            inner = read_shape(document, inner.items, place=place)
            if loops:
                continue
            step, way = "[*].", way | inner.passed
        if inner.kind != "object" or inner.passed & seen or path.count(".") + 1 >= _DEPTH_MAX:
            continue
        yield from _walk(document, inner, place=place, prefix=f"{path}{step}", seen=way)


def _kind(schema: Mapping[str, Any]) -> str:
    told = schema.get("type")
    kinds = [told] if isinstance(told, str) else _list(told)
    return next((kind for kind in kinds if isinstance(kind, str) and kind != "null"), "")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
