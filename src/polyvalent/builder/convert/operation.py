"""Turn one operation of a document into a resource and the fields of its object. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from polyvalent.builder.convert.document import Document
from polyvalent.builder.convert.schema import (
    Shape,
    data_type,
    list_fields,
    read_shape,
)
from polyvalent.catalog.element import ObjectField, Parameter, Resource
from polyvalent.catalog.placeholder import placeholders_of
from polyvalent.catalog.writing import Writing

# Query parameters that callers of the platform use with a meaning of its own.
_OWN = frozenset(("where", "fields", "orderBy", "page", "pageSize", "nextPage", "explain"))
# Headers that are not a caller's to set.
_UNSENT = frozenset(("authorization", "accept", "content-type", "content-length", "host"))
_WRITES = frozenset(("POST", "PUT", "PATCH"))
_JSON = re.compile(r"(application|text)/([a-z0-9.+-]*\+)?json|\*/\*|application/\*", re.IGNORECASE)
_FORM, _PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
# Members of an answer that its rows usually lie in.
_ROWS = ("data", "items", "results", "result", "records", "rows", "value", "values", "entries")
_ROW = ("data", "result", "item")
_TEXT_MAX = 500


class NotConverted(Exception):
    """Say why an operation is left out."""


@dataclass(frozen=True, kw_only=True)
class Converted:
    """Hold what became of one operation; `paged` if a list is read by page and pageSize."""

    resource: Resource
    object_fields: tuple[ObjectField, ...] = ()
    is_list: bool = False
    paged: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Body:
    parameters: tuple[Parameter, ...] = ()
    shape: Shape | None = None


def convert_operation(
    document: Document,
    operation: Mapping[str, Any],
    *,
    path: str,
    place: str,
    resource_path: str,
    object_name: str,
    vendor_base: str = "",
) -> Converted:
    """
    Return the resource that an operation becomes.

    `path` is the document's, `place` "GET /path"; `vendor_base` goes before the vendor's path.
    Raises NotConverted for what the platform cannot call, BadRequest as `Document.follow`.
    """
    method = place.partition(" ")[0]
    if re.search(r"[?#\s]", path) or path.count("{") != path.count("}"):
        raise NotConverted("its path has a '?', '#' or blank, or a brace too many")
    if operation.get("servers"):
        raise NotConverted("it has a server of its own")
    warnings: list[str] = []
    declared = [document.part(item, place=place) for item in operation["parameters"]]
    by_key = {(str(item.get("in")), str(item.get("name") or "")): item for item in declared}
    names = {name for kind, name in by_key if kind == "query" and name in ("page", "pageSize")}
    is_list = method == "GET" and not resource_path.endswith("}")
    paged = is_list and len(names) == 2
    parameters = [
        *_path_parameters(document, by_key, path, place=place),
        *_query_and_headers(document, by_key, place=place, paged=paged, warnings=warnings),
    ]
    body = _read_body(document, operation, by_key, place=place) if method != "GET" else _Body()
    answer = _read_answer(document, operation, place=place)
    root, row, many = _find_rows(document, answer, resource_path, place=place, many=is_list)
    fields = _fields(document, row, body.shape, place=place)
    return Converted(
        resource=Resource(
            path=resource_path,
            method=method,
            vendor_path=f"{vendor_base}{path}",
            vendor_method=method,
            description=_describe(operation, place),
            operation_id=str(operation.get("operationId") or "")[:200],
            root_key=root,
            pagination_type="VENDOR_NOT_SUPPORTED" if is_list and not paged else "VENDOR_SUPPORTED",
            object=object_name,
            parameters=(*parameters, *body.parameters),
            writing=_writing(operation, fields) if method == "POST" else None,
        ),
        object_fields=fields,
        is_list=is_list and many,
        paged=paged,
        warnings=tuple(warnings),
    )


def _path_parameters(
    document: Document, declared: Mapping[Any, Any], path: str, *, place: str
) -> Iterator[Parameter]:
    for name in placeholders_of(path):
        told = declared.get(("path", name), {})
        yield Parameter(
            name=name,
            vendor_name=name,
            type="path",
            vendor_type="path",
            data_type=data_type(_shape_of(document, told, place=place)),
            required=True,
            description=_text(told.get("description")),
        )


def _query_and_headers(
    document: Document,
    declared: Mapping[Any, Any],
    *,
    place: str,
    paged: bool,
    warnings: list[str],
) -> Iterator[Parameter]:
    for (kind, name), told in declared.items():
        if not name:
            continue
        if kind == "cookie" and told.get("required"):
            raise NotConverted(f"it needs the cookie {name[:60]}")
        if kind == "header" and name.lower() in _UNSENT:
            continue
        if kind not in ("query", "header"):
            continue
        shape = _shape_of(document, told, place=place)
        if shape.kind == "object" and told.get("required"):
            raise NotConverted(f"it needs {name[:60]}, an object in the query")
        if kind == "header" and not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            warnings.append(f"{place}: {name[:60]} is no header's name")
            continue
        ours = name
        if kind == "query" and name in _OWN and not (paged and name in ("page", "pageSize")):
            ours = f"vendor{name[0].upper()}{name[1:]}"
        yield Parameter(
            name=ours,
            vendor_name=name,
            type=kind,
            vendor_type=kind,
            data_type=data_type(shape),
            required=bool(told.get("required")) and ours not in _OWN,
            description=_text(told.get("description")),
        )


def _read_body(
    document: Document, operation: Mapping[str, Any], declared: Mapping[Any, Any], *, place: str
) -> _Body:
    if document.newer:
        told = document.part(operation.get("requestBody"), place=place)
        content = told.get("content")
        if not isinstance(content, dict) or not content:
            return _Body()
        return _read_content(document, content, place=place)
    forms = [(name, told) for (kind, name), told in declared.items() if kind == "formData"]
    if forms:
        files = any(told.get("type") == "file" for _, told in forms)
        consumes = _media(document, operation, "consumes")
        kind = "multipart" if files or _PARTS in consumes else "form"
        return _Body(
            parameters=tuple(
                _member(str(name), kind, told, required=bool(told.get("required")))
                for name, told in forms
            )
        )
    bodies = [item for (kind, _), item in declared.items() if kind == "body"]
    if not bodies:
        return _Body()
    told = bodies[0]
    consumes = _media(document, operation, "consumes")
    if consumes and not any(_JSON.match(kind) for kind in consumes):
        return _Body(parameters=(_bytes(consumes[0]),))
    shape = read_shape(document, told.get("schema"), place=place)
    return _Body(parameters=(_BODY,), shape=shape)


def _read_content(document: Document, content: Mapping[str, Any], *, place: str) -> _Body:
    for kind, told in content.items():
        if _JSON.match(kind):
            schema = told.get("schema") if isinstance(told, dict) else None
            return _Body(parameters=(_BODY,), shape=read_shape(document, schema, place=place))
    for kind, word in ((_FORM, "form"), (_PARTS, "multipart")):
        if kind in content:
            told = document.part(content[kind], place=place)
            shape = read_shape(document, told.get("schema"), place=place)
            return _Body(
                parameters=tuple(
                    _member(name, word, {}, required=name in shape.required)
                    for name in shape.properties
                ),
            )
    return _Body(parameters=(_bytes(next(iter(content))),))


def _read_answer(document: Document, operation: Mapping[str, Any], *, place: str) -> Any:
    responses = operation.get("responses")
    responses = responses if isinstance(responses, dict) else {}
    good = [
        str(name) for name in responses if re.fullmatch(r"2(\d\d|XX)", str(name), re.IGNORECASE)
    ]
    for name in sorted(good) or ["default"]:
        told = document.part(responses.get(name), place=place)
        if not document.newer:
            produces = _media(document, operation, "produces")
            if "schema" in told and produces and not any(_JSON.match(kind) for kind in produces):
                raise NotConverted(f"its answer is {produces[0][:60]}, not JSON")
            if document.part(told.get("schema"), place=place).get("type") == "file":
                raise NotConverted("its answer is a file")
            if "schema" in told:
                return told["schema"]
            continue
        content = told.get("content")
        if not isinstance(content, dict) or not content:
            continue
        for kind, media in content.items():
            if _JSON.match(kind):
                return media.get("schema") if isinstance(media, dict) else None
        raise NotConverted(f"its answer is {next(iter(content))[:60]}, not JSON")
    return None


def _find_rows(
    document: Document, schema: Any, path: str, *, place: str, many: bool
) -> tuple[str, Shape | None, bool]:
    """Return where the rows of an answer lie, what one of them is, and whether they are many."""
    if schema is None:
        return "", None, many
    shape = read_shape(document, schema, place=place)
    if place.startswith("GET ") and shape.declared and shape.kind not in ("array", "object"):
        raise NotConverted(f"its answer is a {shape.kind}, neither an object nor a list")
    if shape.kind == "array":
        return "", read_shape(document, shape.items, place=place), True
    inner = {
        name: read_shape(document, item, place=place) for name, item in shape.properties.items()
    }
    if many:
        last = next((part for part in reversed(path.split("/")) if part and part[0] != "{"), "")
        lists = [name for name, item in inner.items() if item.kind == "array" and "." not in name]
        for name in (last, *_ROWS, *(lists if len(lists) == 1 else ())):
            if name in lists:
                items = read_shape(document, inner[name].items, place=place)
                if items.kind == "object":
                    return name, items, True
    for name in _ROW:
        if name in inner and inner[name].kind == "object" and inner[name].properties:
            return name, inner[name], False
    return "", shape, False


def _fields(
    document: Document, row: Shape | None, body: Shape | None, *, place: str
) -> tuple[ObjectField, ...]:
    shown = list_fields(document, row, place=place) if row is not None else ()
    sent = list_fields(document, body, place=place) if body is not None else ()
    required = {item.name for item in sent if item.required}
    known = {item.name for item in shown}
    merged = (*shown, *(item for item in sent if item.name not in known))
    return tuple(_with_required(item, item.name in required) for item in merged)


def _with_required(item: ObjectField, required: bool) -> ObjectField:  # noqa: FBT001
    return ObjectField(
        name=item.name,
        type=item.type,
        format=item.format,
        required=required,
        read_only=item.read_only,
    )


def _writing(operation: Mapping[str, Any], fields: tuple[ObjectField, ...]) -> Writing:
    if any(item.name == "id" for item in fields):
        return Writing(id_from="body")
    responses = operation.get("responses")
    told = responses if isinstance(responses, dict) else {}
    for item in told.values():
        headers = item.get("headers") if isinstance(item, dict) else None
        if isinstance(headers, dict) and any(name.lower() == "location" for name in headers):
            return Writing(id_from="location")
    return Writing(id_from="none")


def _shape_of(document: Document, told: Mapping[str, Any], *, place: str) -> Shape:
    return read_shape(document, told.get("schema") if document.newer else told, place=place)


def _media(document: Document, operation: Mapping[str, Any], member: str) -> list[str]:
    told = operation.get(member, document.root.get(member))
    return [kind for kind in told if isinstance(kind, str)] if isinstance(told, list) else []


def _member(name: str, kind: str, told: Mapping[str, Any], *, required: bool) -> Parameter:
    return Parameter(
        name=name,
        vendor_name=name,
        type=kind,
        vendor_type=kind,
        required=required,
        description=_text(told.get("description")),
    )


def _bytes(kind: str) -> Parameter:
    # What is neither JSON nor a form goes on as the caller sends it.
    return Parameter(
        name="body",
        vendor_name="body",
        type="body",
        vendor_type="body",
        data_type="binary",
        vendor_data_type="binary",
        required=True,
        description=f"The body as it is: {kind[:100]}.",
    )


def _describe(operation: Mapping[str, Any], place: str) -> str:
    return _text(operation.get("summary")) or _text(operation.get("description")) or f"{place}."


def _text(value: Any) -> str:
    return " ".join(value.split())[:_TEXT_MAX] if isinstance(value, str) else ""


_BODY = Parameter(name="body", vendor_name="body", type="body", vendor_type="body")
