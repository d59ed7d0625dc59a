"""Start, arm, call and restart one crash server; the part of a caller is played by plain HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parents[2]
BASE_PATH = "/elements/api-v2"


class Died(Exception):
    """Say that the server ended in the middle of a call."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Hold an answer of the server."""

    status: int
    content: Any


@dataclass(kw_only=True)
class Keeper:
    """
    Keep one server with one data directory through any number of deaths.

    `fresh` starts a new interpreter for every life; otherwise the lives are forked from one.
    """

    folder: Path
    database_url: str = ""
    fresh: bool = False
    works: bool = False  # on jobs, too
    shared: Path | None = None  # the data directory of another keeper, which this one uses as well
    running: dict[str, Any] | None = None
    lives: int = 0
    _nursery: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def data_dir(self) -> Path:
        return self.shared or self.folder / "data"

    @property
    def pid(self) -> int:
        """Return the process that runs."""
        assert self.running is not None
        return int(self.running["pid"])

    @property
    def key_path(self) -> Path:
        return self.data_dir / "keys.json"

    @property
    def url(self) -> str:
        """Return the URL of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'polyvalent.db'}"

    def start(self) -> None:
        """Start the server on what the last life left behind; return once it answers."""
        assert self.running is None
        self._order()
        ready = self._read()
        while "born" in ready:
            ready = self._read()
        if "url" not in ready:
            raise AssertionError(f"the server did not start again: {ready}")
        self.running = ready
        self.lives += 1

    def kill_while_starting(self, delay_s: float) -> None:
        """Start the server and kill it `delay_s` after it came to life, ready or not."""
        self._order()
        born = self._read()
        time.sleep(delay_s)
        os.kill(born["born"], signal.SIGKILL)
        while "died" not in self._read():
            pass
        if self.fresh:
            self._close_nursery()

    def arm(self, point: str, *, nth: int) -> None:
        """Let the server die at the nth passing of a point from now on."""
        self.forget()
        (self.folder / "armed").write_text(f"{point} {nth}")

    def disarm(self) -> None:
        """Let the server live."""
        (self.folder / "armed").unlink(missing_ok=True)

    def forget(self) -> None:
        """Forget which points were passed."""
        (self.folder / "passed").write_text("")

    def passed(self) -> list[str]:
        """Return the points passed since they were forgotten, in order."""
        return (self.folder / "passed").read_text().split()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Any = None,
        token: str | None = None,
        key: str | None = None,
        raw: bytes | None = None,
        content_type: str = "application/json",
        as_lines: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """
        Make one call, as the default user; raises Died if the server went away meanwhile.

        A `body` goes as JSON, `raw` as it is; an answer `as_lines` has one value a line.
        """
        assert self.running
        parts = urlsplit(self.running["url"])
        authorization = (
            f"User {self.running['user']}, Organization {self.running['organization']}"
            + (f", Element {token}" if token else "")
        )
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        target = BASE_PATH + path + (f"?{urlencode(query)}" if query else "")
        sent = {"Authorization": authorization, "Accept": "application/json", **(headers or {})}
        if key is not None:
            sent["Idempotency-Key"] = key
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent["Content-Type"] = content_type
        try:
            connection.request(method, target, body=raw, headers=sent)
            answer = connection.getresponse()
            read = answer.read()
        except (ConnectionError, http.client.HTTPException) as error:
            raise Died from error
        finally:
            connection.close()
        if as_lines and answer.status == 200:
            return Reply(status=200, content=[json.loads(line) for line in read.splitlines()])
        return Reply(status=answer.status, content=json.loads(read) if read else None)

    def bury(self) -> int:
        """Wait for the server's death; return its exit status, -9 for a kill."""
        died = self._read()
        self.running = None
        if self.fresh:
            self._close_nursery()
        return int(died["died"])

    def kill(self) -> None:
        """Kill the server at no particular point, if it runs."""
        if self.running is not None:
            os.kill(self.running["pid"], signal.SIGKILL)
            self.bury()

    def close(self) -> None:
        """End everything that was started."""
        self.kill()
        self._close_nursery()

    def _order(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._nursery is None:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "tests.crash.crash_server"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._nursery.stdin
        order = {
            "data_dir": str(self.data_dir),
            "database_url": self.database_url,
            "scratch": str(self.folder),
            "works": self.works,
        }
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._nursery
        assert self._nursery.stdout
        line = self._nursery.stdout.readline()
        if not line:
            raise AssertionError(f"the server could not run: exit {self._nursery.wait()}")
        read: dict[str, Any] = json.loads(line)
        return read

    def _close_nursery(self) -> None:
        if self._nursery is not None:
            assert self._nursery.stdin
            assert self._nursery.stdout
            self._nursery.stdin.close()
            self._nursery.wait(timeout=10)
            self._nursery.stdout.close()
            self._nursery = None
