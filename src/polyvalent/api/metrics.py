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
    disable_created_metrics,
    generate_latest,
)

from polyvalent.api.tallies import Counts, Timings
from polyvalent.catalog.element import Element

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Metrics:
    """Hold the counts of one process; `known` are the keys of elements that are told apart."""

    def __init__(self, *, known: Collection[str]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._known = frozenset(known)
        self._registry = CollectorRegistry()
        self._answers = Timings(
            "polyvalent_requests",
            "polyvalent_request_seconds",
            "Requests answered, by operation and status.",
            ("method", "operation", "status"),
        )
        self._calls = Timings(
            "polyvalent_vendor_calls",
            "polyvalent_vendor_call_seconds",
            "Calls to stores, repeated attempts counted once, by what came of them.",
            ("element", "outcome"),
        )
        self._pages = Counts(
            "polyvalent_row_pages",
            "Pages of rows read from stores, by whether types made for their rows could read them.",
            ("form",),
        )
        for counted in (self._answers, self._calls, self._pages):
            self._registry.register(counted)
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

    def note_answer(self, status: int, *, method: str, operation: str, elapsed_ms: float) -> None:
        """Count an answered request; `operation` is a path with its placeholders."""
        known = method if method in _METHODS else "other"
        self._answers.add(known, operation, str(status), seconds=elapsed_ms / 1000)

    def note_cached(self, outcome: str) -> None:
        """Count a read of an instance that caches: "hit" or "miss"."""
        self._cached.labels(outcome).inc()

    def note_rows(self, form: str) -> None:
        """Count a page of rows that was read: "compiled", or "dicts" where that cannot be."""
        self._pages.add(form)

    def note_delivery(self, outcome: str) -> None:
        """Count an attempt to deliver: delivered, retry (later) or queued (for a person)."""
        self._deliveries.labels(outcome).inc()

    def note_events(self, source: str, number: int) -> None:
        """Count events that were stored and published: "polling" or "webhook"."""
        self._events.labels(source).inc(number)

    def note_vendor_call(self, element: Element, outcome: str, taken_s: float) -> None:
        """Count a call to a store and what came of it: "ok", or a kind of failure."""
        key = element.key if element.key in self._known else "custom"
        self._calls.add(key, outcome, seconds=taken_s)

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
