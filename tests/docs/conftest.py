"""Give the examples of the documentation a store and a platform to talk to."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

START_S = 30.0


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the variables that how-to pages speak of, with everything running behind them."""
    folder = Path(tmp_path_factory.mktemp("stage"))
    data, file, log = folder / "data", folder / "known.json", folder / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.docs.stage", str(data), str(file)],
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + START_S
        while not file.exists():
            started = process.poll() is None and time.monotonic() < deadline
            assert started, f"the stage did not start:\n{log.read_text()[-3000:]}"
            time.sleep(0.05)
        yield json.loads(file.read_text()) | {"POLYVALENT_DATA_DIR": str(data)}
    finally:
        process.kill()
        process.wait()
