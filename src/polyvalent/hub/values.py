"""Find the values that the parameters of a resource stand for. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

import orjson

from polyvalent.catalog.element import Parameter
from polyvalent.errors import BadRequest
from polyvalent.exchange import Response, find_header
from polyvalent.hub.caller_body import FilePart, read_form
from polyvalent.hub.model import Incoming, PathParameters
from polyvalent.instances.model import Configuration
from polyvalent.value import Value

# Query parameters with a meaning of the platform's own; a search sends them in its own way.
PLATFORM_PARAMETERS = frozenset(
    ("page", "pageSize", "nextPage", "where", "orderBy", "fields", "explain")
)
LARGEST_MADE_BYTES = 32 * 1024 * 1024
_OF_THE_PLATFORM = frozenset(("authorization", "proxy-authorization", "cookie"))
# The half of a signature's key that never travels, and what is for the receivers of deliveries.
_NEVER_SENT = frozenset(
    (
        "oauth.user.token.secret",
        "event.notification.signature.key",
        "event.notification.basic.password",
        "event.notification.callback.headers",
    )
)
_TEMPLATE = re.compile(r"\$\{(configuration|header|body)\.([^{}]+)\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class Values(Value, frozen=True, kw_only=True):
    """
    Hold where values come from: instance, path, call, its body as sent to the vendor.

    `previous` is the answer to the call before in a chain.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"configuration", "body"})

    configuration: Configuration
    path: PathParameters
    incoming: Incoming
    body: bytes = b""
    previous: Response | None = None

    @property
    def content_type(self) -> str:
        """Return what the caller says that its body is, "" if it says nothing."""
        return find_header(self.incoming.headers, "Content-Type") or ""

    def find(self, item: Parameter) -> Any:
        """
        Return the value that a parameter stands for, None if there is none.

        Text, or a JSON value for what comes out of a body. The type `value` is its own name,
        in which ${configuration.key}, ${header.name} and ${body.member} are filled where they
        can be.
        """
        match item.type:
            case "value":
                return self._fill(item.name)
            case "configuration":
                return self._find_configured(item.name)
            case "path":
                return self.path.get(item.name)
            case "header":
                return self._find_header(item.name)
            case "query" if item.name not in PLATFORM_PARAMETERS:
                return self.incoming.parameter(item.name)
            case "body":
                return read_json(self.body)
            case "form" | "multipart" if (found := self._find_file(item.name)) is not None:
                return found
            case "bodyField" | "form" | "multipart":
                return find_member(read_json(self.body), item.name)
            case "prevBody":
                return self._previous()
            case "prevBodyField":
                return find_member(self._previous(), item.name)
            case _:
                return None

    def find_text(self, item: Parameter) -> str | None:
        """Return a value as text, what is no text as JSON; see `find`."""
        return write_text(self.find(item))

    def _find_configured(self, name: str) -> str | None:
        return None if name in _NEVER_SENT else self.configuration.get(name)

    def _find_header(self, name: str) -> str | None:
        # The caller's secrets of this platform are no vendor's business.
        if name.lower() in _OF_THE_PLATFORM:
            return None
        return find_header(self.incoming.headers, name)

    def _find_file(self, name: str) -> FilePart | None:
        form = read_form(self.incoming)
        files = form.files if form is not None else ()
        return next((item for item in files if item.name == name), None)

    def _previous(self) -> Any:
        return None if self.previous is None else read_json(self.previous.body)

    def _fill(self, template: str) -> str:
        if "${" not in template:
            return template
        sources: dict[str, Callable[[str], Any]] = {
            "configuration": self._find_configured,
            "header": self._find_header,
            "body": lambda name: find_member(read_json(self.body), name),
        }

        size = 0

        def fill_one(found: re.Match[str]) -> str:
            nonlocal size
            text = write_text(sources[found[1]](found[2]))
            size += len(text or "")
            check_size(size)
            return found[0] if text is None else text

        return _TEMPLATE.sub(fill_one, template)


def check_size(size_bytes: int) -> None:
    """Raise BadRequest for more than parameters may make of a call: a short one could make any."""
    if size_bytes > LARGEST_MADE_BYTES:
        raise BadRequest(
            "The parameters of this resource make more of the call than the "
            f"{LARGEST_MADE_BYTES} bytes that are sent."
        )


def read_json(body: bytes) -> Any:
    """Return the JSON of a body, None where it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def find_member(data: Any, path: str) -> Any:
    """Return a member of JSON by its path, "items[0].sku"; None where there is none."""
    for name, index in _STEP.findall(path):
        if name:
            data = data.get(name) if isinstance(data, dict) else None
        else:
            number = int(index)
            data = data[number] if isinstance(data, list) and number < len(data) else None
    return data


def write_text(value: Any) -> str | None:
    """Return a value as text: true → "true", 5 → "5", {"a": 1} → '{"a":1}'; None stays."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, FilePart):
        raise BadRequest(f"{value.name[:60]} is a file; the resource has a place for a text there.")
    return orjson.dumps(value).decode()
