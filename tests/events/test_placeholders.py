"""Placeholders of polled addresses are filled with a moment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from polyvalent.errors import BadRequest
from polyvalent.events.placeholders import fill_placeholders

MOMENT = datetime(2024, 3, 5, 9, 31, 7, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("where=t>'${gmtDate:yyyy-MM-dd HH:mm:ss}'", "where=t>'2024-03-05 09:31:07'"),
        ("${date:yyyy-MM-dd'T'HH:mm:ss'Z'}", "2024-03-05T09:31:07Z"),
        ("${gmtDate:yyyy-MM-dd'T'HH:mm:ss.SSSXXX}", "2024-03-05T09:31:07.250Z"),
        ("${dateTimeZone:America/New_York:yyyy-MM-dd HH:mm}", "2024-03-05 04:31"),
        ("${gmtDate:EEE, dd MMM yyyy HH:mm:ss Z}", "Tue, 05 Mar 2024 09:31:07 +0000"),
        ("${epoch}", "1709631067250"),
        ("${epoch:ms} ${milliseconds}", "1709631067250 1709631067250"),
        ("${epoch:s}", "1709631067"),
        ("${epoch:us}", "1709631067250000"),
        ("nothing {here}", "nothing {here}"),
    ],
)
def test_it_fills(text: str, filled: str) -> None:
    assert fill_placeholders(text, MOMENT) == filled


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${now}", "not known"),
        ("${date}", "not known"),
        ("${epoch:days}", "not known"),
        ("${dateTimeZone:Mars:yyyy}", "time zone 'Mars'"),
        ("${date:QQQQ}", "cannot be written"),
    ],
)
def test_it_refuses(text: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        fill_placeholders(text, MOMENT)
