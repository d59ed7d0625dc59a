"""Decide what an upload does with the rows of an object, and refuse what cannot be done. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, get_args

import orjson

from polyvalent.bulk.model import Action
from polyvalent.catalog.element import Resource
from polyvalent.errors import BadRequest, MethodNotAllowed, NotFound
from polyvalent.hub.access import Opened
from polyvalent.hub.mapped import Route, find_route, own_names, vendor_field
from polyvalent.hub.read import find_object, primary_key_of
from polyvalent.hub.resolve import resolve, top_resources
from polyvalent.hub.write_batch import BatchCall, find_batch

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
FORMATS = ("csv", "json")
_TOLD = ("action", "format", "identifierFieldName", "primaryKeyName", "bulkUploadRecordSize")
_NAME_MAX = 40  # characters of a caller's name in a message
_JSON_NAMES = (".json", ".jsonl", ".ndjson")
# Between two saves of an upload; also how many rows at most a killed turn leaves in doubt.
BATCH_ROWS = 50
# What no file says: any id will do to find out what a path takes.
_SOME_ID = "1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """Hold what the part `metaData` says; empty where it says nothing."""

    action: Action = "upsert"
    identifier: str = ""
    format: str = ""
    rows_per_call: int = 0  # at most; 0: as many as the element says


@dataclass(frozen=True, kw_only=True, slots=True)
class Together:
    """
    Say how many rows are changed in one call.

    `name` is what a query for many of them calls their identifier; "" where the vendor cannot be
    asked for many.
    """

    call: BatchCall
    rows_max: int
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """
    Say where the rows go and what is done with each.

    `identifier` is the member of a row that says which one of the store is meant; `by_id` if that
    is the id of its address. `natural_key` are the members that tell a new row from others.
    """

    object_name: str
    action: Action
    identifier: str
    by_id: bool
    natural_key: tuple[str, ...]
    update_method: str
    dry_run: bool
    together: Together | None = None

    @property
    def rows_per_call(self) -> int:
        """Return how many rows at most are changed in one call."""
        return 1 if self.together is None else self.together.rows_max


def read_told(text: str | None) -> Told:
    """
    Read the part `metaData`: '{"action": "upsert", "identifierFieldName": "sku"}'.

    Raises BadRequest: no JSON object, an action or format that there is not, a member that looks
    like a slip. Others that nobody knows are ignored, as callers send some for other vendors.
    """
    try:
        told: Any = orjson.loads(text) if text and text.strip() else {}
    except orjson.JSONDecodeError as error:
        raise BadRequest(
            f"The part metaData is no JSON: {error.msg} at line {error.lineno}, column "
            f"{error.colno}."
        ) from error
    if not isinstance(told, dict):
        raise BadRequest('The part metaData must be an object such as {"action": "upsert"}.')
    _refuse_slips(told)
    action = _text(told, "action").lower() or "upsert"
    if action not in ACTIONS:
        raise BadRequest(f"action is {action[:40]!r}; it may be {', '.join(ACTIONS)}.")
    format_ = _text(told, "format").lower()
    if format_ and format_ not in FORMATS:
        raise BadRequest(f"format is {format_[:40]!r}; it may be {' or '.join(FORMATS)}.")
    identifier = _text(told, "identifierFieldName") or _text(told, "primaryKeyName")
    return Told(
        action=action,
        identifier=identifier,
        format=format_,
        rows_per_call=_number(told, "bulkUploadRecordSize"),
    )


def _refuse_slips(told: Mapping[str, Any]) -> None:
    # What is written must not depend on a mistyped word that is overlooked.
    if "dryRun" in told:
        raise BadRequest("dryRun belongs into the query, not into metaData: ?dryRun=true")
    lowered = {name.lower(): name for name in _TOLD}
    for name in told:
        near = get_close_matches(name[:_NAME_MAX].lower(), lowered, n=1, cutoff=0.75)
        if near and name not in _TOLD:
            raise BadRequest(
                f"metaData has no member {name[:_NAME_MAX]!r}. Did you mean {lowered[near[0]]}?"
            )


def format_of(file_name: str) -> str:
    """Return the format that a file's name means: "rows.jsonl" → "json", any other "csv"."""
    return "json" if file_name.lower().endswith(_JSON_NAMES) else "csv"


