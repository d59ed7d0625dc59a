"""
Decide how long to wait before the next attempt.

Pure: the clock and chance are given.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from polyvalent.exchange import Response

SAFE_METHODS = frozenset({"GET", "HEAD"})  # of RFC 9110 section 9.2.1, those that we send
PASSING_STATUSES = frozenset({502, 503, 504})
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 10.0


def backoff_s(attempt: int, *, chance: float) -> float:
    """
    Return the pause after a failed attempt, in seconds: doubling, with chance in its upper half.

    Attempt 1 → 0.125 to 0.25 s, attempt 2 → 0.25 to 0.5 s, never above 10 s. `chance` is from
    0 to 1 and spreads callers that failed together.
    """
    ceiling: float = min(FIRST_PAUSE_S * 2 ** min(attempt - 1, 16), LONGEST_PAUSE_S)
    return ceiling * (0.5 + chance / 2)


def asked_pause_s(response: Response, *, now: datetime) -> float | None:
    """
    Return the seconds that `Retry-After` asks for, or None where it is absent or unreadable.

    "120" → 120.0; "Wed, 21 Oct 2026 07:28:00 GMT" → the seconds until then, at least 0.

    Source: RFC 9110, section 10.2.3.
    """
    text = (response.header("Retry-After") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
