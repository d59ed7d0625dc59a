"""However many rows there are, memory stays where it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.bulk.ours import Platform
from benchmarks.machine import ROOT

GROWTH_MB = 12


def test_ten_times_the_rows_take_no_more_memory(tmp_path: Path) -> None:
    peaks = []
    for rows in (15_000, 150_000):
        upstream = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.bulk.upstream", str(rows)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert upstream.stdout is not None
        platform = Platform(
            tmp_path / str(rows), f"http://127.0.0.1:{int(upstream.stdout.readline())}"
        )
        try:
            result = platform.download()
        finally:
            platform.stop()
            upstream.communicate()
        assert result["rows"] == rows
        peaks.append(result["peak_mb"])

    assert peaks[1] - peaks[0] < GROWTH_MB, peaks
