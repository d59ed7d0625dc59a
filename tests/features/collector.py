"""Play a collector of OpenTelemetry: take spans by OTLP over HTTP and keep them as values."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent
from opentelemetry.proto.trace.v1.trace_pb2 import Status

KINDS = {Sent.SPAN_KIND_SERVER: "server", Sent.SPAN_KIND_CLIENT: "client"}


@dataclass(frozen=True)
class Span:
    """A span as it arrived."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    failed: bool
    attributes: dict[str, Any]
    events: int


@dataclass
class Collector:
    """What has arrived: whole bodies, their headers, and the spans in them."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def requests(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies]

    @property
    def resources(self) -> list[dict[str, Any]]:
        return [
            _values(batch.resource.attributes)
            for request in self.requests
            for batch in request.resource_spans
        ]

    @property
    def spans(self) -> list[Span]:
        return [
            Span(
                name=span.name,
                kind=KINDS[span.kind],
                trace=span.trace_id.hex(),
                id=span.span_id.hex(),
                parent=span.parent_span_id.hex(),
                failed=span.status.code == Status.STATUS_CODE_ERROR,
                attributes=_values(span.attributes),
                events=len(span.events),
            )
            for request in self.requests
            for batch in request.resource_spans
            for scope in batch.scope_spans
            for span in scope.spans
        ]


def _values(attributes: Any) -> dict[str, Any]:
    return {
        item.key: getattr(item.value, str(item.value.WhichOneof("value"))) for item in attributes
    }


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector inside the block."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            collector.headers.append({name.lower(): text for name, text in self.headers.items()})
            collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    collector = Collector(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
