"""
Read the parameters of a search: page, pageSize, nextPage, where, orderBy, fields, explain. Pure.

What cannot be honoured is refused rather than left out, since an unfiltered list would look like
an answer. Parameters that nobody declared are ignored, with a warning where one looks like a slip.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import msgspec

from polyvalent.catalog.element import Element, Resource
from polyvalent.ceql import parse_fields
from polyvalent.errors import BadRequest
from polyvalent.hub.model import Incoming
from polyvalent.hub.page_token import PageToken, digest_query, read_token
from polyvalent.hub.query import Query, check_projection, compile_query
from polyvalent.hub.resolve import split_path, strip_hub
from polyvalent.hub.values import PLATFORM_PARAMETERS
from polyvalent.instances.model import Configuration
from polyvalent.mapping import Mapping
from polyvalent.value import Value

PAGE_SIZE_MAX = 100  # where neither instance nor element says
_NUMBER_DIGITS_MAX = 9
_FIELDS_MAX = 500
_LOWERED = {name.lower(): name for name in sorted(PLATFORM_PARAMETERS)}
_SHOWN_MAX = 40  # characters of a caller's name in a warning


class Search(Value, frozen=True, kw_only=True):
    """Say which rows of a list are wanted, where among them the page begins, and what to show."""

    query: Query
    page: int  # from 1
    page_size: int  # at least 1
    # By nextPage: only rows behind the one with this cursor value, behind so many rows of the
    # vendor's, or behind the one that was sorted by these values.
    last: str | None = None
    offset: int | None = None
    after: tuple[Any, ...] | None = None
    # By the vendor's token; see PageToken.
    token: str | None = None
    trail: tuple[str, ...] = ()
    vendor_size: int = 0
    fields: tuple[str, ...] = ()  # empty: all
    explain: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def continues(self) -> bool:
        """Say whether the page begins behind a row, not at a number."""
        places = (self.last, self.offset, self.after, self.token)
        return places != (None, None, None, None)


def read_search(
    incoming: Incoming,
    resource: Resource,
    *,
    element: Element,
    configuration: Configuration,
    mapping: Mapping | None = None,
) -> Search:
    """
    Read what rows a call asks for.

    page=2&pageSize=500 on a resource whose vendor gives 100 at most → Search(page=2,
    page_size=100, warnings=("pageSize 500 ...",)). Without pageSize pages are as large as they
    may be. With nextPage, page is ignored, and where, orderBy and pageSize are the token's unless
    sent. The fields of the query are those of the mapped object.
    Raises BadRequest, naming the parameter.
    """
    largest = page_size_max(resource, configuration.get("pagination.max"))
    asked = _read_number(incoming, "pageSize")
    where, order = incoming.parameter("where"), incoming.parameter("orderBy")
    text = incoming.parameter("nextPage")
    token = read_token(text, path=list_path(incoming)) if text is not None else None
    if token is not None:
        where = token.where if where is None else where
        order = token.order if order is None else order
    query = compile_query(
        where or "", order or "", element=element, resource=resource, mapping=mapping
    )
    fields = read_fields(incoming)
    check_projection(fields, element=element, resource=resource, mapping=mapping)
    if token is not None:
        _check_token(token, query, asked=asked)
        asked = asked or token.page_size
    return Search(
        query=query,
        page=token.page if token is not None else _read_number(incoming, "page") or 1,
        page_size=min(asked or largest, largest),
        last=token.last if token is not None else None,
        offset=token.offset if token is not None else None,
        after=token.after if token is not None else None,
        token=token.token if token is not None else None,
        trail=token.trail if token is not None else (),
        vendor_size=token.vendor_size if token is not None else 0,
        fields=fields,
        explain=_read_switch(incoming, "explain"),
        warnings=(
            *(
                (f"pageSize {asked} is above the maximum; {largest} was used",)
                if asked is not None and asked > largest
                else ()
            ),
            *_find_slips(incoming, resource),
        ),
    )


def read_fields(incoming: Incoming) -> tuple[str, ...]:
    """
    Read the members that rows shall be cut down to: "id, email" → ("id", "email"); all if empty.

    Raises BadRequest for what is no list of names, and for more than 500.
    """
    text = incoming.parameter("fields")
    if text is None:
        return ()
    # Empty places between commas do no harm.
    names = parse_fields(",".join(part for part in text.split(",") if part.strip()))
    if len(names) > _FIELDS_MAX:
        raise BadRequest(f"fields names more than {_FIELDS_MAX} fields.")
    return names


def list_path(incoming: Incoming) -> str:
    """Return the path of a call without hub and without an ending slash: "/orders/7/items"."""
    return "/" + "/".join(split_path(incoming.path))


def page_size_max(resource: Resource, setting: str | None) -> int:
    """
    Return the largest page of a resource, from a `pagination.max` setting.

    "100" → 100; '{"users": 50, "usersComments": 20, "default": 30}' is looked up by the resource's
    name. What makes no sense counts as 100.
    """
    value: Any = _read_sizes(setting) if setting else None
    if isinstance(value, dict):
        value = value.get(resource_name(resource), value.get("default"))
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and value >= 1 else PAGE_SIZE_MAX


def vendor_page_size_max(element: Element, resource: Resource) -> int:
    """Return the largest page the vendor gives, whatever an instance has set."""
    for entry in element.configuration:
        if entry.key == "pagination.max":
            return page_size_max(resource, entry.default_value)
    return PAGE_SIZE_MAX


def resource_name(resource: Resource) -> str:
    """Return the name by which settings call a resource: "/users/{id}/comments" → usersComments."""
    words = [part for part in strip_hub(resource.path).split("/") if part and part[0] != "{"]
    return "".join([words[0], *(word[:1].upper() + word[1:] for word in words[1:])])


def _find_slips(incoming: Incoming, resource: Resource) -> tuple[str, ...]:
    # "pagesize" or "wher" would otherwise be answered as if nothing had been asked.
    unknown = [name for name, _ in incoming.query if name not in PLATFORM_PARAMETERS]
    if not unknown:
        return ()
    declared = {parameter.name for parameter in resource.parameters}
    slips = []
    for name in dict.fromkeys(unknown):
        near = get_close_matches(name[:_SHOWN_MAX].lower(), _LOWERED, n=1, cutoff=0.75)
        if near and name not in declared:
            slips.append(
                f"parameter {name[:_SHOWN_MAX]!r} was ignored; did you mean {_LOWERED[near[0]]}?"
            )
    return tuple(slips)


@lru_cache(maxsize=256)
def _read_sizes(setting: str) -> Any:
    try:
        return msgspec.json.decode(setting)
    except msgspec.DecodeError:
        return None


def _check_token(token: PageToken, query: Query, *, asked: int | None) -> None:
    if token.digest != digest_query(query.where, query.order):
        if token.digest and not (query.where or query.order):
            raise BadRequest(
                "nextPage continues a search whose where is too long to be carried along. Send "
                "the same where and orderBy again."
            )
        raise BadRequest(
            "nextPage belongs to a search with another where or orderBy. Send the same ones."
        )
    if token.after is not None and len(token.after) != len(query.plan.order_here):
        raise BadRequest("nextPage belongs to a search that was sorted otherwise. Begin anew.")
    positioned = any(at is not None for at in (token.last, token.offset, token.token))
    if not positioned and asked not in (None, token.page_size):
        raise BadRequest(
            f"nextPage continues pages of {token.page_size} rows; pageSize cannot change now."
        )


def _read_switch(incoming: Incoming, name: str) -> bool:
    text = incoming.parameter(name)
    if text is None or text in ("false", "true"):
        return text == "true"
    raise BadRequest(f"{name} must be true or false, but it is {text[:40]!r}.")


def _read_number(incoming: Incoming, name: str) -> int | None:
    text = incoming.parameter(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX) or not int(text):
        raise BadRequest(f"{name} must be a whole number from 1, but it is {text[:40]!r}.")
    return int(text)
