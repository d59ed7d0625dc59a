"""Receive deliveries on a real socket, and fail as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """One request as it came; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """What came in; `answer` says with which status a request is answered."""

    answer: Callable[[Received], int] = lambda _: 200
    taken: list[Received] = field(default_factory=list)
    refused: list[Received] = field(default_factory=list)
    url: str = ""


@contextmanager
def receiving(port: int = 0, *, retry_after: str = "") -> Iterator[Receiver]:
    receiver = Receiver()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(path=self.path, headers=headers, body=body)
            with lock:
                status = receiver.answer(received)
                (receiver.taken if 200 <= status < 300 else receiver.refused).append(received)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if retry_after and status >= 400:
                self.send_header("Retry-After", retry_after)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/events"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
