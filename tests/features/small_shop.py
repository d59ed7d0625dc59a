"""A small vendor of a test's own: basic authentication, rows in an envelope, paged by number."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

USER, PASSWORD = "ada", "pass:word"


@dataclass
class SmallShop:
    """What the vendor holds and what it was asked."""

    url: str = ""
    rows: dict[int, dict[str, Any]] = field(
        default_factory=lambda: {n: {"no": n, "title": f"T{n}"} for n in range(1, 8)}
    )
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Any]:
        """Answer one request."""
        self.asked.append((method, target, headers, body))
        expected = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if headers.get("authorization") != expected and headers.get("x-key") != "k e y":
            return 401, {"message": "who are you?"}
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        match parts.path.strip("/").split("/"):
            case ["v1", "items"] if method == "GET":
                size, page = int(query.get("limit", 100)), int(query.get("p", 1))
                rows = list(self.rows.values())[(page - 1) * size : page * size]
                return 200, {"result": {"items": rows}}
            case ["v1", "items"] if method == "POST":
                number = max(self.rows) + 1
                self.rows[number] = {**json.loads(body)["item"], "no": number}
                return 200, self.rows[number]
            case ["v1", "items", number] if int(number) in self.rows:
                if method == "DELETE":
                    del self.rows[int(number)]
                    return 200, {}
                return 200, {"item": self.rows[int(number)]}
            case ["v1", "echo"]:
                return 200, {
                    "method": method,
                    "query": query,
                    "headers": headers,
                    "body": body.decode(),
                }
            case ["v1", "session"]:
                return 200, {"data": {"ticket": "t-1"}, "name": "first"}
            case _:
                return 404, {"message": "nothing here"}


@contextmanager
def open_small_shop() -> Iterator[SmallShop]:
    """Serve a small vendor on a port of its own."""
    shop = SmallShop()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, content = shop.answer(self.command, self.path, headers, body)
            raw = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.send_header("X-Left", "41")
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            pass

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.handle_any)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
