"""
Convert a Swagger 2.0 or OpenAPI 3 document into the JSON of an element. Pure.

What the document says is taken: calls, parameters, fields, authentication. What it cannot say, such
as how lists are paged, is left to the author; what the platform cannot call is left out, and said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

from polyvalent.builder.complete import complete_brought
from polyvalent.builder.convert.document import Document, read_document
from polyvalent.builder.convert.operation import Converted, NotConverted, convert_operation
from polyvalent.builder.convert.schema import FIELDS_MAX
from polyvalent.builder.convert.security import Security, operations_of, read_security
from polyvalent.builder.convert.server import Server, read_server
from polyvalent.builder.export import export_element
from polyvalent.builder.judge import find_faults, judge_element
from polyvalent.builder.read import derive_key
from polyvalent.catalog.check import CREDENTIAL_KEYS
from polyvalent.catalog.element import (
    Authentication,
    ConfigurationEntry,
    Element,
    ElementObject,
    ObjectField,
    Resource,
)
from polyvalent.errors import BadRequest

OPERATIONS_MAX = 2000
_LEFT_OUT_SHOWN = 5
_NAME_MAX = 255
_VERSION = re.compile(r"v\d+(\.\d+)*|api|rest", re.IGNORECASE)
_HUB = re.compile(r"/hubs/([a-z0-9][a-z0-9_.-]*)/[^/]")
# Reads that only say who calls, the best proof of credentials.
_PROOFS = ("me", "whoami", "ping", "status", "account", "profile", "user", "shop", "store")
_OTHER_METHODS = frozenset(("head", "options", "trace"))


@dataclass(kw_only=True)
class _Result:
    resources: list[Resource] = field(default_factory=list)
    fields: dict[str, dict[str, ObjectField]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unpaged: int = 0


def convert_document(content: bytes) -> tuple[dict[str, Any], tuple[str, ...]]:
    """
    Return the JSON of the element that a document becomes, and what its author should know.

    It is what `POST /elements` takes: nothing is kept here.
    Raises BadRequest for what is no such document, has nothing that could be called, or refers to
    what is not in it.
    """
    document = read_document(content)
    info = document.part(document.root.get("info"), place="info")
    title = " ".join(str(info.get("title") or "").split())[:_NAME_MAX]
    if not title:
        raise BadRequest("The document has no info.title, which would be the element's name.")
    server, security = read_server(document), read_security(document)
    hub = _hub_of(document)
    result = _convert_operations(document, server, hub=hub)
    if not result.resources:
        raise BadRequest(
            "The document has no operation that can be converted"
            f"{': ' + '; '.join(result.left_out[:_LEFT_OUT_SHOWN]) if result.left_out else ''}."
        )
    element = Element(
        name=title,
        key=_key_of(title, server),
        description=_first_line(info.get("description")) or f"The API {title}.",
        hub=hub,
        authentication=Authentication(type=security.type),
        configuration=_configuration(server, security),
        parameters=security.parameters,
        resources=_with_proof(tuple(result.resources), security),
        objects=tuple(_object(name, fields, result) for name, fields in result.fields.items()),
        private=True,
    )
    judge_element(complete_brought(element, element_id=0))
    exported = export_element(element)
    return exported, _warnings(document, server, security, result)


def _convert_operations(document: Document, server: Server, *, hub: str) -> _Result:
    result = _Result()
    names: Counter[str] = Counter()
    seen: set[str] = set()
    for count, (path, place, operation) in enumerate(operations_of(document), start=1):
        if count > OPERATIONS_MAX:
            raise BadRequest(f"The document has more than {OPERATIONS_MAX} operations.")
        shown = path.rstrip("/")
        resource_path = shown if _HUB.match(shown) else f"/hubs/{hub}{shown}"
        same = f"{place.partition(' ')[0]} {re.sub(r'{[^{}]*}', '{}', resource_path)}"
        if not shown or same in seen:
            why_not = (
                "another call has the same path" if shown else "its path is the address itself"
            )
            result.left_out.append(f"{place}: {why_not}")
            continue
        try:
            converted = convert_operation(
                document,
                operation,
                path=path,
                place=place,
                resource_path=resource_path,
                object_name=_object_name(resource_path),
                vendor_base=server.path,
            )
        except NotConverted as why:
            result.left_out.append(f"{place}: {why}")
            continue
        seen.add(same)
        _add(result, converted, names)
    return result


def _add(result: _Result, converted: Converted, names: Counter[str]) -> None:
    resource = converted.resource
    name = resource.operation_id or "_".join(
        (resource.method.lower(), *re.findall(r"\w+", resource.path.split("/", 3)[-1]))
    )
    names[name] += 1
    if names[name] > 1:
        name = f"{name}_{names[name]}"
        names[name] += 1
    result.resources.append(structs.replace(resource, operation_id=name))
    known = result.fields.setdefault(resource.object, {})
    for item in converted.object_fields:
        if len(known) < FIELDS_MAX or item.name in known:
            before = known.get(item.name)
            required = item.required or (before is not None and before.required)
            known[item.name] = structs.replace(before or item, required=required)
    result.warnings += converted.warnings
    result.unpaged += converted.is_list and not converted.paged


def _object(name: str, fields: dict[str, ObjectField], result: _Result) -> ElementObject:
    key = _primary_key(name, fields, result)
    return ElementObject(
        name=name,
        vendor_name=name,
        primary_key_name=key,
        fields=tuple(
            structs.replace(item, primary_key=item.name == key) for item in fields.values()
        ),
    )


def _primary_key(name: str, fields: dict[str, ObjectField], result: _Result) -> str:
    """Return the field that is an object's id: called so, or as the path of one row calls it."""
    last = [
        found.group(1)
        for item in result.resources
        if item.object == name and (found := re.search(r"\{([^{}]+)\}$", item.path))
    ]
    bare = {re.sub(r"[^a-z0-9]", "", known.lower()): known for known in reversed(fields)}
    for wanted in ("id", *last, f"{name.removesuffix('s')}id", "uuid", "key", "code", "sku"):
        field = bare.get(re.sub(r"[^a-z0-9]", "", wanted.lower()))
        if field is not None:
            return field
    return ""


