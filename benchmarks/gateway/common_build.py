"""
Stand for the build that most people would write: FastAPI, httpx, oauthlib and dicts.

It does what the gateway does for these two calls: it knows the caller by three secrets, finds the
instance (in a dict, so without a database), signs, fetches, maps, leaves nulls out at every depth,
and answers with the same body, rows and page token. It has no budget, breaker, address policy,
deadline of its own, cache, trace, metric or log line.

    COMMON_STORE=http://127.0.0.1:8080 uvicorn common_build:app
"""

from __future__ import annotations

import base64
import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
from fastapi import FastAPI, Header, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from oauthlib.oauth1 import Client
from rows import KEPT, RENAMED

STORE = os.environ["COMMON_STORE"]
INSTANCES = {
    ("user-secret", "organization-secret", "element-token"): {
        "id": 1,
        "url": f"{STORE}/api/rest",
        "client": ("consumer-key", "consumer-secret"),
        "token": ("access-token", "access-secret"),
    }
}
STRICT = {**RENAMED, **{name: name for name in KEPT}}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=512, max_keepalive_connections=128)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


def find_instance(authorization: str | None) -> dict[str, Any]:
    secrets = dict(pair.strip().split(" ", 1) for pair in (authorization or "").split(","))
    key = (secrets.get("User"), secrets.get("Organization"), secrets.get("Element"))
    if key not in INSTANCES:
        raise HTTPException(401)
    return INSTANCES[key]


async def fetch(request: Request, instance: dict[str, Any], path: str, query: str = "") -> Any:
    url = f"{instance['url']}{path}{query}"
    headers = {"Accept": "application/json"}
    client = Client(*instance["client"], *instance["token"])
    url, headers, _ = client.sign(url, "GET", headers=headers)
    answer = await request.app.state.client.get(url, headers=headers)
    if answer.status_code != 200:
        raise HTTPException(502)
    return answer.json()


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def map_row(row: dict[str, Any], resource: str) -> dict[str, Any]:
    row = without_nulls(row)
    if resource == "products":
        return {"id": row["entity_id"], **row}
    if resource == "strict-products":
        return {own: row[vendor] for own, vendor in STRICT.items() if vendor in row}
    renamed = set(RENAMED.values())
    mapped = {own: row[vendor] for own, vendor in RENAMED.items() if vendor in row}
    return {**mapped, **{name: value for name, value in row.items() if name not in renamed}}


def answer(body: Any, instance: dict[str, Any], **headers: str) -> JSONResponse:
    own = {
        "Elements-Request-Id": uuid.uuid4().hex,
        "Elements-Element-Instance-Id": str(instance["id"]),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return JSONResponse(body, headers={**own, **headers})


@app.get("/elements/api-v2/hubs/{hub}/{resource}")
async def search(
    request: Request,
    hub: str,
    resource: str,
    page_size: Annotated[int, Query(alias="pageSize")] = 100,
    page: int = 1,
    authorization: Annotated[str | None, Header()] = None,
) -> JSONResponse:
    instance = find_instance(authorization)
    query = f"?order=entity_id&dir=asc&page={page}&limit={page_size + 1}"
    rows = list((await fetch(request, instance, "/products", query)).values())
    headers = {}
    if len(rows) > page_size:
        rows = rows[:page_size]
        token = json.dumps([resource, page_size, rows[-1]["entity_id"]]).encode()
        headers["Elements-Next-Page-Token"] = base64.urlsafe_b64encode(token).decode()
    headers["Elements-Returned-Count"] = str(len(rows))
    return answer([map_row(row, resource) for row in rows], instance, **headers)


@app.get("/elements/api-v2/hubs/{hub}/{resource}/{row_id}")
async def retrieve(
    request: Request,
    hub: str,
    resource: str,
    row_id: int,
    authorization: Annotated[str | None, Header()] = None,
) -> JSONResponse:
    instance = find_instance(authorization)
    row = await fetch(request, instance, f"/products/{row_id}")
    return answer(map_row(row, resource), instance)
