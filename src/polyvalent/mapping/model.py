"""
Hold object definitions and transformations, in the platform's own JSON.

An object definition lists the fields of the caller's object; a transformation says where each of
them lies in one element's vendor object. Wire names are the camel case of the field names.
Members that the platform's model lacks: `DefinitionField.description`, and the configuration
entries `dateMask`, `valueMap` and `defaultValue` of a field, see `convert`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct


class Entry(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """
    Configure a transformation or a field of one.

    `{"type": "passThrough", "properties": {"fromVendor": false, "toVendor": false}}`
    """

    type: str
    properties: Mapping[str, Any] = {}
    level: str = ""


class DefinitionField(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Describe one field of the caller's object: `{"path": "items[*].sku", "type": "string"}`."""

    path: str
    # string, number, boolean, date, array, array[<type>], or the name of another object.
    type: str = "string"
    display_name: str = ""
    description: str = ""
    level: str = ""


class ObjectDefinition(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Hold the caller's object at one level, or the union of several."""

    object_name: str
    fields: tuple[DefinitionField, ...] = ()
    description: str = ""
    level: str = ""


class MappedField(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Say where a field of the caller's object lies in the vendor's."""

    path: str
    vendor_path: str
    type: str = ""  # empty: the definition's
    vendor_type: str = ""  # empty: nothing is converted on the way to the vendor
    configuration: tuple[Entry, ...] = ()
    level: str = ""


class Script(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Keep a script that changes what was mapped, as text."""

    body: str
    mime_type: str = "application/javascript"
    filter_empty_response: bool = False
    level: str = ""


class Transformation(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """
    Map the caller's object to one element's vendor object, at one level or merged.

    `fields` may be empty where a script does all the work; a merged one has a script a level.
    """

    object_name: str = ""
    vendor_name: str = ""
    fields: tuple[MappedField, ...] = ()
    configuration: tuple[Entry, ...] = ()
    scripts: tuple[Script, ...] = ()
    is_legacy: bool = False
    level: str = ""
    start_date: str = ""


def find_entry(entries: Iterable[Entry], kind: str) -> Entry | None:
    """Return the configuration entry of a type, None if there is none; the last one counts."""
    found = None
    for entry in entries:
        if entry.type == kind:
            found = entry
    return found


def passes(entries: Iterable[Entry], direction: str) -> bool:
    """
    Say whether unmapped fields pass in a direction, "fromVendor" or "toVendor".

    They do unless a passThrough entry says false for it.
    """
    entry = find_entry(entries, "passThrough")
    return entry is None or entry.properties.get(direction) is not False


def is_dropped(field: MappedField, direction: str) -> bool:
    """
    Say whether a field is left out in a direction, "fromVendor" or "toVendor".

    By a remove entry with true for the direction, or a passThrough entry with false for it.
    """
    removed = find_entry(field.configuration, "remove")
    return (removed is not None and removed.properties.get(direction) is True) or not passes(
        field.configuration, direction
    )
