"""
Tell from a row's dates, and from what it was before, what became of an object. Pure.

By dates alone: created when it was last changed is CREATED, changed later is UPDATED, changed not
since the last look is nothing. A digest of the row tells what dates do not show.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import orjson

from polyvalent.date_mask import compile_date_mask
from polyvalent.events.member import find_value
from polyvalent.events.model import EventType
from polyvalent.events.poll_configuration import DateField, Polled

DIGEST_BYTES = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """
    Say what a row's dates tell.

    `type` is None for a row that did not change since; `later` says that it is dated in the future
    and to be looked at again; `changed_at` is None for a row without a date that can be read.
    """

    type: EventType | None
    changed_at: datetime | None
    later: bool = False


def read_moment(row: Any, field: DateField | None) -> datetime | None:
    """Read a date of a row: by its mask, else as ISO 8601 or a number of seconds; None if none."""
    value = None if field is None else find_value(row, field.path)
    if field is None or value is None or isinstance(value, bool):
        return None
    text = str(value).strip()
    if field.mask:
        found = compile_date_mask(field.mask, field.clock).read(text)
        if found is not None:
            return found
    try:
        if isinstance(value, int | float):
            # What is too large for seconds are milliseconds.
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=field.clock)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def classify(row: Any, polled: Polled, *, since: datetime, now: datetime) -> Verdict:
    """Tell what became of a row since a moment, as far as its dates know."""
    updated, created = read_moment(row, polled.updated), read_moment(row, polled.created)
    moment = (updated or created) if polled.by_updated else created
    if moment is None:
        return Verdict(type=None, changed_at=None)
    if moment <= since:
        return Verdict(type=None, changed_at=moment)
    if polled.until_now and moment > now:
        return Verdict(type=None, changed_at=moment, later=True)
    if updated is None or created is None:
        type_ = EventType.CREATED if polled.updated is None else EventType.UPDATED
    elif abs(updated - created) <= timedelta(seconds=polled.tolerance_s):
        type_ = EventType.CREATED
    else:
        type_ = EventType.UPDATED
    return Verdict(type=type_, changed_at=moment)


def digest_row(row: Any) -> str:
    """Digest a row, the order of its members aside: 32 hexadecimal digits."""
    plain = orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
    return blake2b(plain, digest_size=DIGEST_BYTES).hexdigest()


def decide(
    verdict: Verdict, *, digest: str, known: str | None, complete: bool, whole: bool
) -> EventType | None:
    """
    Decide which event a row is, if any.

    `known` is the row's digest when it was last seen. `complete` says that all rows had been seen
    before, so that one without a digest is new; `whole` that this read asks for all of them.
    """
    if verdict.later or known == digest:
        return None
    if known is not None:
        return EventType.UPDATED
    if verdict.type is not None:
        return verdict.type
    if complete and (whole or verdict.changed_at is None):
        return EventType.CREATED
    return None
