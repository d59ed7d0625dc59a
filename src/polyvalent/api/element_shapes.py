"""Show elements and their parts as the wire has them."""

from __future__ import annotations

from typing import Any

import msgspec

from polyvalent.builder.edit import Part
from polyvalent.catalog.element import (
    ConfigurationEntry,
    Element,
    ElementObject,
    Hook,
    ObjectField,
    Parameter,
    Resource,
)
from polyvalent.instances.present import present_element


def present_listed(element: Element) -> dict[str, Any]:
    """Show an element as lists do: texts and flags, and whose it is, no definitions."""
    return {
        **present_element(element),
        "private": element.private,
        "extended": element.extended,
    }


def present_whole(element: Element) -> dict[str, Any]:
    """Show an element with its definitions; flags are shown also where they are at rest."""
    definitions: dict[str, Any] = msgspec.to_builtins(element)
    return {
        **definitions,
        **present_listed(element),
        "protocolType": element.protocol_type,
        "extendable": element.extendable,
        "beta": element.beta,
        "configuration": [present_part(item) for item in element.configuration],
        "resources": [present_part(item) for item in element.resources],
        "parameters": [present_part(item) for item in element.parameters],
        "objects": [present_part(item) for item in element.objects],
        "hooks": [present_part(item) for item in element.hooks],
    }


def present_part(part: Part) -> dict[str, Any]:
    """Show one part of an element; what its readers count on is there also at rest."""
    if isinstance(part, ConfigurationEntry):
        return present_entry(part)
    shown: dict[str, Any] = msgspec.to_builtins(part)
    match part:
        case Parameter():
            shown |= {
                "source": part.source,
                "dataType": part.data_type,
                "vendorDataType": part.vendor_data_type,
                "required": part.required,
            }
        case Hook():
            shown |= {"isLegacy": part.is_legacy, "mimeType": part.mime_type}
        case Resource():
            shown |= {
                "vendorPath": part.vendor_path,
                "type": part.type,
                "kind": part.kind,
                "paginationType": part.pagination_type,
                "parameters": [present_part(item) for item in part.parameters],
                "hooks": [present_part(item) for item in part.hooks],
            }
        case ElementObject():
            shown |= {
                "primaryKeyName": part.primary_key_name,
                "createdDateName": part.created_date_name,
                "createdDateFormat": part.created_date_format,
                "searchConfiguration": {
                    "fields": list(part.search_configuration.fields),
                    "operators": list(part.search_configuration.operators),
                },
                "fields": [present_part(item) for item in part.fields],
            }
        case ObjectField():
            shown |= {"type": part.type}
    return shown


def present_entry(entry: ConfigurationEntry) -> dict[str, Any]:
    """Show a configuration entry of an element."""
    shown: dict[str, Any] = {
        "id": entry.id,
        "key": entry.key,
        "name": entry.name,
        "description": entry.description,
        "type": entry.type,
        "defaultValue": entry.default_value,
        "required": entry.required,
        "hideFromConsole": entry.hide_from_console,
        "active": entry.active,
        "internal": entry.internal,
        "groupControl": entry.group_control,
        "displayOrder": entry.display_order,
        "companyConfig": entry.company_config,
        "resellerConfig": entry.reseller_config,
        "isPrivate": entry.is_private,
    }
    if entry.options:
        shown["options"] = [
            {"value": option.value, "description": option.description} for option in entry.options
        ]
    return shown
