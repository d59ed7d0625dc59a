"""
Pass requests on with Starlette and the HTTP client that the gateway uses, and nothing else.

    BARE_STORE=http://127.0.0.1:8080 uvicorn benchmarks.gateway.bare_proxy:app
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STORE = os.environ["BARE_STORE"]


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    connector = aiohttp.TCPConnector(limit=512)
    async with aiohttp.ClientSession(connector=connector) as session:
        app.state.session = session
        yield


async def pass_on(request: Request) -> Response:
    query = request.scope["query_string"].decode()
    url = f"{STORE}{request.url.path}{'?' if query else ''}{query}"
    async with request.app.state.session.get(url) as answer:
        body = await answer.read()
    return Response(body, answer.status, media_type="application/json")


app = Starlette(routes=[Route("/{path:path}", pass_on)], lifespan=lifespan)
