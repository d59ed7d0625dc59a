"""Spans of OpenTelemetry: one of each request, one of each vendor call, and no secret in any."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from polyvalent.errors import Misconfigured
from polyvalent.sandbox.magento import RunningStore
from polyvalent.settings import read_settings
from tests.features.collector import Collector, Span, collecting
from tests.journeys.application import Application
from tests.journeys.stage import Stage, ask, platform_on_stage

HEX = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.url)
        yield running


@contextmanager
def spanned(folder: Path, **more: object) -> Iterator[Stage]:
    """Serve a platform that sends spans; all of them have arrived once it has ended."""
    with platform_on_stage(folder, exports_spans=True, **more) as stage:
        yield stage


def of(spans: list[Span], kind: str) -> list[Span]:
    return [span for span in spans if span.kind == kind]


def test_a_request_and_its_vendor_call_are_one_trace(
    tmp_path: Path, collector: Collector, shop: RunningStore
) -> None:
    with spanned(tmp_path) as stage:
        instance = Application(stage, shop.store, shop.url).connect()
        headers = {"traceparent": f"00-{HEX}-{PARENT}-01"}
        row = stage.call(
            "GET", "/hubs/ecommerce/products/1", element=instance["token"], headers=headers
        )
        stage.call("GET", "/elements/api-v3/nothing", query={"secret": "in-the-query"})

    traced = [span for span in collector.spans if span.trace == HEX]
    (server,), (client,) = of(traced, "server"), of(traced, "client")
    route = "/elements/api-v2/hubs/{hub}/{resource}/{rowId}"
    assert (server.name, server.parent, server.failed) == (f"GET {route}", PARENT, False)
    assert server.attributes == {
        "http.request.method": "GET",
        "http.route": route,
        "http.response.status_code": 200,
        "polyvalent.request_id": row.headers["elements-request-id"],
    }
    host, port = shop.url.removeprefix("http://").split(":")
    assert (client.name, client.parent, client.failed) == ("GET /products/{id}", server.id, False)
    assert client.attributes == {
        "http.request.method": "GET",
        "server.address": host,
        "server.port": int(port),
        "url.template": "/products/{id}",
        "polyvalent.element": "magento",
        "polyvalent.outcome": "ok",
        "polyvalent.attempts": 1,
        "http.response.status_code": 200,
    }


def test_the_calls_that_make_an_instance_have_spans(
    tmp_path: Path, collector: Collector, shop: RunningStore
) -> None:
    with spanned(tmp_path) as stage:
        Application(stage, shop.store, shop.url).connect()

    servers = {span.id: span.name.rpartition("/elements/api-v2")[2] for span in collector.spans}
    made = [(servers[span.parent], span.name) for span in of(collector.spans, "client")]
    assert made[:2] == [
        ("/elements/{keyOrId}/oauth/token", "POST /oauth/initiate"),
        ("/instances", "POST /oauth/token"),
    ]
    assert {parent for parent, _ in made[2:]} == {"/instances"}
    assert made[2][1].startswith("GET /")


def test_what_fails_is_told_by_its_kind_and_how_often_it_was_sent(
    tmp_path: Path, collector: Collector, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    with spanned(tmp_path, deadline_s=2) as stage:
        instance = Application(stage, shop.store, shop.url).connect()
        token = instance["token"]
        assert stage.call("GET", "/products/999999", element=token).status == 404
        shop.store.set_options(php_down=True)
        assert stage.call("GET", "/products", element=token).status == 502
        shop.stop()
        assert stage.call("GET", "/products", element=token).status in (502, 504)

    absent, down, away = of(collector.spans, "client")[-3:]
    assert (absent.attributes["polyvalent.outcome"], absent.failed) == ("absent", True)
    assert absent.attributes["error.type"] == "absent"
    assert down.attributes["polyvalent.outcome"] == "transient"
    assert down.attributes["polyvalent.attempts"] == 3
    assert away.attributes["polyvalent.outcome"] in ("unreachable", "timeout")
    assert away.attributes["polyvalent.attempts"] > 1
    assert "http.response.status_code" not in away.attributes
    server = of(collector.spans, "server")[-1]
    assert server.failed
    assert server.attributes["error.type"] in ("502", "504")


def test_no_secret_and_nothing_that_was_said_is_in_a_span(
    tmp_path: Path, collector: Collector, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    with spanned(tmp_path) as stage:
        application = Application(stage, shop.store, shop.url)
        authorized = application.authorize()
        instance = application.create(authorized).json()
        token = instance["token"]
        where = {"where": "email='somebody@a.example'", "fields": "id,email"}
        stage.call("GET", "/customers", element=token, query=where)
        stage.call("POST", "/customers", element=token, body={"email": "hush@a.example"})
        stage.call("GET", "/customers", element=token, query={"where": "hush hush"})
        # A store that is none: the errors name what was sent.
        application.token(siteAddress="http://user:hidden-word@127.0.0.1:9/")
        stage.call("PROPFIND", "/coffee/pot-77", authorization="User not-a-secret")
        shop.store.set_options(php_down=True)
        stage.call("GET", "/customers", element=token, query=where)

    everything = b"".join(collector.bodies)
    assert len(collector.spans) > 10
    hidden = (
        *(stage.user, stage.organization, token),
        *(shop.store.consumer_key, shop.store.consumer_secret),
        *(authorized.token, authorized.secret, *authorized.callback.values()),
        *("somebody", "email=", "hush", "hidden-word", "not-a-secret", "pot-77", "oauth_"),
    )
    for text in hidden:
        if text != "magento":  # the state, which is the element's key
            assert text.encode() not in everything, text
    # No error is attached, for its text may quote what was sent.
    assert all(span.events == 0 for span in collector.spans)


def test_the_variables_of_opentelemetry_are_obeyed(
    tmp_path: Path,
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-door")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=here")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue")
    with spanned(tmp_path) as stage:
        stage.call("GET", "/instances")

    (resource,) = collector.resources
    assert resource["service.name"] == "shop-door"
    assert resource["deployment.environment"] == "here"
    assert resource["service.version"]
    assert collector.headers[0]["x-team"] == "blue"


def test_what_a_caller_does_not_want_sampled_is_not_sent(
    tmp_path: Path, collector: Collector
) -> None:
    with spanned(tmp_path) as stage:
        stage.call("GET", "/instances", headers={"traceparent": f"00-{HEX}-{PARENT}-00"})
        stage.call("GET", "/elements", headers={"traceparent": "nonsense"})

    (span,) = collector.spans
    assert (span.name, span.parent) == ("GET /elements/api-v2/elements", "")


def test_stores_are_not_told_of_traces(
    tmp_path: Path, collector: Collector, open_shop: Callable[..., RunningStore]
) -> None:
    shop = open_shop()
    with spanned(tmp_path) as stage:
        instance = Application(stage, shop.store, shop.url).connect(traceLoggingEnabled=True)
        headers = {"traceparent": f"00-{HEX}-{PARENT}-01"}
        stage.call("GET", "/products", element=instance["token"], headers=headers)
        stage.run(stage.platform.journal.close())
        listed = stage.call("GET", "/instances/traces", element=instance["token"]).json()
        path = f"/instances/traces/{listed[0]['traceId']}"
        shown = stage.call("GET", path, element=instance["token"]).json()

    sent = shown["exchanges"][0]["request"]["headers"]
    assert "authorization" in {name.lower() for name in sent}
    assert not {"traceparent", "tracestate", "baggage"} & {name.lower() for name in sent}


def test_a_collector_that_is_away_costs_spans_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and says nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        with spanned(tmp_path) as stage:
            assert stage.call("GET", "/instances").status == 200
            ended_at = time.monotonic()
        took_s = time.monotonic() - ended_at

    assert took_s < 5, took_s


PROGRAM = """
import asyncio, os, sys
from pathlib import Path
if "missing" in sys.argv:
    sys.modules["opentelemetry"] = None  # as where the extra is not installed
