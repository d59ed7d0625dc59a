"""Masks write what Java writes, and read back what they write."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.date_mask import compile_date_mask

BERLIN = ZoneInfo("Europe/Berlin")
FIRST, LAST = datetime(1971, 1, 1), datetime(9000, 1, 1)  # noqa: DTZ001  # naive for hypothesis
MOMENT = datetime(2024, 2, 1, 15, 4, 5, 678_000, tzinfo=UTC)

# Written by Java 17's SimpleDateFormat, Locale.ENGLISH, in UTC and in Europe/Berlin.
WRITTEN = [
    ("yyyy-MM-dd'T'HH:mm:ssXXX", "2024-02-01T15:04:05Z", "2024-02-01T16:04:05+01:00"),
    ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2024-02-01T15:04:05.678+0000", "2024-02-01T16:04:05.678+0100"),
    ("yyyy-MM-dd HH:mm:ss", "2024-02-01 15:04:05", "2024-02-01 16:04:05"),
    ("EEE, dd MMM yyyy HH:mm:ss Z", "Thu, 01 Feb 2024 15:04:05 +0000",
     "Thu, 01 Feb 2024 16:04:05 +0100"),
    ("EEEE d MMMM yy", "Thursday 1 February 24", "Thursday 1 February 24"),
    ("M/d/yyyy h:mm a", "2/1/2024 3:04 PM", "2/1/2024 4:04 PM"),
    ("yyyyMMddHHmmss", "20240201150405", "20240201160405"),
    ("hh 'o''clock' a, X", "03 o'clock PM, Z", "04 o'clock PM, +01"),
    ("yyyy-MM-ddTHH:mm:ssXX", "2024-02-01T15:04:05Z", "2024-02-01T16:04:05+0100"),
]  # fmt: skip


@pytest.mark.parametrize(("mask", "in_utc", "in_berlin"), WRITTEN)
def test_a_mask_writes_moments_as_clocks_show_them(mask: str, in_utc: str, in_berlin: str):
    assert compile_date_mask(mask).write(MOMENT) == in_utc
    assert compile_date_mask(mask, BERLIN).write(MOMENT) == in_berlin


@pytest.mark.parametrize(("mask", "in_utc", "in_berlin"), WRITTEN)
def test_a_mask_reads_what_it_writes(mask: str, in_utc: str, in_berlin: str):
    for zone, text in ((UTC, in_utc), (BERLIN, in_berlin)):
        compiled = compile_date_mask(mask, zone)
        read = compiled.read(text)
        assert read is not None or "yyyy" not in mask
        if read is not None and {"HH", "yyyy"} <= compiled.words:
            assert abs(read - MOMENT) < timedelta(seconds=1)
            assert read.utcoffset() == timedelta()


@given(
    st.datetimes(min_value=FIRST, max_value=LAST),
    st.sampled_from(
        [
            "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            "EEE, d MMM yyyy hh:mm:ss.SSS a Z",
            "yyyyMMddHHmmssSSSXX",
            "epochMillis",
        ]
    ),
    st.sampled_from([UTC, BERLIN, ZoneInfo("America/St_Johns")]),
)
def test_a_moment_comes_back_through_a_mask(naive: datetime, mask: str, zone: ZoneInfo):
    moment = naive.replace(microsecond=naive.microsecond // 1000 * 1000, tzinfo=UTC)
    compiled = compile_date_mask(mask, zone)
    assert compiled.read(compiled.write(moment)) == moment


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        ("yyyy-MM-dd", "2024-02-30"),
        ("yyyy-MM-dd", "2024-2-3"),
        ("hh:mm a", "13:00 PM"),
        ("yyyy-MM-dd", "2024-02-01 "),
        ("epochSeconds", "soon"),
        ("epochSeconds", "9" * 30),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2024-02-01T15:04:05"),
    ],
)
def test_what_is_no_date_of_the_mask_is_none(mask: str, text: str):
    assert compile_date_mask(mask).read(text) is None


@pytest.mark.parametrize(("mask", "said"), [("QQ", "'QQ'"), ("yyyy 'x", "open quote")])
def test_a_mask_that_makes_no_sense_is_refused(mask: str, said: str):
    with pytest.raises(ValueError, match=said):
        compile_date_mask(mask)


@pytest.mark.parametrize("mask", ["dM" * 12, "d'1'" * 24, "SsmH" * 6, "EEE EEEE" + "dMyyyy" * 9])
def test_reads_no_text_for_long(mask: str) -> None:
    """Anybody may write a mask, and its store the text."""
    read = compile_date_mask(mask).read
    for text in ("1" * 60 + "x", "Monday" * 9 + "1" * 40 + "x"):
        started_s = time.perf_counter()
        assert read(text) is None
        assert time.perf_counter() - started_s < 0.1


def test_takes_no_mask_without_end() -> None:
    with pytest.raises(ValueError, match="longer than 200 characters"):
        compile_date_mask("d " * 101)
