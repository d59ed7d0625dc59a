"""Put the whole surface together as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from polyvalent import __version__
from polyvalent.api import (
    bulk_operations,
    call_traces,
    common_resources,
    docs,
    element_changes,
    element_conversion,
    element_parts,
    elements,
    event_operations,
    instance_operations,
    job_operations,
    notification_operations,
    oauth,
    resources,
    transformation_operations,
)
from polyvalent.api.edge import Edge, Receive, Scope, Send, make_request_id
from polyvalent.api.metrics_page import MetricsPage
from polyvalent.api.openapi import openapi
from polyvalent.api.operation import BASE_PATH, Operation, Progress
from polyvalent.api.platform import Platform, open_platform
from polyvalent.api.request_spans import answer_in_span
from polyvalent.api.router import Router
from polyvalent.settings import Settings

__all__ = ["ASSETS", "BASE_PATH", "OPERATIONS", "create_app"]

ASSETS = Path(__file__).parent / "assets"

OPERATIONS: tuple[Operation, ...] = (
    *oauth.OPERATIONS,
    *event_operations.OPERATIONS,
    *instance_operations.OPERATIONS,
    *call_traces.OPERATIONS,
    *elements.OPERATIONS,
    *element_changes.OPERATIONS,
    *element_conversion.OPERATIONS,
    *element_parts.OPERATIONS,
    *docs.OPERATIONS,
    *transformation_operations.OPERATIONS,
    *common_resources.OPERATIONS,
    *bulk_operations.OPERATIONS,
    *job_operations.OPERATIONS,
    *notification_operations.OPERATIONS,
    *resources.OPERATIONS,
)

# Secrets are typed into this page: nobody may frame it, nor learn from where a link was followed.
_PAGE_HEADERS = {
    # No script but ours, whatever a text of an element may hold; styles are set from scripts.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; connect-src 'self'{}; "
        "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

OpenPlatform = Callable[[], AbstractAsyncContextManager[Platform]]


def create_app(settings: Settings, *, opening: OpenPlatform | None = None) -> Starlette:
    """
    Make the application; it opens its platform when the server starts and closes it at the end.

    `opening` replaces how the platform is opened, for tests with a clock of their own.
    """
    open_it = opening or partial(open_platform, settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_it() as platform:
            app.state.platform = platform
            yield

    edge = Edge(Router(OPERATIONS, fallback=resources.FALLBACK), platform_of=_platform_of)

    @cache
    def document() -> bytes:
        # Made when first asked for: most servers are never asked, and it weighs a megabyte.
        shown = openapi(OPERATIONS, base_path=BASE_PATH, public_url=settings.public_url)
        return orjson.dumps(shown)

    page = (ASSETS / "docs.html").read_text(encoding="utf-8")
    page_headers = _page_headers(settings.public_url)

    async def show_openapi(_: Request) -> Response:
        return Response(document(), media_type="application/json")

    async def show_docs(_: Request) -> Response:
        return HTMLResponse(page, headers=page_headers)

    async def show_health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    async def lead_to_docs(_: Request) -> Response:
        return RedirectResponse("/docs")

    app = Starlette(
        routes=[
            Route("/", lead_to_docs),
            Route("/docs", show_docs),
            Route("/docs/", lead_to_docs),
            Route("/openapi.json", show_openapi),
            Route("/health", show_health),
            Route("/metrics", MetricsPage().show),
            Mount("/docs/assets", app=StaticFiles(directory=ASSETS)),
        ],
        lifespan=lifespan,
    )
    # Its redirects would lead wherever the Host header says.
    app.router.redirect_slashes = False
    unknown = app.router.default

    async def answer_outside(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await unknown(scope, receive, send)
            return
        body = {"requestId": make_request_id(), "message": f"The API is below {BASE_PATH}."}
        await JSONResponse(body, status_code=404)(scope, receive, send)

    app.router.default = answer_outside
    others = app.build_middleware_stack()

    async def enter(scope: Scope, receive: Receive, send: Send) -> None:
        # The API answers errors itself and needs nothing of what lies in between.
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{BASE_PATH}/"):
            peer = scope["client"][0] if scope.get("client") else ""
            below = {**scope, "root_path": BASE_PATH, "progress": Progress(peer=peer)}
            spans = _platform_of(scope).spans
            if spans is None:
                await edge(below, receive, send)
            else:
                await answer_in_span(spans, edge, below, receive, send)
        else:
            await others(scope, receive, send)

    app.middleware_stack = enter
    return app


def _page_headers(public_url: str) -> dict[str, str]:
    # The page tries calls out where the platform says that it is.
    parts = urlsplit(public_url)
    other = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return {name: text.replace("{}", other) for name, text in _PAGE_HEADERS.items()}


def _platform_of(scope: Scope) -> Platform:
    platform: Platform = scope["app"].state.platform
    return platform
