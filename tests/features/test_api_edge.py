"""The edge answers every request in one form: ids, headers, methods, CORS, catalog."""

from __future__ import annotations

import http.client
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from polyvalent.api.app import BASE_PATH
from tests.journeys.application import Application
from tests.journeys.stage import Stage, ask

EXPOSED = (
    "Elements-Returned-Count, Elements-Total-Count, Elements-Request-Id, "
    "Elements-Next-Page-Token, Elements-Trace-Id, Elements-Error, Content-Disposition"
)


def test_gives_every_answer_an_id_of_its_own(stage: Stage) -> None:
    ids = {
        stage.call("GET", path).headers["elements-request-id"]
        for path in ("/elements", "/instances", "/nix", "/elements/nosuch", "/hubs/keys")
    }
    assert len(ids) == 5
    assert all(re.fullmatch("[0-9a-f]{24}", text) for text in ids)


def test_exposes_the_headers_to_browsers(stage: Stage) -> None:
    for path, status in (("/elements", 200), ("/instances/0", 404)):
        reply = stage.call("GET", path, headers={"Origin": "https://app.example"})
        assert reply.status == status
        assert reply.headers["access-control-expose-headers"] == EXPOSED
        assert reply.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in reply.headers
    assert "access-control-expose-headers" not in stage.call("GET", "/elements").headers


def test_answers_a_preflight_without_secrets(stage: Stage) -> None:
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    reply = stage.call("OPTIONS", "/instances", headers=headers, authorization="")
    assert reply.status == 200
    assert reply.headers["access-control-allow-methods"] == "GET, PATCH, POST, PUT"
    assert "Authorization" in reply.headers["access-control-allow-headers"]


def test_answers_head_like_get_without_a_body(stage: Stage) -> None:
    reply = stage.call("HEAD", "/elements", authorization="")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["elements-returned-count"] == "1"


@pytest.mark.parametrize("path", ["/elements/", "/instances/", "/hubs/keys/"])
def test_overlooks_a_slash_at_the_end(stage: Stage, path: str) -> None:
    assert stage.call("GET", path).status == 200


def test_lets_no_name_break_out_of_a_header(application: Application) -> None:
    name = "a\r\nSet-Cookie: x=1\u2028é" + "x" * 5000
    reply = application.create(**{name: 1})
    assert reply.status == 200
    assert "set-cookie" not in reply.headers
    told = reply.headers["elements-error"]
    assert "a\\r\\nSet-Cookie" in told
    assert len(told) <= 2000


def test_lets_nobody_cache_or_sniff_an_answer(stage: Stage) -> None:
    reply = stage.call("GET", "/instances")
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_survives_a_caller_who_hangs_up(stage: Stage) -> None:
    parts = urlsplit(stage.url)
    before = stage.rows()
    for _ in range(5):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        connection.putrequest("POST", f"{BASE_PATH}/instances")
        connection.putheader("Authorization", stage.authorization)
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b'{"name": "x"')
        connection.close()
    assert stage.call("GET", "/instances").status == 200
    assert stage.rows() == before


def test_counts_a_body_without_a_length(stage: Stage) -> None:
    parts = urlsplit(stage.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    chunks = (b"x" * 65536 for _ in range(stage.settings.max_body_bytes // 65536 + 1))
    try:
        connection.request(
            "POST",
            f"{BASE_PATH}/instances",
            body=chunks,
            headers={"Authorization": stage.authorization, "Content-Type": "application/json"},
            encode_chunked=True,
        )
        assert connection.getresponse().status == 413
    finally:
        connection.close()


def test_creates_below_an_element_without_naming_it_again(application: Application) -> None:
    body = application.body(application.authorize())
    del body["element"]
    reply = application.stage.call("POST", "/elements/356/instances", body=body)
    assert reply.status == 200, reply
    assert reply.json()["element"]["key"] == "magento"
    path = f"/elements/magento/instances/{reply.json()['id']}"
    assert application.stage.call("GET", path).json() == reply.json()


def test_shows_the_catalog_to_anybody(stage: Stage) -> None:
    def show(path: str) -> Any:
        reply = stage.call("GET", path, authorization="")
        assert reply.status == 200
        return reply.json()

    assert show("/elements/keys") == ["magento"]
    assert [element["id"] for element in show("/elements")] == [356]
    for part in ("", "/metadata", "/configuration"):
        assert show(f"/elements/magento{part}") == show(f"/elements/356{part}")
    assert len(show("/elements/magento/configuration")) == 20
    assert "ecommerce" in show("/hubs/keys")
    assert show("/hubs/ecommerce/elements") == show("/elements")
    for path in ("/elements/nosuch", "/hubs/nosuch", "/hubs/nosuch/elements"):
        assert stage.call("GET", path, authorization="").status == 404


def test_serves_its_reference_from_its_own_package(stage: Stage) -> None:
    page = ask(f"{stage.url}/docs")
    assert page.status == 200
    text = page.body.decode()
    links = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert links
    for link in (link for link in links if not link.startswith("data:")):
        assert "://" not in link
        assert ask(urljoin(f"{stage.url}/docs", link)).status == 200
    document = ask(f"{stage.url}/openapi.json").json()
    assert document["servers"] == [{"url": BASE_PATH}]
    assert ask(f"{stage.url}/health").json()["status"] == "ok"
