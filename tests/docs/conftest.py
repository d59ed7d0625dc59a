"""Give the examples of the documentation a store and a platform to talk to."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the variables that how-to pages speak of, with everything running behind them."""
    data = Path(tmp_path_factory.mktemp("stage")) / "data"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.docs.stage", str(data)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        # Lines of the log come before; the variables are the first line of JSON.
        known = next((line for line in process.stdout if line.startswith('{"API"')), None)
        assert known is not None, "the stage did not start"
        yield json.loads(known) | {"POLYVALENT_DATA_DIR": str(data)}
    finally:
        process.kill()
        process.communicate()
