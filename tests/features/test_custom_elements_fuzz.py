"""Bad elements in any shape: refused in the right form or fit to be used, never a failure."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV2SpecValidator

from polyvalent.accounts.reveal import reveal_secrets
from polyvalent.api.app import create_app
from polyvalent.api.platform import open_platform
from polyvalent.settings import Settings
from tests.features.test_instances_fuzz import Caller, anything, text

LOAD = settings(
    max_examples=1000,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
KINDS = ("configuration", "path", "header", "query", "body", "bodyField", "form", "value",
         "prevBody", "prevBodyField", "no-op", "bodyToken", "multipart", "odd")  # fmt: skip
PATHS = ("/a", "/a/{id}", "/{a}/{a}", "/{", "a", "/hubs/x/a", "/hubs/", "//", "/a b", "/{}/x",
         "/docs", "/objects", "/ping", "/\u00e9")  # fmt: skip
odd = st.one_of(text, anything)


def nearly(**members: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping whose members are mostly as they should be, or odd, or absent."""
    return st.fixed_dictionaries(
        {},
        optional={
            name: st.one_of(good, good, good, good, good, good, odd)
            for name, good in members.items()
        },
    )


kind = st.sampled_from(KINDS)
parameter = nearly(name=text, vendorName=text, type=kind, vendorType=kind,
                   source=st.sampled_from(("request", "response")))  # fmt: skip
hook = nearly(type=st.sampled_from(("preRequest", "event")), body=text)
resource = st.one_of(
    st.fixed_dictionaries(
        {
            "path": st.sampled_from(PATHS),
            "method": st.sampled_from(("GET", "POST", "DELETE")),
            "vendorPath": st.sampled_from(("/v", "/v/{id}", "/v/{x}", "http://x", "", "?a")),
        },
        optional={
            "parameters": st.lists(parameter, max_size=3),
            "hooks": st.lists(hook, max_size=1),
            "rootKey": st.sampled_from(("", "a", "a|b", "|", "a[*].b", "[0]", "a..b")),
            "nextResource": st.sampled_from(("GET:/a", "GET:/a/{id}", "x", ":")),
            "model": anything,
            "object": st.sampled_from(("a", "b")),
            "type": st.sampled_from(("api", "provisionAuthValidation", "apiNoDocumentation")),
        },
    ),
    nearly(path=st.sampled_from(PATHS), method=st.just("GET")),
    odd,
)
entry = nearly(key=st.sampled_from(("base.url", "a", "username", "pagination.max")), name=text,
               defaultValue=st.one_of(text, st.just("http://127.0.0.1:1/{a}")),
               type=st.sampled_from(("PASSWORD", "BOOLEAN", "COMBO")))  # fmt: skip
element = st.fixed_dictionaries(
    {
        "name": st.one_of(st.just("Fuzzed"), st.just("Fuzzed"), text),
        "description": st.just("d"),
        "authentication": st.one_of(
            st.just({"type": "custom"}), st.just({"type": "basic"}), anything
        ),
    },
    optional={
        "key": st.one_of(st.just("fuzzed"), text),
        "hub": st.one_of(st.just("crm"), text),
        "configuration": st.lists(entry, max_size=3),
        "parameters": st.lists(parameter, max_size=2),
        "resources": st.lists(resource, max_size=3),
        "hooks": st.lists(hook, max_size=1),
        "objects": st.lists(
            nearly(
                name=st.sampled_from(("a", "b")), fields=st.lists(nearly(name=text), max_size=3)
            ),
            max_size=2,
        ),
        "elementMetadata": anything,
    },
)
body = st.one_of(element, element, element, anything).map(
    lambda value: json.dumps(value).encode("utf-8", "surrogatepass")
)


async def test_takes_a_thousand_odd_elements_or_refuses_them(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    chosen = Settings(data_dir=tmp_path, vendor_deadline_s=1, strangers_per_minute=100_000)
    app = create_app(chosen)
    async with open_platform(chosen) as platform:
        app.state.platform = platform
        secrets = await reveal_secrets(platform.ports.database, platform.ports.keys)
        header = f"User {secrets['user']}, Organization {secrets['organization']}"
        caller = Caller(app, platform, header)
        taken = 0

        async def attempt(content: bytes) -> None:
            nonlocal taken
            status, shown = await caller.call("POST", "/elements", content=content)
            assert status in (200, 400, 409), shown
            if status != 200:
                return
            taken += 1
            path = f"/elements/{quote(shown['key'])}"
            for below in ("", "/export", "/metadata?expand=true", "/resources", "/accounts"):
                status, _ = await caller.call("GET", path + below.partition("?")[0])
                assert status == 200, below
            status, document = await caller.call("GET", f"{path}/docs")
            assert status == 200
            OpenAPIV2SpecValidator(document).validate()
            status, exported = await caller.call("GET", f"{path}/export")
            status, _ = await caller.call("PUT", path, content=json.dumps(exported).encode())
            assert status == 200
            await use(path)
            status, _ = await caller.call("DELETE", path)
            assert status == 200

        async def use(path: str) -> None:
            draft = {
                "name": "F",
                "configuration": {"username": "u", "base.url": "http://x.invalid"},
            }
            status, instance = await caller.call(
                "POST", f"{path}/instances", content=json.dumps(draft).encode()
            )
            if status != 200:
                return
            before = caller.authorization
            caller.authorization = f"{before}, Element {instance['token']}"
            for method in ("GET", "POST"):
                for called in ("/a", "/a/7", "/objects", "/instances/docs"):
                    await caller.call(method, called, content=b'{"a": {"b": [1]}}')
            caller.authorization = before
            await caller.call("DELETE", f"/instances/{instance['id']}")

        @LOAD
        @given(body)
        def attack(content: bytes) -> None:
            asyncio.run_coroutine_threadsafe(attempt(content), loop).result(60)

        await asyncio.to_thread(attack)
        assert taken > 60