def find_target(opened: Opened, name: str, told: Told, *, dry_run: bool) -> Target:
    """
    Decide what is done with the rows of an object.

    Raises BadRequest for an object that the instance does not have, whose bulk upload is disabled,
    or that cannot be written so.
    """
    route, resource = check_object(opened, name)
    writes = {"create": ("POST",), "update": ("PATCH",), "delete": ("DELETE",)}
    wanted = writes.get(told.action, ("POST", "PATCH"))
    found = {method: _find(opened, name, method) for method in ("POST", *wanted)}
    missing = [method for method in wanted if found[method] is None]
    update_method = "PATCH"
    if missing == ["PATCH"] and _find(opened, name, "PUT") is not None:
        update_method, missing = "PUT", []
    if missing:
        raise BadRequest(
            f"{name[:80]} cannot be uploaded by {told.action}: it does not take "
            f"{' and '.join(missing)}. The action may be another of {', '.join(ACTIONS)}."
        )
    natural = _natural_key(route, found["POST"])
    ids = {"id", *own_names(route.mapping, (primary_key_of(opened.element, resource),))}
    identifier = told.identifier or (natural[0] if len(natural) == 1 else "id")
    return Target(
        object_name=name,
        action=told.action,
        identifier=identifier,
        by_id=identifier in ids,
        natural_key=natural,
        update_method=update_method,
        dry_run=dry_run,
        together=_find_together(opened, name, told, method=update_method, identifier=identifier)
        if told.action in ("update", "upsert") and not dry_run
        else None,
    )


def check_object(opened: Opened, name: str) -> tuple[Route, Resource]:
    """
    Return an object's way to the vendor and its list, or what creates its rows if it has no list.

    Raises BadRequest for an object that the instance does not have, or whose upload is disabled.
    """
    element = opened.element
    some = _find(opened, name, "GET") or _find(opened, name, "POST")
    if some is None:
        names = (*top_resources(element), *sorted(opened.mappings.names()))
        raise BadRequest(
            f"There is no object {name[:80]!r} to upload to. Objects of {element.name}: "
            f"{', '.join(names)}."
        )
    shown = find_object(element, some[1].object)
    if not element.bulk_upload_enabled or (shown is not None and not shown.bulk_upload_enabled):
        raise BadRequest(
            f"Bulk upload is disabled for {name[:80]}: the element {element.key} does not offer it."
        )
    return some


def _find(opened: Opened, name: str, method: str) -> tuple[Route, Resource] | None:
    if "/" in name or "{" in name or not name:
        return None
    path = f"/{name}" if method in ("GET", "POST") else f"/{name}/{_SOME_ID}"
    route = find_route(opened.element, path, opened.mappings.find)
    try:
        match = resolve(opened.element, method, route.path)
    except (BadRequest, MethodNotAllowed, NotFound):
        return None
    return route, match.resource


def _find_together(
    opened: Opened, name: str, told: Told, *, method: str, identifier: str
) -> Together | None:
    changing, listing = _find(opened, name, method), _find(opened, name, "GET")
    call = find_batch(*changing) if changing is not None else None
    rows_max = min(call.batch.rows_max, BATCH_ROWS) if call is not None else 1
    rows_max = min(rows_max, told.rows_per_call or rows_max)
    if call is None or rows_max < 2:
        return None
    asked = ""
    if listing is not None:
        key = primary_key_of(opened.element, listing[1])
        own = own_names(listing[0].mapping, (key,)) if identifier == "id" else (identifier,)
        if own and _takes_lists(listing[1], vendor_field(listing[0].mapping, own[0]), rows_max):
            asked = own[0]
    return Together(call=call, rows_max=rows_max, name=asked)


def _takes_lists(resource: Resource, field: str, count: int) -> bool:
    """Say whether the vendor can be asked for the rows that have one of so many values."""
    filters = resource.filtering.filters if resource.filtering is not None else ()
    return any(
        field in item.fields
        and "in" in (*item.exact, *item.superset)
        and (not item.values_max or item.values_max >= count)
        for item in filters
    )


def _natural_key(route: Route, creating: tuple[Route, Resource] | None) -> tuple[str, ...]:
    if creating is None or creating[1].writing is None:
        return ()
    return own_names(route.mapping, creating[1].writing.natural_key)


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequest(f"{name} in metaData must be a text.")
    return value.strip()


def _number(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name)
    if value is None or value == "":
        return 0
    # Clients write it either way.
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
        raise BadRequest(f"{name} in metaData must be a number from 1 on.")
    return int(text)
