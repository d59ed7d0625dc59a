"""
Decide how long to wait before the next attempt.

Pure: the clock and chance are given.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from polyvalent.exchange import Response

SAFE_METHODS = frozenset({"GET", "HEAD"})  # of RFC 9110 section 9.2.1, those that we send
PASSING_STATUSES = frozenset({502, 503, 504})
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 10.0
LONGEST_ASKED_S = 999_999_999.0  # what dates can be reckoned with


def backoff_s(attempt: int, *, chance: float) -> float:
    """
    Return the pause after a failed attempt, in seconds: doubling, with chance in its upper half.

    Attempt 1 → 0.125 to 0.25 s, attempt 2 → 0.25 to 0.5 s, never above 10 s. `chance` is from
    0 to 1 and spreads callers that failed together.
    """
    ceiling: float = min(FIRST_PAUSE_S * 2 ** min(attempt - 1, 16), LONGEST_PAUSE_S)
    return ceiling * (0.5 + chance / 2)


def asked_pause_s(
    response: Response, *, now: datetime, headers: tuple[tuple[str, str], ...] = ()
) -> float | None:
    """
    Return the seconds that an answer asks to wait, or None where it asks for nothing readable.

    Retry-After: 120 → 120.0; "Wed, 21 Oct 2026 07:28:00 GMT" → the seconds until then, at least 0.
    `headers` are a vendor's own, asked first, each with its unit: "s", "ms", or "epoch" for the
    seconds since 1970 at which to come again: (("X-Reset-Ms", "ms"),) and "1500" → 1.5.

    Source: RFC 9110, section 10.2.3.
    """
    for name, unit in headers:
        asked_s = _read_number(response.header(name) or "")
        if asked_s is not None:
            moment_s = asked_s - now.timestamp() if unit == "epoch" else asked_s
            return min(max(0.0, moment_s / 1000 if unit == "ms" else moment_s), LONGEST_ASKED_S)
    text = (response.header("Retry-After") or "").strip()
    number = _read_number(text)
    if number is not None:
        return min(number, LONGEST_ASKED_S)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _read_number(text: str) -> float | None:
    # Some vendors write seconds with a fraction, which RFC 9110 does not know: "2.0".
    found = _NUMBER.fullmatch(text.strip())
    return float(found[0][:15]) if found else None
