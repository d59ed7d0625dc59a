"""
Send spans by OTLP over HTTP.

Where they go, how many are sampled and what they are grouped by is read from the OTEL_* variables
by the library itself. A thread of its own sends them in batches; when it cannot keep up or the
collector is away, spans are lost and nothing else. Names are those of OpenTelemetry's semantic
conventions for HTTP.

Source: W3C Trace Context; OpenTelemetry specification 1.x, environment variables.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from polyvalent import __version__
from polyvalent.exchange import Headers, Request
from polyvalent.spans.model import EndCall, EndRequest

# A collector that is away must not keep a server from ending.
CLOSING_S = 3.0
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_CARRIED = ("traceparent", "tracestate")


class OtlpSpans:
    """Give requests and vendor calls their spans and send these to a collector."""

    def __init__(self) -> None:
        named = Resource.create({"service.name": "polyvalent", "service.version": __version__})
        self._exporter = OTLPSpanExporter()
        self._provider = TracerProvider(
            # What the operator's variables say wins over our own name.
            resource=named.merge(OTELResourceDetector().detect()),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("polyvalent", __version__)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def of_request(self, method: str, headers: Headers) -> Iterator[EndRequest]:
        """Span a request that came in, as a part of the caller's trace if it names one."""
        carried = {name: value for name, value in headers if name in _CARRIED}
        shown = method if method in _METHODS else "_OTHER"
        with self._tracer.start_as_current_span(
            shown,
            context=self._propagator.extract(carried, context=Context()),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": shown},
            # The texts of errors may quote what callers sent.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            def end(*, route: str, status: int, request_id: str) -> None:
                if route:
                    span.update_name(f"{shown} {route}")
                    span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                span.set_attribute("polyvalent.request_id", request_id)
                if status >= 500:
                    _fail(span, str(status))

            yield end

    @contextmanager
    def of_call(self, request: Request, *, element: str) -> Iterator[EndCall]:
        """Span a call to a vendor, as a part of the request under way if there is one."""
        host, port = _address(request.url)
        template = request.template.partition("?")[0]
        with self._tracer.start_as_current_span(
            f"{request.method} {template}".rstrip(),
            kind=SpanKind.CLIENT,
            attributes={
                "http.request.method": request.method,
                "server.address": host,
                "server.port": port,
                "url.template": template,
                "polyvalent.element": element,
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            def end(outcome: str, *, status: int | None, attempts: int) -> None:
                span.set_attribute("polyvalent.outcome", outcome)
                span.set_attribute("polyvalent.attempts", attempts)
                if status is not None:
                    span.set_attribute("http.response.status_code", status)
                if outcome != "ok":
                    _fail(span, outcome)

            yield end

    async def close(self) -> None:
        """Send what waits to be sent, for three seconds at most."""
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        await asyncio.to_thread(sending.join, CLOSING_S)
        if sending.is_alive():
            # Ends its pauses between attempts.
            self._exporter.shutdown()  # type: ignore[no-untyped-call]


def _address(url: str) -> tuple[str, int]:
    # Not the part before an @, which may be a secret.
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return "", 0  # no address at all, which whoever sends it says


def _fail(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)
