"""
Serve a simulated store and a platform with one instance, for the examples of how-to pages.

    python -m tests.docs.stage <data folder> <file>

Writes one JSON object with what the examples need into the file, then serves until it or its
parent is ended.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import socket
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import uvicorn

from polyvalent.api.app import create_app
from polyvalent.sandbox.magento.options import StoreOptions
from polyvalent.sandbox.magento.server import start_store
from polyvalent.settings import read_settings

CALLBACK = "http://127.0.0.1:9/auth"
START_S = 15.0


class _Stay(urllib.request.HTTPRedirectHandler):
    """Return a redirect that leads to the callback instead of following it."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if newurl.startswith(CALLBACK):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def ask(url: str, *, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """Send one call to the platform and return its JSON."""
    raw = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        url, data=raw, headers={"Content-Type": "application/json"} | (headers or {})
    )
    with urllib.request.urlopen(request, timeout=START_S) as answer:
        return json.load(answer)


def consent(url: str, *, user: str, password: str) -> dict[str, str]:
    """Log into the admin behind a consent page, confirm, and return the callback's query."""
    browser = urllib.request.build_opener(
        _Stay(), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    page = browser.open(url, timeout=START_S).read().decode()
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["oauth_token"][0]
    action = re.search(r'<form method="post" action="([^"]+)"', page)
    key = re.search(r'name="form_key"[^>]*value="([^"]+)"', page)
    assert action is not None
    assert key is not None
    fields = {
        "form_key": key[1],
        "login[username]": user,
        "login[password]": password,
        "oauth_token": token,
    }
    form = urllib.parse.urlencode(fields).encode()
    page = browser.open(action[1], form, timeout=START_S).read().decode()
    confirm = re.search(r'id="oauth_authorize_confirm" action="([^"]+)"', page)
    assert confirm is not None
    try:
        browser.open(f"{confirm[1]}?oauth_token={token}", timeout=START_S)
    except urllib.error.HTTPError as redirect:
        query = urllib.parse.urlsplit(redirect.headers["Location"]).query
        redirect.close()
        return dict(urllib.parse.parse_qsl(query))
    raise AssertionError("the store did not lead back to the callback")


def main(folder: Path, file: Path) -> None:
    """Start everything, write what the examples need, and serve."""
    parent = os.getppid()
    store = start_store(StoreOptions(products=30, customers=20, orders=12))
    environ = dict(os.environ) | {
        "POLYVALENT_DATA_DIR": str(folder),
        "POLYVALENT_EGRESS_ALLOW": "127.0.0.1/32",
    }
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = create_app(read_settings(environ, home=folder))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_S
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    known = describe(app, store, f"http://127.0.0.1:{port}")
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(known))
    draft.rename(file)
    # A test run that was killed must not leave this behind.
    while os.getppid() == parent and thread.is_alive():
        time.sleep(0.5)


def describe(app: Any, store: Any, server: str) -> dict[str, str]:
    """Connect the store once and return the variables that how-to pages speak of."""
    import asyncio

    from polyvalent.accounts.reveal import reveal_secrets
    from polyvalent.db import open_database

    async def reveal() -> dict[str, str]:
        platform = app.state.platform
        database = await open_database(platform.settings.database)
        try:
            return await reveal_secrets(database, platform.ports.keys)
        finally:
            await database.close()

    secrets = asyncio.run(reveal())
    api = f"{server}/elements/api-v2"
    shop = store.store
    known = {
        "API": api,
        "SERVER": server,
        "STORE": store.url,
        "CONSUMER_KEY": shop.consumer_key,
        "CONSUMER_SECRET": shop.consumer_secret,
        "ADMIN_USER": shop.admin_user,
        "ADMIN_PASSWORD": shop.admin_password,
        "USER_SECRET": secrets["user"],
        "ORGANIZATION_SECRET": secrets["organization"],
        "CALLBACK": CALLBACK,
    }
    known["AUTH"] = f"User {secrets['user']}, Organization {secrets['organization']}"
    query = {
        "apiKey": shop.consumer_key,
        "apiSecret": shop.consumer_secret,
        "callbackUrl": CALLBACK,
        "siteAddress": store.url,
    }
    oauth = f"{api}/elements/magento/oauth"
    started = ask(f"{oauth}/token?{urllib.parse.urlencode(query)}")
    query["requestToken"] = started["token"]
    page = ask(f"{oauth}/url?{urllib.parse.urlencode(query)}")["oauthUrl"]
    back = consent(page, user=shop.admin_user, password=shop.admin_password)
    instance = ask(
        f"{api}/instances",
        headers={"Authorization": known["AUTH"]},
        body={
            "name": "First shop",
            "element": {"key": "magento"},
            "providerData": back,
            "configuration": {
                "oauth.api.key": shop.consumer_key,
                "oauth.api.secret": shop.consumer_secret,
                "oauth.callback.url": CALLBACK,
                "store.url": store.url,
            },
        },
    )
    known["INSTANCE"] = str(instance["id"])
    known["ELEMENT_TOKEN"] = instance["token"]
    return known


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
