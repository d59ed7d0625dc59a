"""The checks of .ci/run refuse what they are there to refuse: each is shown one bad example."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT

BIN = Path(sys.executable).parent
SOUND = {
    "__init__.py": '"""Be small."""\n',
    "errors.py": '"""Know the errors."""\n',
    "settings.py": '"""Know."""\n\nfrom polyvalent import errors\n\n__all__ = ["errors"]\n',
    "exchange.py": '"""Hold HTTP as values."""\n',
    "value.py": '"""Hold values."""\n',
}
BAD = {
    "lint": {"exchange.py": '"""Hold."""\n\nimport os\n'},
    "format": {"exchange.py": '"""Hold."""\n\nx = { "a":1 }\n'},
    "types": {"exchange.py": '"""Hold."""\n\nx: int = "1"\n'},
    "imports point down": {
        "errors.py": '"""Know."""\n\nfrom polyvalent import settings\n\n__all__ = ["settings"]\n'
    },
    "siblings see each other": {
        "egress.py": '"""Go out."""\n',
        "db.py": '"""Keep."""\n\nfrom polyvalent import egress\n\n__all__ = ["egress"]\n',
    },
    "a package without a layer": {"extras.py": '"""Be new."""\n'},
}
GATES = {
    "lint": ("ruff", "check", "--no-cache", "."),
    "format": ("ruff", "format", "--no-cache", "--check", "."),
    "types": ("mypy", "--strict", "src"),
    "imports": ("lint-imports", "--no-logo", "--no-cache"),
}


def judge(gate: str, folder: Path) -> tuple[int, str]:
    """Run one gate in a folder, with the repository's configuration; return status and words."""
    command, *arguments = GATES[gate]
    done = subprocess.run(
        [BIN / command, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def build(folder: Path, files: dict[str, str]) -> Path:
    package = folder / "src" / "polyvalent"
    package.mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, text in files.items():
        (package / name).write_text(text)
    return folder


@pytest.mark.parametrize("gate", GATES)
def test_a_sound_package_passes(tmp_path, gate):
    status, words = judge(gate, build(tmp_path, SOUND))

    assert status == 0, words


@pytest.mark.parametrize("fault", BAD)
def test_a_fault_is_refused(tmp_path, fault):
    gate = fault if fault in GATES else "imports"

    status, words = judge(gate, build(tmp_path, SOUND | BAD[fault]))

    assert status == 1, words
    assert "Traceback" not in words
