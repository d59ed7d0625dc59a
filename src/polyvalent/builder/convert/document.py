"""
Read a Swagger or OpenAPI document as plain data, and follow the references in it. Pure.

Nothing is fetched: a reference to another document is an error that says so. Work is bounded, since
a short text can describe much: YAML without aliases, a depth, and a number of steps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import unquote

import orjson
import yaml

from polyvalent.errors import BadRequest

# Steps from schema to schema; a document of a thousand calls takes some fifty thousand.
STEPS_MAX = 200_000
_DEPTH_MAX = 200
_CHAIN_MAX = 100  # references of which each is the next one's
_SHOWN_MAX = 120
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_PARSER):  # type: ignore[misc]  # which of the two parsers there is, is found out late
    """Read YAML as JSON has it, which is what OpenAPI asks for: no dates, no `on` for true."""


_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"-?(?:0|[1-9][0-9]{0,17})", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?(?:[eE][-+]?[0-9]{1,3})?", "-0123456789"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}",
        re.compile(rf"^(?:{_pattern})$"),
        ["" if sign == "\0" else sign for sign in _first],
    )


@dataclass(kw_only=True)
class Document:
    """
    Hold a document: `newer` is OpenAPI 3, else it is Swagger 2.0.

    `steps` counts the work that was done with it.
    """

    root: dict[str, Any]
    newer: bool
    steps: int = 0

    def follow(self, value: Any, *, place: str) -> tuple[dict[str, Any], tuple[str, ...]]:
        """
        Return what a part of the document is, and the references that led there.

        {"$ref": "#/definitions/Pet"} → ({"type": "object", …}, ("#/definitions/Pet",)); what is
        no object comes as {}. Raises BadRequest, naming the place: a reference to another
        document, to nothing, or to itself; and when the document asks for too much work.
        """
        passed: list[str] = []
        while isinstance(value, dict) and isinstance(value.get("$ref"), str):
            target = value["$ref"]
            if target in passed:
                raise BadRequest(f"{place}: the reference {target[:_SHOWN_MAX]} leads to itself.")
            if len(passed) == _CHAIN_MAX:
                raise BadRequest(f"{place}: more than {_CHAIN_MAX} references lead to each other.")
            passed.append(target)
            value = self._find(target, place=place)
            self.count(place=place)
        self.count(place=place)
        return value if isinstance(value, dict) else {}, tuple(passed)

    def part(self, value: Any, *, place: str) -> dict[str, Any]:
        """Return what a part of the document is; see `follow`."""
        return self.follow(value, place=place)[0]

    def count(self, *, place: str, steps: int = 1) -> None:
        """Count steps of work; raises BadRequest when there were too many."""
        self.steps += steps
        if self.steps > STEPS_MAX:
            raise BadRequest(
                f"{place}: the document is too large or too entangled to be converted: its "
                f"references lead to more than {STEPS_MAX} schemas. Take calls out of it."
            )

    def _find(self, target: str, *, place: str) -> Any:
        shown = target[:_SHOWN_MAX]
        if not target.startswith("#"):
            raise BadRequest(
                f"{place}: {shown} refers to another document, and none is fetched. Put everything "
                "into one document first."
            )
        found: Any = self.root
        for step in target[1:].split("/")[1:]:
            name = _unescape(step)
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdigit() and len(name) < 7:
                found = found[int(name)] if int(name) < len(found) else None
            else:
                found = None
            if found is None:
                raise BadRequest(f"{place}: the document has nothing at {shown}.")
        return found


def read_document(content: bytes) -> Document:
    """
    Read a document, JSON or YAML.

    Raises BadRequest: neither of the two, nested more than 200 levels, with YAML aliases, or
    neither Swagger 2.0 nor OpenAPI 3.
    """
    if not content.strip():
        raise BadRequest("The file is empty. Send a Swagger 2.0 or OpenAPI 3 document.")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise BadRequest(
            "The file is XML. What is converted are Swagger 2.0 and OpenAPI 3 documents, in JSON "
            "or YAML; descriptions of SOAP services (WSDL) are not."
        )
    root = _read(content.removeprefix(b"\xef\xbb\xbf"))
    if not isinstance(root, dict):
        raise BadRequest("The document must be one object, with swagger or openapi as a member.")
    swagger, openapi = str(root.get("swagger", "")), str(root.get("openapi", ""))
    if swagger not in ("2.0", "2") and not openapi.startswith("3."):
        told = swagger or openapi or str(root.get("swaggerVersion", ""))
        raise BadRequest(
            f"The document is {f'of version {told[:20]!r}' if told else 'of no version'}. Its "
            'member swagger must be "2.0", or openapi "3.0.x" or "3.1.x".'
        )
    return Document(root=root, newer=openapi.startswith("3."))


def _read(content: bytes) -> Any:
    if content.lstrip()[:1] in (b"{", b"["):
        try:
            data = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise BadRequest(
                f"The file is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
            ) from error
        if not _fits(data, left=_DEPTH_MAX):
            raise BadRequest(f"The document is nested more than {_DEPTH_MAX} levels deep.")
        return data
    try:
        _check_events(content)
        return _plain(yaml.load(content, _Loader))  # noqa: S506  # made from the safe loader
    except yaml.MarkedYAMLError as error:
        line = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadRequest(f"The file is not YAML: {error.problem}{line}.") from error
    except (
        yaml.YAMLError,
        # What a value raises that is not of the kind its tag says, such as !!bool x.
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
        RecursionError,
    ) as error:
        raise BadRequest("The file is neither JSON nor YAML that can be read.") from error


def _check_events(content: bytes) -> None:
    # Before anything is built: an alias can stand for much, or for what it lies in.
    depth = 0
    for event in yaml.parse(content, _Loader):
        if isinstance(event, yaml.AliasEvent):
            raise BadRequest(
                f"The file uses a YAML alias, *{str(event.anchor)[:60]}. Write out what it stands "
                "for, or use $ref."
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH_MAX:
            raise BadRequest(f"The document is nested more than {_DEPTH_MAX} levels deep.")


def _plain(value: Any) -> Any:
    # Keys are texts, as in JSON: `200:` is "200".
    if isinstance(value, dict):
        return {_key(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _key(name: Any) -> str:
    if isinstance(name, bool) or name is None:
        return {True: "true", False: "false", None: "null"}[name]
    return str(name)


def _fits(value: Any, *, left: int) -> bool:
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list):
        inner = value
    return left >= 0 and all(_fits(item, left=left - 1) for item in inner)


def _unescape(step: str) -> str:
    return unquote(step).replace("~1", "/").replace("~0", "~")
