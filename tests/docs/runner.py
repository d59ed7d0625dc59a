"""
Run the examples of a page and compare what they print with what the page shows.

All runs of a page share one shell, so variables and folders live on from one to the next, as
they do for a reader. Ports that a page names are replaced by free ones.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.docs.pages import Fence, Page

# The ports that pages use in examples.
PORTS = (8080, 8090, 8443)
LIMIT_S = 40
ANY = "…"


def run_page(page: Page, *, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """
    Run a page in a folder and return complaints, each with its line; none is good.

    Effects: starts a shell and ends it with everything that it started.
    """
    blocks = [fence for fence in page.fences() if fence.is_run or fence.is_answer]
    renamed = {str(port): str(free_port()) for port in PORTS}
    complaints: list[str] = []
    outputs = _run([fence for fence in blocks if fence.is_run], folder, environment, renamed)
    printed = ""
    done = iter(outputs)
    for fence in blocks:
        where = f"{page.path}:{fence.line}"
        if fence.is_run:
            found = next(done, None)
            if found is None:
                complaints.append(f"{where} was not reached")
                break
            printed, failed = found
            if failed:
                complaints.append(f"{where} failed:\n{printed[-2000:]}")
                break
        else:
            complaints += [
                f"{where} {fault}" for fault in compare_fence(fence, printed, renamed=renamed)
            ]
    return complaints


def compare_fence(fence: Fence, printed: str, *, renamed: Mapping[str, str]) -> list[str]:
    """Compare an answer shown with what was printed; return what differs."""
    shown = rename(fence.text, renamed)
    if fence.words[0] != "json":
        return [
            f"shows {line!r}, which was not printed:\n{printed[-2000:]}"
            for line in filter(str.strip, shown.splitlines())
            if not re.search(
                re.escape(line.strip()).replace(re.escape(ANY), r".*"), printed, re.MULTILINE
            )
        ]
    try:
        real = read_json(printed)
    except ValueError:
        return [f"shows JSON, but this was printed:\n{printed[-2000:]}"]
    return compare(json.loads(shown), real, place="the answer")


def compare(shown: Any, real: Any, *, place: str) -> list[str]:
    """
    Say where a real answer lacks or contradicts what is shown.

    Every member that is shown must be there. "…" stands for any text, within a text for any part
    of it, as a list's last member for any further ones.
    """
    if isinstance(shown, dict):
        if not isinstance(real, dict):
            return [f"{place} should be an object, but is {real!r}"]
        missing = [f"{place} lacks {name}" for name in shown if name not in real and name != ANY]
        return missing + [
            fault
            for name in shown
            if name in real
            for fault in compare(shown[name], real[name], place=f"{place}.{name}")
        ]
    if isinstance(shown, list):
        if not isinstance(real, list):
            return [f"{place} should be a list, but is {real!r}"]
        more = bool(shown) and shown[-1] == ANY
        wanted = shown[:-1] if more else shown
        if len(real) < len(wanted) or (len(real) > len(wanted) and not more):
            return [f"{place} has {len(real)} members, {len(wanted)} are shown"]
        return [
            fault
            for number, (one, other) in enumerate(zip(wanted, real, strict=False))
            for fault in compare(one, other, place=f"{place}[{number}]")
        ]
    if isinstance(shown, str) and ANY in shown:
        pattern = re.escape(shown).replace(re.escape(ANY), r".*")
        if isinstance(real, str) and re.fullmatch(pattern, real, re.DOTALL):
            return []
    elif shown == real and isinstance(shown, bool) is isinstance(real, bool):
        return []
    return [f"{place} is {real!r}, {shown!r} is shown"]


def read_json(printed: str) -> Any:
    """Read the JSON that ends what was printed, also behind the headers of an answer."""
    text = printed.strip()
    try:
        return json.loads(text)
    except ValueError:
        starts = [found.start() for found in re.finditer(r"^[\[{]", text, re.MULTILINE)]
        for start in starts:
            try:
                return json.loads(text[start:])
            except ValueError:
                continue
        raise


def rename(text: str, renamed: Mapping[str, str]) -> str:
    """Put free ports in the place of those that a page names."""
    for port, other in renamed.items():
        text = re.sub(rf"(?<!\d){port}(?!\d)", other, text)
    return text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_place(folder: Path) -> dict[str, str]:
    """Put `bin/polyvalent` into a folder and return an environment for it, without a home."""
    shim = folder / "bin" / "polyvalent"
    shim.parent.mkdir(parents=True)
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m polyvalent.cli "$@"\n')
    shim.chmod(0o755)
    # A machine may have no Python of this name; a reader's has.
    (folder / "more").mkdir()
    (folder / "more" / "python3").symlink_to(sys.executable)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    kept["PATH"] = f"{kept.get('PATH', os.defpath)}:{folder / 'more'}"
    return {**kept, "HOME": str(folder), "NO_COLOR": "1", "COLUMNS": "100"}


def _run(
    fences: list[Fence], folder: Path, environment: Mapping[str, str], renamed: Mapping[str, str]
) -> list[tuple[str, bool]]:
    """Run fences in one shell; return what each printed and whether it failed."""
    lines = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for number, fence in enumerate(fences):
        lines += [
            f"exec >{shlex.quote(str(folder))}/run{number}.txt 2>&1",
            rename(fence.text, renamed).rstrip("\n"),
            f": >{shlex.quote(str(folder))}/run{number}.done",
        ]
    (folder / "page.sh").write_text("\n".join(lines) + "\n")
    started = subprocess.Popen(
        ["bash", "page.sh"],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(LIMIT_S)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
    results = []
    for number in range(len(fences)):
        output = folder / f"run{number}.txt"
        if not output.exists():
            break
        finished = (folder / f"run{number}.done").exists()
        results.append((output.read_text("utf-8", "replace"), not finished))
    return results
