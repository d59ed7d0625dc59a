"""Reach a simulated store without a socket: signed and answered in this process, for many calls."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from polyvalent.auth.oauth1 import TokenCredentials, sign
from polyvalent.catalog.load import load_catalog
from polyvalent.exchange import Exchange, Request, Response, find_header
from polyvalent.hub.call import call
from polyvalent.hub.model import Incoming
from polyvalent.instances.model import Connection
from polyvalent.mapping import Mapping, compile_mapping
from polyvalent.sandbox.magento import StoreOptions
from polyvalent.sandbox.magento.app import create_app, respond
from polyvalent.sandbox.magento.exchange import Call
from polyvalent.sandbox.magento.state import Store
from tests.hub.shop import MOMENT, connect, run

HOST = "shop.example"
_nonces = itertools.count(1)


@dataclass(kw_only=True)
class Counter:
    """Ask a store through the hub; `sent` are the calls that the last question took."""

    store: Store
    connection: Connection
    scan_limit: int = 10_000
    sent: list[str] = field(default_factory=list)

    def ask(self, path: str, **query: Any) -> tuple[Any, dict[str, str]]:
        """Return the answer's JSON and its headers in lower case."""
        self.sent.clear()
        incoming = Incoming(
            method="GET",
            path=path,
            query=tuple((name, str(value)) for name, value in query.items() if value is not None),
        )
        answer = run(
            call(
                self.connection,
                incoming,
                reach=self._reach,
                now=lambda: MOMENT,
                scan_limit=self.scan_limit,
                find_mapping=find_common,
            )
        )
        rows = json.loads(answer.body)
        if isinstance(rows, list):
            counted = find_header(answer.headers, "Elements-Returned-Count")
            assert counted == str(len(rows))
        return rows, {name.lower(): value for name, value in answer.headers}

    def walk(self, path: str, *, pages_max: int = 2000, **query: Any) -> list[Any]:
        """Return the rows of all pages, each asked for by the token of the one before."""
        found: list[Any] = []
        token: str | None = None
        for _ in range(pages_max):
            rows, headers = self.ask(path, nextPage=token, **query)
            found += rows
            token = headers.get("elements-next-page-token")
            if token is None:
                return found
        raise AssertionError("the pages have no end")

    async def _reach(self, connection: Connection, request: Request) -> Exchange:
        assert connection.client is not None
        signed = sign(
            request,
            client=connection.client,
            token=connection.token,
            nonce=f"row{next(_nonces):029}",
            timestamp=int(time.time()),
        ).request
        url = urlsplit(signed.url)
        self.sent.append(unquote(f"{url.path.removeprefix('/api/rest')}?{url.query}"))
        answer = respond(
            self.store,
            Call(
                method=signed.method,
                scheme="http",
                root="",
                path=unquote(url.path),
                raw_path=url.path,
                query=url.query,
                headers={"host": HOST} | {name.lower(): value for name, value in signed.headers},
                body=signed.body,
            ),
        )
        return Exchange(
            request=signed,
            response=Response(
                status=answer.status,
                headers=(("Content-Type", answer.content_type), *answer.headers),
                body=answer.body,
            ),
            elapsed_ms=1,
        )


@cache
def find_common(name: str) -> Mapping | None:
    """Return the mapping of a common resource, as every instance has it."""
    catalog = load_catalog()
    found = catalog.common.transformations_of("magento").get(name)
    return found and compile_mapping(catalog.common.find_definition(name), found)


def open_counter(**options: Any) -> Counter:
    """Plant a store and connect to it with an admin's token."""
    store = create_app(StoreOptions(**options)).state.store
    token = store.issue_token(admin=store.admin_user)
    connection = connect(
        f"http://{HOST}/api/rest", key=store.consumer_key, secret=store.consumer_secret
    )
    return Counter(
        store=store,
        connection=replace(connection, token=TokenCredentials(token.token, token.secret)),
    )
