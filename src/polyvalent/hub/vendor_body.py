"""Build the body of a vendor's request from parameters. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import orjson

from polyvalent.auth.percent import encode_query
from polyvalent.catalog.element import Parameter, Resource
from polyvalent.errors import BadRequest
from polyvalent.hub.caller_body import FilePart
from polyvalent.hub.values import Values, check_size, read_json, write_text

_FORM = "application/x-www-form-urlencoded"
BINARY = "binary"
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[ -~]{1,400}")
_FROM_BODY = frozenset(("body", "bodyField", "form", "multipart"))


def build_body(
    resource: Resource, parameters: Iterable[Parameter], values: Values
) -> tuple[bytes, str]:
    """
    Return the body of a request and its content type; "" where that is the usual one.

    - bodyField: a member of a JSON object, "a.b" one inside; a whole body goes first
    - form: a pair of a form
    - multipart: a part of a form in several parts, a text or a file
    - body: another source than the caller's body in its place, a file of a form too; the caller's
      own of any kind if it is declared `binary`
    - bodyToken: {name} in the body is replaced
    Without any the body is the caller's. A root for requests ("item|" in rootKey) is laid
    around JSON. Raises BadRequest for members of what is no object.
    """
    kinds: dict[str, list[Parameter]] = {}
    for item in parameters:
        kinds.setdefault(item.vendor_type, []).append(item)
    parts = [
        (item.vendor_name, value)
        for item in kinds.get("multipart", ())
        if (value := values.find(item)) is not None
    ]
    if parts:
        _check_all(parts)
        return _join_parts(parts)
    pairs = [
        (item.vendor_name, text)
        for item in kinds.get("form", ())
        if (text := values.find_text(item)) is not None
    ]
    if pairs:
        _check_all(pairs)
        return encode_query(pairs).encode(), _FORM
    body = values.body
    for item in kinds.get("body", ()):
        if item.type == "body":
            if item.data_type == BINARY:
                return body, _content_type(values.content_type)
            continue
        value = values.find(item)
        if isinstance(value, FilePart):
            return value.content, _content_type(value.content_type)
        if (text := write_text(value)) is not None:
            body = text.encode()
    members = [
        (item.vendor_name, value)
        for item in kinds.get("bodyField", ())
        if (value := values.find(item)) is not None
    ]
    if members:
        _check_all(members)
        whole = any(item.type in ("body", "prevBody") for item in kinds.get("body", ()))
        body = _with_members(body if whole or body is not values.body else b"", members)
    for item in kinds.get("bodyToken", ()):
        token = write_text(values.find(item))
        if token is not None:
            mark, sent = f"{{{item.vendor_name}}}".encode(), token.encode()
            check_size(len(body) + body.count(mark) * (len(sent) - len(mark)))
            body = body.replace(mark, sent)
    root, bar, _ = resource.root_key.partition("|")
    if bar and root and body.strip() and (data := read_json(body)) is not None:
        body = orjson.dumps(_place({}, root, data))
    return body, ""


def _check_all(found: Iterable[tuple[str, Any]]) -> None:
    # Many parameters may take the same long member of a body.
    size = 0
    for _, value in found:
        size += len(value.content) if isinstance(value, FilePart) else len(write_text(value) or "")
        check_size(size)


def _join_parts(parts: list[tuple[str, Any]]) -> tuple[bytes, str]:
    pieces: list[bytes] = []
    for name, value in parts:
        head = f'Content-Disposition: form-data; name="{_quote(name)}"'
        if isinstance(value, FilePart):
            head += f'; filename="{_quote(value.filename)}"'
            head += f"\r\nContent-Type: {_quote(value.content_type)}"
        content = value.content if isinstance(value, FilePart) else _encode(value)
        pieces.append(head.encode() + b"\r\n\r\n" + content + b"\r\n")
    # Made from the content, so that the same call is the same bytes and no part can hold it.
    boundary = sha256(b"".join(pieces)).hexdigest()[:40]
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + piece for piece in pieces) + mark + b"--\r\n"
    return body, f"multipart/form-data; boundary={boundary}"


def _encode(value: Any) -> bytes:
    return (write_text(value) or "").encode()


def _quote(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def takes_body(resource: Resource) -> bool:
    """Say whether a call of a resource needs a body: unless its parameters use none."""
    sources = [item.type for item in resource.parameters if item.source == "request"]
    return not sources or any(kind in _FROM_BODY for kind in sources)


def takes_bytes(resource: Resource) -> bool:
    """Say whether the caller's body goes on as it is, whatever it is: a body declared binary."""
    return any(
        item.type == item.vendor_type == "body"
        and item.data_type == BINARY
        and item.source == "request"
        for item in resource.parameters
    )


def _content_type(told: str) -> str:
    return told if _CONTENT_TYPE.fullmatch(told) else "application/octet-stream"


def _with_members(body: bytes, members: list[tuple[str, Any]]) -> bytes:
    data = read_json(body) if body.strip() else {}
    if not isinstance(data, dict):
        raise BadRequest("The body must be one JSON object, since members are added to it.")
    for path, value in members:
        _place(data, path, value)
    return orjson.dumps(data)


def _place(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *way, last = path.split(".")
    inner = data
    for name in way:
        following = inner.get(name)
        if not isinstance(following, dict):
            following = inner[name] = {}
        inner = following
    inner[last] = value
    return data
