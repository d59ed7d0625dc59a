"""
Count what this process does, in the form that Prometheus reads.

Labels have few values, all of them ours: the path of an operation with its placeholders, never a
path as it was called; the keys of elements that come with the platform, "custom" for all others.
No id, no address and no secret is in any of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from polyvalent.catalog.element import Element
from polyvalent.exchange import Response

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Hold the counts of one process; `known` are the keys of elements that are told apart."""

    def __init__(self, *, known: Collection[str]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._known = frozenset(known)
        # Finding a count by its labels takes longer than counting; there are few of them.
        self._answers: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._calls: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "polyvalent_requests",
            "Requests answered, by operation and status.",
            ("method", "operation", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "polyvalent_request_seconds",
            "How long requests took.",
            ("method", "operation"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._vendor_calls = Counter(
            "polyvalent_vendor_calls",
            "Calls to stores, repeated attempts counted once, by what came of them.",
            ("element", "outcome"),
            registry=self._registry,
        )
        self._vendor_seconds = Histogram(
            "polyvalent_vendor_call_seconds",
            "How long calls to stores took.",
            ("element",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._pages = Counter(
            "polyvalent_row_pages",
            "Pages of rows read from stores, by whether types made for their rows could read them.",
            ("form",),
            registry=self._registry,
        )
        self._cached = Counter(
            "polyvalent_cached_reads",
            "Reads of instances that cache, by where the answer came from.",
            ("outcome",),
            registry=self._registry,
        )
        self._deliveries = Counter(
            "polyvalent_deliveries",
            "Attempts to deliver notifications, by what came of them.",
            ("outcome",),
            registry=self._registry,
        )
        self._events = Counter(
            "polyvalent_events",
            "Events stored and published, by how they were noticed.",
            ("source",),
            registry=self._registry,
        )
        self._waiting = self._gauge(
            "deliveries_waiting", "Deliveries that have not arrived, by status.", "status"
        )
        self._gauges = {
            "deliveries_oldest_waiting_seconds": self._gauge(
                "deliveries_oldest_waiting_seconds",
                "Age of the oldest delivery that waits without waiting for a person.",
            ),
            "cache_bytes": self._gauge("cache_bytes", "Memory taken by cached answers."),
            "traces_lost": self._gauge("traces_lost", "Traces not written since the start."),
        }
        self._stores = self._gauge("stores", "Stores that fail, and that are left alone.", "state")
        self._instances = self._gauge("instances", "Instances by state.", "state")

    def note_answer(
        self, answered: Response, *, method: str, operation: str, elapsed_ms: float
    ) -> None:
        """Count an answered request; `operation` is a path with its placeholders."""
        place = (method if method in _METHODS else "other", operation, answered.status)
        found = self._answers.get(place)
        if found is None:
            found = self._answers[place] = (
                self._requests.labels(*place[:2], str(answered.status)),
                self._seconds.labels(*place[:2]),
            )
        requests, seconds = found
        requests.inc()
        seconds.observe(elapsed_ms / 1000)
        outcome = answered.header("Elements-Cache")
        if outcome is not None:
            self._cached.labels(outcome).inc()

    def note_rows(self, form: str) -> None:
        """Count a page of rows that was read: "compiled", or "dicts" where that cannot be."""
        self._pages.labels(form).inc()

    def note_delivery(self, outcome: str) -> None:
        """Count an attempt to deliver: delivered, retry (later) or queued (for a person)."""
        self._deliveries.labels(outcome).inc()

    def note_events(self, source: str, number: int) -> None:
        """Count events that were stored and published: "polling" or "webhook"."""
        self._events.labels(source).inc(number)

    def note_vendor_call(self, element: Element, outcome: str, taken_s: float) -> None:
        """Count a call to a store and what came of it: "ok", or a kind of failure."""
        place = (element.key if element.key in self._known else "custom", outcome)
        found = self._calls.get(place)
        if found is None:
            found = self._calls[place] = (
                self._vendor_calls.labels(*place),
                self._vendor_seconds.labels(place[0]),
            )
        calls, seconds = found
        calls.inc()
        seconds.observe(taken_s)

    def write(
        self,
        *,
        instances: Mapping[str, int],
        stores: Mapping[str, int],
        deliveries: Mapping[str, int],
        oldest_waiting_s: float,
        cache_bytes: int,
        traces_lost: int,
    ) -> bytes:
        """Write all counts, and these as they are now, in Prometheus's text format 0.0.4."""
        self._gauges["cache_bytes"].set(cache_bytes)
        self._gauges["traces_lost"].set(traces_lost)
        self._gauges["deliveries_oldest_waiting_seconds"].set(oldest_waiting_s)
        for status, number in deliveries.items():
            self._waiting.labels(status).set(number)
        for state, number in instances.items():
            self._instances.labels(state).set(number)
        for state, number in stores.items():
            self._stores.labels(state).set(number)
        return generate_latest(self._registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"polyvalent_{name}", meaning, labels, registry=self._registry)
