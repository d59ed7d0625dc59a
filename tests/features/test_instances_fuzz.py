"""Bad input in any shape: an error of the right form, nothing stored, nobody called."""

from __future__ import annotations

import asyncio
import json
import string
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from polyvalent.accounts.reveal import reveal_secrets
from polyvalent.api.app import BASE_PATH, create_app
from polyvalent.api.platform import Platform, open_platform
from polyvalent.db.schema import metadata
from polyvalent.settings import Settings

EXAMPLES = 1000
LOAD = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

MEMBERS = ("name", "element", "configuration", "providerData", "tags", "externalAuthentication",
           "debug", "traceLoggingEnabled", "id", "user", "nonsense")  # fmt: skip
KEYS = ("store.url", "oauth.api.key", "oauth.api.secret", "oauth.callback.url", "base.url",
        "oauth.request.url", "oauth.token.url", "oauth.user.token", "oauth.user.token.secret",
        "oauth.request.authorization.type", "no.such.key")  # fmt: skip
ODD_TEXTS = ("", " ", "\x00", "magento", "356", "{store.url}", "{base.url}", "{", "********", "-1",
             "http://", "http://[", "//x", "http://a\n", "🦄", "'; DROP TABLE instance;--",
             "9" * 400, "x" * 70_000, "<script>", "%00", "%zz", "http://%zz", "http://1.2.3.4:x",
             "https://shop.invalid", "http://10.0.0.1/a?b#c", "true", "null", "NaN")  # fmt: skip
text = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=20))
scalar = st.one_of(
    text, st.none(), st.booleans(), st.integers(), st.floats(), st.integers(10**30, 10**31)
)
anything = st.recursive(
    scalar,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)),
    max_leaves=8,
)
configuration = st.dictionaries(st.sampled_from(KEYS), st.one_of(text, anything), max_size=8)
body = st.one_of(
    # Nearly right: one known member or another, each with something odd inside.
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.one_of(st.just("Shop"), anything),
            "element": st.one_of(st.just({"key": "magento"}), st.just({"id": 356}), anything),
            "configuration": st.one_of(configuration, anything),
            "providerData": st.one_of(
                st.dictionaries(
                    st.sampled_from(("oauth_token", "oauth_verifier", "secret", "rejected", "x")),
                    st.one_of(text, anything),
                ),
                anything,
            ),
            "tags": st.one_of(st.lists(text, max_size=3), anything),
            "externalAuthentication": st.one_of(st.sampled_from(("none", "initial")), anything),
        },
    ),
    st.dictionaries(st.sampled_from(MEMBERS), anything, max_size=6),
    anything,
)
raw_body = st.one_of(
    body.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    st.binary(max_size=60),
    st.tuples(body, st.integers(0, 80)).map(lambda cut: json.dumps(cut[0]).encode()[: cut[1]]),
)
PARAMETERS = ("apiKey", "apiSecret", "callbackUrl", "siteAddress", "requestToken", "state",
              "debug", "scope", *KEYS)  # fmt: skip
SITES = ("shop.invalid", "http://10.0.0.1", "http://127.0.0.1:1", "http://169.254.169.254/x",
         "http://[::ffff:7f00:1]", "http://0177.1", "http://2130706433")  # fmt: skip
parameters = st.one_of(
    st.dictionaries(st.sampled_from(PARAMETERS), st.one_of(text, anything.map(str)), max_size=8),
    st.fixed_dictionaries(
        {
            "apiKey": st.one_of(st.just("k" * 32), text),
            "apiSecret": st.one_of(st.just("s" * 32), text),
            "callbackUrl": st.one_of(st.just("https://a.example/cb"), text),
            "siteAddress": st.one_of(st.sampled_from(SITES), text),
        },
        optional=dict.fromkeys(PARAMETERS[4:], text),
    ),
)
element = st.one_of(st.sampled_from(("magento", "356")), st.text(string.printable, max_size=8))


