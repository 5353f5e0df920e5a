"""Times as sites print them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.extractors import parse_time

ZONE = ZoneInfo("Asia/Shanghai")
NOW = dt.datetime(2026, 11, 16, 8, 30, tzinfo=ZONE)  # a Monday

READ = [
    ("刚刚", "2026-11-16 08:30", "minute"), ("3分钟前", "2026-11-16 08:27", "minute"),
    ("半小时前", "2026-11-16 08:00", "minute"), ("一个半小时前", "2026-11-16 07:00", "hour"),
    ("3小时前", "2026-11-16 05:30", "hour"), ("今天 07:30", "2026-11-16 07:30", "minute"),
    ("昨天 12:30", "2026-11-15 12:30", "minute"), ("昨天23:10", "2026-11-15 23:10", "minute"),
    ("前天 12:30", "2026-11-14 12:30", "minute"), ("昨晚8点", "2026-11-15 20:00", "hour"),
    ("三天前", "2026-11-13 00:00", "day"), ("十二天前", "2026-11-04 00:00", "day"), ("2周前", "2026-11-02 00:00", "day"),
    ("11-20", "2025-11-20 00:00", "day"), ("11-10", "2026-11-10 00:00", "day"), ("11-16", "2026-11-16 00:00", "day"),
    ("12-30", "2025-12-30 00:00", "day"), ("11-10 08:15", "2026-11-10 08:15", "minute"),
    ("2025-12-30", "2025-12-30 00:00", "day"), ("2026.11.03", "2026-11-03 00:00", "day"),
    ("11月21日", "2025-11-21 00:00", "day"), ("11月1日 9:05", "2026-11-01 09:05", "minute"),
    ("2026年11月3日 12:05", "2026-11-03 12:05", "minute"), ("2026年11月3日下午3点半", "2026-11-03 15:30", "minute"),
    ("2026/11/3 下午2:05:09", "2026-11-03 14:05:09", "second"), ("去年12月3日", "2025-12-03 00:00", "day"),
    ("编辑于 11-20", "2025-11-20 00:00", "day"), ("编辑于 11-02 上海", "2026-11-02 00:00", "day"),
    ("发布于 2020年10月16日 08:48", "2020-10-16 08:48", "minute"), ("06月05日 11:11 来自iPhone", "2026-06-05 11:11", "minute"),
    ("周三", "2026-11-11 00:00", "day"), ("上周三 下午3点", "2026-11-11 15:00", "hour"), ("星期一 07:00", "2026-11-16 07:00", "minute"),
    ("07:30", "2026-11-16 07:30", "minute"), ("23:10", "2026-11-15 23:10", "minute"), ("上午 8:05", "2026-11-16 08:05", "minute"),
    ("2026-11-03T12:05:00Z", "2026-11-03 20:05", "second"), ("2026-11-03T12:05:00.123+08:00", "2026-11-03 12:05", "second"),
    ("2026-11-03 12:05:01 +0900", "2026-11-03 11:05:01", "second"),
    ("Fri Jun 14 20:39:20 +0800 2019", "2019-06-14 20:39:20", "second"), ("Mon, 15 Sep 2025 04:28:03 GMT", "2025-09-15 12:28:03", "second"),
    ("1744776696", "2025-04-16 12:11:36", "second"), ("1744776738000", "2025-04-16 12:12:18", "second"),
    ("20251230123001", "2025-12-30 12:30:01", "second"), ("20251230", "2025-12-30 00:00", "day"),
    ("11/20/2025", "2025-11-20 00:00", "day"), ("20/11/2025", "2025-11-20 00:00", "day"), ("25-12-30", "2025-12-30 00:00", "day"),
    ("3 hours ago", "2026-11-16 05:30", "hour"), ("an hour ago", "2026-11-16 07:30", "hour"), ("yesterday", "2026-11-15 00:00", "day"),
    ("Jul 3, 2024", "2024-07-03 00:00", "day"), ("Reviewed in Italy on 16 July 2022", "2022-07-16 00:00", "day"),
    ("Nov 3, 2026, 2:05 PM", "2026-11-03 14:05", "minute"), ("Dec 25", "2025-12-25 00:00", "day"),
    ("02-29", "2024-02-29 00:00", "day"), ("１１-１０　０８：１５", "2026-11-10 08:15", "minute"),
    ("1年前", "2025-11-16 00:00", "none"), ("2020-05", "2020-05-01 00:00", "none"), ("2019年10月", "2019-10-01 00:00", "none"), (1370598600.0, "2013-06-07 17:50", "second"), (1744776696, "2025-04-16 12:11:36", "second"),
]
NO_TIME = [
    "", "  ", None, True, "2026-02-30", "13-45", "2026-11-03 25:61", "3/4/2026", "1.2万", "赞 12", "几天前", "置顶", "2020-13", "版本 2020-05",
    "0", 0, -5, float("nan"), float("inf"), "99999999999999999999", "00-00", "版本 3.4.3",
]


@pytest.mark.parametrize(("text", "local", "precision"), READ, ids=lambda value: str(value)[:30])
def test_reads(text: object, local: str, precision: str) -> None:
    moment, found = parse_time(text, NOW, ZONE)
    assert moment is not None and moment.utcoffset() == dt.timedelta(0)
    assert (moment.astimezone(ZONE).replace(tzinfo=None), found) == (dt.datetime.fromisoformat(local), precision)


@pytest.mark.parametrize("text", NO_TIME, ids=lambda value: str(value)[:30])
def test_gives_nothing_for_what_is_no_time(text: object) -> None:
    assert parse_time(text, NOW, ZONE) == (None, "none")


def test_new_year_rolls_back() -> None:
    first = dt.datetime(2027, 1, 1, 0, 5, tzinfo=ZONE)
    assert parse_time("12-31 23:50", first, ZONE)[0] == dt.datetime(2026, 12, 31, 23, 50, tzinfo=ZONE)
    assert parse_time("昨天 23:50", first, ZONE)[0] == dt.datetime(2026, 12, 31, 23, 50, tzinfo=ZONE)
    assert parse_time("01-01", first, ZONE)[0] == dt.datetime(2027, 1, 1, tzinfo=ZONE)


def test_the_day_is_the_zones_own() -> None:
    """16:30 in UTC is already the next day in Shanghai."""
    late = dt.datetime(2026, 11, 15, 16, 30, tzinfo=dt.UTC)
    assert parse_time("今天", late, ZONE)[0] == dt.datetime(2026, 11, 16, tzinfo=ZONE)


@given(st.text(max_size=80) | st.integers() | st.floats())
@settings(deadline=None, max_examples=300)
def test_never_raises(text: object) -> None:
    moment, precision = parse_time(text, NOW, ZONE)
    assert (moment is None) <= (precision == "none")
    assert moment is None or moment.tzinfo is not None


@given(st.datetimes(dt.datetime.fromisoformat("2000-01-01"), dt.datetime.fromisoformat("2026-11-15")))
@settings(deadline=None, max_examples=150)
def test_what_is_printed_is_read_back(moment: dt.datetime) -> None:
    minute = moment.replace(second=0, microsecond=0)
    for form in ("%Y-%m-%d %H:%M", "%Y年%m月%d日 %H:%M", "%Y/%m/%d %H:%M", "发布于 %Y.%m.%d %H:%M 浙江"):
        found, precision = parse_time(minute.strftime(form), NOW, ZONE)
        assert found == minute.replace(tzinfo=ZONE) and precision == "minute"


@given(st.dates(min_value=dt.date(2025, 11, 17), max_value=dt.date(2026, 11, 16)))
@settings(deadline=None, max_examples=150)
def test_a_date_without_year_is_the_latest_one(date: dt.date) -> None:
    for form in ("%m-%d", "%m月%d日", "编辑于 %m-%d 上海"):
        found, precision = parse_time(date.strftime(form), NOW, ZONE)
        assert found is not None and found.astimezone(ZONE).date() == date and precision == "day"
