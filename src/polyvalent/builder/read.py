"""
Read the JSON of an element, or of one part of it, as callers send it. Pure.

Callers send back what other tools and versions wrote: members that are null, switches as texts,
defaults as numbers or whole objects, numbers of another installation. All of that is taken; what
cannot be meant is refused with its place.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

import msgspec
import orjson
from msgspec import Struct

from polyvalent.catalog.element import ConfigurationEntry, Element, Parameter
from polyvalent.catalog.unknown import find_unknown_members
from polyvalent.errors import BadRequest

T = TypeVar("T", bound=Struct)

_DEPTH_MAX = 60  # levels of nesting; an element has ten
_WARNINGS_MAX = 10
# Members whose content is free JSON: nulls and ids in there are the sender's own.
_FREE = frozenset(
    (
        "model",
        "response",
        "sampleData",
        "elementMetadata",
        "reference",
        "tags",
        "operationsSupported",
        "vendorEventTypes",
    )
)
# Numbers and times that this platform gives.
_GIVEN_HERE = frozenset(("elementId", "resourceId", "objectId", "createdDate", "ownerAccountId"))


def read_members(body: bytes) -> dict[str, Any]:
    """
    Decode a body that must be a JSON object.

    Raises BadRequest saying where the JSON breaks, or that it is nested too deeply.
    """
    if not body.strip():
        raise BadRequest("The request has no body. Send a JSON object.")
    try:
        members: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    if not isinstance(members, dict):
        raise BadRequest("The body must be one JSON object; it is another kind of JSON value.")
    if _is_deep(members, left=_DEPTH_MAX):
        raise BadRequest(f"The body is nested more than {_DEPTH_MAX} levels deep.")
    return members


def read_element(
    members: dict[str, Any], *, known: Collection[int] = ()
) -> tuple[Element, tuple[str, ...]]:
    """
    Make an element of a body; also say which members nobody knows.

    {"name": "Shop", "description": "…", "authentication": {"type": "basic"}} → an Element whose
    key is "shop". Numbers that are in `known` stay, others are left out, to be given anew.
    Raises BadRequest for what is missing or of a wrong type, with its place.
    """
    missing = [
        name for name in ("name", "description", "authentication") if members.get(name) is None
    ]
    if missing:
        raise BadRequest(f"The element lacks {' and '.join(missing)}.")
    tidied = _tidy({**members, "id": None}, known=frozenset(known))
    for place in (tidied, *_dicts(tidied.get("resources"))):
        _complete_parameters(place.get("parameters"))
    _write_defaults(tidied.get("configuration"))
    unknown = find_unknown_members(tidied, Element)
    warnings = [f"unknown member {place[:90]} was ignored" for place in unknown]
    element = _convert(tidied, Element)
    if not element.key:
        tidied["key"] = derive_key(element.name)
        element = _convert(tidied, Element)
    return element, tuple(warnings[:_WARNINGS_MAX])


def read_part(members: dict[str, Any], shape: type[T], *, known: Collection[int] = ()) -> T:
    """Make one part of an element, such as a Parameter, of a body; raises as `read_element`."""
    tidied = _tidy(members, known=frozenset(known))
    if shape is Parameter:
        _complete_parameters([tidied])
    if shape is ConfigurationEntry:
        _write_defaults([tidied])
    _complete_parameters(tidied.get("parameters"))
    return _convert(tidied, shape)


def derive_key(name: str) -> str:
    """Make a key of a name: "My Shop 42" → "myshop42"."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _convert(data: dict[str, Any], shape: type[T]) -> T:
    try:
        return msgspec.convert(data, type=shape, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(f"The body cannot be used: {str(error)[:300]}.") from error


def _tidy(value: Any, *, known: frozenset[int]) -> Any:
    if isinstance(value, dict):
        return {
            name: item if name in _FREE else _tidy(item, known=known)
            for name, item in value.items()
            if item is not None
            and name not in _GIVEN_HERE
            and (name != "id" or (isinstance(item, int) and item in known))
        }
    if isinstance(value, list):
        return [_tidy(item, known=known) for item in value if item is not None]
    return value


def _complete_parameters(parameters: Any) -> None:
    for item in _dicts(parameters):
        if "name" in item:
            item.setdefault("vendorName", item["name"])
        if "type" in item:
            item.setdefault("vendorType", item["type"])


def _write_defaults(entries: Any) -> None:
    for item in _dicts(entries):
        default = item.get("defaultValue")
        if default is not None and not isinstance(default, str):
            item["defaultValue"] = orjson.dumps(default).decode()
        if "key" in item:
            item.setdefault("name", item["key"])


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _is_deep(value: Any, *, left: int) -> bool:
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list):
        inner = value
    return left < 0 or any(_is_deep(item, left=left - 1) for item in inner)
