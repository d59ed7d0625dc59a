"""
Set the stage of a journey: a platform and its neighbours, each served on a port of its own.

Everything is real: sockets, servers, databases. Only the platform's clock can be moved.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import uvicorn
from sqlalchemy import func, select

from polyvalent.accounts.reveal import reveal_secrets
from polyvalent.api.app import BASE_PATH, create_app
from polyvalent.api.platform import Platform, open_platform
from polyvalent.cli.working import working_on
from polyvalent.db.schema import metadata
from polyvalent.instances.ports import pass_by
from polyvalent.settings import Settings, read_networks

START_S = 20.0
REQUEST_ID_DIGITS = 24


@dataclass
class Clock:
    """The platform's clock; `ahead` moves it."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True)
class Reply:
    """An answer as it came; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The message of an error, whose shape is checked on the way."""
        shown = self.json()
        assert set(shown) <= {"requestId", "message", "providerMessage", "outcome"}, shown
        assert len(shown["requestId"]) == REQUEST_ID_DIGITS
        assert shown["requestId"] == self.headers["elements-request-id"]
        assert self.headers["content-type"] == "application/json;charset=UTF-8"
        assert isinstance(shown["message"], str)
        assert shown["message"]
        return shown["message"]

    @property
    def words(self) -> str:
        """The vendor's own words in an error; empty without any."""
        assert self.message
        return self.json().get("providerMessage", "")


def ask(
    url: str,
    method: str = "GET",
    *,
    body: Any = None,
    headers: dict[str, str] | None = None,
    timeout_s: float = 30,
) -> Reply:
    """Send one request; a body that is not bytes goes as JSON. Redirects are not followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    sent = {} if raw is None else {"Content-Type": "application/json"}
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    try:
        connection.request(method, target, body=raw, headers={**sent, **(headers or {})})
        answer = connection.getresponse()
        return Reply(
            answer.status,
            {name.lower(): value for name, value in answer.getheaders()},
            answer.read(),
        )
    finally:
        connection.close()


@contextmanager
def serving(app: Any, *, lifespan: str = "off", date_header: bool = True) -> Iterator[str]:
    """Serve an ASGI application from a thread; give its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        lifespan=lifespan,  # type: ignore[arg-type]
        ws="none",
        date_header=date_header,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_S
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline, "the server did not start in time"
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@dataclass
class Stage:
    """A platform that is being served, and what a test may know about it."""

    clock: Clock
    settings: Settings
    url: str = ""
    user: str = field(default="", repr=False)
    organization: str = field(default="", repr=False)
    heard: list[Reply] = field(default_factory=list, repr=False)  # every answer to `call`
    platform: Platform = field(init=False, repr=False)
    loop: asyncio.AbstractEventLoop = field(init=False, repr=False)

    @property
    def authorization(self) -> str:
        return f"User {self.user}, Organization {self.organization}"

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Any = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        authorization: str | None = None,
        element: str | None = None,
    ) -> Reply:
        """Send a call below the base path, authorized unless `authorization` is ""."""
        secrets = self.authorization if authorization is None else authorization
        if element is not None:
            secrets += f", Element {element}"
        shown = {"Authorization": secrets} if secrets else {}
        suffix = f"?{urlencode(query, doseq=True)}" if query else ""
        url = f"{self.url}{BASE_PATH}{path}{suffix}"
        reply = ask(url, method, body=body, headers={**shown, **(headers or {})})
        self.heard.append(reply)
        return reply

    def run(self, work: Awaitable[Any]) -> Any:
        """Run something in the platform's loop."""

        async def wrapped() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(wrapped(), self.loop).result(30)

    def rows(self) -> dict[str, int]:
        """Count the rows of every table."""

        async def count() -> dict[str, int]:
            async with self.platform.ports.database.reading() as connection:
                return {
                    table.name: int(
                        (
                            await connection.execute(select(func.count()).select_from(table))
                        ).scalar_one()
                    )
                    for table in metadata.sorted_tables
                }

        return self.run(count())


@contextmanager
def platform_on_stage(
    data_dir: Path,
    *,
    database_url: str = "",
    deadline_s: float = 20.0,
    allow: str = "127.0.0.1/32",
    mark: Callable[[str], None] = pass_by,
    works: bool = False,
    **more: Any,
) -> Iterator[Stage]:
    """
    Serve a platform of the test's own from a thread; one of a process at a time may work on jobs.
    """
    # Tests are one address, and in a hurry.
    more.setdefault("strangers_per_minute", 100_000)
    settings = Settings(
        data_dir=data_dir,
        database_url=database_url,
        egress_allow=read_networks(allow),
        vendor_deadline_s=deadline_s,
        max_body_bytes=256 * 1024,
        **more,
    )
    stage = Stage(clock=Clock(), settings=settings)

    @asynccontextmanager
    async def opening() -> AsyncIterator[Platform]:
        async with open_platform(settings, now=stage.clock, mark=mark) as platform:
            stage.platform, stage.loop = platform, asyncio.get_running_loop()
            async with working_on(platform, lazily=False) if works else nullcontext():
                yield platform

    app = create_app(settings, opening=opening)
    with serving(app, lifespan="on") as url:
        stage.url = url
        ports = stage.platform.ports
        secrets = stage.run(reveal_secrets(ports.database, ports.keys))
        stage.user, stage.organization = secrets["user"], secrets["organization"]
        yield stage
