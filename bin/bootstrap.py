"""
Make the environment `.venv` of this repository: bootstrap.py runtime | otel | parquet | test.

Runs on a bare Python 3.11 or newer: no pip, no ensurepip, nothing installed. Everything that
gets installed is named with its hash in requirements/. pip itself lies there as the wheel that
its authors published, so that a Python without pip needs nothing else; it reads the usual
PIP_ variables and files (mirror, certificates, proxy) by itself.

Called by bin/polyvalent and bin/test; two at once wait for each other, and what an interrupted
call left behind is cleared by the next.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PLACE = (
    VENV / "place"
)  # marks an environment as ours: where the repository lay, which Python was asked for
LOG = VENV / "install.log"
REQUIREMENTS = ROOT / "requirements"

# To renew pip: put the new wheel beside the lock files and its name and sha256 here.
PIP = REQUIREMENTS / "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"

# Each lock holds everything that those named with it hold.
CONTAINS = {
    "runtime": ("runtime",),
    "otel": ("runtime", "otel"),
    "parquet": ("runtime", "parquet"),
    "test": ("runtime", "otel", "parquet", "test"),
}
ADDED = {
    "runtime": "nothing",
    "otel": "OpenTelemetry",
    "parquet": "Apache Arrow",
    "test": "the test tools",
}

SIGNS_OF_NO_NETWORK = re.compile(
    r"Failed to establish|Name or service not known|name resolution|Network is unreachable"
    r"|Connection refused|Connection timed out|ConnectTimeout|ProxyError|Could not resolve"
    r"|Failed to resolve|Failed to connect|Max retries exceeded"
)


class CannotInstall(Exception):
    """Say in one line why there is no environment and what to do."""


def main(kind: str) -> None:
    """Bring `.venv` up to date with requirements/<kind>.txt, or end with one line on stderr."""
    try:
        with _Lock():
            _prepare(kind)
    except CannotInstall as error:
        _say(str(error), color="31")
        sys.exit(1)
    except KeyboardInterrupt:
        _say("interrupted; the next call starts the installation again", color="31")
        sys.exit(130)
    except OSError as error:
        _say(f"cannot set up {VENV}: {error.strerror or error} ({error.filename})", color="31")
        sys.exit(1)


def _prepare(kind: str) -> None:
    lock = REQUIREMENTS / f"{kind}.txt"
    if _is_ours() and _fits("runtime"):
        if _fits(kind):  # another call was quicker, or the same Python has two names
            _record_place()
            return
        todo = f"adding {ADDED[kind]}"
    else:
        _clear()
        todo = "installing"
    started = time.monotonic()
    version = ".".join(map(str, sys.version_info[:3]))
    _say(f"{todo} from requirements/{kind}.txt into {VENV} (Python {version}), once ...")
    if not (VENV / "bin" / "python").exists():
        _create()
    _install(lock)
    _link()
    _record_place()
    for name in CONTAINS[kind]:
        _write(VENV / f"installed-{name}.txt", (REQUIREMENTS / f"{name}.txt").read_bytes())
    _say(f"ready after {time.monotonic() - started:.0f} s", color="32")


class _Lock:
    """Let one process at a time work on the environment; its children keep the lock held."""

    def __enter__(self) -> None:
        self.descriptor = os.open(ROOT, os.O_RDONLY)
        os.set_inheritable(self.descriptor, True)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another installation to end ...")
            fcntl.flock(self.descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)


def _is_ours() -> bool:
    """Say whether `.venv` was made here, for this place; raise if it is somebody else's."""
    if not VENV.exists():
        return False
    if not PLACE.exists() and any(VENV.iterdir()):
        raise CannotInstall(
            f"{VENV} was not made by bin/polyvalent: move or remove it, then call again"
        )
    place = PLACE.read_text().splitlines() if PLACE.exists() else []
    return place[:1] == [str(ROOT)]


def _fits(kind: str) -> bool:
    """Say whether the environment works, is of this Python, and holds this lock."""
    record = VENV / f"installed-{kind}.txt"
    if not record.exists() or record.read_bytes() != (REQUIREMENTS / f"{kind}.txt").read_bytes():
        return False
    if not os.environ.get("POLYVALENT_PYTHON"):
        return (VENV / "bin" / "python").exists()
    return (VENV / "bin" / "python").resolve() == _base_python()


def _base_python() -> Path:
    """Return the interpreter itself, past links that may one day lead to another Python."""
    return Path(sys._base_executable).resolve()  # type: ignore[attr-defined]  # noqa: SLF001


def _clear() -> None:
    """Empty `.venv`; the mark that it is ours is there before, during and after."""
    VENV.mkdir(exist_ok=True)
    PLACE.write_bytes(b"")
    for entry in VENV.iterdir():
        if entry == PLACE:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _create() -> None:
    command = [str(_base_python()), "-I", "-m", "venv", "--without-pip", str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, close_fds=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise CannotInstall(
            f"{command[0]} cannot make environments ({''.join(last)}). "
            "On Debian or Ubuntu: sudo apt-get install python3-venv"
        )


def _install(lock: Path) -> None:
    if hashlib.sha256(PIP.read_bytes()).hexdigest() != PIP_SHA256:
        raise CannotInstall(f"{PIP} is damaged: git checkout -- {shlex.quote(str(PIP))}")
    command = [str(VENV / "bin" / "python"), "-I", str(PIP / "pip"), "install", "-r", str(lock)]
    command += ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--no-user"]
    command += ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    with LOG.open("wb") as log:
        status = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, close_fds=False
        ).returncode
    if status:
        raise CannotInstall(_explain(LOG.read_text(errors="replace")))


def _explain(log: str) -> str:
    """Say what pip's output means, with its last word."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:] or ["nothing"]
    network = [line for line in lines if SIGNS_OF_NO_NETWORK.search(line)]
    if network and "hash" not in errors[-1].lower():
        reason = network[-1].rpartition("broken by ")[2]
        return (
            "the package index cannot be reached; check the network, or name a mirror by "
            f"PIP_INDEX_URL. pip says: {reason}"
        )
    if "(from versions: none)" in log:
        return f"the package index does not answer or lacks a package. pip says: {errors[-1]}"
    return f"the packages cannot be installed. pip says: {errors[-1]} (all of it: {LOG})"


def _link() -> None:
    """Make our own package importable from its place, and write the command's script."""
    packages = next((VENV / "lib").glob("python*/site-packages"))
    _write(packages / "polyvalent.pth", f"{ROOT / 'src'}\n".encode())
    script = VENV / "bin" / "polyvalent"
    _write(
        script,
        f"#!{VENV / 'bin' / 'python'}\n"
        "import sys\n\n"
        "from polyvalent.cli import main\n\n"
        'sys.argv[0] = "polyvalent"\n'
        "sys.exit(main())\n".encode(),
    )
    script.chmod(0o755)


def _record_place() -> None:
    _write(PLACE, f"{ROOT}\n{os.environ.get('POLYVALENT_PYTHON', '')}\n".encode())


def _write(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(content)
    temporary.replace(path)


def _say(text: str, *, color: str = "36") -> None:
    name = f"\x1b[{color}mpolyvalent:\x1b[0m" if sys.stderr.isatty() else "polyvalent:"
    print(f"{name} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