def _with_proof(resources: tuple[Resource, ...], security: Security) -> tuple[Resource, ...]:
    """Add a resource that proves new credentials: the plainest read that needs nothing."""
    if security.type not in CREDENTIAL_KEYS and not security.entries:
        return resources
    plain = [
        item
        for item in resources
        if item.method == "GET"
        and "{" not in item.vendor_path
        and not any(one.required for one in item.parameters)
    ]
    if not plain:
        return resources

    def rank(item: Resource) -> int:
        last = item.vendor_path.rstrip("/").rpartition("/")[2].lower()
        return _PROOFS.index(last) if last in _PROOFS else len(_PROOFS)

    best = min(plain, key=rank)
    proof = Resource(
        path=best.path,
        method="GET",
        vendor_path=best.vendor_path,
        vendor_method="GET",
        type="provisionAuthValidation",
        description="Proves the credentials of a new instance.",
    )
    return (*resources, proof)


def _configuration(server: Server, security: Security) -> tuple[ConfigurationEntry, ...]:
    return (*server.entries, *security.entries)


def _hub_of(document: Document) -> str:
    paths = {path for path, _, _ in operations_of(document)}
    hubs = {found.group(1) if (found := _HUB.match(path)) else "" for path in paths}
    return next(iter(hubs)) if len(hubs) == 1 and "" not in hubs else "general"


def _object_name(path: str) -> str:
    """Name the object that a path handles: "/hubs/x/v1/orders/{id}/items" → "ordersItems"."""
    words = [part for part in path.split("/")[3:] if part and "{" not in part]
    while len(words) > 1 and _VERSION.fullmatch(words[0]):
        words = words[1:]
    clean = [re.sub(r"[^A-Za-z0-9_-]", "_", word) for word in words] or ["rows"]
    return "".join([clean[0], *(word[:1].upper() + word[1:] for word in clean[1:])])[:100]


def _key_of(title: str, server: Server) -> str:
    key = derive_key(title)[:90] or derive_key(server.host)[:90] or "element"
    # A number would be an id, and some words are paths of the API.
    probe = Element(name="n", description="d", authentication=Authentication("none"), key=key)
    return f"api{key}" if any(find_faults(probe)) else key


def _warnings(
    document: Document, server: Server, security: Security, result: _Result
) -> tuple[str, ...]:
    found = [*server.warnings, *security.warnings]
    if result.unpaged:
        found.append(
            f"the document does not say how {_count(result.unpaged, 'list is', 'lists are')} "
            "paged: one answer of the vendor counts as the whole list until you declare the "
            "parameters page and pageSize and set paginationType to VENDOR_SUPPORTED"
        )
    keyless = [name for name, fields in result.fields.items() if fields]
    keyless = [name for name in keyless if not _primary_key(name, result.fields[name], result)]
    if keyless:
        found.append(
            f"no field looks like the id of {_some(keyless)}; set primaryKeyName where there is one"
        )
    if result.left_out:
        found.append(f"left out {len(result.left_out)}: {_some(result.left_out, '; ')}")
    others = _other_methods(document)
    if others:
        found.append(f"left out {_count(others, 'call', 'calls')} by HEAD, OPTIONS or TRACE")
    return (*found, *result.warnings)


def _other_methods(document: Document) -> int:
    paths = document.root.get("paths")
    return sum(
        len(_OTHER_METHODS & item.keys())
        for item in (paths if isinstance(paths, dict) else {}).values()
        if isinstance(item, dict)
    )


def _some(items: Iterable[str], separator: str = ", ") -> str:
    names = list(items)
    more = len(names) - _LEFT_OUT_SHOWN
    shown = separator.join(names[:_LEFT_OUT_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def _count(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{number} {many}"


def _first_line(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return " ".join(text.partition("\n\n")[0].split())[:500]
