"""
The two commands of the README, run for real in a small copy of the repository.

The copy locks two tiny packages, served by a package index on this machine, so that each test
installs with pip and a mirror as a user would, in a second and without the network.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.house.source import ROOT

PYTHON = str(Path(sys._base_executable).resolve())
TOOLS = ("sh", "env", "dirname", "readlink", "cmp", "grep", "id")


@dataclass(frozen=True, kw_only=True)
class Index:
    """A package index: wheels by name, what was asked for, and a gate that holds answers back."""

    url: str
    wheels: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def add(self, name: str, version: str, **files: str) -> str:
        """Build a wheel with these modules, serve it, and return its line for a lock."""
        wheel = f"{name}-{version}-py3-none-any.whl"
        target = self.scratch / wheel
        info = f"{name}-{version}.dist-info"
        contents = {f"{name}/{module}.py": text for module, text in files.items()} | {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{path},{_record(text)}\n" for path, text in contents.items())
        with zipfile.ZipFile(target, "w") as archive:
            for path, text in (contents | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
                archive.writestr(path, text)
        self.wheels[wheel] = target.read_bytes()
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(self.wheels[wheel]).hexdigest()}\n"

    scratch: Path = Path()


def _record(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"sha256={digest},{len(text.encode())}"


@pytest.fixture
def index(tmp_path):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            served.gate.wait(30)
            served.asked.append(self.path)
            last = self.path.rstrip("/").rpartition("/")[2]
            body, kind = served.wheels.get(last), "application/octet-stream"
            if body is None:
                links = [w for w in served.wheels if w.startswith(f"{last}-")]
                body = "".join(f'<a href="/files/{w}">{w}</a>' for w in links).encode()
                kind = "text/html"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    scratch = tmp_path / "wheels"
    scratch.mkdir()
    served = Index(url=f"http://127.0.0.1:{server.server_port}/simple", scratch=scratch)
    served.gate.set()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield served
    served.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A copy of the repository's commands with a lock of its own."""

    root: Path
    environment: dict[str, str]

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def lock(self, *, runtime: str, otel: str = "", test: str = "") -> None:
        (self.root / "requirements" / "runtime.txt").write_text(runtime)
        (self.root / "requirements" / "otel.txt").write_text(runtime + otel)
        (self.root / "requirements" / "parquet.txt").write_text(runtime)
        (self.root / "requirements" / "test.txt").write_text(runtime + otel + test)

    def start(self, *command: str, cwd: str = "/", **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.root / command[0]), *command[1:]],
            env=self.environment | environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, cwd: str = "/", **environment: str) -> tuple[int, str, str]:
        """Run a command of the copy; return its exit status, output and error output."""
        process = self.start(*command, cwd=cwd, **environment)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


@pytest.fixture
def workshop(tmp_path, index):
    root = tmp_path / "a place" / "with spaces"
    shutil.copytree(ROOT / "bin", root / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "requirements").mkdir()
    (wheel,) = (ROOT / "requirements").glob("pip-*.whl")
    shutil.copy(wheel, root / "requirements")
    cli = root / "src" / "polyvalent" / "cli"
    cli.mkdir(parents=True)
    (cli / "__init__.py").write_text(
        "import sys\n\ndef main():\n    import parcel\n"
        "    print(parcel.__file__, sys.argv)\n    return 7 if 'fail' in sys.argv else 0\n"
    )
    made = Workshop(
        root=root,
        environment={
            "PATH": f"{tmp_path / 'path'}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "POLYVALENT_PYTHON": PYTHON,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": index.url,
            "PIP_NO_CACHE_DIR": "1",
            "PIP_RETRIES": "0",
        },
    )
    made.lock(
        runtime=index.add("parcel", "1.0", __init__=""),
        otel=index.add("spans", "3.0", __init__=""),
        # Stands in for pytest: says what it was called with.
        test=index.add("pytest", "9.0", __init__="", __main__="import sys\nprint(sys.argv[1:])\n"),
    )
    return made


