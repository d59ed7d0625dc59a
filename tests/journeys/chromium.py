"""
Drive a real browser: Chromium over its DevTools protocol, one page.

Source: chromedevtools.github.io/devtools-protocol, domains Page, Runtime and Network, 2026-11.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-port=0",
)
START_S = 30.0
STEP_S = 20.0


def find_chromium() -> str | None:
    """Return the path of a browser on this machine, None without one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One page of a browser; `requested` holds every address that it asked for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.requested: list[str] = []

    async def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result, noting requests on the way."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(STEP_S):
            while True:
                message = json.loads((await self._socket.receive()).data)
                if message.get("method") == "Network.requestWillBeSent":
                    self.requested.append(message["params"]["request"]["url"])
                if message.get("id") == number:
                    assert "error" not in message, message
                    result: dict[str, Any] = message["result"]
                    return result

    async def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression."""
        told = await self.tell("Runtime.evaluate", expression=script, returnByValue=True)
        return told["result"].get("value")

    async def wait_for(self, script: str) -> Any:
        """Return the first true value of an expression, asked again and again."""
        async with asyncio.timeout(STEP_S):
            while True:
                with suppress(AssertionError):  # the page may be changing just now
                    if value := await self.evaluate(script):
                        return value
                await asyncio.sleep(0.05)

    async def open(self, url: str) -> None:
        """Open an address."""
        await self.tell("Page.navigate", url=url)


@asynccontextmanager
async def browsing(folder: Path) -> AsyncIterator[Page]:
    """Start a browser with an empty profile in `folder` and give its page."""
    path = find_chromium()
    assert path is not None
    # Chromium refuses its sandbox to root; what it opens here is ours alone.
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    command = [path, *OPTIONS, *root, f"--user-data-dir={folder}", "about:blank"]
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    try:
        port = await _port(folder / "DevToolsActivePort", process)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                target = next(item for item in await answer.json() if item["type"] == "page")
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                await page.tell("Network.enable")
                await page.tell("Page.enable")
                yield page
    finally:
        process.kill()
        await process.wait()


async def _port(file: Path, process: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(START_S):
        while (port := _first_line(file)) == "":
            assert process.returncode is None, "the browser did not start"
            await asyncio.sleep(0.05)
    return port


def _first_line(file: Path) -> str:
    return file.read_text().partition("\n")[0] if file.exists() else ""
