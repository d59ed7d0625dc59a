"""Read what a caller wants written, and say how to find out what became of it. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from polyvalent.catalog.element import Element
from polyvalent.catalog.placeholder import placeholders_of
from polyvalent.errors import BadRequest
from polyvalent.hub.caller_body import read_form
from polyvalent.hub.model import Incoming, Row
from polyvalent.hub.read import DEEPEST, nests_deeper
from polyvalent.hub.resolve import Match, find_resource, strip_hub

_SHOWN_MAX = 100  # characters of a value in a message


def read_body(incoming: Incoming) -> Row:
    """
    Read the JSON object that a write carries, or the members of its form.

    Raises BadRequest: no body, not JSON (naming the place), not an object.
    """
    form = read_form(incoming)
    if form is not None:
        return form.members
    if not incoming.body.strip():
        raise BadRequest("The request has no body. Send the fields as a JSON object.")
    try:
        data: Any = orjson.loads(incoming.body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    if not isinstance(data, dict):
        raise BadRequest("The body must be one JSON object; it is another kind of JSON value.")
    if nests_deeper(data, than=DEEPEST):
        raise BadRequest(f"The body is nested more than {DEEPEST} levels deep.")
    return data


def find_read_back(element: Element, match: Match, *, created: str | None) -> Match | None:
    """
    Return the read that shows a row after it was written, None where the element names none.

    For a new row the last placeholder of that path takes its id.
    """
    writing = match.resource.writing
    if writing is None or not writing.read_back:
        return None
    resource = find_resource(element, "GET", writing.read_back)
    if resource is None:
        return None
    values = dict(match.path_parameters)
    if created is not None:
        values[placeholders_of(resource.path)[-1]] = created
    return Match(resource=resource, path_parameters=values)


def doubt_hint(match: Match, incoming: Incoming, *, sent: Row) -> str:
    """
    Say how to find out whether a write of unknown outcome took place.

    By the row's address if it has one, by its natural key if it is new.
    """
    resource = match.resource
    path = strip_hub(incoming.path)[:_SHOWN_MAX]
    writing = resource.writing
    keys = writing.natural_key if writing is not None else ()
    known = [name for name in keys if isinstance(sent.get(name), str | int)]
    if known:
        where = " AND ".join(f"{name} = '{_quote(sent[name])}'" for name in known)
        look = f"GET {path}?where={where}"
    elif resource.method == "POST":
        look = f"GET {path} and look for the row"
    else:
        look = f"GET {path}"
    return f"Whether it was written is unknown. Look before you repeat it: {look}."


def _quote(value: object) -> str:
    return str(value)[:_SHOWN_MAX].replace("'", "''")
