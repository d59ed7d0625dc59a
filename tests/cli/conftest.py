"""Run the command line as its users do: as a process, on real ports, in a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from polyvalent.cli import main

COMMAND = (sys.executable, "-m", "polyvalent.cli")
LONGEST_S = 30


@dataclass(frozen=True, kw_only=True)
class Ended:
    status: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True)
class Running:
    """A command that goes on; `first` is its first line of output, `err` all of its log."""

    process: subprocess.Popen[str]
    first: dict[str, Any]
    log: list[str] = field(default_factory=list)

    @property
    def err(self) -> str:
        return "".join(self.log)


@dataclass(frozen=True, kw_only=True)
class Shell:
    """A user's shell: a home, a folder for temporary files, and variables."""

    home: Path
    environment: dict[str, str]

    @property
    def data_dir(self) -> Path:
        return self.home / ".polyvalent"

    def run(self, *arguments: str, text: str = "", **variables: str) -> Ended:
        done = subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment | variables,
            cwd=self.home,
            input=text,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
        return Ended(status=done.returncode, out=done.stdout, err=done.stderr)

    def popen(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=self.environment | variables,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def start(self, *arguments: str, **variables: str) -> Iterator[Running]:
        """Start a command that prints JSON as its first line; stop it at the end."""
        process = self.popen(*arguments, **variables)
        assert process.stdout is not None
        assert process.stderr is not None
        running = Running(process=process, first={})
        errors = process.stderr
        reader = threading.Thread(target=lambda: running.log.extend(errors))
        reader.start()
        try:
            line = process.stdout.readline()
            assert line, process.wait(5) or running.err
            running.first.update(json.loads(line))
            yield running
        finally:
            process.terminate()
            try:
                process.wait(LONGEST_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
            reader.join(5)
            errors.close()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return make_shell(tmp_path)


def make_shell(folder: Path) -> Shell:
    (folder / "tmp").mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return Shell(
        home=folder,
        environment={
            **kept,
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "POLYVALENT_EGRESS_ALLOW": "127.0.0.1/32",
        },
    )


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Return a function that runs a short command in this process, which takes less time."""

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        status = main(arguments)
        said = capsys.readouterr()
        return Ended(status=status, out=said.out, err=said.err)

    return run


@pytest.fixture(scope="session")
def fetch() -> Callable[..., tuple[int, Any]]:
    """Return a function that makes an HTTP call and answers (status, decoded JSON)."""

    def call(url: str, *, body: Any = None, authorization: str = "") -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        if authorization:
            headers["Authorization"] = authorization
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    return call
