"""
Read the query of a search: page, pageSize, nextPage, where, fields. Pure.

Of the query language only what a resource's `filtering` offers is taken: one `field = 'value'`.
What cannot be honoured is refused rather than left out, since an unfiltered list would look like
an answer. Parameters that nobody declared are ignored.
"""

from __future__ import annotations

import re

import msgspec

from polyvalent.catalog.element import Element, Filtering, Resource
from polyvalent.errors import BadRequest
from polyvalent.hub.mapped import own_names, vendor_field
from polyvalent.hub.model import Incoming, Predicate, Search
from polyvalent.hub.page_token import read_token
from polyvalent.hub.resolve import split_path, strip_hub
from polyvalent.instances.model import Configuration
from polyvalent.mapping import Mapping

PAGE_SIZE_MAX = 100  # where neither instance nor element says
_NUMBER_DIGITS_MAX = 9
_FIELDS_MAX = 500
_CONDITION = re.compile(
    r"""\s*([A-Za-z_][\w.-]*)\s*=\s*(?:'((?:[^']|'')*)'|"([^"]*)"|([^\s'"()]+))\s*""", re.ASCII
)


def read_search(
    incoming: Incoming,
    resource: Resource,
    *,
    configuration: Configuration,
    mapping: Mapping | None = None,
) -> Search:
    """
    Read what rows a call asks for.

    page=2&pageSize=500 on a resource whose vendor gives 100 at most → Search(page=2,
    page_size=100, warnings=("pageSize 500 ...",)). Without pageSize pages are as large as they
    may be. With nextPage, page is ignored, and where and pageSize are the token's unless sent.
    The fields of `where` are those of the mapped object, the predicates are in the vendor's words.
    Raises BadRequest, naming the parameter.
    """
    largest = page_size_max(resource, configuration.get("pagination.max"))
    asked = _read_number(incoming, "pageSize")
    where = incoming.parameter("where") or ""
    page, last = 1, None
    if (text := incoming.parameter("nextPage")) is not None:
        token = read_token(text, path=list_path(incoming))
        if where and where != token.where:
            raise BadRequest("nextPage belongs to a search with another where. Send the same one.")
        where, page, last = token.where, token.page, token.last
        if last is None and asked not in (None, token.page_size):
            raise BadRequest(
                f"nextPage continues pages of {token.page_size} rows; pageSize cannot change now."
            )
        asked = asked or token.page_size
    else:
        page = _read_number(incoming, "page") or 1
    if incoming.parameter("orderBy") is not None:
        raise BadRequest(f"{list_path(incoming)} cannot be ordered by orderBy. Leave it out.")
    return Search(
        page=page,
        page_size=min(asked or largest, largest),
        last=last,
        where=where,
        predicates=_read_where(where, resource.filtering, incoming, mapping=mapping),
        fields=read_fields(incoming),
        warnings=(
            (f"pageSize {asked} is above the maximum; {largest} was used",)
            if asked is not None and asked > largest
            else ()
        ),
    )


def read_fields(incoming: Incoming) -> tuple[str, ...]:
    """
    Read the members that rows shall be cut down to: "id, email" → ("id", "email"); all if empty.

    Raises BadRequest for more than 500.
    """
    text = incoming.parameter("fields") or ""
    names = dict.fromkeys(name.strip() for name in text.split(",") if name.strip())
    if len(names) > _FIELDS_MAX:
        raise BadRequest(f"fields names more than {_FIELDS_MAX} fields.")
    return tuple(names)


def list_path(incoming: Incoming) -> str:
    """Return the path of a call without hub and without an ending slash: "/orders/7/items"."""
    return "/" + "/".join(split_path(incoming.path))


def page_size_max(resource: Resource, setting: str | None) -> int:
    """
    Return the largest page of a resource, from a `pagination.max` setting.

    "100" → 100; '{"users": 50, "usersComments": 20, "default": 30}' is looked up by the resource's
    name. What makes no sense counts as 100.
    """
    if not setting:
        return PAGE_SIZE_MAX
    try:
        value = msgspec.json.decode(setting)
    except msgspec.DecodeError:
        return PAGE_SIZE_MAX
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


def _read_number(incoming: Incoming, name: str) -> int | None:
    text = incoming.parameter(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX) or not int(text):
        raise BadRequest(f"{name} must be a whole number from 1, but it is {text[:40]!r}.")
    return int(text)


def _read_where(
    where: str, filtering: Filtering | None, incoming: Incoming, *, mapping: Mapping | None
) -> tuple[Predicate, ...]:
    if not where.strip():
        return ()
    path = list_path(incoming)
    if filtering is None:
        raise BadRequest(f"{path} cannot be searched by where. Leave it out and read the pages.")
    names = own_names(mapping, filtering.fields)
    if not names:
        raise BadRequest(f"No field that {path} can be searched by is mapped.")
    example = f"{names[0]} = 'value'"
    found = _CONDITION.fullmatch(where)
    if found is None:
        raise BadRequest(
            f"Error parsing query: where of {path} takes one condition, such as {example}; it can "
            f"search by {', '.join(names)}."
        )
    name, single, double, bare = found.groups()
    field = vendor_field(mapping, name)
    if field not in filtering.fields:
        raise BadRequest(f"{path} cannot be searched by {name[:100]}, only by {', '.join(names)}.")
    value = single.replace("''", "'") if single is not None else double if bare is None else bare
    if mapping is not None:
        value = mapping.to_vendor_value(name, value)
    return (Predicate(field=field, operator="=", value=value),)
