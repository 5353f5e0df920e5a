"""Cells to values."""

from __future__ import annotations

import contextlib
import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.values import LostDigits, flag_of, id_of, moment_of, number_of, seconds_of, stars_of, text_of

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    "cell",
    [
        "2026/9/14 9:05",
        "2026-09-14 09:05:00",
        "2026-09-14T09:05:00",
        "2026.9.14 9:05",
        "2026年9月14日 9时5分",
        "20260914 090500",
        "20260914090500",
        "2026/9/14 上午9:05",
        "2026-09-14 09:05:00.000",
        "2026-09-14T01:05:00Z",
        "2026-09-14T09:05:00+08:00",
        "２０２６/9/14 9：05",
        dt.datetime.combine(dt.date(2026, 9, 14), dt.time(9, 5)),
        1789347900,
        1789347900000,
        "1789347900",
        "2026/9/14 9:05 AM",
        46279 + (9 * 60 + 5) / 1440,
    ],
)
def test_times_as_exports_write_them(cell: object) -> None:
    assert moment_of(cell, ZONE) == dt.datetime(2026, 9, 14, 1, 5, tzinfo=dt.UTC)


def test_afternoon_and_bare_dates() -> None:
    assert moment_of("2026/9/14 下午3:05", ZONE).astimezone(ZONE).hour == 15
    assert moment_of("2026/9/14 上午12:05", ZONE).astimezone(ZONE).hour == 0
    assert (
        moment_of("2026/9/14", ZONE)
        == moment_of(dt.date(2026, 9, 14), ZONE)
        == dt.datetime(2026, 9, 13, 16, tzinfo=dt.UTC)
    )


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "昨天",
        "2026/2/30 10:05",
        "2026/13/1",
        "2026/9/14 25:00",
        "1999-12-31",
        "9/14",
        True,
        None,
        12,
        float("nan"),
    ],
)
def test_impossible_times_say_why(cell: object) -> None:
    with pytest.raises(ValueError, match="时间"):
        moment_of(cell, ZONE)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.from_regex(r"\d{4}[-/年]\d{1,3}[-/月]\d{1,3}日? ?\d{0,3}:?\d{0,3}", fullmatch=True),
        st.floats(),
        st.integers(),
    )
)
def test_any_cell_is_a_time_or_a_value_error(cell: object) -> None:
    with contextlib.suppress(ValueError, OverflowError):
        assert moment_of(cell, ZONE).tzinfo is not None


def test_long_ids_stay_text_and_rounded_ones_are_noticed() -> None:
    assert id_of("1234567890123456789\t") == "1234567890123456789"
    assert id_of('="1234567890123456789"') == "1234567890123456789"
    assert id_of("'0012345") == "0012345"
    assert id_of(12345.0) == "12345"
    for rounded in (1.234567890123457e18, "1.23457E+18"):
        with pytest.raises(LostDigits):
            id_of(rounded)


def test_numbers_durations_flags_stars() -> None:
    assert number_of("¥1,299.50元") == 1299.5
    assert number_of("") is None
    assert seconds_of("00:01:20") == seconds_of("1分20秒") == seconds_of(80) == seconds_of("80秒") == 80
    assert flag_of("已解决") is True and flag_of("否") is False and flag_of("-") is None
    assert stars_of("★★☆☆☆") == stars_of("2星") == stars_of("2") == 2
    assert stars_of("不满意") is None
    for bad in (number_of, seconds_of, flag_of):
        with pytest.raises(ValueError, match="应为"):
            bad("也许")


def test_text_is_clean_but_otherwise_as_it_was() -> None:
    assert text_of("a\r\nb\x00\x1b[31m\ud800\ufeff ") == "a\nb[31m"
    assert text_of('=HYPERLINK("http://x")') == '=HYPERLINK("http://x")'
    assert text_of("#N/A") == ""
    assert text_of(3.0) == "3"
