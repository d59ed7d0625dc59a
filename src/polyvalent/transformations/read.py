"""
Read definitions and transformations from the bodies of calls. Pure.

Members that are not known are ignored, null means absent, and `level` is the path's: what a body
says of it does not count.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec.structs import replace

from polyvalent.errors import BadRequest
from polyvalent.mapping import (
    DefinitionField,
    Entry,
    MappedField,
    ObjectDefinition,
    Transformation,
    compile_mapping,
    parse_path,
)

FIELDS_MAX = 1000
TYPE_MAX = 200  # characters
_NAME = re.compile(r"[^\s/?#%{}\\\"'<>]{1,128}")


def read_name(name: Any) -> str:
    """
    Return an object's name, which becomes part of paths: "contacts", "commerce-orders".

    Raises BadRequest.
    """
    if not isinstance(name, str) or not name.isprintable() or not _NAME.fullmatch(name):
        raise BadRequest(
            "An object's name has 1 to 128 characters and none of / ? # % { } \\ \" ' < > or "
            f"blanks, but it is {str(name)[:60]!r}."
        )
    if name in (".", "..", "definitions"):
        raise BadRequest(f"{name!r} cannot be the name of an object.")
    return name


def read_definition(body: Any, *, name: str) -> ObjectDefinition:
    """
    Read a definition: `{"fields": [{"path": "id", "type": "string"}]}`.

    Raises BadRequest, saying where it is not one.
    """
    shown = _object(body, "An object definition")
    if not isinstance(shown.get("fields"), list):
        raise BadRequest(
            f"The definition of {name} needs fields: "
            '{"fields": [{"path": "id", "type": "string"}]}.'
        )
    found: ObjectDefinition = _convert(
        {**shown, "objectName": read_name(name)}, ObjectDefinition, name
    )
    _check_number(found.fields, name)
    for field in found.fields:
        parse_path(field.path)
        _check_type(field.type, field.path)
    return replace(found, level="")


def read_transformation(body: Any, *, name: str) -> Transformation:
    """
    Read a transformation; `script` is one object, or `scripts` a list with one.

    `{"vendorName": "Contact", "fields": [{"path": "id", "vendorPath": "Id"}]}`
    Raises BadRequest, saying where it is not one or which path cannot be read.
    """
    shown = _object(body, "A transformation")
    scripts = [shown["script"]] if "script" in shown else shown.get("scripts", [])
    if isinstance(scripts, list):
        shown["scripts"] = [item for item in scripts if not _is_empty_script(item)]
    found: Transformation = _convert({**shown, "objectName": read_name(name)}, Transformation, name)
    _check_number(found.fields, name)
    if len(found.scripts) > 1:
        raise BadRequest(f"The transformation of {name} may have one script at each level.")
    inherits = any(entry.type == "inherit" for entry in found.configuration)
    if not found.vendor_name and not inherits:
        raise BadRequest(
            f"The transformation of {name} needs a vendorName, the vendor object that it maps to."
        )
    for field in found.fields:
        _check_type(field.type, field.path)
        _check_type(field.vendor_type, field.path)
    compile_mapping(None, found)
    return replace(
        found,
        level="",
        fields=tuple(replace(item, level="", configuration=_bare(item)) for item in found.fields),
        configuration=_bare(found),
        scripts=tuple(replace(item, level="") for item in found.scripts),
    )


def _bare(item: MappedField | Transformation) -> tuple[Entry, ...]:
    return tuple(replace(entry, level="") for entry in item.configuration)


def _is_empty_script(item: Any) -> bool:
    return isinstance(item, dict) and not str(item.get("body", "")).strip()


def _object(body: Any, what: str) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadRequest(f"{what} is a JSON object.")
    shown: dict[str, Any] = _without_nulls(body)
    return shown


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _convert(body: dict[str, Any], shape: type[Any], name: str) -> Any:
    try:
        return msgspec.convert(body, type=shape)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{name} cannot be read: {error}.") from error


def _check_number(fields: tuple[DefinitionField, ...] | tuple[MappedField, ...], name: str) -> None:
    if len(fields) > FIELDS_MAX:
        raise BadRequest(f"{name} has {len(fields)} fields; {FIELDS_MAX} are the most.")


def _check_type(text: str, path: str) -> None:
    if len(text) > TYPE_MAX:
        raise BadRequest(f"The type of {path[:100]} has more than {TYPE_MAX} characters.")
