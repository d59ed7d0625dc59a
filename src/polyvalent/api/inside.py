"""
Let jobs call the API as whoever asked for them: through the door of all others, without a socket.

The caller's secrets are opened for the one call; whoever has been deactivated since is refused
there as anywhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote, unquote, urlencode

import orjson

from polyvalent.accounts.reveal import reveal_secrets_of
from polyvalent.api import resources
from polyvalent.api.app import OPERATIONS
from polyvalent.api.edge import Edge, Receive, Scope, Send
from polyvalent.api.operation import BASE_PATH, Progress
from polyvalent.api.platform import Platform
from polyvalent.api.router import Router
from polyvalent.errors import NotFound
from polyvalent.instances.find import find_for_job
from polyvalent.jobs.scheduled_call import ELEMENT_ALONE, Called, ScheduledCall

# An answer is looked at for its refusal only.
LOOKED_AT_BYTES = 64 * 1024
_SAFE = "/%:@!$&'()*+,;=~-._"  # paths are stored percent-encoded


# What answers the calls, as an ASGI application.
Answers = Callable[[Scope, Receive, Send], Awaitable[None]]


class Inside:
    """Call the API of a platform, or what `edge` is; give the instance to `call_kind`."""

    def __init__(self, platform: Platform, *, edge: Answers | None = None) -> None:
        self._platform = platform
        router = Router(OPERATIONS, fallback=resources.FALLBACK)
        self._edge: Answers = edge or Edge(router, platform_of=lambda _: platform)

    async def __call__(self, call: ScheduledCall) -> Called:
        """Make one call, and tell how it was answered."""
        try:
            authorization = await self._authorization(call)
        except NotFound as error:
            return Called(status=401, request_id="", message=error.message)
        headers = [("authorization", authorization), ("host", "localhost"), *call.headers]
        path = quote(call.path, safe=_SAFE)
        scope: MutableMapping[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": call.method,
            "scheme": "http",
            "root_path": BASE_PATH,
            "path": f"{BASE_PATH}{unquote(call.path)}",
            "raw_path": f"{BASE_PATH}{path}".encode(),
            "query_string": urlencode(call.query).encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
            "progress": Progress(schedule_id=call.job.id),
        }
        answered = _Answered()

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": call.body, "more_body": False}

        await self._edge(scope, receive, answered.send)
        return answered.told()

    async def _authorization(self, call: ScheduledCall) -> str:
        ports, job = self._platform.ports, call.job
        secrets = await reveal_secrets_of(ports.database, ports.keys, user_id=job.owner.user_id)
        parts = [f"User {secrets['user']}"]
        if not job.spec.get(ELEMENT_ALONE):
            parts.append(f"Organization {secrets['organization']}")
        if job.instance_id is not None:
            instance = await find_for_job(ports, job.instance_id)
            parts.append(f"Element {instance.token}")
        return ", ".join(parts)


class _Answered:
    """Take in what the API sends, as much of it as is looked at."""

    def __init__(self) -> None:
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = b""

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {name.decode(): value.decode() for name, value in message["headers"]}
        elif len(self._body) < LOOKED_AT_BYTES:
            self._body += message.get("body", b"")

    def told(self) -> Called:
        request_id = {name.lower(): value for name, value in self._headers.items()}.get(
            "elements-request-id", ""
        )
        message = None
        if self._status >= 400:
            try:
                message = str(orjson.loads(self._body)["message"])
            except (ValueError, KeyError, TypeError):
                message = "The answer was no error of the API."
        return Called(status=self._status, request_id=request_id, message=message)
