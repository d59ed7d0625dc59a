"""Read the bodies that callers send as forms, with or without files. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from polyvalent.errors import BadRequest
from polyvalent.exchange import find_header
from polyvalent.hub.model import Incoming

PARTS_MAX = 1000
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_PARAMETER = re.compile(r';\s*([a-z]{1,20})=(?:"([^"]{0,500})"|([^;\s"]{1,500}))', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePart:
    """Hold one file of a form."""

    name: str
    filename: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """Hold a form: its members, of several with one name a list, and its files."""

    members: dict[str, Any] = field(repr=False)
    files: tuple[FilePart, ...] = ()


def read_form(incoming: Incoming) -> Form | None:
    """
    Read a caller's form, None where the body is none by its Content-Type.

    name=Mug&tag=a&tag=b → Form(members={"name": "Mug", "tag": ["a", "b"]}). JSON that comes as a
    form, as some programs send it unasked, is no form. Raises BadRequest for what cannot be read
    and for more than 1000 parts.
    """
    declared = find_header(incoming.headers, "Content-Type") or ""
    kind = declared.partition(";")[0].strip().lower()
    if kind == _FORM and incoming.body.lstrip()[:1] not in (b"{", b"["):
        try:
            text = incoming.body.decode("ascii").strip()
            pairs = parse_qsl(
                text, keep_blank_values=True, errors="strict", max_num_fields=PARTS_MAX
            )
        except ValueError as error:
            raise BadRequest(
                f"The form cannot be read: it must be percent-encoded UTF-8 with at most "
                f"{PARTS_MAX} members."
            ) from error
        return Form(members=_gather(pairs))
    if kind == _MULTIPART:
        return _read_parts(incoming.body, _parameters(declared).get("boundary", ""))
    return None


def _read_parts(body: bytes, boundary: str) -> Form:
    mark = b"--" + boundary.encode("latin-1", "replace")
    pieces = (b"\r\n" + body).split(b"\r\n" + mark, PARTS_MAX + 2)
    if not boundary or len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise BadRequest(
            "The multipart body cannot be read: it must be divided and ended by the boundary that "
            f"its Content-Type names, and have at most {PARTS_MAX} parts."
        )
    pairs: list[tuple[str, str]] = []
    files: list[FilePart] = []
    for piece in pieces[1:-1]:
        head, _, content = piece.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
        lines = (line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n"))
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        said = _parameters(headers.get("content-disposition", ""))
        if "name" not in said:
            raise BadRequest("A part of the multipart body has no name in Content-Disposition.")
        if "filename" in said:
            declared = headers.get("content-type", "application/octet-stream")
            files.append(
                FilePart(
                    name=said["name"],
                    filename=said["filename"],
                    content_type=declared,
                    content=content,
                )
            )
            continue
        try:
            pairs.append((said["name"], content.decode()))
        except UnicodeDecodeError as error:
            raise BadRequest(f"Part {said['name'][:60]!r} of the body is not UTF-8.") from error
    return Form(members=_gather(pairs), files=tuple(files))


def _parameters(header: str) -> dict[str, str]:
    return {found[1].lower(): found[2] or found[3] or "" for found in _PARAMETER.finditer(header)}


def _gather(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name not in members:
            members[name] = value
        elif isinstance(members[name], list):
            members[name].append(value)
        else:
            members[name] = [members[name], value]
    return members
