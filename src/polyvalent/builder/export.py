"""Write an element so that it can be brought along elsewhere. Pure."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import structs

from polyvalent.catalog.element import Element

# What only this installation knows.
_LOCAL = frozenset(
    ("id", "elementId", "resourceId", "objectId", "createdDate", "ownerAccountId", "private")
)
_FREE = frozenset(("model", "response", "sampleData", "elementMetadata", "reference"))


def export_element(element: Element, *, additions: Element | None = None) -> dict[str, Any]:
    """
    Return the JSON of an element that `POST /elements` and `PUT /elements/{keyOrId}` take.

    Numbers and times stay behind. With `additions` the resources are those alone.
    """
    if additions is not None:
        element = structs.replace(element, resources=additions.resources)
    exported: dict[str, Any] = _without_local(msgspec.to_builtins(element))
    # Spelled out, so that every reader sees them.
    return {
        **exported,
        "key": element.key,
        "hub": element.hub,
        "protocolType": element.protocol_type,
        "active": element.active,
        "extended": element.extended,
        "origin": element.origin or ("" if element.private else element.key),
    }


def _without_local(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: item if name in _FREE else _without_local(item)
            for name, item in value.items()
            if name not in _LOCAL
        }
    if isinstance(value, list | tuple):
        return [_without_local(item) for item in value]
    return value
