"""
Read the rows with a plain aiohttp loop, page by page, to lines of JSON.

    python -m benchmarks.bulk.plain_loop URL OUT

Prints {"rows", "read_s"}. No checkpoint, no receipt, nothing sealed, nothing flushed to the disk.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import aiohttp


async def main() -> None:
    """Read to the end."""
    url, out = sys.argv[1], Path(sys.argv[2])
    rows = 0
    started = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        with out.open("w", encoding="utf-8") as file:  # noqa: ASYNC230  # as plain loops do
            page = 1
            while True:
                async with session.get(f"{url}/rows", params={"page": str(page)}) as answer:
                    found = json.loads(await answer.read())
                if not found:
                    break
                for row in found:
                    file.write(json.dumps(row) + "\n")
                rows += len(found)
                page += 1
    print(json.dumps({"rows": rows, "read_s": time.perf_counter() - started}))


if __name__ == "__main__":
    asyncio.run(main())
