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
from polyvalent.hub.same import by_identity
from polyvalent.value import Value

# The types of resources that callers may reach by path; the others serve provisioning.
_CALLABLE = frozenset(("api", "apiNoDocumentation"))
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_SHOWN_MAX = 100  # characters of a caller's path in a message


class Match(Value, frozen=True, kw_only=True):
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
    places = _index(element)
    candidates = (
        *places.get((len(segments), segments[0]), ()),
        *places.get((len(segments), None), ()),
    )
    matches: list[tuple[_Found, Sequence[_Known]]] = []
    for pattern, known in candidates:
        found = _match(pattern, segments)
        if found is not None:
            matches.append((found, known))
    if not matches:
        raise BadRequest(
            f"{element.name} has no resource {_show(segments)}. Its resources: "
            f"{', '.join(top_resources(element))}. GET /objects names mapped ones as well."
        )
    if len(matches) > 1:
        best = max(found.literals for found, _ in matches)
        matches = [item for item in matches if item[0].literals == best]
    for found, known in matches:
        for item in known:
            if item.resource.method == method:
                if item.resource.kind == "java":
                    raise BadRequest("This API is not currently supported for this element")
                _check_numbers(item, found.values)
                return Match(resource=item.resource, path_parameters=found.values)
    allowed = tuple(dict.fromkeys(item.resource.method for _, known in matches for item in known))
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


@dataclass(frozen=True, slots=True)
class _Pattern:
    segments: tuple[tuple[str, str | None], ...]  # the text of each, and its name if it has one
    literals: tuple[bool, ...]  # per segment; compares as "literal before placeholder, leftmost"


@dataclass(frozen=True, slots=True)
class _Known:
    resource: Resource
    numbers: frozenset[str]  # the placeholders of its path that are numbers


@dataclass(slots=True)
class _Found:
    values: dict[str, str]
    literals: tuple[bool, ...]


def _match(pattern: _Pattern, segments: tuple[str, ...]) -> _Found | None:
    values: dict[str, str] = {}
    for (literal, name), segment in zip(pattern.segments, segments, strict=True):
        # An empty id would lead to the list, dots to another place.
        if (segment != literal) if name is None else (segment in ("", ".", "..")):
            return None
        if name is not None:
            values[name] = segment
    return _Found(values, pattern.literals)


@by_identity(kept=256)
def _index(
    element: Element,
) -> Mapping[tuple[int, str | None], Sequence[tuple[_Pattern, Sequence[_Known]]]]:
    # The callable resources by their number of segments and the first one; None: any first one.
    by_pattern: dict[_Pattern, list[_Known]] = {}
    for resource in element.resources:
        if resource.type in _CALLABLE:
            known = _Known(resource, _number_names(resource))
            by_pattern.setdefault(_read_pattern(resource.path), []).append(known)
    found: dict[tuple[int, str | None], list[tuple[_Pattern, Sequence[_Known]]]] = {}
    for pattern, resources in by_pattern.items():
        literal, name = pattern.segments[0]
        place = (len(pattern.segments), literal if name is None else None)
        found.setdefault(place, []).append((pattern, resources))
    return found


def _read_pattern(declared: str) -> _Pattern:
    """Cut a declared path into literals and names: "/a/{id}" → (("a", None), ("{id}", "id"))."""
    parts = strip_hub(declared).strip("/").split("/")
    found = [(part, _PLACEHOLDER.fullmatch(part)) for part in parts]
    segments = tuple((part, name.group(1) if name else None) for part, name in found)
    return _Pattern(segments, tuple(name is None for _, name in segments))


def _number_names(resource: Resource) -> frozenset[str]:
    return frozenset(
        item.name
        for item in resource.parameters
        if item.type == "path" and item.data_type in ("integer", "long")
    )


def _check_numbers(known: _Known, values: PathParameters) -> None:
    for name, value in values.items():
        if name in known.numbers and not (value.isascii() and value.isdigit() and len(value) < 20):
            raise NotFound(
                f"There is no row {value[:_SHOWN_MAX]!r}: {name} of "
                f"{strip_hub(known.resource.path)} is a number."
            )


def _show(segments: Iterable[str]) -> str:
    return ("/" + "/".join(segments))[:_SHOWN_MAX]
