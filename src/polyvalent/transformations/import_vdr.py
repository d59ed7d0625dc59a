"""
Import objects with their transformations: VDR version 2, and version 1.

Version 2 is what `export_vdr` writes; its parts say which level they are of, organization or
account, and go back to it. Version 1 knows no levels, so all of it goes to the organization:
`{"objectDefinitions": {name: {…}}, "transformations": {element key: {name: {…}}}}`; of its
transformations, fields that the definition lacks are dropped, and types are the definition's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from msgspec.structs import replace

from polyvalent.accounts.model import Caller
from polyvalent.catalog.element import Element
from polyvalent.db import Connection
from polyvalent.errors import BadRequest, NotFound
from polyvalent.instances.ports import Ports
from polyvalent.mapping import ObjectDefinition, Transformation
from polyvalent.transformations import sql
from polyvalent.transformations.define import timestamp
from polyvalent.transformations.model import Scope, of_caller
from polyvalent.transformations.read import read_definition, read_name, read_transformation
from polyvalent.transformations.revise import revising
from polyvalent.transformations.transform import check_allowed

# Raises NotFound.
FindElement: TypeAlias = Callable[[str], Awaitable[Element]]

OBJECTS_MAX = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """Hold the names of the objects that were imported, and what was left out."""

    names: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    # What one level gets.
    level: str
    definition: ObjectDefinition | None = None
    element_key: str = ""
    transformation: Transformation | None = None


async def import_vdr(
    ports: Ports, caller: Caller, body: dict[str, Any], *, find_element: FindElement
) -> Imported:
    """
    Store what a document holds, replacing what is there; all or nothing.

    What says it is of an instance, or of the platform, goes to the organization.

    Transformations for elements that this platform lacks are left out with a warning.
    Raises BadRequest where it is no such document. Effects: commits.
    """
    if "objectDefinitions" in body or "transformations" in body:
        parts = list(_read_first(body))
    elif "vdrName" in body or "definition" in body:
        parts = list(_read_second(body))
    else:
        raise BadRequest(
            "The body must be an export: version 2 with vdrName, definition and transformation, "
            "or version 1 with objectDefinitions and transformations."
        )
    warnings: list[str] = []
    scopes = {scope.level: scope for scope in of_caller(caller).visible}
    names: dict[str, None] = {}
    elements = await _find_elements(parts, find_element)
    async with revising(ports, caller.organization.id) as connection:
        for part in parts:
            scope = scopes["account" if part.level == "account" else "organization"]
            if part.definition is not None:
                await _put_definition(connection, ports, scope, part.definition)
                names[part.definition.object_name] = None
            if part.transformation is not None:
                element = elements.get(part.element_key)
                if element is None:
                    warnings.append(f"element {part.element_key[:60]} is not known; left out")
                    continue
                await _put_transformation(connection, ports, scope, element, part.transformation)
    return Imported(names=tuple(names), warnings=tuple(dict.fromkeys(warnings)))


async def _find_elements(parts: Iterable[_Part], find_element: FindElement) -> dict[str, Element]:
    found: dict[str, Element] = {}
    for key in dict.fromkeys(part.element_key for part in parts if part.element_key):
        # An element that is not here is no fault of the document.
        with suppress(NotFound):
            found[key] = await find_element(key)
    return found


def _read_first(body: dict[str, Any]) -> Iterable[_Part]:
    definitions: dict[str, ObjectDefinition] = {}
    for name, item in _members(body, "objectDefinitions"):
        definitions[name] = read_definition(item, name=name)
        yield _Part(level="organization", definition=definitions[name])
    for key, known in _members(body, "transformations"):
        for name, item in _members({"transformations": known}, "transformations"):
            definition = definitions.get(name)
            if definition is None:
                raise BadRequest(f"objectDefinitions lacks {name}, which is transformed for {key}.")
            types = {field.path: field.type for field in definition.fields}
            made = read_transformation(item, name=name)
            fields = tuple(
                replace(field, type=types[field.path])
                for field in made.fields
                if field.path in types
            )
            yield _Part(
                level="organization",
                element_key=key,
                transformation=replace(made, fields=fields),
            )


def _read_second(body: dict[str, Any]) -> Iterable[_Part]:
    name = read_name(body.get("vdrName"))
    definition = body.get("definition")
    for level, shown in _by_level(definition, parts=("fields",)):
        yield _Part(level=level, definition=read_definition(shown, name=name))
    for key, item in _members(body, "transformation"):
        for level, shown in _by_level(item, parts=("fields", "configuration", "scripts")):
            yield _Part(
                level=level,
                element_key=key,
                transformation=read_transformation(shown, name=name),
            )


def _by_level(item: Any, *, parts: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
    """Part a merged object by the levels that its fields, entries and scripts name."""
    if not isinstance(item, dict):
        raise BadRequest("definition and each member of transformation must be objects.")
    whole = dict(item)
    if "scripts" in parts and not whole.get("scripts") and isinstance(whole.get("script"), dict):
        whole["scripts"] = [whole["script"]]
    whole.pop("script", None)
    lists = {name: _list(whole.get(name), name) for name in parts}
    found = {_level(entry, whole) for entries in lists.values() for entry in entries} or {
        _level({}, whole)
    }
    split = []
    for level in sorted(found, reverse=True):  # organization before account
        own = {
            name: [entry for entry in entries if _level(entry, whole) == level]
            for name, entries in lists.items()
        }
        split.append((level, {**whole, **own}))
    return split


def _level(entry: Any, whole: dict[str, Any]) -> str:
    if not isinstance(entry, dict):
        raise BadRequest("fields, configuration and scripts must be lists of objects.")
    return "account" if (entry.get("level") or whole.get("level")) == "account" else "organization"


def _list(value: Any, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequest(f"{name} must be a list.")
    return value


def _members(body: dict[str, Any], name: str) -> list[tuple[str, Any]]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, dict):
        raise BadRequest(f"{name} must be an object.")
    if len(value) > OBJECTS_MAX:
        raise BadRequest(f"{name} holds more than {OBJECTS_MAX} members.")
    return list(value.items())


async def _put_definition(
    connection: Connection, ports: Ports, scope: Scope, definition: ObjectDefinition
) -> None:
    now = ports.now()
    if not await sql.update_definition(connection, scope, definition, now=now):
        await sql.insert_definition(connection, scope, definition, now=now)


async def _put_transformation(
    connection: Connection, ports: Ports, scope: Scope, element: Element, made: Transformation
) -> None:
    check_allowed(element)
    now = ports.now()
    stamped = replace(made, start_date=made.start_date or timestamp(now))
    if not await sql.update_transformation(
        connection, scope, stamped, element_key=element.key, now=now
    ):
        await sql.insert_transformation(
            connection, scope, stamped, element_key=element.key, now=now
        )
