"""A description of an API is converted, brought along and called; the platform's own too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.journeys.application import Application
from tests.journeys.stage import Reply, Stage

MULTIPART = "multipart/form-data; boundary=xyz"


def form(content: bytes, *, name: str = "file") -> bytes:
    head = f'--xyz\r\nContent-Disposition: form-data; name="{name}"; filename="api.json"\r\n\r\n'
    return head.encode() + content + b"\r\n--xyz--\r\n"


def convert(stage: Stage, content: bytes, *, kind: str = "swagger") -> Reply:
    return stage.call(
        "POST",
        "/elements/convert",
        query={"type": kind},
        body=form(content),
        headers={"Content-Type": MULTIPART},
    )


@pytest.mark.parametrize("version", ["2", "3"])
def test_calls_itself_by_its_own_description(
    own_stage: Stage, application: Application, version: str
) -> None:
    stage = Application(own_stage, application.store, application.site).stage
    told = stage.call("GET", "/elements/magento/docs", query={"version": version})

    converted = convert(stage, told.body)

    assert converted.status == 200, converted
    stage.call("DELETE", "/elements/looped")
    brought = stage.call("POST", "/elements", body={**converted.json(), "key": "looped"})
    assert brought.status == 200, brought
    assert "elements-error" not in brought.headers

    token = Application(stage, application.store, application.site).connect()["token"]
    created = stage.call(
        "POST",
        "/instances",
        body={
            "name": f"looped {version}",
            "element": {"key": "looped"},
            "configuration": {"api.key": f"{stage.authorization}, Element {token}"},
        },
    )
    assert created.status == 200, created
    looped = created.json()["token"]
    for path in (
        "/products?pageSize=3",
        "/products?pageSize=3&page=2",
        "/customers/1",
        "/orders?where=entity_id%20%3C%203",
        "/orders/1/items",
    ):
        there = stage.call("GET", path, element=token)
        here = stage.call("GET", path, element=looped)
        assert (here.status, here.json()) == (200, there.json()), path


def test_keeps_nothing(stage: Stage) -> None:
    before = stage.rows()

    converted = convert(stage, json.dumps(MINIMAL).encode())

    assert converted.status == 200, converted
    assert converted.json()["key"] == "things"
    assert "1 list is paged" in converted.headers["elements-error"]
    assert stage.rows() == before


MINIMAL: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Things", "version": "1"},
    "paths": {"/things": {"get": {"responses": {"200": {"description": "ok"}}}}},
}


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        ("soap", b"<definitions/>", "SOAP services"),
        ("swagger", b"<definitions/>", "is XML"),
        ("raml", b"{}", "type is 'raml'"),
        ("swagger", b"{}", "of no version"),
    ],
)
def test_says_why_not(stage: Stage, kind: str, content: bytes, says: str) -> None:
    reply = convert(stage, content, kind=kind)

    assert reply.status == 400
    assert says in reply.message


def test_needs_a_form_with_a_file(stage: Stage) -> None:
    path = "/elements/convert"
    plain = stage.call("POST", path, body=MINIMAL)
    assert plain.status == 415
    assert "-F file=@openapi.json" in plain.message
    headers = {"Content-Type": MULTIPART}
    other = stage.call("POST", path, body=form(b"{}", name="other"), headers=headers)
    assert other.status == 400
    assert "no part file" in other.message
    assert (
        stage.call("POST", path, body=form(b"{}"), headers=headers, authorization="").status == 401
    )
    large = form(b" " * (stage.platform.settings.max_body_bytes + 1))
    assert stage.call("POST", path, body=large, headers=headers).status == 413
