"""Put the whole surface together as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from polyvalent import __version__
from polyvalent.api import (
    common_resources,
    element_changes,
    element_parts,
    elements,
    instance_operations,
    oauth,
    resources,
    transformation_operations,
)
from polyvalent.api.edge import Edge, Receive, Scope, Send
from polyvalent.api.openapi import openapi
from polyvalent.api.operation import Operation
from polyvalent.api.platform import Platform, open_platform
from polyvalent.api.router import Router
from polyvalent.settings import Settings

BASE_PATH = "/elements/api-v2"
ASSETS = Path(__file__).parent / "assets"

OPERATIONS: tuple[Operation, ...] = (
    *oauth.OPERATIONS,
    *instance_operations.OPERATIONS,
    *elements.OPERATIONS,
    *element_changes.OPERATIONS,
    *element_parts.OPERATIONS,
    *transformation_operations.OPERATIONS,
    *common_resources.OPERATIONS,
    *resources.OPERATIONS,
)

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
    document = openapi(OPERATIONS, base_path=BASE_PATH, public_url=settings.public_url)
    page = (ASSETS / "docs.html").read_text(encoding="utf-8")

    async def show_openapi(_: Request) -> Response:
        return JSONResponse(document)

    async def show_docs(_: Request) -> Response:
        return HTMLResponse(page, headers={"X-Frame-Options": "DENY"})

    async def show_health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    async def lead_to_docs(_: Request) -> Response:
        return RedirectResponse("/docs")

    app = Starlette(
        routes=[
            Mount(BASE_PATH, app=edge),
            Route("/", lead_to_docs),
            Route("/docs", show_docs),
            Route("/openapi.json", show_openapi),
            Route("/health", show_health),
            Mount("/docs/assets", app=StaticFiles(directory=ASSETS)),
        ],
        lifespan=lifespan,
    )
    unknown = app.router.default

    async def answer_unmatched(scope: Scope, receive: Receive, send: Send) -> None:
        # The pattern of a mount matches no line break, which a path may have as %0A.
        if scope["type"] == "http" and scope["path"].startswith(f"{BASE_PATH}/"):
            await edge({**scope, "root_path": BASE_PATH}, receive, send)
        else:
            await unknown(scope, receive, send)

    app.router.default = answer_unmatched
    return app


def _platform_of(scope: Scope) -> Platform:
    platform: Platform = scope["app"].state.platform
    return platform
