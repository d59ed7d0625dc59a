"""
Start the platform as a process of its own, and tell its readiness, memory and processor time.

Linux only: memory and processor time are read below /proc.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import ROOT

TICKS = os.sysconf("SC_CLK_TCK")
LONGEST_START_S = 30


@dataclass(kw_only=True)
class Served:
    """Hold a running `polyvalent serve`; `ready_s` is process start to first 200 on /health."""

    port: int
    ready_s: float
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def rss_mb(self) -> float:
        """Return the resident memory in MB (10^6 bytes)."""
        return read_status(self.process.pid, "VmRSS")

    @property
    def peak_mb(self) -> float:
        """Return the highest resident memory so far."""
        return read_status(self.process.pid, "VmHWM")

    @property
    def cpu_s(self) -> float:
        """Return the processor time used so far."""
        return read_cpu_s(self.process.pid)

    def stop(self) -> None:
        """Stop the server the gentle way."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)


def serve(data_dir: Path, *, database_url: str = "", options: tuple[str, ...] = ()) -> Served:
    """Start `polyvalent serve` on a free port and return once it is ready."""
    port = free_port()
    command = [sys.executable, "-m", "polyvalent.cli", "serve", "--port", str(port), *options]
    environment = {
        **os.environ,
        "POLYVALENT_DATA_DIR": str(data_dir),
        "POLYVALENT_DATABASE_URL": database_url,
        "POLYVALENT_EGRESS_ALLOW": "127.0.0.1/32",
    }
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not is_healthy(port):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        if time.perf_counter() - started > LONGEST_START_S:
            process.kill()
            process.wait()
            raise RuntimeError(f"the server was not ready within {LONGEST_START_S} s")
        time.sleep(0.005)
    return Served(port=port, ready_s=time.perf_counter() - started, process=process)


def is_healthy(port: int) -> bool:
    """Ask /health once."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def read_status(pid: int, name: str) -> float:
    """Return a size of /proc/<pid>/status in MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise LookupError(name)


def read_cpu_s(pid: int) -> float:
    """Return user and system time of a process and its threads, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