from polyvalent.api.app import create_app
from polyvalent.api.platform import open_platform
from polyvalent.errors import Misconfigured
from polyvalent.settings import read_settings

async def main():
    settings = read_settings(os.environ, home=Path(sys.argv[1]))
    create_app(settings)
    async with open_platform(settings) as platform:
        there = [name for name, module in sys.modules.items() if module is not None]
        print(sorted(name for name in there if name.split(".")[0] == "opentelemetry"))

try:
    asyncio.run(main())
except Misconfigured as error:
    print(error.message)
"""


def run(folder: Path, *words: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_nothing_of_it_is_imported_unless_it_is_asked_for(tmp_path: Path) -> None:
    where = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}

    assert run(tmp_path) == "[]"
    assert run(tmp_path, **where, OTEL_SDK_DISABLED="true") == "[]"
    assert "opentelemetry.sdk" in run(tmp_path, **where)


def test_it_says_what_to_install_where_it_is_missing(tmp_path: Path) -> None:
    where = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}

    assert run(tmp_path, "missing") == "[]"
    assert "POLYVALENT_EXTRAS=otel" in run(tmp_path, "missing", **where)


def test_a_protocol_that_is_not_spoken_is_refused(tmp_path: Path) -> None:
    where = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317"}

    assert read_settings(where, home=tmp_path).exports_spans
    with pytest.raises(Misconfigured, match="http/protobuf"):
        read_settings({**where, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, home=tmp_path)
    off = {**where, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_TRACES_EXPORTER": "none"}
    assert not read_settings(off, home=tmp_path).exports_spans


def test_pages_beside_the_api_have_no_spans(tmp_path: Path, collector: Collector) -> None:
    with spanned(tmp_path) as stage:
        assert ask(f"{stage.url}/health").status == 200
        assert ask(f"{stage.url}/metrics").status == 200

    assert collector.spans == []
