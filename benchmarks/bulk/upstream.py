"""
Serve rows as fast as can be, so that whoever reads them is measured and not this.

    python -m benchmarks.bulk.upstream ROWS [MILLISECONDS]

With milliseconds each answer waits so long, as a real store's does; others go on meanwhile.
Needs nothing but the standard library. The first line of output is the port. Rows are those of
`benchmarks.gateway.rows`, a hundred a page, about 1.3 kB each; two ways lead to them:

- /api/rest/products?…filter[0][gt]=LAST: an object of objects by id, behind a key (polyvalent)
- /rows?page=N: a list, by page number from 1, empty behind the end (the others)
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from urllib.parse import unquote

from benchmarks.gateway.rows import make_row

PAGE_ROWS = 100
_MARK = 987654321  # stands for a row's number
_BEHIND = re.compile(r"\[gt\]=(\d+)")
_PAGE = re.compile(r"[?&]page=(\d+)")


class Rows:
    """Make pages out of one row, which is written once."""

    def __init__(self, count: int) -> None:
        self.count = count
        text = json.dumps(make_row(_MARK)).encode()
        self._pieces = text.split(str(_MARK).encode())

    def page(self, first: int, *, keyed: bool) -> bytes:
        """Return the rows from a number on."""
        made = []
        for number in range(first, min(first + PAGE_ROWS, self.count + 1)):
            name = str(number).encode()
            row = name.join(self._pieces)
            made.append(b'"' + name + b'":' + row if keyed else row)
        if keyed and made:
            return b"{" + b",".join(made) + b"}"
        return b"[" + b",".join(made) + b"]"

    def answer(self, target: str) -> bytes:
        """Return the body for a target."""
        if target.startswith("/rows"):
            found = _PAGE.search(target)
            page = int(found[1]) if found else 1
            return self.page((page - 1) * PAGE_ROWS + 1, keyed=False)
        found = _BEHIND.search(target)
        return self.page(int(found[1]) + 1 if found else 1, keyed=True)


class Upstream(asyncio.Protocol):
    """Answer one connection's requests, which have no bodies, in their order."""

    def __init__(self, rows: Rows, wait_s: float = 0.0) -> None:
        self.rows = rows
        self.wait_s = wait_s
        self.left = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.left += data
        while b"\r\n\r\n" in self.left:
            head, _, self.left = self.left.partition(b"\r\n\r\n")
            target = unquote(head.split(b" ", 2)[1].decode("latin-1"))
            if self.wait_s:
                asyncio.get_running_loop().call_later(self.wait_s, self._write, target)
            else:
                self._write(target)

    def _write(self, target: str) -> None:
        body = self.rows.answer(target)
        self.transport.write(  # type: ignore[attr-defined]
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
            + str(len(body)).encode()
            + b"\r\n\r\n"
            + body
        )


async def main() -> None:
    """Serve until standard input ends."""
    rows = Rows(int(sys.argv[1]))
    loop = asyncio.get_running_loop()
    wait_s = float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0
    server = await loop.create_server(lambda: Upstream(rows, wait_s), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
