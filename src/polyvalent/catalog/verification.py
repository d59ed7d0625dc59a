"""
Judge what a verification read shows: whether credentials see what an integration needs.

Pure; who asks the vendor, and in which order, is decided elsewhere.
"""

from __future__ import annotations

from typing import Any

import msgspec

from polyvalent.catalog.element import VerificationRead
from polyvalent.catalog.words import provider_message
from polyvalent.errors import Forbidden, VendorError, VendorFailure, VendorRefused
from polyvalent.exchange import Response


def judge_rows(read: VerificationRead, response: Response) -> VendorError | None:
    """
    Judge the rows of a verification read that the vendor permitted; None when nothing is amiss.

    Every row must have every expected field. A vendor without rows yet proves nothing, but is no
    reason to refuse either.
    Returns VendorRefused 403 for rows that show too little, VendorFailure for what are no rows.
    """
    try:
        data: Any = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        data = None
    rows = list(data.values()) if isinstance(data, dict) else data
    if not isinstance(rows, list):
        return VendorFailure(
            "The address answered, but not with rows as this vendor's API would. Check the address "
            "of the vendor in the configuration, and that nothing in front of it answers instead.",
            provider_message=provider_message(response),
        )
    for row in rows:
        if not row:
            return _too_little(read.when_rows_empty or read.otherwise)
        if not isinstance(row, dict) or not all(name in row for name in read.expect_fields):
            return _too_little(read.otherwise or read.when_rows_empty)
    return None


def _too_little(text: str) -> VendorError:
    return VendorRefused(
        text or "The credentials work, but see less than an integration needs.",
        status=Forbidden.status,
    )
