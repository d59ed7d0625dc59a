"""
Count what a download reads, and say in the end what is proven about it. Pure.

The count is fed page by page and needs a few hundred bytes, however many rows there are. It says
that rows are distinct where their keys only ever rose; else the caller tells it which rows it has
seen before (`marks`).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import lt
from typing import Any, Literal

import orjson
from msgspec import Struct

from polyvalent.vault import KeyRing, UnknownKey, digest

PURPOSE = "bulk.receipt"
# How completeness is shown. keyset: each page was asked for behind the last row before, by a key
# that never changes. counts: pages were asked for by number or token, and the vendor told the
# number of rows before and after. whole: everything came in one answer.
Proof = Literal["keyset", "counts", "whole"]


class Tally(Struct, kw_only=True, omit_defaults=True):
    """Hold what was counted so far; as JSON it is part of the checkpoint."""

    rows: int = 0  # written
    read: int = 0  # received from the vendor
    pages: int = 0
    chain: str = ""  # digest of the pages' fingerprints up to here
    repeated_rows: int = 0
    repeated_pages: int = 0
    short_pages: int = 0  # with fewer rows than asked for although more followed
    reordered_pages: int = 0
    missing_keys: int = 0  # numbers between the keys that no row had
    lowest: str | None = None
    highest: str | None = None
    keyless_rows: int = 0
    changed_rows: int = 0  # whose date of change lies behind the start
    created_rows: int = 0  # and whose date of creation does
    total_before: int | None = None
    total_after: int | None = None
    new_rows: int = 0  # where rows are compared with those of the run before
    modified_rows: int = 0
    deleted_rows: int = 0
    failed_rows: int = 0  # without something that belongs to them
    stopped: str = ""  # why the read ended before the vendor said so


@dataclass(frozen=True, kw_only=True, slots=True)
class PageFacts:
    """Say what was found on one page; `keys` are those of its new rows, in their order."""

    fingerprint: str
    received: int
    repeated: int = 0
    short: bool = False
    reordered: bool = False
    keyless: int = 0
    changed: int = 0
    created: int = 0
    total: int | None = None
    stopped: str = ""
    keys: Sequence[str] = ()
    numbers: Sequence[int] | None = None  # the same keys where all of them are numbers


def fingerprint(body: bytes) -> str:
    """Return what tells one answer of the vendor from another: 16 hex digits."""
    return sha256(body).hexdigest()[:16]


def note_page(tally: Tally, facts: PageFacts) -> None:
    """Count a page."""
    tally.pages += 1
    tally.chain = sha256(f"{tally.chain}{facts.fingerprint}".encode()).hexdigest()
    tally.read += facts.received
    tally.repeated_rows += facts.repeated
    tally.repeated_pages += bool(facts.received) and facts.repeated == facts.received
    tally.short_pages += facts.short
    tally.reordered_pages += facts.reordered
    tally.keyless_rows += facts.keyless
    tally.changed_rows += facts.changed
    tally.created_rows += facts.created
    tally.stopped = facts.stopped
    if facts.total is not None:
        if tally.total_before is None:
            tally.total_before = facts.total
        tally.total_after = facts.total
    if facts.numbers:
        _note_numbers(tally, facts.numbers)
    elif facts.keys:
        tally.lowest = min((*(() if tally.lowest is None else (tally.lowest,)), *facts.keys))
        tally.highest = max((*(() if tally.highest is None else (tally.highest,)), *facts.keys))


def are_rising(numbers: Sequence[int]) -> bool:
    """Say whether each number is greater than the one before."""
    return all(map(lt, numbers, numbers[1:]))


def _note_numbers(tally: Tally, numbers: Sequence[int]) -> None:
    lowest, highest = min(numbers), max(numbers)
    width = highest - lowest + 1
    if tally.highest is None or tally.lowest is None:
        tally.missing_keys += width - len(numbers)
        tally.lowest, tally.highest = str(lowest), str(highest)
        return
    before_lowest, before_highest = int(tally.lowest), int(tally.highest)
    if lowest > before_highest:
        tally.missing_keys += lowest - before_highest - 1 + width - len(numbers)
        tally.highest = str(highest)
    elif highest < before_lowest:  # read downwards
        tally.missing_keys += before_lowest - highest - 1 + width - len(numbers)
        tally.lowest = str(lowest)
    else:  # in no order: what is missing is counted as if all lay in one stretch
        wider = max(highest, before_highest) - min(lowest, before_lowest) + 1
        known = before_highest - before_lowest + 1 - tally.missing_keys
        tally.missing_keys = max(0, wider - known - len(numbers))
        tally.lowest = str(min(lowest, before_lowest))
        tally.highest = str(max(highest, before_highest))


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Hold what a receipt says beside the count."""

    job_id: int
    instance_id: int
    element_key: str
    object_name: str
    statement_fingerprint: str
    key_field: str
    # pages: by number, and no number of rows was told; tokens: by those of the vendor, likewise.
    by: Proof | Literal["pages", "tokens"]
    filtered: bool  # so that missing keys say nothing
    limited: bool  # a limit ended it before the vendor's rows did
    changed_field: str | None
    created_field: str | None
    incremental: dict[str, Any] | None
    started_at: str
    finished_at: str
    vendor_clock_s: float | None  # how far the vendor's clock is ahead
    watermark: str | None  # if it is proven


