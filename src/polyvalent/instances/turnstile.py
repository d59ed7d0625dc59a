"""
Let a bounded number of strangers' calls out at a time.

The OAuth calls need no secret, so anybody may make this platform call any public host and let it
wait there. Without a bound a few hundred slow hosts would hold every connection, and the calls of
those who do have secrets would wait behind them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from polyvalent.errors import TooOften

MOST_AT_ONCE = 64
MOST_PER_HOST = 16
# Calls end by themselves; most of them within this time.
PAUSE_S = 2.0


class Turnstile:
    """Count the calls under way, in total and for each host; belongs to one event loop."""

    def __init__(self, *, most: int = MOST_AT_ONCE, most_per_host: int = MOST_PER_HOST) -> None:
        self._most = most
        self._most_per_host = most_per_host
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def passing(self, host: str) -> Iterator[None]:
        """
        Count a call to a host as under way inside the block.

        Raises TooOften where there are too many; nobody waits here.
        """
        if self._under_way[host] >= self._most_per_host or self._under_way.total() >= self._most:
            raise TooOften(
                "Too many authorizations are being started at this moment. Try again in a few "
                "seconds.",
                retry_after_s=PAUSE_S,
            )
        self._under_way[host] += 1
        try:
            yield
        finally:
            self._under_way[host] -= 1
            if not self._under_way[host]:
                del self._under_way[host]
