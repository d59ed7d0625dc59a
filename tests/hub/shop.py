"""Connect hub tests to a simulated store: a connection, and a way to reach it."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from polyvalent.auth.oauth1 import ClientCredentials, TokenCredentials, sign
from polyvalent.auth.oauth1_variant import STANDARD
from polyvalent.catalog.load import load_catalog
from polyvalent.egress import Door
from polyvalent.exchange import Exchange, Request, find_header
from polyvalent.hub.call import call
from polyvalent.hub.model import Answer, Incoming
from polyvalent.instances.model import Connection
from polyvalent.sandbox.magento import RunningStore

LOOPBACK = ip_network("127.0.0.1/32")
MOMENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_nonces = itertools.count(1)


def connect(base_url: str, *, key: str = "k", secret: str = "s", **changes: Any) -> Connection:
    """Return a connection to a store whose REST address is known."""
    element = load_catalog().find("magento")
    settings = {item.key: item.default_value for item in element.configuration}
    connection = Connection(
        instance_id=123,
        element=element,
        configuration={**settings, "base.url": base_url, "filter.response.nulls": "true"},
        client=ClientCredentials(key, secret),
        token=TokenCredentials("t", "ts"),
        variant=STANDARD,
    )
    return replace(connection, **changes)


@dataclass(kw_only=True)
class Shop:
    """Call a running store through the hub, and keep every exchange that this took."""

    running: RunningStore
    connection: Connection
    exchanges: list[Exchange] = field(default_factory=list)

    async def __call__(
        self, method: str, path: str, body: Any = None, **query: Any
    ) -> tuple[Any, Callable[[str], str | None]]:
        """Return the answer's JSON and a way to read its headers."""
        answer = await self.answer(method, path, body, **query)
        return json.loads(answer.body), lambda name: find_header(answer.headers, name)

    async def answer(self, method: str, path: str, body: Any = None, **query: Any) -> Answer:
        """Make one hub call."""
        self.exchanges.clear()
        url = urlsplit(path)
        pairs = [*parse_qsl(url.query), *((name, str(value)) for name, value in query.items())]
        incoming = Incoming(
            method=method,
            path=url.path,
            query=tuple(pairs),
            body=b"" if body is None else json.dumps(body).encode(),
        )
        async with Door(allow=(LOOPBACK,)) as door:

            async def reach(connection: Connection, request: Request) -> Exchange:
                def sign_now(unsigned: Request) -> Request:
                    assert connection.client is not None
                    return sign(
                        unsigned,
                        client=connection.client,
                        token=connection.token,
                        nonce=f"hub{next(_nonces):029}",
                        timestamp=int(time.time()),
                    ).request

                exchange = await door.send(request, sign=sign_now, deadline_s=10)
                self.exchanges.append(exchange)
                return exchange

            return await call(self.connection, incoming, reach=reach, now=lambda: MOMENT)

    def sent(self) -> list[str]:
        """Return what was asked of the store: "GET /products?limit=3&page=1"."""
        base = self.connection.configuration["base.url"] or ""
        return [
            f"{item.request.method} {unquote(item.request.url.removeprefix(base))}"
            for item in self.exchanges
        ]


def open_shop(running: RunningStore, **issue: Any) -> Shop:
    """Connect to a running store with an admin's token, or as `issue` says."""
    token = running.store.issue_token(**(issue or {"admin": running.store.admin_user}))
    connection = connect(
        f"{running.url}/api/rest",
        key=running.store.consumer_key,
        secret=running.store.consumer_secret,
        token=TokenCredentials(token.token, token.secret),
    )
    return Shop(running=running, connection=connection)


def run(work: Any) -> Any:
    """Run a coroutine from a plain test."""
    return asyncio.run(work)
