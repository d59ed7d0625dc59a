"""
Make the models that resources carry fit for a Swagger 2.0 document. Pure.

A model is what its author wrote, or what a tool made of samples: only what a schema may have is
taken from it.
"""

from __future__ import annotations

import re
from typing import Any

_DEPTH_MAX = 30
_KINDS = frozenset(("array", "boolean", "integer", "number", "object", "string"))
_TEXTS = ("description", "format", "title")
_REFERENCE = "#/definitions/"


def read_model(model: Any) -> dict[str, Any]:
    """
    Return the definitions of a resource's model.

    {"name": "contact", "swagger": {"contact": {"id": "contact", "properties": {…}}}} →
    {"contact": {"type": "object", "properties": {…}}}. References to what the model lacks become
    plain objects.
    """
    if not isinstance(model, dict):
        return {}
    found: dict[str, Any] = {}
    for member in ("swagger", "requestSwagger"):
        types = model.get(member)
        if isinstance(types, dict):
            found |= {name: item for name, item in types.items() if isinstance(item, dict)}
    known = frozenset(name_definition(name) for name in found)
    return {
        name_definition(name): {"type": "object", **clean_schema(item, known=known)}
        for name, item in found.items()
    }


def clean_schema(
    value: Any, *, known: frozenset[str] = frozenset(), depth: int = 0
) -> dict[str, Any]:
    """Return what Swagger 2.0 knows of a schema; references must be to `known` definitions."""
    if not isinstance(value, dict) or depth > _DEPTH_MAX:
        return {}
    target = value.get("$ref")
    if isinstance(target, str):
        name = name_definition(target.removeprefix(_REFERENCE))
        return {"$ref": _REFERENCE + name} if name in known else {"type": "object"}
    shown: dict[str, Any] = {
        name: value[name] for name in _TEXTS if isinstance(value.get(name), str)
    }
    kind = value.get("type")
    if isinstance(kind, str) and kind in _KINDS:
        shown["type"] = kind
    elif isinstance(kind, str) and name_definition(kind) in known:
        return {"$ref": _REFERENCE + name_definition(kind)}
    properties = value.get("properties")
    if isinstance(properties, dict):
        shown["properties"] = {
            str(name): clean_schema(item, known=known, depth=depth + 1)
            for name, item in properties.items()
        }
    if shown.get("type") == "array" or isinstance(value.get("items"), dict):
        shown["items"] = clean_schema(value.get("items"), known=known, depth=depth + 1)
    required = value.get("required")
    if isinstance(required, list) and isinstance(properties, dict):
        names = sorted({name for name in required if isinstance(name, str) and name in properties})
        shown |= {"required": names} if names else {}
    for name, item in value.items():
        if isinstance(name, str) and name.startswith("x-"):
            shown[name] = item
    return shown


def name_definition(name: str) -> str:
    """Return a name fit for a reference: "my object" → "my_object"."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name) or "_"
