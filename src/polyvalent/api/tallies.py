"""
Count in plain numbers what happens thousands of times a second, and show it when it is asked for.

The counters of prometheus_client take a lock and seven calls each time. All counting here is done
in one thread, that of the event loop.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

# The upper bounds of the buckets, in seconds.
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LE = (*(str(float(bound)) for bound in BOUNDS_S), "+Inf")


class Counts(Collector):
    """Hold a counter for each tuple of label values."""

    def __init__(self, name: str, meaning: str, labels: Sequence[str]) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._numbers: dict[tuple[str, ...], int] = {}

    def add(self, *labels: str, number: int = 1) -> None:
        """Count some more."""
        self._numbers[labels] = self._numbers.get(labels, 0) + number

    def collect(self) -> Iterable[Metric]:
        """Show the counts as they are now."""
        shown = CounterMetricFamily(self._name, self._meaning, labels=self._labels)
        for labels, number in self._numbers.items():
            shown.add_metric(labels, number)
        return (shown,)


class Timings(Collector):
    """
    Count things and how long they took: a counter by all labels, a histogram by all but the last.

    The counter tells outcomes apart, the histogram does not.
    """

    def __init__(self, counter: str, histogram: str, meaning: str, labels: Sequence[str]) -> None:
        self._counter, self._histogram, self._meaning = counter, histogram, meaning
        self._labels = labels
        self._tallies: dict[tuple[str, ...], _Tally] = {}

    def add(self, *labels: str, seconds: float) -> None:
        """Count one more."""
        tally = self._tallies.get(labels)
        if tally is None:
            tally = self._tallies[labels] = _Tally()
        tally.buckets[bisect_left(BOUNDS_S, seconds)] += 1
        tally.total_s += seconds

    def collect(self) -> Iterator[Metric]:
        """Show counts and times as they are now."""
        counts = CounterMetricFamily(self._counter, self._meaning, labels=self._labels)
        joined: dict[tuple[str, ...], _Tally] = {}
        for labels, tally in self._tallies.items():
            counts.add_metric(labels, sum(tally.buckets))
            joined.setdefault(labels[:-1], _Tally()).join(tally)
        yield counts
        times = HistogramMetricFamily(
            self._histogram, f"{self._meaning} In seconds.", labels=self._labels[:-1]
        )
        for labels, tally in joined.items():
            buckets = list(zip(_LE, accumulate(tally.buckets), strict=True))
            times.add_metric(labels, buckets, tally.total_s)
        yield times


class _Tally:
    __slots__ = ("buckets", "total_s")

    def __init__(self) -> None:
        self.buckets = [0] * len(_LE)
        self.total_s = 0.0

    def join(self, other: _Tally) -> None:
        self.buckets = [own + its for own, its in zip(self.buckets, other.buckets, strict=True)]
        self.total_s += other.total_s
