"""
Run the golden cases of an element: a call, the vendor's exchanges, the answer.

A case is a mapping of a YAML file below `exchanges/`: `name`, `source`, `call` (method, path,
query, body), `configuration` (changes to the instance's), `exchanges` (request and response, in
order), then `answer` (json, returned, next, warning) or `error` (status, message,
providerMessage; message is looked for inside).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from msgspec import structs

from polyvalent.auth.oauth1 import ClientCredentials, TokenCredentials
from polyvalent.auth.oauth1_variant import STANDARD
from polyvalent.catalog.element import Element
from polyvalent.catalog.load import find_element_folders, load_element
from polyvalent.catalog.read_yaml import read_yaml
from polyvalent.errors import PolyvalentError
from polyvalent.exchange import Exchange, Request, Response, find_header
from polyvalent.hub.call import call
from polyvalent.hub.model import Answer, Incoming
from polyvalent.instances.model import Connection
from tests.conftest import NOW

BASE_URL = "https://vendor.example/api/rest"

_CALL = {"method", "path", "query", "body"}
_CASE = {"name", "source", "call", "configuration", "exchanges", "answer", "error"}
_ANSWER = {"json", "returned", "next", "warning"}
_ERROR = {"status", "message", "providerMessage"}


def list_cases() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield every golden case of every element with its folder."""
    for folder in find_element_folders():
        for file in sorted((folder / "exchanges").glob("*.yaml")):
            for case in read_yaml(file):
                yield folder, case


async def run_case(folder: Path, case: dict[str, Any], *, element: Element | None = None) -> None:
    """
    Run one case; raises AssertionError where anything differs.

    With `element` it is run for that instead of the folder's.
    """
    assert set(case) <= _CASE, f"unknown members: {set(case) - _CASE}"
    assert set(case["call"]) <= _CALL
    assert ("answer" in case) != ("error" in case)
    connection = make_connection(element or load_element(folder), case.get("configuration", {}))
    pending = list(case["exchanges"])

    async def reach(_: Connection, request: Request) -> Exchange:
        assert pending, f"an exchange too many: {request.method} {request.url}"
        expected = pending.pop(0)
        compare_request(request, expected["request"])
        return Exchange(
            request=request, response=make_response(expected["response"]), elapsed_ms=1.0
        )

    incoming = make_incoming(case["call"])
    outcome: Answer | PolyvalentError
    try:
        outcome = await call(connection, incoming, reach=reach, now=lambda: NOW)
    except PolyvalentError as error:
        outcome = error
    if isinstance(outcome, Answer):
        assert "answer" in case, f"answered instead of failing: {outcome.body!r}"
        compare_answer(outcome, case["answer"])
    else:
        assert "error" in case, f"{type(outcome).__name__}: {outcome.message}"
        compare_error(outcome, case["error"])
    assert not pending, f"exchanges that never came: {pending}"


def make_connection(element: Element, changes: dict[str, str]) -> Connection:
    """Return a connection that is never really used."""
    settings = {item.key: item.default_value for item in element.configuration}
    return Connection(
        instance_id=7,
        element=element,
        configuration={**settings, "base.url": BASE_URL, **changes},
        client=ClientCredentials("key", "secret"),
        token=TokenCredentials("token", "secret"),
        variant=STANDARD,
    )


def make_incoming(said: dict[str, Any]) -> Incoming:
    """Return the call that a case describes."""
    incoming = Incoming(
        method=said["method"],
        path=said["path"],
        query=tuple((name, str(value)) for name, value in said.get("query", {}).items()),
    )
    if "body" in said:
        incoming = structs.replace(incoming, body=json.dumps(said["body"]).encode())
    return incoming


def make_response(said: dict[str, Any]) -> Response:
    """Return the vendor's answer that a case describes; JSON unless it says otherwise."""
    headers = {"Content-Type": "application/json; charset=utf-8", **said.get("headers", {})}
    return Response(
        status=said["status"], headers=tuple(headers.items()), body=said.get("body", "").encode()
    )


def compare_request(request: Request, expected: dict[str, Any]) -> None:
    """Compare what was about to be sent with what a case expects."""
    assert request.method == expected["method"]
    assert unquote(request.url) == BASE_URL + expected["url"]
    assert request.header("Accept") == "application/json"
    if "json" in expected:
        assert json.loads(request.body) == expected["json"]
        assert request.header("Content-Type") == "application/json"
    else:
        assert request.body == b""


def compare_answer(answer: Answer, expected: dict[str, Any]) -> None:
    """Compare an answer, members and their order included."""
    assert set(expected) <= _ANSWER
    assert json.dumps(json.loads(answer.body)) == json.dumps(expected["json"])
    assert find_header(answer.headers, "Elements-Element-Instance-Id") == "7"
    returned = find_header(answer.headers, "Elements-Returned-Count")
    assert returned == (str(expected["returned"]) if "returned" in expected else None)
    token = find_header(answer.headers, "Elements-Next-Page-Token")
    assert bool(token) == expected.get("next", False)
    warning = find_header(answer.headers, "Elements-Error")
    assert (warning is None) == ("warning" not in expected), warning
    assert expected.get("warning", "") in (warning or "")


def compare_error(error: PolyvalentError, expected: dict[str, Any]) -> None:
    """Compare a failure."""
    assert set(expected) <= _ERROR
    assert error.status == expected["status"], error.message
    assert expected["message"] in error.message
    if "providerMessage" in expected:
        assert error.provider_message == expected["providerMessage"]
