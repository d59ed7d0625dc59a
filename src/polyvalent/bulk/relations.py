"""
Read which related rows a download brings along: the instance's bulk.relations. Pure.

A list of names with commas between. `order_items` is a member of the rows, or a list below each
of them (`/products/{id}/images`), which is asked for row by row. `orders.order_items` means
orders only, and `:separate` behind a name puts what belongs to a row into a file of its own
instead of into the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from polyvalent.catalog.element import Element, ElementObject, Resource
from polyvalent.errors import BadRequest
from polyvalent.hub.resolve import strip_hub

_SEPARATE = "separate"
_NESTED = "nested"


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    """Name rows that belong to each row: a member of it, or a list below it."""

    name: str
    separate: bool
    below: bool  # read by a call of its own for each row


def read_relations(
    text: str | None, *, element: Element, resource: Resource, shown: ElementObject | None
) -> tuple[Relation, ...]:
    """
    Read what belongs to the rows of a resource; names that others have are left out.

    Raises BadRequest for a name that is said of this resource and that it does not have.
    """
    return tuple(_find(text or "", element=element, resource=resource, shown=shown))


def _find(
    text: str, *, element: Element, resource: Resource, shown: ElementObject | None
) -> Iterator[Relation]:
    path = strip_hub(resource.path).strip("/")
    children = {
        strip_hub(item.path).strip("/").split("/")[2]
        for item in element.resources
        if item.method == "GET"
        and strip_hub(item.path).strip("/").count("/") == 2
        and strip_hub(item.path).strip("/").split("/")[0] == path
    }
    members = {item.name for item in shown.fields} if shown is not None else set()
    for entry in text.split(","):
        whole, colon, how = entry.strip().partition(":")
        if not whole:
            continue
        if colon and how not in (_SEPARATE, _NESTED):
            raise BadRequest(
                f"bulk.relations of the instance says {entry.strip()[:60]!r}; behind the colon "
                f"there may be {_NESTED} or {_SEPARATE}."
            )
        owner, dot, name = whole.rpartition(".")
        if dot and owner not in (path, resource.object):
            continue
        if name in members or name in children:
            yield Relation(name=name, separate=how == _SEPARATE, below=name not in members)
        elif dot:
            known = ", ".join(sorted(children)) or "none"
            raise BadRequest(
                f"bulk.relations of the instance names {whole[:60]!r}, but {path} has neither a "
                f"field nor a list of that name. Lists below its rows: {known}."
            )