def reasons_of(tally: Tally, facts: Facts) -> tuple[str, ...]:
    """Say why it is not proven that every row is there; empty if it is proven."""
    reasons = []
    if tally.keyless_rows:
        reasons.append(
            f"{tally.keyless_rows} rows came without their key {facts.key_field}, so that the same "
            "one cannot be told from another; allow the vendor's user to see it"
        )
    if facts.by == "pages" and tally.rows and not facts.limited:
        reasons.append(
            "the vendor gives pages by number only and does not tell how many rows there are: a "
            "row that was deleted during the read may have moved another one past it"
        )
    if facts.by == "tokens" and tally.rows and not facts.limited:
        reasons.append(
            "the vendor leads from page to page by tokens of its own and does not tell how many "
            "rows there are: whether they led to every row cannot be told from outside"
        )
    if tally.stopped:
        reasons.append(tally.stopped)
    if facts.by == "counts" and not facts.limited:
        before, after, distinct = tally.total_before, tally.total_after, distinct_of(tally)
        if before != after:
            reasons.append(
                f"the vendor had {before} rows at the start and {after} at the end, and cannot be "
                "asked for the rows behind one"
            )
        elif before != distinct:
            reasons.append(f"the vendor tells of {before} rows, but {distinct} were read")
    if tally.failed_rows:
        reasons.append(
            f"{tally.failed_rows} rows are without something that belongs to them; "
            "GET /bulk/{id}/errors tells why"
        )
    return tuple(reasons)


def distinct_of(tally: Tally) -> int:
    """Return how many different rows the vendor gave."""
    return tally.read - tally.repeated_rows


def make_receipt(tally: Tally, facts: Facts) -> dict[str, Any]:
    """Make the receipt of a download that has ended, still unsealed."""
    reasons = reasons_of(tally, facts)
    missing = None if facts.filtered or tally.highest is None else tally.missing_keys
    numeric = tally.highest is None or tally.highest.lstrip("-").isdigit()
    return {
        "version": 1,
        "jobId": str(facts.job_id),
        "instanceId": facts.instance_id,
        "elementKey": facts.element_key,
        "objectName": facts.object_name,
        "statement": facts.statement_fingerprint,
        "complete": not reasons,
        "reasons": list(reasons),
        "proof": None if reasons or facts.by in ("pages", "tokens") else facts.by,
        "limited": facts.limited,
        "rows": tally.rows,
        "received": tally.read,
        "distinct": distinct_of(tally),
        "keyField": facts.key_field,
        "lowestKey": tally.lowest,
        "highestKey": tally.highest,
        "vendorTotal": tally.total_after,
        "pages": {
            "count": tally.pages,
            "fingerprint": tally.chain,
            "short": tally.short_pages,
            "putInOrder": tally.reordered_pages,
        },
        "repeats": {
            "rows": tally.repeated_rows,
            "pages": tally.repeated_pages,
            "done": "left out" if tally.repeated_rows else "nothing",
        },
        "gaps": {
            "keys": missing if numeric else None,
            "done": "nothing: no row came with them; one that was being written comes next time"
            if missing
            else "nothing",
        },
        "changedDuringRead": None
        if facts.changed_field is None
        else {
            "rows": tally.changed_rows,
            "field": facts.changed_field,
            "done": "the next run reads them again" if tally.changed_rows else "nothing",
        },
        "createdDuringRead": None
        if facts.created_field is None
        else {"rows": tally.created_rows, "field": facts.created_field},
        "failedRows": tally.failed_rows,
        "incremental": facts.incremental,
        "clock": {
            "startedAt": facts.started_at,
            "finishedAt": facts.finished_at,
            "vendorAheadS": facts.vendor_clock_s,
        },
        "watermark": None if reasons else facts.watermark,
    }


def seal_receipt(ring: KeyRing, receipt: dict[str, Any]) -> dict[str, Any]:
    """Return a receipt with its seal: an HMAC-SHA256 over all else, under the current key."""
    return {**receipt, "seal": digest(ring.current, _canonical(receipt), purpose=PURPOSE)}


def is_intact(ring: KeyRing, receipt: dict[str, Any]) -> bool | None:
    """Say whether a sealed receipt is as it was made; None if its key is not there any more."""
    seal = receipt.get("seal")
    if not isinstance(seal, str):
        return False
    rest = {name: value for name, value in receipt.items() if name != "seal"}
    try:
        term = ring.term(seal.partition(".")[0])
    except UnknownKey:
        return None
    return hmac.compare_digest(seal, digest(term, _canonical(rest), purpose=PURPOSE))


def summary_of(receipt: dict[str, Any]) -> dict[str, Any]:
    """Return what a callback carries of a receipt: without what only an auditor reads."""
    names = ("complete", "reasons", "rows", "distinct", "lowestKey", "highestKey", "watermark")
    return {**{name: receipt[name] for name in names if name in receipt}, "seal": receipt["seal"]}


def _canonical(receipt: dict[str, Any]) -> str:
    return orjson.dumps(receipt, option=orjson.OPT_SORT_KEYS).decode()
