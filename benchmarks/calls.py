"""Play the caller: many calls to a server at once, over connections that are kept."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from polyvalent.accounts.reveal import reveal_secrets
from polyvalent.db import open_database
from polyvalent.db.key_file import KeyFile

BASE_PATH = "/elements/api-v2"


class Api:
    """
    Call one server as its default user; one connection a thread.

    Raises RuntimeError for any answer that is not 200.
    """

    def __init__(self, url: str, *, user: str, organization: str) -> None:
        self.url = url
        self.authorization = f"User {user}, Organization {organization}"
        self._kept = threading.local()
        self._opened: list[http.client.HTTPConnection] = []

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        token: str | None = None,
    ) -> Any:
        """Make one call and return what the JSON of its answer holds."""
        target = BASE_PATH + path + (f"?{urlencode(query)}" if query else "")
        headers = {
            "Authorization": self.authorization + (f", Element {token}" if token else ""),
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        connection = self._connection()
        sent = None if body is None else json.dumps(body)
        connection.request(method, target, body=sent, headers=headers)
        answer = connection.getresponse()
        raw = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {raw[:500]!r}")
        return json.loads(raw)

    def _connection(self) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if kept is None:
            parts = urlsplit(self.url)
            kept = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
            self._kept.connection = kept
            self._opened.append(kept)
        return kept

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in self._opened:
            connection.close()


async def secrets_of(database_url: str, data_dir: Path) -> dict[str, str]:
    """Return the secrets of a server's default user."""
    database = await open_database(database_url)
    try:
        return await reveal_secrets(database, KeyFile(data_dir / "keys.json"))
    finally:
        await database.close()


def at_once(work: Any, items: Any, *, concurrency: int) -> list[Any]:
    """Do `work(item)` for each item, some at once; return what it returned, in order."""
    with ThreadPoolExecutor(concurrency) as pool:
        return list(pool.map(work, items))
