"""Plain tallies show what the counters of prometheus_client would have counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from polyvalent.api.tallies import BOUNDS_S, Counts, Timings

LABELS = ("method", "operation", "status")
SECONDS = st.one_of(
    st.sampled_from(BOUNDS_S),
    st.floats(min_value=0, max_value=100, allow_nan=False),
)
OBSERVED = st.lists(
    st.tuples(
        st.sampled_from(("GET", "POST")),
        st.sampled_from(("/instances/{id}", "/hubs/{hub}/{resource}", 'odd "path"\n')),
        st.sampled_from(("200", "404", "503")),
        SECONDS,
    ),
    max_size=40,
)


def samples(registry: CollectorRegistry) -> dict[str, float]:
    lines = generate_latest(registry).decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: round(float(value), 6) for name, _, value in pairs}


@given(OBSERVED)
def test_timings_count_as_a_counter_and_a_histogram(
    observed: list[tuple[str, str, str, float]],
) -> None:
    disable_created_metrics()
    theirs, ours = CollectorRegistry(), CollectorRegistry()
    counter = Counter("requests", "Answered.", LABELS, registry=theirs)
    histogram = Histogram("seconds", "Taken.", LABELS[:-1], buckets=BOUNDS_S, registry=theirs)
    timings = Timings("requests", "seconds", "Answered.", LABELS)
    ours.register(timings)

    for *labels, seconds in observed:
        counter.labels(*labels).inc()
        histogram.labels(*labels[:-1]).observe(seconds)
        timings.add(*labels, seconds=seconds)

    assert samples(ours) == samples(theirs)


@given(st.lists(st.tuples(st.sampled_from(("compiled", "dicts")), st.integers(1, 9))))
def test_counts_count_as_a_counter(observed: list[tuple[str, int]]) -> None:
    disable_created_metrics()
    theirs, ours = CollectorRegistry(), CollectorRegistry()
    counter = Counter("pages", "Read.", ("form",), registry=theirs)
    counts = Counts("pages", "Read.", ("form",))
    ours.register(counts)

    for form, number in observed:
        counter.labels(form).inc(number)
        counts.add(form, number=number)

    assert samples(ours) == samples(theirs)
