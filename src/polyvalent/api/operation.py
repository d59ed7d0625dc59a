"""
Declare operations: a method and path, what it takes and gives, and the function that answers.

The router and the OpenAPI document are both made from these declarations, so neither can know a
path that the other does not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from polyvalent.accounts.model import Caller
from polyvalent.api.platform import Platform
from polyvalent.builder.model import Reader, reader_of
from polyvalent.catalog.element import Element
from polyvalent.errors import BadRequest, NotFound, UnsupportedMediaType
from polyvalent.exchange import Headers, Response, find_header
from polyvalent.hub.read import DEEPEST, nests_deeper
from polyvalent.value import Value

# none: anybody; perhaps: anybody, who sees more with secrets; caller: user and organization secret;
# element: user secret and element token.
Access = Literal["none", "perhaps", "caller", "element"]
Schema = Mapping[str, Any]

# What every path of the API begins with.
BASE_PATH = "/elements/api-v2"
LARGEST_PAGE = 2000
# The tag of calls that lead to a vendor, and change nothing here.
RESOURCES = "Resources"


# Gives the body of a request as it comes in, at most so many bytes of it.
Pieces = Callable[[int], AsyncIterator[bytes]]


async def no_pieces(_most_bytes: int) -> AsyncIterator[bytes]:
    """Give no body."""
    return
    yield b""  # makes this a generator


# Is told what was sent to the caller, and in how many milliseconds, once that is done.
Watcher = Callable[[Response, float], None]


@dataclass(kw_only=True, slots=True)
class Progress:
    """Note what the edge wants to know of a call that others answer."""

    peer: str = ""  # the address that the request came from, as the connection has it
    operation: Operation | None = None  # None until the router has found one
    watchers: list[Watcher] = field(default_factory=list)
    schedule_id: int | None = None  # of the job that makes this call at its times


@dataclass(kw_only=True, slots=True)
class Call:
    """
    Hold one request on its way to its operation.

    The router fills in the parameters of the path, the caller and the body; nobody changes it then.
    """

    platform: Platform
    method: str
    path: str
    raw_path: str  # percent-encoded as on the wire
    path_parameters: Mapping[str, str]
    query: tuple[tuple[str, str], ...] = field(repr=False)  # may carry a vendor's secret
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    request_id: str
    progress: Progress = field(default_factory=Progress, repr=False)
    # The body of an operation that takes it piece by piece; `body` is empty then.
    pieces: Pieces = field(default=no_pieces, repr=False)
    # Known where the operation's access asks for one.
    caller: Caller | None = None

    def known_caller(self) -> Caller:
        """Return the caller of an operation that only lets known ones in."""
        assert self.caller is not None  # the router identified it
        return self.caller

    @property
    def reader(self) -> Reader | None:
        """Return for whom elements are looked up; None for a caller that nobody knows."""
        return reader_of(self.caller)

    async def element(self, name: str | None = None) -> Element:
        """Return an element by key or number, the path's by default; raises NotFound."""
        wanted = self.path_parameters["keyOrId"] if name is None else name
        return await self.platform.shelf.find(self.reader, wanted)

    def value(self, name: str) -> str | None:
        """Return the first query value of a name, or None."""
        return next((value for key, value in self.query if key == name), None)

    def values(self, name: str) -> tuple[str, ...]:
        """Return every query value of a name, spelled with or without [] behind it."""
        bare = name.removesuffix("[]")
        return tuple(value for key, value in self.query if key in (bare, f"{bare}[]"))

    def number(self, name: str, *, default: int, least: int = 1, most: int) -> int:
        """Return a whole number of the query; raises BadRequest for anything else."""
        text = self.value(name)
        if text is None or text == "":
            return default
        # Twelve digits are beyond every limit, and few enough to be read.
        digits = text.lstrip("0")[:12] or "0"
        if not text.isascii() or not text.isdigit() or not least <= int(digits) <= most:
            raise BadRequest(
                f"Parameter {name} must be a whole number from {least} to {most}, "
                f"but it is {text[:40]!r}."
            )
        return int(digits)

    def header(self, name: str) -> str | None:
        """Return a request header, or None."""
        return find_header(self.headers, name)

    def json_body(self) -> bytes:
        """
        Return the body, whose lists and objects lie in each other no more than 100 levels deep.

        Raises UnsupportedMediaType if it says that it is not JSON, BadRequest if it is deeper or
        has a NUL character, which no database takes for a text.
        """
        kind = (self.header("Content-Type") or "application/json").partition(";")[0].strip().lower()
        if kind not in ("application/json", "text/json", "text/plain") and self.body:
            raise UnsupportedMediaType(
                f"The request body is {kind[:80]}, but this call reads application/json. Send the "
                "header Content-Type: application/json."
            )
        if self.body.count(b"[") + self.body.count(b"{") > DEEPEST:
            _check_depth(self.body)
        if b"\\u0000" in self.body:
            raise BadRequest("The body holds a NUL character.")
        return self.body

    def id(self, name: str, *, what: str) -> int:
        """Return a numeric path parameter; raises NotFound if it is no number."""
        text = self.path_parameters[name]
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise NotFound(f"There is no {what} {text[:60]!r}: its id is a number.")
        return int(text)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Hold a body that is sent piece by piece as it is made, and its length in bytes."""

    pieces: AsyncIterator[bytes] = field(repr=False)
    size_bytes: int
    content_type: str


class Answer(Value, frozen=True, kw_only=True):
    """
    Hold what a call is answered with; the status is 200, but 206 for a part of a stream.

    `content` is encoded as JSON unless it is bytes, which are JSON already, or a stream.
    """

    content: Any
    headers: Headers = ()
    status: int = 200


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """Describe one parameter of an operation for the API reference."""

    name: str
    place: Literal["path", "query", "header"]
    description: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    required: bool = False
    example: Any = None


Handle = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Declare one method on one path, such as GET /elements/{keyOrId}."""

    method: str
    path: str
    handle: Handle
    access: Access
    tag: str
    summary: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    body_required: bool = True
    body_example: Any = None
    body_type: str = "application/json"
    # The body is not read for it: it reads `Call.pieces` itself, with a limit of its own.
    takes_pieces: bool = False
    answer: Schema = field(default_factory=dict)
    answer_headers: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()
    # What a 200 comes as; a stream may be asked for from a byte on.
    answer_types: tuple[str, ...] = ("application/json",)

    @property
    def streams(self) -> bool:
        """Say whether the answer is a stream, of which a part may be asked for."""
        return self.answer_types != ("application/json",)

    @property
    def changes_platform(self) -> bool:
        """Say whether instances or elements may be other afterwards."""
        return self.method != "GET" and self.tag != RESOURCES


