"""Pages and redirects do nothing for whoever wants to borrow them."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from polyvalent.api.app import BASE_PATH
from tests.journeys.stage import Reply, Stage


def get(stage: Stage, path: str) -> Reply:
    """Send a path as it stands, under another host's name."""
    parts = urlsplit(stage.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": "evil.example"})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, headers, answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/docs/",
        "/docs/assets",
        "/health/",
        "/openapi.json/",
        BASE_PATH,
        "//evil.example/docs/",
    ],
)
def test_leads_nowhere_that_the_host_header_says(stage: Stage, path: str) -> None:
    reply = get(stage, path)
    assert reply.status < 500
    assert "evil" not in reply.headers.get("location", "")


def test_answers_the_bare_base_path_as_an_error_of_its_own(stage: Stage) -> None:
    reply = get(stage, BASE_PATH)
    assert reply.status == 404
    assert reply.message


def test_lets_nobody_frame_the_reference(stage: Stage) -> None:
    reply = get(stage, "/docs")
    assert reply.status == 200
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/docs/assets/../app.py",
        "/docs/assets/%2e%2e/app.py",
        "/docs/assets/..%2fapp.py",
        "/docs/assets//etc/passwd",
        "/docs/assets/%2fetc%2fpasswd",
        "/docs/assets/swagger-ui/../../app.py",
        "/docs/assets/%00",
        "/docs/assets/..%5capp.py",
    ],
)
def test_serves_assets_and_nothing_beside_them(stage: Stage, path: str) -> None:
    reply = get(stage, path)
    assert reply.status == 404, reply.status
    assert b"import" not in reply.body
    assert b"root:" not in reply.body
