"""
Find mapped objects in the path of a call, and lead it to the vendor's resource. Pure.

An object with a transformation is a resource of its own: /contacts/7 is /customers/7 where
`contacts` is mapped to the vendor object `customers`, and a mapped name goes before a resource of
the same name. Rows come as the last mapped name of the path says.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import quote

from polyvalent.catalog.element import Element
from polyvalent.ceql import suggest_field
from polyvalent.errors import BadRequest
from polyvalent.hub.model import Row
from polyvalent.hub.resolve import split_path, strip_hub
from polyvalent.hub.same import by_identity
from polyvalent.mapping import Mapping
from polyvalent.value import Value

# The mapping of an object by its name; None if it has none.
FindMapping: TypeAlias = Callable[[str], Mapping | None]


def find_nothing(_name: str) -> Mapping | None:
    """Know no mapped object."""
    return None


class Route(Value, frozen=True, kw_only=True):
    """Hold the path to the vendor's resource, and the mapping of its rows; None for none."""

    path: str
    mapping: Mapping | None = None
    creating: bool = False  # a body is a whole object, not a change

    def outwards(self, row: Row) -> Row:
        """Return a vendor's row as callers see it."""
        return row if self.mapping is None else self.mapping.outwards(row)

    def inwards(self, body: Row) -> Row:
        """Return a caller's body as the vendor takes it."""
        if self.mapping is None:
            return body
        return self.mapping.inwards(body) if self.creating else self.mapping.inwards_part(body)


def find_route(element: Element, path: str, find: FindMapping, *, creating: bool = False) -> Route:
    """
    Lead a path to the vendor's resource: "/hubs/crm/contacts/7" → "/customers/7".

    Names of lists stand at every other place of a path, ids between them.
    """
    found = [find(name) for name in split_path(path)[::2]]
    way = path
    if any(found):
        parts = strip_hub(path).strip("/").split("/")
        for place, mapping in enumerate(found):
            if mapping is not None:
                parts[2 * place] = _segment(element, mapping)
        way = "/" + "/".join(parts)
    return Route(path=way, mapping=found[-1], creating=creating)


def vendor_field(mapping: Mapping | None, name: str) -> str:
    """
    Return the vendor's name of a field in a query.

    Raises BadRequest if the object has no such field.
    """
    found = name if mapping is None else mapping.to_vendor_field(name)
    if found is None:
        assert mapping is not None  # without one every name is its own
        own = mapping.to_own_field(name)  # the vendor's name of it, perhaps
        hint = f"Did you mean {own}?" if own else suggest_field(name, mapping.own_fields)
        raise BadRequest(f"{mapping.object_name} has no field {name[:100]!r}. {hint}")
    return found


def own_names(mapping: Mapping | None, vendor_fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a mapped object calls the vendor's fields; those that it lacks are left out."""
    if mapping is None:
        return vendor_fields
    names = (mapping.to_own_field(name) for name in vendor_fields)
    return tuple(name for name in names if name is not None)


def find_resource_name(element: Element, vendor_name: str) -> str:
    """Return the resource that a vendorName means: "stockitems" → "inventory"."""
    # The name of a resource, else the vendor's own name of an object that has one.
    name = vendor_name.strip("/")
    if name in _words(tuple(resource.path for resource in element.resources)):
        return name
    return next((item.name for item in element.objects if item.vendor_name == name), name)


@by_identity(kept=1024)
def _segment(element: Element, mapping: Mapping) -> str:
    return quote(find_resource_name(element, mapping.vendor_name), safe="")


@lru_cache(maxsize=512)
def _words(paths: tuple[str, ...]) -> frozenset[str]:
    return frozenset(part for path in paths for part in strip_hub(path).split("/"))