class Caller:
    """Speak ASGI to a platform in this loop: no sockets, so that a thousand calls are quick."""

    def __init__(self, app: Any, platform: Platform, authorization: str) -> None:
        self.app = app
        self.platform = platform
        self.authorization = authorization
        self.statuses: Counter[int] = Counter()

    async def call(
        self, method: str, path: str, *, query: bytes = b"", content: bytes = b""
    ) -> tuple[int, Any]:
        """Send one call; check the form of an error and that no 5xx is ours."""
        full = f"{BASE_PATH}{path}"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": full,
            "raw_path": full.encode("utf-8", "replace"),
            "query_string": query,
            "root_path": "",
            "headers": [
                (b"authorization", self.authorization.encode()),
                (b"content-type", b"application/json"),
            ],
            "app": self.app,
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        status = sent[0]["status"]
        headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        shown = json.loads(sent[1]["body"])
        self.statuses[status] += 1
        if status != 200:
            assert set(shown) <= {"message", "requestId", "providerMessage"}
            assert shown["message"]
            assert shown["requestId"] == headers["elements-request-id"]
            # 502 and 504 speak of a store; here they can only say that there is none.
            assert status < 500 or (status in (502, 504) and "providerMessage" not in shown), shown
        return status, shown

    async def rows(self) -> dict[str, int]:
        """Count the rows of every table."""
        async with self.platform.ports.database.reading() as connection:
            found = {}
            for table in metadata.sorted_tables:
                rows = await connection.execute(select(func.count()).select_from(table))
                found[table.name] = int(rows.scalar_one())
            return found


@asynccontextmanager
async def calling(data_dir: Path) -> AsyncIterator[Caller]:
    """Open a platform that may reach nothing, and give its caller."""
    chosen = Settings(data_dir=data_dir, vendor_deadline_s=2, strangers_per_minute=100_000)
    app = create_app(chosen)
    async with open_platform(chosen) as platform:
        app.state.platform = platform
        ports = platform.ports
        secrets = await reveal_secrets(ports.database, ports.keys)
        header = f"User {secrets['user']}, Organization {secrets['organization']}"
        caller = Caller(app, platform, header)
        before = await caller.rows()
        yield caller
        assert await caller.rows() == before


async def test_stores_no_instance_from_a_thousand_bad_bodies(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with calling(tmp_path) as caller:

        @LOAD
        @given(raw_body)
        def attack(content: bytes) -> None:
            work = caller.call("POST", "/instances", content=content)
            status, _ = asyncio.run_coroutine_threadsafe(work, loop).result(30)
            assert status in (400, 401, 404, 413, 502, 504), status

        await asyncio.to_thread(attack)
        assert caller.statuses.total() >= EXAMPLES
        assert caller.statuses[400] >= EXAMPLES / 2


async def test_keeps_no_authorization_from_a_thousand_bad_oauth_calls(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    ways = st.sampled_from(("GET token", "GET url", "POST url", "POST url raw", "GET raw"))
    async with calling(tmp_path) as caller:

        @LOAD
        @given(ways, element, parameters, raw_body, st.binary(max_size=40))
        def attack(
            way: str, key: str, given_: dict[str, str], content: bytes, query: bytes
        ) -> None:
            method, step, *_ = way.split()
            path = f"/elements/{key}/oauth/{'url' if step == 'raw' else step}"
            if method == "POST":
                sent = content if way.endswith("raw") else json.dumps(given_).encode()
                work = caller.call(method, path, content=sent)
            else:
                encoded = urlencode(given_, errors="replace").encode()
                work = caller.call(method, path, query=query if step == "raw" else encoded)
            status, shown = asyncio.run_coroutine_threadsafe(work, loop).result(30)
            # An address of a page is made without asking anybody; a token never is.
            assert status != 200 or "oauthUrl" in shown

        await asyncio.to_thread(attack)
        assert caller.statuses.total() >= EXAMPLES
        assert caller.statuses[400] + caller.statuses[404] >= EXAMPLES / 2
