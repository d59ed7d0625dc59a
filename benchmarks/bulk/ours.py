"""Read the rows with a bulk download of a served platform: checkpoints, receipt, sealed files."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.machine import ROOT
from benchmarks.serve_process import Served, serve

_BASE = "/elements/api-v2"


class Platform:
    """Hold a served platform with one instance of the upstream."""

    def __init__(
        self,
        data_dir: Path,
        upstream: str,
        *,
        database_url: str = "",
        options: tuple[str, ...] = (),
    ) -> None:
        self.data_dir = data_dir
        self.served: Served = serve(data_dir, database_url=database_url, options=options)
        environment = {
            **os.environ,
            "POLYVALENT_DATA_DIR": str(data_dir),
            "POLYVALENT_DATABASE_URL": database_url,
        }
        shown = subprocess.run(
            [sys.executable, "-m", "polyvalent.cli", "secrets", "--json"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        secrets = json.loads(shown.stdout)
        self.authorization = f"User {secrets['user']}, Organization {secrets['organization']}"
        self.upstream = upstream
        self.token = self.connect()

    def connect(self) -> str:
        """Make one more instance of the upstream and return its token."""
        instance = self.call("POST", "/instances", self._instance(self.upstream))
        return str(instance["token"])

    def download(self) -> dict[str, Any]:
        """Download everything; return rows, seconds, processor time and memory."""
        before_s = self.served.cpu_s
        began = time.perf_counter()
        statement = quote("select * from products")
        job = self.call("POST", f"/bulk/query?q={statement}", element=True)
        while True:
            shown = self.call("GET", f"/bulk/{job['id']}/status", element=True)
            if shown["status"] not in ("CREATED", "RUNNING"):
                break
            time.sleep(0.05)
        assert shown["status"] == "COMPLETED", shown
        assert shown["receipt"]["complete"], shown
        return {
            "rows": shown["recordsCount"],
            "read_s": (shown["completionTime"] - shown["startTime"]) / 1000,
            "wall_s": time.perf_counter() - began,
            "cpu_s": self.served.cpu_s - before_s,
            "peak_mb": self.served.peak_mb,
        }

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        element: bool = False,
        token: str = "",
    ) -> dict[str, Any]:
        """Make one call, for the first instance or another's token; only 200 is an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=60)
        named = token or (self.token if element else "")
        headers = {
            "Authorization": self.authorization + (f", Element {named}" if named else ""),
            "Content-Type": "application/json",
        }
        connection.request(
            method, _BASE + path, None if body is None else json.dumps(body), headers
        )
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status == 200, content
        found: dict[str, Any] = json.loads(content)
        return found

    def stop(self) -> None:
        """Stop the server."""
        self.served.stop()

    def _instance(self, upstream: str) -> dict[str, Any]:
        return {
            "element": {"key": "magento"},
            "name": "Upstream",
            "externalAuthentication": "initial",
            "configuration": {
                "oauth.api.key": "k" * 32,
                "oauth.api.secret": "s" * 32,
                "oauth.callback.url": "https://app.example.com/auth",
                "oauth.user.token": "t" * 32,
                "oauth.user.token.secret": "u" * 32,
                "store.url": upstream,
            },
        }
