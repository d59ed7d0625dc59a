"""
Hold the rules on what a call would do; see `check`.

What breaks one of them is kept all the same, since other programs know what to do with it; here the
call would fail, or leave out what it was meant to send.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

import orjson

from polyvalent.catalog.element import Element, Hook, Parameter, Resource
from polyvalent.catalog.placeholder import placeholders_of

RESOURCE_TYPES = frozenset(
    (
        "api",
        "apiNoDocumentation",
        "onRefresh",
        "onProvision",
        "provisionAuthValidation",
        "oauthOnAuthroizeUrl",
        "oauthOnAuthorizeUrl",
        "oauthOnTokenExchange",
        "oauthOnTokenRefresh",
        "oauthOnTokenRevoke",
        "oauth1OnTokenRequest",
        "oauth2ClientCredentials",
        "formulaAsResource",
        "onDelete",
        "onProvisionWebhook",
        "onDeleteWebhook",
        "apiElementRequest",
        "onProvisionCacheVendorDataAsync",
    )
)
_CALLABLE = frozenset(("api", "apiNoDocumentation"))
_PAGING = frozenset(("page", "offset", "cursor"))
_BODIES = frozenset(("body", "bodyField", "bodyToken", "form", "multipart"))
_PREVIOUS = frozenset(("prevBody", "prevBodyField"))
_TEMPLATE = re.compile(r"\$\{configuration\.([^{}]+)\}")


def lists_are_read_on(element: Element) -> Iterator[str]:
    """Find lists of which the next page could not be asked for."""
    by_token = _default(element, "pagination.type") == "cursor"
    for resource in element.resources:
        if resource.type not in _CALLABLE or resource.method != "GET":
            continue
        name, asked = _name(resource), _queries(resource)
        if resource.pagination_type == "VENDOR_NOT_SUPPORTED":
            if resource.next_page_key:
                yield f"{name}: nextPageKey is not used with paginationType VENDOR_NOT_SUPPORTED."
            continue
        if "nextPage" in asked and not resource.next_page_key:
            yield f"{name} sends nextPage and has no nextPageKey that says where it is found."
        if by_token and _is_list(resource):
            if not resource.next_page_key:
                yield f"{name} is paged by a token (pagination.type) and lacks nextPageKey."
            elif "nextPage" not in asked:
                yield (
                    f"{name} is paged by a token (pagination.type) and lacks the query parameter "
                    "nextPage that sends it."
                )
        ends_with_empty = resource.collection and resource.collection.ends_with == "emptyPage"
        if "page" in asked and "pageSize" not in asked and not ends_with_empty:
            yield f"{name} sends page and not pageSize: a smaller page would look like the last."
        cursor = resource.collection and resource.collection.rows_after
        if "pageSize" in asked and not ({"page"} & asked or resource.next_page_key or cursor):
            yield f"{name} sends pageSize and neither page nor a token: it would not go on."


def paging_is_configured(element: Element) -> Iterator[str]:
    """Find entries about paging with a default that is not understood."""
    kind = _default(element, "pagination.type")
    if kind and kind not in _PAGING:
        yield f"pagination.type is {kind!r}; it must be one of {', '.join(sorted(_PAGING))}."
    first = _default(element, "pagination.page.startindex")
    if first not in ("", "0", "1"):
        yield f"pagination.page.startindex is {first!r}; the first page is 0 or 1."
    largest = _default(element, "pagination.max")
    if largest and not _is_largest(largest):
        yield "pagination.max must be a number, or a JSON object of numbers by resource."


def calls_can_be_made(element: Element) -> Iterator[str]:
    """Find what no call could do: scripts, protocols, words that are none."""
    if element.protocol_type != "http":
        yield f"protocolType is {element.protocol_type}; calls are made by http only."
    yield from _scripts(element.hooks, "The element")
    for resource in element.resources:
        name = _name(resource)
        if resource.type not in RESOURCE_TYPES:
            yield f"{name}: {resource.type} is no type of resources."
        if resource.kind == "java":
            yield f"{name} is of the kind java: it is answered as not supported."
        elif resource.kind != "eb":
            yield f"{name}: {resource.kind} is no kind of resources."
        if (resource.type == "formulaAsResource") != bool(resource.formula_id):
            yield f"{name}: formulaId and the type formulaAsResource go together."
        yield from _scripts(resource.hooks, name)


def values_are_found(element: Element) -> Iterator[str]:
    """Find parameters whose value nothing could give."""
    known = {entry.key for entry in element.configuration} | _kept_keys(element)
    followed = {item.next_resource.replace(" ", "") for item in element.resources}
    yield from _unknown_entries(element.parameters, known, "the element")
    for resource in element.resources:
        name = _name(resource)
        yield from _unknown_entries(resource.parameters, known, name)
        own = set(placeholders_of(resource.path))
        place = f"{resource.method}:/{resource.path.split('/', 3)[-1]}"
        for item in resource.parameters:
            if item.converter not in ("", "toQueryParameters"):
                yield f"{name}: the converter {item.converter} of {item.name} is not acted on."
            if item.type == "path" and item.source == "request" and item.name not in own:
                yield f"{name}: the path has no {{{item.name}}} that its parameter could take."
            if item.type in _PREVIOUS and place not in followed:
                yield f"{name}: {item.name} comes of a call before, and no nextResource leads here."


def bodies_are_one_thing(element: Element) -> Iterator[str]:
    """Find parameters for the body that are left out, or leave others out."""
    for resource in element.resources:
        asked = [item for item in resource.parameters if item.source == "request"]
        kinds = {item.vendor_type for item in asked} & _BODIES
        name = _name(resource)
        if kinds and (resource.vendor_method or resource.method) == "GET":
            yield f"{name}: the vendor is called with GET, which sends no body."
        for kind in ("form", "multipart"):
            if kind in kinds and len(kinds) > 1:
                others = ", ".join(sorted(kinds - {kind}))
                yield f"{name} sends a {kind} body, so that {others} would be left out."
        binary = any(item.type == "body" and item.data_type == "binary" for item in asked)
        if binary and kinds - {"body"}:
            yield f"{name}: a binary body goes as it is; nothing can be put into it."
        counted = Counter((item.vendor_type, item.vendor_name) for item in asked)
        for (kind, called), count in counted.items():
            if count > 1 and kind not in ("no-op", "query", "form", "multipart"):
                yield f"{name} gives {called} ({kind}) {count} values; the last one counts."


def answers_are_mapped(element: Element) -> Iterator[str]:
    """Find parameters of answers that would be ignored."""
    for resource in element.resources:
        for item in resource.parameters:
            if item.source != "response":
                continue
            kinds = {item.type, item.vendor_type}
            keeps = resource.type == "onProvision" and kinds <= {"configuration", "bodyField"}
            if kinds != {"bodyField"} and not keeps:
                yield (
                    f"{_name(resource)}: the parameter {item.name} of the answer goes from "
                    f"{item.vendor_type} to {item.type}; only bodyField to bodyField does, and to "
                    "configuration where an instance is created."
                )


def objects_are_consistent(element: Element) -> Iterator[str]:
    """Find objects that promise what no resource keeps."""
    lists = {item.object for item in element.resources if item.method == "GET" and _is_list(item)}
    for item in element.objects:
        if item.bulk_download_enabled and item.name not in lists:
            yield f"Object {item.name} is downloaded in bulk and no GET lists it."
        for field in item.fields:
            if field.primary_key and field.name != item.primary_key_name:
                yield f"Object {item.name}: {field.name} is not its primaryKeyName."
    signature = element.webhooks.signature if element.webhooks is not None else None
    if signature is not None and signature.key not in {one.key for one in element.configuration}:
        yield f"webhooks.signature.key is {signature.key}, which is no configuration entry."


CallRule = Callable[[Element], Iterator[str]]
CALL_RULES: tuple[CallRule, ...] = (
    lists_are_read_on,
    paging_is_configured,
    calls_can_be_made,
    values_are_found,
    bodies_are_one_thing,
    answers_are_mapped,
    objects_are_consistent,
)


def _unknown_entries(
    parameters: tuple[Parameter, ...], known: set[str], place: str
) -> Iterator[str]:
    for item in parameters:
        names = [item.name] if item.type == "configuration" else []
        if item.type == "value":
            names = _TEMPLATE.findall(item.name)
        for name in names:
            if item.source == "request" and name not in known:
                yield f"A parameter of {place} reads the configuration entry {name}, which is none."


def _kept_keys(element: Element) -> set[str]:
    """Return the entries that calls at the creation fill, declared or not."""
    return {
        item.name
        for resource in element.resources
        for item in resource.parameters
        if item.source == "response" and item.type == "configuration"
    }


def _scripts(hooks: tuple[Hook, ...], place: str) -> Iterator[str]:
    if any(hook.type != "event" for hook in hooks):
        yield f"{place} has scripts, which are not run: calls that need them are refused."


def _is_largest(text: str) -> bool:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    numbers = list(data.values()) if isinstance(data, dict) else [data]
    return all(type(number) is int and number > 0 for number in numbers)


def _default(element: Element, key: str) -> str:
    found = (entry.default_value for entry in element.configuration if entry.key == key)
    return next(found, None) or ""


def _queries(resource: Resource) -> set[str]:
    return {item.name for item in resource.parameters if item.type == item.vendor_type == "query"}


def _is_list(resource: Resource) -> bool:
    return resource.collection is not None or not resource.path.endswith("}")


def _name(resource: Resource) -> str:
    return f"{resource.method} {resource.path}"
