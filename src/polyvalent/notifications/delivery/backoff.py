"""Say how patient deliveries are: nine more attempts, the last after three days. Pure."""

from __future__ import annotations

from datetime import timedelta

RETRIES_MAX = 9


def pause_after(attempts: int) -> timedelta | None:
    """
    Return how long to wait after so many failed attempts: 4, 16, 64 s … 73 h; None after the last.

    Source: spec 06 §10: 2^(2x) seconds before the retry x.
    """
    return None if attempts > RETRIES_MAX else timedelta(seconds=4**attempts)
