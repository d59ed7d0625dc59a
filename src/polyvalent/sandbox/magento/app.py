"""
The network edge of a simulated store: an ASGI application.

Turns ASGI messages into a Call, finds the part of the store that answers it (as the vendor's
front controller does, so /index.php before a path is allowed), and sends the Answer.
"""

import asyncio
import time
import traceback
from email.utils import formatdate
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

from polyvalent.sandbox.magento import admin_html, faults
from polyvalent.sandbox.magento.admin_pages import (
    ACTIONS,
    admin_place,
    customer_place,
    log_in_customer,
    show_page,
)
from polyvalent.sandbox.magento.control import control
from polyvalent.sandbox.magento.exchange import Answer, Call
from polyvalent.sandbox.magento.oauth_routes import exchange_token, initiate
from polyvalent.sandbox.magento.oauth_verify import PhpFatal
from polyvalent.sandbox.magento.options import StoreOptions
from polyvalent.sandbox.magento.rest_frame import answer_rest
from polyvalent.sandbox.magento.seed import plant
from polyvalent.sandbox.magento.state import Store


class StoreEdge:
    """Serve a store to an ASGI server."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        call = await read_call(scope, receive)
        if self.store.options.latency_ms > 0 and not call.path.startswith("/_sandbox"):
            await asyncio.sleep(self.store.options.latency_ms / 1000)
        answer = respond(self.store, call)
        await send_answer(self.store, answer, method=call.method, send=send)


def create_app(options: StoreOptions, *, store: Store | None = None) -> Starlette:
    """
    Make the ASGI application of a store; `app.state.store` is the Store.

    Without `store` a new one is made and filled with believable data. The application sends its
    own Date and Server headers, so run it with uvicorn's `date_header=False, server_header=False`.
    """
    if store is None:
        store = Store(options)
        plant(store)
    app = Starlette(routes=[Mount("/", app=StoreEdge(store))])
    app.state.store = store
    return app


def respond(store: Store, call: Call) -> Answer:
    """Answer a call; the dispatch of the store's front controller."""
    if call.path.startswith("/_sandbox"):
        return control(store, call)
    path = call.path.removeprefix("/index.php")
    parts = [part for part in path.split("/") if part]
    is_rest = parts[:2] == ["api", "rest"] or parts == ["api.php"]
    store.counters[route_name(call.method, parts)] += 1
    broken = faults.outage(store, is_front=not is_rest)
    if broken is not None:
        return broken
    try:
        if is_rest:
            return answer_rest(store, call)
        return answer_front(store, call, parts=parts)
    except PhpFatal:
        return faults.empty_500()
    except Exception as error:  # noqa: BLE001 - the edge: PHP, too, would die of what it got
        store.counters[f"died of {type(error).__name__}"] += 1
        traceback.print_exc()
        return faults.empty_500()


def answer_front(store: Store, call: Call, *, parts: list[str]) -> Answer:
    """Answer what is not REST: authorization and a few plain pages."""
    if parts == ["oauth", "initiate"]:
        return initiate(store, call)
    if parts == ["oauth", "token"]:
        return exchange_token(store, call)
    admin = [part for part in store.options.admin_path.split("/") if part]
    for prefix, place in (
        ([*admin, "oauth_authorize"], admin_place(store, call)),
        (["oauth", "authorize"], customer_place(call)),
    ):
        rest = parts[len(prefix) :] or ["index"]
        if parts[: len(prefix)] == prefix and len(rest) == 1 and rest[0] in ACTIONS:
            return show_page(store, call, action=rest[0], place=place)
    if parts == ["customer", "account", "loginPost"]:
        return log_in_customer(store, call)
    if not parts:
        admin_url = f"{call.base_url}/index.php/{store.options.admin_path}"
        return Answer(body=admin_html.front_page(call.base_url, admin_url))
    if parts[: len(admin)] == admin or parts[:2] == ["customer", "account"]:
        return Answer(body=admin_html.page("Dashboard", "<h1>Dashboard</h1>"))
    return Answer(status=404, body=admin_html.page("404 Not Found", "<h1>404 Not Found</h1>"))


def route_name(method: str, parts: list[str]) -> str:
    """Name a route for the counters: ids become ":id"."""
    names = [":id" if part[:1].isdigit() else part for part in parts[:6]]
    return f"{method} /{'/'.join(names)}"


async def read_call(scope: Scope, receive: Receive) -> Call:
    """Read a whole request."""
    chunks = []
    while True:
        message: Message = await receive()
        if message["type"] != "http.request":
            break
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    root = scope.get("root_path", "").rstrip("/")
    raw = scope.get("raw_path") or scope["path"].encode()
    path = unquote(raw.decode("latin-1"))
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers[name.decode("latin-1").lower()] = value.decode("latin-1")
    return Call(
        method=scope["method"],
        scheme=scope["scheme"],
        root=root,
        path=path.removeprefix(root) or "/",
        raw_path=raw.decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=b"".join(chunks),
    )


async def send_answer(store: Store, answer: Answer, *, method: str, send: Send) -> None:
    """Send an answer with the headers that every answer has."""
    now_s = time.time() + store.options.clock_skew_s
    body = b"" if method == "HEAD" else answer.body
    headers = [
        ("Server", "nginx" if store.options.web_server == "nginx" else "Apache"),
        ("Date", formatdate(now_s, usegmt=True)),
        ("Content-Type", answer.content_type),
        ("Content-Length", str(len(body))),
        *answer.headers,
    ]
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers],
        }
    )
    await send({"type": "http.response.body", "body": body})
