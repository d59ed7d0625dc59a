"""Whoever writes an element, or answers in a store's place, learns no secret of an instance."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Stage, serving

KEY = 'k3y/of "the" störe'
WORD = "another-secret"


@dataclass
class Echo:
    """A vendor that says in its refusals what it was sent; `refuses` false lets it take all."""

    url: str = ""
    refuses: bool = False
    heard: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"").decode()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        self.heard.append({**headers, **dict(parse_qsl(query)), "path": scope["path"]})
        told = {"message": f"no: {scope['path']}?{query} {headers} {body}"}
        status, shown = (400, told) if self.refuses else (200, [{"id": 1}])
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": kind})
        await send({"type": "http.response.body", "body": json.dumps(shown).encode()})


@contextmanager
def open_echo() -> Iterator[Echo]:
    echo = Echo()
    with serving(echo) as url:
        echo.url = url
        yield echo


def sent(name: str, kind: str, vendor_name: str) -> dict[str, str]:
    return {"name": name, "type": "configuration", "vendorName": vendor_name, "vendorType": kind}


def element(echo: Echo, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Echo",
        "key": "echo",
        "description": "Says what it hears.",
        "authentication": {"type": "custom"},
        "configuration": [
            {"key": "base.url", "name": "API", "defaultValue": f"{echo.url}/v1"},
            {"key": "door.key", "name": "Key", "type": "PASSWORD"},
            {"key": "my.secret", "name": "Word"},
        ],
        "parameters": [
            sent("door.key", "query", "k"),
            sent("door.key", "header", "X-Key-Of-Door") | {"dataType": "string"},
            sent("my.secret", "query", "w"),
        ],
        "resources": [
            {"path": "/rows", "method": "GET", "vendorPath": "/rows"},
            {
                "path": "/rows",
                "method": "POST",
                "vendorPath": "/rows/{door}",
                "parameters": [
                    sent("door.key", "path", "door"),
                    sent("door.key", "bodyField", "ticket"),
                ],
            },
        ],
        **changes,
    }


def bring(stage: Stage, body: dict[str, Any]) -> None:
    assert stage.call("POST", "/elements", body=body).status == 200


def create(stage: Stage, **configuration: str) -> dict[str, Any]:
    body = {"name": "E", "element": {"key": "echo"}, "configuration": configuration}
    reply = stage.call("POST", "/instances", body=body)
    assert reply.status == 200, reply
    made: dict[str, Any] = reply.json()
    return made


def test_shows_no_secret_wherever_an_element_sends_it(own_stage: Stage) -> None:
    """An element may lay a secret into a query, a path, a header and a body, by any name."""
    stage, key = own_stage, KEY.replace("ö", "o")
    with open_echo() as echo:
        bring(stage, element(echo))
        made = create(stage, **{"door.key": key, "my.secret": WORD})
        path = f"/instances/{made['id']}"
        assert stage.call("PATCH", path, body={"traceLoggingEnabled": True}).status == 200
        explained = stage.call("GET", "/rows", query={"explain": "true"}, element=made["token"])
        echo.refuses = True
        refused = [
            stage.call("GET", "/rows", element=made["token"]),
            stage.call("POST", "/rows", body={"a": 1}, element=made["token"]),
        ]
        time.sleep(0.5)
        traces = [
            stage.call("GET", f"{path}/traces/{item['traceId']}")
            for item in stage.call("GET", f"{path}/traces").json()
        ]
    assert [heard["k"] for heard in echo.heard[-2:]] == [key, key]  # it was sent
    assert [reply.status for reply in (explained, *refused)] == [200, 400, 400]
    assert all("********" in reply.words for reply in refused)
    assert len(traces) == 3
    for reply in (explained, *refused, *traces):
        for shown in (reply.body.decode(), reply.body.decode().replace("\\", "")):
            for part in (key, "k3y%2Fof", "k3y/of", WORD):
                assert part not in shown, shown


def test_keeps_masked_what_was_a_secret_when_it_was_given(own_stage: Stage) -> None:
    """An element's author could else read all that others gave in confidence."""
    stage = own_stage
    with open_echo() as echo:
        bring(stage, element(echo))
        made = create(stage, **{"door.key": WORD})
        plain = element(echo)
        plain["configuration"][1]["type"] = "TEXTFIELD_1000"
        assert stage.call("PUT", "/elements/echo", body=plain).status == 200

        path = f"/instances/{made['id']}"
        shown = [stage.call("GET", one) for one in (path, f"{path}/configuration", "/instances")]
        leading = {"configuration": {"base.url": f"{echo.url}/{{door.key}}"}}
        refused = stage.call("PATCH", path, body=leading)
        assert all(WORD.encode() not in reply.body for reply in (*shown, refused))
        assert refused.status == 400
        assert "{door.key}" in refused.message

        # What is given from now on is what the element says of it.
        changed = stage.call("PATCH", path, body={"configuration": {"door.key": "in the open"}})
        assert changed.json()["configuration"]["door.key"] == "in the open"