def tools_only(folder: Path) -> str:
    """Make a PATH with what every Unix has, and no Python."""
    folder.mkdir(exist_ok=True)
    for tool in TOOLS:
        (folder / tool).symlink_to(str(shutil.which(tool)))
    return str(folder)


def test_installs_once_and_passes_its_arguments_on(workshop, index, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(workshop.root / "bin" / "polyvalent")

    first = workshop.run("bin/polyvalent", "a b", "--c")
    asked = len(index.asked)
    second = subprocess.run([link, "fail"], env=workshop.environment, check=False, text=True,
                            capture_output=True, cwd=tmp_path)  # fmt: skip

    assert first[0] == 0, first
    assert first[1].startswith(f"{workshop.venv}/lib")
    assert first[1].endswith("['polyvalent', 'a b', '--c']\n")
    assert "ready after" in first[2]
    assert (second.returncode, second.stderr) == (7, "")
    assert len(index.asked) == asked > 0


def test_two_first_calls_at_once_install_once(workshop, index):
    calls = [workshop.start("bin/polyvalent", "x") for _ in range(2)]
    ends = [(*call.communicate(timeout=60), call.returncode) for call in calls]

    assert [status for *_, status in ends] == [0, 0], ends
    assert sum("waiting for another" in err for _, err, _ in ends) == 1
    assert len([path for path in index.asked if path.endswith(".whl")]) == 1


def test_repairs_an_installation_that_was_killed(workshop, index):
    index.gate.clear()
    victim = workshop.start("bin/polyvalent")
    while not (workshop.venv / "install.log").exists() and victim.poll() is None:
        time.sleep(0.02)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.communicate()
    index.gate.set()

    status, out, err = workshop.run("bin/polyvalent")

    assert (status, "installing" in err) == (0, True), err
    assert "parcel" in out


def test_a_changed_lock_is_installed_anew(workshop, index):
    workshop.run("bin/polyvalent")
    workshop.lock(runtime=index.add("parcel", "2.0", __init__=""))

    status, _, err = workshop.run("bin/polyvalent")

    assert status == 0, err
    found = {path.name for path in workshop.venv.glob("lib/*/site-packages/*.dist-info")}
    assert found == {"parcel-2.0.dist-info"}


def test_a_repository_that_moved_is_installed_anew(workshop, tmp_path):
    workshop.run("bin/polyvalent")
    moved = Workshop(
        root=workshop.root.rename(tmp_path / "elsewhere"), environment=workshop.environment
    )

    status, out, err = moved.run("bin/polyvalent")

    assert (status, "installing" in err) == (0, True), err
    assert out.startswith(str(tmp_path / "elsewhere"))


def test_an_interpreter_that_vanished_is_replaced(workshop):
    workshop.run("bin/polyvalent")
    (workshop.venv / "bin" / "python").unlink()
    (workshop.venv / "bin" / "python").symlink_to("/nowhere/python3")

    status, _, err = workshop.run("bin/polyvalent")

    assert (status, "installing" in err) == (0, True), err


def test_test_adds_the_test_tools_and_passes_its_arguments_on(workshop):
    workshop.run("bin/polyvalent")

    plain = workshop.run("bin/test")
    chosen = workshop.run("bin/test", "-k", "a or b")

    assert plain[0] == 0, plain
    assert "adding the test tools" in plain[2]
    assert "--numprocesses" in plain[1]
    assert chosen == (0, "['-k', 'a or b']\n", "")


def test_an_extra_is_added_when_it_is_asked_for_and_stays(workshop, index):
    workshop.run("bin/polyvalent")

    added = workshop.run("bin/polyvalent", POLYVALENT_EXTRAS="otel")
    asked = len(index.asked)
    again = workshop.run("bin/polyvalent", POLYVALENT_EXTRAS="otel")
    without = workshop.run("bin/polyvalent")

    assert (added[0], "adding OpenTelemetry" in added[2]) == (0, True), added
    assert (again[0], again[2], without[0], without[2]) == (0, "", 0, "")
    assert len(index.asked) == asked
    found = {path.name for path in workshop.venv.glob("lib/*/site-packages/*.dist-info")}
    assert found == {"parcel-1.0.dist-info", "spans-3.0.dist-info"}


def test_an_extra_that_there_is_not_is_named(workshop):
    status, out, err = workshop.run("bin/polyvalent", POLYVALENT_EXTRAS="otle")

    assert (status, out) == (1, "")
    assert "POLYVALENT_EXTRAS is 'otle'" in err
    assert not workshop.venv.exists()


def test_a_package_with_another_hash_is_refused(workshop, index):
    index.wheels["parcel-1.0-py3-none-any.whl"] += b" "

    status, _, err = workshop.run("bin/polyvalent")

    assert status == 1
    assert "hash" in err.splitlines()[-1].lower()
    assert "Traceback" not in err


def test_an_index_that_cannot_be_reached_is_named_as_the_cause(workshop):
    nowhere = "http://127.0.0.1:9/simple"

    status, _, err = workshop.run("bin/polyvalent", PIP_INDEX_URL=nowhere, PIP_RETRIES="1")

    assert status == 1
    assert "the package index cannot be reached" in err.splitlines()[-1]
    assert "PIP_INDEX_URL" in err.splitlines()[-1]
    assert len(err.splitlines()) == 2


def test_an_index_that_lacks_a_package_is_named_as_the_cause(workshop, index):
    index.wheels.clear()

    status, _, err = workshop.run("bin/polyvalent")

    assert status == 1
    assert "does not answer or lacks a package" in err.splitlines()[-1]


def test_settings_of_pip_that_would_lead_elsewhere_do_no_harm(workshop, tmp_path):
    status, out, err = workshop.run(
        "bin/polyvalent", PIP_USER="1", PYTHONPATH=str(tmp_path), PYTHONHOME="/nowhere"
    )

    assert status == 0, err
    assert out.startswith(str(workshop.venv))


def test_a_shim_that_does_not_run_is_skipped(workshop, tmp_path):
    folder = tools_only(tmp_path / "path")
    (tmp_path / "path" / "python3.13").write_text("#!/bin/sh\nexit 127\n")
    (tmp_path / "path" / "python3.13").chmod(0o755)
    (tmp_path / "path" / "python3").symlink_to(PYTHON)

    status, _, err = workshop.run("bin/polyvalent", PATH=folder, POLYVALENT_PYTHON="")

    assert status == 0, err


def test_a_machine_without_python_is_told_what_to_install(workshop, tmp_path):
    folder = tools_only(tmp_path / "path")

    status, out, err = workshop.run("bin/polyvalent", PATH=folder, POLYVALENT_PYTHON="")

    assert (status, out) == (1, "")
    assert "Python 3.11" in err
    assert "apt-get install" in err
    assert len(err.splitlines()) == 1


def test_an_interpreter_that_was_asked_for_in_vain_is_named(workshop):
    status, _, err = workshop.run("bin/polyvalent", POLYVALENT_PYTHON="/nowhere/python3")

    assert status == 1
    assert "POLYVALENT_PYTHON=/nowhere/python3" in err


def test_an_environment_of_somebody_else_is_left_alone(workshop):
    workshop.venv.mkdir()
    (workshop.venv / "pyvenv.cfg").write_text("mine")

    status, _, err = workshop.run("bin/polyvalent")

    assert (status, len(err.splitlines())) == (1, 1)
    assert "was not made by bin/polyvalent" in err
    assert (workshop.venv / "pyvenv.cfg").read_text() == "mine"


def test_a_damaged_pip_is_not_run(workshop):
    (wheel,) = (workshop.root / "requirements").glob("pip-*.whl")
    wheel.write_bytes(wheel.read_bytes()[:-1])

    status, _, err = workshop.run("bin/polyvalent")

    assert status == 1
    assert "is damaged" in err.splitlines()[-1]
