"""
Run the real application, prepared to kill itself -9 at a named point.

    python -m tests.crash.crash_server

imports everything once and then starts a server for every line that it reads, one after the
other, each in a process of its own by fork: a start costs what a start with warm files costs.

    → {"data_dir": "/tmp/a", "database_url": "", "scratch": "/tmp/b", "works": false}
    ← {"born": 99}
    ← {"url": "http://127.0.0.1:4711", "user": "…", "organization": "…", "pid": 99}
    ← {"died": -9}

Every passed point is appended to `scratch/passed`. While `scratch/armed` holds "point n", the
n-th passing of that point since `passed` was emptied is the last thing the server does: no
exception, no handler, no flush; what the operating system has not been told is lost. One that
`works` does jobs as well.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import uvicorn

from polyvalent.accounts.reveal import reveal_secrets
from polyvalent.api.app import create_app
from polyvalent.api.platform import Platform, open_platform
from polyvalent.cli.working import working_on
from polyvalent.settings import Settings

# Where answers go; what the application logs goes to `scratch/log`.
ANSWERS = os.dup(1)
LOOPBACK = ipaddress.ip_network("127.0.0.1/32")


def make_mark(scratch: Path) -> Callable[[str], None]:
    """Return a function that notes every point and kills this process at the armed one."""
    passed, armed = scratch / "passed", scratch / "armed"

    def mark(point: str) -> None:
        with passed.open("a") as file:
            file.write(f"{point}\n")
        order = armed.read_text().split() if armed.exists() else []
        if order and order[0] == point:
            times = passed.read_text().split().count(point)
            if times == int(order[1]):
                os.kill(os.getpid(), signal.SIGKILL)

    return mark


def serve(order: dict[str, Any]) -> None:
    """Serve until the end of this process."""
    scratch = Path(order["scratch"])
    log = os.open(scratch / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    works = bool(order.get("works"))
    settings = Settings(
        data_dir=Path(order["data_dir"]),
        database_url=order.get("database_url", ""),
        egress_allow=(LOOPBACK,),
    )
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    port = listener.getsockname()[1]

    @asynccontextmanager
    async def opening() -> AsyncIterator[Platform]:
        async with open_platform(settings, mark=make_mark(scratch)) as platform:
            secrets = await reveal_secrets(platform.ports.database, platform.ports.keys)
            _say({"url": f"http://127.0.0.1:{port}", "pid": os.getpid(), **secrets})
            async with working_on(platform, lazily=False) if works else nullcontext():
                yield platform

    app = create_app(settings, opening=opening)
    config = uvicorn.Config(app, log_level="warning", access_log=False, loop="uvloop")
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def main() -> None:
    """Start a server for each order on standard input."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                serve(json.loads(line))
            finally:
                os._exit(1)
        _say({"born": child})
        _, status = os.waitpid(child, 0)
        _say({"died": os.waitstatus_to_exitcode(status)})


def _say(message: dict[str, Any]) -> None:
    # One write, so that lines of two processes never mix.
    os.write(ANSWERS, f"{json.dumps(message)}\n".encode())


if __name__ == "__main__":
    main()
