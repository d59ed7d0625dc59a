"""`serve` is ready within two seconds and stays within 120 MB with a thousand instances."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.bench_serve import MEMORY_MB, READY_S, measure_memory
from benchmarks.serve_process import serve

TRIES = 3

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads memory below /proc")


@pytest.mark.parametrize("kind", ["first", "again"])
def test_a_start_is_ready_within_two_seconds(tmp_path: Path, kind):
    seconds = []
    if kind == "again":
        serve(tmp_path / "used").stop()

    # The best of three: what is promised is the program's time, not that of its neighbours.
    while len(seconds) < TRIES and min(seconds, default=READY_S + 1) > READY_S:
        folder = "used" if kind == "again" else f"new-{len(seconds)}"
        served = serve(tmp_path / folder)
        seconds.append(served.ready_s)
        served.stop()

    assert min(seconds) <= READY_S


def test_a_thousand_instances_fit_into_120_mb(tmp_path: Path):
    memory = measure_memory(tmp_path, instances=1000, calls=300)

    assert memory["peak"] <= MEMORY_MB, memory
