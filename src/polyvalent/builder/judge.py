"""Judge whether an element that was brought along can be kept. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from polyvalent.catalog.check_resource import METHODS
from polyvalent.catalog.element import Element, Parameter, Resource
from polyvalent.catalog.placeholder import placeholders_of
from polyvalent.errors import BadRequest

AUTHENTICATION_TYPES = frozenset(
    (
        "basic",
        "custom",
        "oauth1",
        "oauth2",
        "apiKey",
        "customApiKey",
        "oauth2ClientCredentials",
        "oauth2Password",
        "oauth2Pkce",
        "awsv2",
        "awsv4",
        "none",
    )
)
PARAMETER_TYPES = frozenset(
    (
        "configuration",
        "header",
        "path",
        "body",
        "query",
        "form",
        "multipart",
        "value",
        "bodyField",
        "bodyToken",
        "prevBody",
        "prevBodyField",
        "no-op",
    )
)
# Words that stand where a key would in the paths below /elements.
_RESERVED = frozenset(("keys", "metadata", "convert", "oauthproxies", "docs"))
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_HUB = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")
_PATH = re.compile(r"/[^\s?#\x00-\x1f]{0,1000}")
_ENTRY_KEY = re.compile(r"[^\s\x00-\x1f{}]{1,200}")
_FAULTS_MAX = 10
_NAME_MAX = 255


def judge_element(element: Element) -> None:
    """Let an element that can be kept pass; raises BadRequest naming every fault."""
    faults = list(find_faults(element))
    if faults:
        more = f" and {len(faults) - _FAULTS_MAX} more" if len(faults) > _FAULTS_MAX else ""
        raise BadRequest(f"The element cannot be used: {'; '.join(faults[:_FAULTS_MAX])}{more}.")


def find_faults(element: Element) -> Iterator[str]:
    """Yield what keeps an element from being kept."""
    if not element.name.strip() or len(element.name) > _NAME_MAX:
        yield f"its name must have 1 to {_NAME_MAX} characters"
    if not element.description.strip():
        yield "its description is empty"
    if not _KEY.fullmatch(element.key) or element.key.isdigit():
        yield (
            f"its key {element.key[:60]!r} must have letters, digits, '_', '.' or '-', up to 100 "
            'of them and not only digits; give one as "key"'
        )
    if element.key.lower() in _RESERVED:
        yield f"the key {element.key} is a word of the API's own paths"
    if not _HUB.fullmatch(element.hub.lower()):
        yield f"its hub {element.hub[:60]!r} must have letters, digits, '_', '.' or '-'"
    if element.authentication.type not in AUTHENTICATION_TYPES:
        yield (
            f"authentication.type {element.authentication.type[:60]!r} is none of "
            f"{', '.join(sorted(AUTHENTICATION_TYPES))}"
        )
    for entry in element.configuration:
        if not _ENTRY_KEY.fullmatch(entry.key):
            yield f"the configuration key {entry.key[:60]!r} is empty or has a blank or a brace"
    yield from _parameter_faults(element.parameters, "the element")
    yield from find_resource_faults(element.resources)
    for name, count in Counter(item.name for item in element.objects).items():
        if count > 1 or not name.strip():
            yield f"the object {name[:60]!r} is there {count} times, or has no name"


def find_resource_faults(resources: tuple[Resource, ...]) -> Iterator[str]:
    """Yield what keeps resources from being kept."""
    places: Counter[str] = Counter()
    for item in resources:
        place = f"{item.method[:10]} {item.path[:100]}"
        if item.method not in METHODS:
            yield f"{place}: the method must be one of {', '.join(sorted(METHODS))}"
        if item.vendor_method not in METHODS:
            yield f"{place}: vendorMethod must be one of {', '.join(sorted(METHODS))}"
        if not _PATH.fullmatch(item.path) or item.path.count("{") != item.path.count("}"):
            yield f"{place}: the path must begin with '/' and have no blank, '?' or '#'"
        if len(set(placeholders_of(item.path))) < len(placeholders_of(item.path)):
            yield f"{place}: the path has a placeholder twice"
        places[f"{item.type} {item.method} {place_of(item)}"] += 1
        yield from _parameter_faults(item.parameters, place)
    for name, count in places.items():
        if count > 1:
            yield f"the resource {name[:120]} is there {count} times"


def place_of(resource: Resource) -> str:
    """Return the path of a resource whatever its placeholders are called: "/hubs/crm/a/{}"."""
    return re.sub(r"\{[^{}]*\}", "{}", resource.path)


def _parameter_faults(parameters: tuple[Parameter, ...], place: str) -> Iterator[str]:
    for item in parameters:
        for kind in (item.type, item.vendor_type):
            if kind not in PARAMETER_TYPES:
                yield f"parameter {item.name[:60]!r} of {place}: the type {kind[:40]!r} is unknown"
        names = item.vendor_name if item.vendor_type == "header" else ""
        if item.vendor_type == "header" and not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", names):
            yield f"parameter {item.name[:60]!r} of {place}: {names[:40]!r} is no header's name"
