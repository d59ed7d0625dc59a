"""Keep the attempts of one call, when its caller asked to see them."""

from __future__ import annotations

from polyvalent.instances.reach import Attempt


class Watch:
    """Collect attempts; a watch that is off keeps nothing."""

    def __init__(self, *, on: bool = False) -> None:
        self.on = on
        self.attempts: list[Attempt] = []

    def observe(self, attempt: Attempt) -> None:
        """Keep an attempt for the trace."""
        if self.on:
            self.attempts.append(attempt)
