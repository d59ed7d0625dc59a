"""Call the API of a platform as an application would: over HTTP, with JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson

from polyvalent.egress import Door
from polyvalent.errors import VendorFailure
from polyvalent.exchange import Headers, Request, find_header

BASE_PATH = "/elements/api-v2"


@dataclass(frozen=True, kw_only=True)
class Question:
    """Hold one call: `Question(method="GET", path="/ping", authorization="User …")`."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    authorization: str = field(default="", repr=False)
    body: Any = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Hold what the platform answered."""

    status: int
    content: Any = field(repr=False)
    headers: Headers
    elapsed_ms: float

    @property
    def message(self) -> str:
        """Return the message of an error, "" for anything else."""
        found = self.content.get("message") if isinstance(self.content, dict) else None
        return found if isinstance(found, str) else ""

    def header(self, name: str) -> str | None:
        """Return a header of the answer, or None."""
        return find_header(self.headers, name)


@dataclass(frozen=True, kw_only=True)
class Client:
    """Hold the way to one platform: its URL, such as http://127.0.0.1:8080, and a door."""

    url: str
    door: Door = field(repr=False)

    async def ask(self, question: Question) -> Reply:
        """
        Put a question and return the answer, whatever its status.

        Raises VendorUnreachable, VendorTimeout and VendorFailure where no JSON comes back.
        """
        query = f"?{urlencode(question.query)}" if question.query else ""
        headers: Headers = (("Accept", "application/json"),)
        body = b""
        if question.authorization:
            headers = (*headers, ("Authorization", question.authorization))
        if question.body is not None:
            headers = (*headers, ("Content-Type", "application/json"))
            body = orjson.dumps(question.body)
        exchange = await self.door.send(
            Request(
                method=question.method,
                url=f"{self.url}{BASE_PATH}{question.path}{query}",
                headers=headers,
                body=body,
            ),
            # Longer than the platform's own deadline for a store.
            deadline_s=90.0,
        )
        response = exchange.response
        try:
            content = orjson.loads(response.body)
        except orjson.JSONDecodeError as error:
            raise VendorFailure(
                f"{self.url} answered status {response.status} and no JSON, so it is probably "
                "no polyvalent."
            ) from error
        return Reply(
            status=response.status,
            content=content,
            headers=response.headers,
            elapsed_ms=exchange.elapsed_ms,
        )
