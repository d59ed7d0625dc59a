"""Know API keys: one secret text in a named header or query parameter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from msgspec import structs

from polyvalent.auth.percent import encode_query
from polyvalent.errors import BadRequest
from polyvalent.exchange import Request


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """Hold a key and where it travels: ApiKey(name="X-Api-Key", value="...")."""

    name: str
    value: str = field(repr=False)
    place: Literal["header", "query"] = "header"
    prefix: str = ""  # goes before the value, as "Bearer " does; header only


def add_api_key(request: Request, key: ApiKey) -> Request:
    """
    Add the key to the request, encoded where it joins the query.

    ApiKey(name="key", value="a b", place="query") on http://a.example/r?b=5 →
    http://a.example/r?b=5&key=a%20b

    Raises BadRequest if a header would hold anything but printable ASCII.
    """
    if key.place == "query":
        joint = "&" if "?" in request.url else "?"
        return structs.replace(
            request, url=f"{request.url}{joint}{encode_query([(key.name, key.value)])}"
        )
    value = f"{key.prefix}{key.value}"
    if not (value.isascii() and value.isprintable()):
        raise BadRequest(f"The key for the header {key.name} holds characters it must not hold.")
    return request.with_header(key.name, value)
