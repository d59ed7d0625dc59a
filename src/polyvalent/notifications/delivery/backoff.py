"""
Say how patient deliveries are: nine more attempts of each, the last after three days, and rests
of a receiver that nobody reaches. Pure.
"""

from __future__ import annotations

from datetime import timedelta

RETRIES_MAX = 9
LONGEST_REST = timedelta(minutes=1)
# What a receiver asks for beyond this is a mistake, or another way to say that it is gone.
LONGEST_ASKED = timedelta(hours=1)


def pause_after(attempts: int) -> timedelta | None:
    """
    Return how long to wait after so many failed attempts: 4, 16, 64 s … 73 h; None after the last.

    Source: spec 06 §10: 2^(2x) seconds before the retry x.
    """
    return None if attempts > RETRIES_MAX else timedelta(seconds=4**attempts)


def rest_after(steps: int, *, asked_s: float = 0.0) -> timedelta:
    """
    Return how long a receiver is left alone that was not there so many times in a row.

    Nothing after the first time, then 1, 2, 4 s … 1 min; longer where it asked for that.
    """
    own = min(timedelta(seconds=2.0 ** min(steps - 2, 20)), LONGEST_REST) if steps > 1 else None
    asked = min(timedelta(seconds=asked_s), LONGEST_ASKED)
    return max(own or timedelta(), asked)