@pytest.mark.parametrize("by", ["instance", "entry"])
def test_sends_no_stored_secret_to_another_host(own_stage: Stage, by: str) -> None:
    stage = own_stage
    with open_echo() as echo, open_echo() as other:
        bring(stage, element(echo))
        made = create(stage, **{"door.key": WORD})
        path = f"/instances/{made['id']}"
        lead: dict[str, Any]
        if by == "entry":
            entries = stage.call("GET", f"{path}/configuration").json()
            number = next(item["id"] for item in entries if item["key"] == "base.url")
            lead = {"propertyValue": f"{other.url}/v1"}
            refused = stage.call("PATCH", f"{path}/configuration/{number}", body=lead)
        else:
            lead = {"configuration": {"base.url": f"{other.url}/v1", "door.key": "********"}}
            refused = stage.call("PATCH", path, body=lead)
        assert refused.status == 400, refused
        assert "door.key" in refused.message
        assert other.heard == []

        same = {"configuration": {"base.url": f"{echo.url}/v2"}}
        assert stage.call("PATCH", path, body=same).status == 200
        both = {"configuration": {"base.url": f"{other.url}/v1", "door.key": "a new key"}}
        assert stage.call("PATCH", path, body=both).status == 200
        assert stage.call("GET", "/rows", element=made["token"]).status == 200
        assert {heard["k"] for heard in other.heard} == {"a new key"}


def test_sends_no_secret_of_deliveries_to_a_store(own_stage: Stage) -> None:
    stage, headers = own_stage, "event.notification.callback.headers"
    with open_echo() as echo:
        body = element(echo)
        body["parameters"] = [sent(headers, "query", "h")]
        bring(stage, body)
        made = create(stage, **{headers: "X-Key: abc-def"})
        stage.call("GET", "/rows", element=made["token"])
        assert echo.heard
        assert all("h" not in heard for heard in echo.heard)


def test_sends_no_key_of_a_signature_as_a_parameter(own_stage: Stage, shop: RunningStore) -> None:
    """Calls that are signed carry half of what signs them; nothing carries the other half."""
    stage = own_stage
    with open_echo() as echo:
        body = element(echo)
        body["parameters"] = [
            sent("oauth.user.token", "query", "t"),
            sent("oauth.user.token.secret", "query", "s"),
            {
                "name": "${configuration.oauth.user.token.secret}",
                "type": "value",
                "vendorName": "v",
                "vendorType": "query",
            },
        ]
        body["configuration"] += [
            {"key": "oauth.user.token", "name": "Token"},
            {"key": "oauth.user.token.secret", "name": "Secret"},
        ]
        bring(stage, body)
        secrets = {"oauth.user.token": "half-one", "oauth.user.token.secret": "half-two"}
        made = create(stage, **secrets)
        assert stage.call("GET", "/rows", element=made["token"]).status == 200
        assert echo.heard[-1]["t"] == "half-one"
        assert all("half-two" not in str(heard) for heard in echo.heard)


def test_leads_a_signed_instance_elsewhere_as_before(stage: Stage, shop: RunningStore) -> None:
    made = Application(stage, shop.store, shop.url).connect()
    path = f"/instances/{made['id']}"
    change = {"configuration": {"store.url": shop.url.replace("127.0.0.1", "localhost")}}
    reply = stage.call("PATCH", path, body=change)
    assert "Send them along" not in reply.body.decode()
