"""Give a way to send spans, if OpenTelemetry is installed."""

from __future__ import annotations

from polyvalent.errors import Misconfigured
from polyvalent.spans.model import Spans


def open_spans() -> Spans:
    """
    Return spans that go where the OTEL_* variables say.

    Raises Misconfigured without OpenTelemetry. Effects: starts the thread that sends them.
    """
    try:
        from polyvalent.spans.otlp import OtlpSpans  # noqa: PLC0415  # an extra, paid for if used
    except ImportError as error:
        raise Misconfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT asks for spans, but OpenTelemetry is not installed. "
            "Start with POLYVALENT_EXTRAS=otel, or pip install polyvalent[otel]; or set "
            "OTEL_SDK_DISABLED=true."
        ) from error
    return OtlpSpans()