@dataclass(frozen=True, kw_only=True)
class Group:
    """
    Hold what the operations of one tag share.

    `placed` are the parameters of their paths, of which each takes those that it has; `usual` are
    members of an operation that says nothing else. A few may say another tag or access.
    """

    tag: str
    access: Access
    placed: tuple[Parameter, ...]
    usual: Mapping[str, Any] = field(default_factory=dict)

    def declare(
        self, method: str, path: str, handle: Handle, summary: str, **more: Any
    ) -> Operation:
        """Declare an operation; `more` are members of it."""
        told = {"tag": self.tag, "access": self.access, **self.usual, **more}
        placed = (item for item in self.placed if f"{{{item.name}}}" in path)
        parameters = (*placed, *told.pop("parameters", ()))
        return Operation(
            method=method,
            path=path,
            handle=handle,
            summary=summary,
            parameters=parameters,
            **told,
        )


def warn(warnings: tuple[str, ...]) -> Headers:
    """Make the header `Elements-Error` from warnings, fit for one header line."""
    if not warnings:
        return ()
    text = "; ".join(warnings).encode("ascii", "backslashreplace").decode()
    return (("Elements-Error", "".join(c if c.isprintable() else "?" for c in text)[:2000]),)


def _check_depth(body: bytes) -> None:
    # Some readers of JSON go deeper than what writes it again, and others end in a defect.
    try:
        deep = nests_deeper(orjson.loads(body), than=DEEPEST)
    except orjson.JSONDecodeError as error:
        deep = "depth limit" in error.msg  # else whoever reads it says where it breaks
    if deep:
        raise BadRequest(f"The JSON of the body is nested more than {DEEPEST} levels deep.")
