"""
Run a simulated store as a process of its own, whose merchants consent at once.

    .venv/bin/python -m benchmarks.sandbox_process

The first line of output is {"url", "consumer_key", "consumer_secret"}. Then, for every request
token on standard input, the store's merchant consents and the verifier comes out: no browser, no
forms, and no work for the platform. Each consent is that of another admin user, because a store
forgets the older token of the same user and application.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field

from benchmarks.machine import ROOT
from benchmarks.serve_process import read_cpu_s
from polyvalent.sandbox.magento import StoreOptions, start_store
from polyvalent.sandbox.magento.state import Role


@dataclass(kw_only=True)
class Sandbox:
    """Hold the process of a simulated store."""

    url: str
    consumer_key: str
    consumer_secret: str = field(repr=False)
    process: subprocess.Popen[str] = field(repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def consent(self, request_token: str) -> str:
        """Let the merchant consent; return the verifier."""
        assert self.process.stdin
        assert self.process.stdout
        with self._turn:
            self.process.stdin.write(f"{request_token}\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().strip()

    @property
    def cpu_s(self) -> float:
        """Return the processor time used so far."""
        return read_cpu_s(self.process.pid)

    def stop(self) -> None:
        """Stop the store."""
        self.process.communicate()


def start_sandbox() -> Sandbox:
    """Start a store in another process and return once it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sandbox_process"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    return Sandbox(process=process, **json.loads(process.stdout.readline()))


def main() -> None:
    """Serve a store and consent to whatever comes in."""
    running = start_store(StoreOptions())
    store = running.store
    print(
        json.dumps(
            {
                "url": running.url,
                "consumer_key": store.consumer_key,
                "consumer_secret": store.consumer_secret,
            }
        ),
        flush=True,
    )
    numbers = itertools.count(1)
    for line in sys.stdin:
        admin = f"admin-{next(numbers)}"
        store.add_admin(admin, "secret", role=Role())
        token = store.tokens[line.strip()]
        store.authorize(token, admin=admin, customer_id=None)
        print(token.verifier, flush=True)
    running.stop()


if __name__ == "__main__":
    main()
