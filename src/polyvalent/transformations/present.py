"""Show definitions and transformations as the wire has them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from polyvalent.mapping import (
    DefinitionField,
    Entry,
    MappedField,
    ObjectDefinition,
    Script,
    Transformation,
)


def present_definition(definition: ObjectDefinition) -> dict[str, Any]:
    """Show a definition with its name and level."""
    return {"objectName": definition.object_name, **present_in_map(definition)}


def present_in_map(definition: ObjectDefinition) -> dict[str, Any]:
    """Show a definition as the value of a map by names."""
    shown: dict[str, Any] = {}
    if definition.description:
        shown["description"] = definition.description
    shown["fields"] = [
        present_field(field, level=field.level or definition.level) for field in definition.fields
    ]
    return {**shown, "level": definition.level}


def present_field(field: DefinitionField, *, level: str) -> dict[str, Any]:
    """Show one field of a definition."""
    shown: dict[str, Any] = {"path": field.path, "type": field.type, "level": level}
    if field.display_name:
        shown["displayName"] = field.display_name
    if field.description:
        shown["description"] = field.description
    return shown


def present_transformation(
    transformation: Transformation, *, element_key: str, types: Mapping[str, str]
) -> dict[str, Any]:
    """
    Show a transformation; types that it leaves open are those of `types`, by path, else string.

    The scripts of merged levels stand in `scripts`, the most specific one also in `script`.
    """
    level = transformation.level
    shown: dict[str, Any] = {
        "objectName": transformation.object_name,
        "elementKey": element_key,
        "level": level,
        "vendorName": transformation.vendor_name,
        "isLegacy": transformation.is_legacy,
    }
    if transformation.start_date:
        shown["startDate"] = transformation.start_date
    shown["fields"] = [
        _present_mapped(field, level=field.level or level, types=types)
        for field in transformation.fields
    ]
    shown["configuration"] = _present_entries(transformation.configuration, level=level)
    if transformation.scripts:
        scripts = [_present_script(item, level=level) for item in transformation.scripts]
        shown["script"] = scripts[-1]
        if len(scripts) > 1:
            shown["scripts"] = scripts
    return shown


def types_of(definition: ObjectDefinition | None) -> dict[str, str]:
    """Return the types of a definition by path."""
    fields = definition.fields if definition is not None else ()
    return {field.path: field.type for field in reversed(fields)}


def _present_mapped(field: MappedField, *, level: str, types: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "path": field.path,
        "type": field.type or types.get(field.path, "string"),
        "vendorPath": field.vendor_path,
    }
    if field.vendor_type:
        shown["vendorType"] = field.vendor_type
    shown["level"] = level
    if field.configuration:
        shown["configuration"] = _present_entries(field.configuration, level=level)
    return shown


def _present_entries(entries: Iterable[Entry], *, level: str) -> list[dict[str, Any]]:
    return [{**msgspec.to_builtins(entry), "level": entry.level or level} for entry in entries]


def _present_script(script: Script, *, level: str) -> dict[str, Any]:
    return {
        "body": script.body,
        "mimeType": script.mime_type,
        "filterEmptyResponse": script.filter_empty_response,
        "level": script.level or level,
    }
