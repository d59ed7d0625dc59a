"""Find the resource that a method and path mean; the hub's name in the path is cosmetic. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from polyvalent.catalog.element import Element, Resource
from polyvalent.errors import BadRequest, MethodNotAllowed, NotFound
from polyvalent.hub.model import PathParameters
from polyvalent.hub.same import Same

# The types of resources that callers may reach by path; the others serve provisioning.
_CALLABLE = frozenset(("api", "apiNoDocumentation"))
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_Pattern = tuple[tuple[str, str | None], ...]  # per segment: its text, and its name if it has one
_SHOWN_MAX = 100  # characters of a caller's path in a message


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """Pair a resource with the values of its path: {"id": "12"}."""

    resource: Resource
    path_parameters: PathParameters


def resolve(element: Element, method: str, path: str) -> Match:
    """
    Find the resource for a call.

    "GET", "/hubs/anything/products/12" → the element's GET /products/{id} with {"id": "12"}.
    A literal segment is preferred to a placeholder; an ending slash does not matter.
    Raises BadRequest for a path that the element does not know, MethodNotAllowed (with the
    methods it does take), NotFound for an id that is no number where ids are numbers.
    """
    segments = split_path(path)
    places = _index(Same(element))
    candidates = (
        *places.get((len(segments), segments[0]), ()),
        *places.get((len(segments), None), ()),
    )
    matches: list[tuple[_Found, Resource]] = []
    for pattern, resources in candidates:
        found = _match(pattern, segments)
        if found is not None:
            matches += [(found, resource) for resource in resources]
    if not matches:
        raise BadRequest(
            f"{element.name} has no resource {_show(segments)}. Its resources: "
            f"{', '.join(top_resources(element))}."
        )
    best = max(found.literals for found, _ in matches)
    here = [(found, resource) for found, resource in matches if found.literals == best]
    for found, resource in here:
        if resource.method == method:
            if resource.kind == "java":
                raise BadRequest("This API is not currently supported for this element")
            _check_numbers(resource, found.values)
            return Match(resource=resource, path_parameters=found.values)
    allowed = tuple(dict.fromkeys(resource.method for _, resource in here))
    raise MethodNotAllowed(
        f"{_show(segments)} takes {', '.join(allowed)}, not {method[:20]}.", allowed=allowed
    )


def find_resource(element: Element, method: str, path: str) -> Resource | None:
    """Return the resource declared with this very path, prefix or not: "/products/{id}"."""
    wanted = strip_hub(path)
    for resource in element.resources:
        if resource.method == method and strip_hub(resource.path) == wanted:
            return resource
    return None


def top_resources(element: Element) -> tuple[str, ...]:
    """Return the names of the resources without parents: ("customers", "products")."""
    firsts = (
        strip_hub(resource.path).strip("/").split("/")[0]
        for resource in element.resources
        if resource.type in _CALLABLE
    )
    return tuple(dict.fromkeys(firsts))


# The steps of one call ask for the same path again and again.
@lru_cache(maxsize=512)
def split_path(path: str) -> tuple[str, ...]:
    """Cut a path into decoded segments without the hub: "/hubs/x/a/b%2Fc/" → ("a", "b/c")."""
    bare = strip_hub(path).strip("/")
    parts = bare.split("/")
    return tuple(map(unquote, parts)) if "%" in bare else tuple(parts)


def strip_hub(path: str) -> str:
    """Take the hub off a path: "/hubs/ecommerce/products" → "/products"."""
    parts = path.split("/", 3)
    if len(parts) == 4 and parts[:2] == ["", "hubs"]:
        return "/" + parts[3]
    return path


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    values: dict[str, str]
    literals: tuple[bool, ...]  # per segment; compares as "literal before placeholder, leftmost"


def _match(pattern: _Pattern, segments: tuple[str, ...]) -> _Found | None:
    values: dict[str, str] = {}
    for (literal, name), segment in zip(pattern, segments, strict=True):
        # An empty id would lead to the list, dots to another place.
        if (segment != literal) if name is None else (segment in ("", ".", "..")):
            return None
        if name is not None:
            values[name] = segment
    return _Found(values=values, literals=tuple(name is None for _, name in pattern))


@lru_cache(maxsize=256)
def _index(
    element: Same[Element],
) -> Mapping[tuple[int, str | None], Sequence[tuple[_Pattern, Sequence[Resource]]]]:
    # The callable resources by their number of segments and the first one; None: any first one.
    by_pattern: dict[_Pattern, list[Resource]] = {}
    for resource in element.value.resources:
        if resource.type in _CALLABLE:
            by_pattern.setdefault(_read_pattern(resource.path), []).append(resource)
    found: dict[tuple[int, str | None], list[tuple[_Pattern, Sequence[Resource]]]] = {}
    for pattern, resources in by_pattern.items():
        literal, name = pattern[0]
        place = (len(pattern), literal if name is None else None)
        found.setdefault(place, []).append((pattern, resources))
    return found


def _read_pattern(declared: str) -> _Pattern:
    """Cut a declared path into literals and names: "/a/{id}" → (("a", None), ("{id}", "id"))."""
    parts = strip_hub(declared).strip("/").split("/")
    names = ((part, _PLACEHOLDER.fullmatch(part)) for part in parts)
    return tuple((part, found.group(1) if found else None) for part, found in names)


@lru_cache(maxsize=2048)
def _number_names(resource: Same[Resource]) -> frozenset[str]:
    return frozenset(
        item.name
        for item in resource.value.parameters
        if item.type == "path" and item.data_type in ("integer", "long")
    )


def _check_numbers(resource: Resource, values: PathParameters) -> None:
    numbers = _number_names(Same(resource))
    for name, value in values.items():
        if name in numbers and not (value.isascii() and value.isdigit() and len(value) < 20):
            raise NotFound(
                f"There is no row {value[:_SHOWN_MAX]!r}: {name} of "
                f"{strip_hub(resource.path)} is a number."
            )


def _show(segments: Iterable[str]) -> str:
    return ("/" + "/".join(segments))[:_SHOWN_MAX]
