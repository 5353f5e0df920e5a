"""F26: late, future, missing, relative and lunar times. Figure: misplaced 0 of 100, on the page and in the store."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from crawlers.extractors import extract, parse_time
from tests.faults.f26_times import CASES, FUTURE, Case
from vocwatch.models import MentionRecord, Page
from vocwatch.settings.sources import Source, Step
from vocwatch.store import Store, mentions
from vocwatch.store.mentions import MentionRow
from vocwatch.store.schema import mentions as table

ZONE = ZoneInfo("Asia/Shanghai")
LATER = dt.timedelta(hours=6)
SOURCE = Source.model_validate({
    "name": "times", "title": "时间", "owner": "值班QA", "start": ["https://example.com/"],
    "access": {"basis": "测试", "robots": "允许", "reviewer": "值班QA", "date": "2026-11-01"},
    "detail": {"extract": "html", "records": [{
        "kind": "post", "items": "article", "fields": {"native_id": "@id", "text": "p", "published_at": "time"},
    }]},
})


def moment(local: str) -> dt.datetime:
    return dt.datetime.fromisoformat(local).replace(tzinfo=ZONE).astimezone(dt.UTC)


def capped(case: Case) -> dt.datetime | None:
    """Where the case belongs: what its text means, but never after it was read."""
    return min(moment(case[2]), moment(case[1])) if case[2] else None


def on_pages() -> list[tuple[dt.datetime, list[Case], list[MentionRecord]]]:
    """All cases read from pages, one page for each moment of reading."""
    found = []
    numbered = sorted(enumerate(CASES), key=lambda pair: pair[1][1])
    for now, cases in groupby(numbered, key=lambda pair: pair[1][1]):
        group = list(cases)
        body = "".join(f"<article id=t{number}><p>第{number}条</p><time>{case[0]}</time></article>"
                       for number, case in group)
        page = Page("https://example.com/", body.encode(), moment(now), request_url="https://example.com/")
        step = SOURCE.detail
        assert isinstance(step, Step)
        records = extract(page, step, SOURCE, moment(now), ZONE).records
        found.append((moment(now), [case for _, case in group], records))
    return found


def test_there_are_a_hundred_different_cases() -> None:
    assert len(CASES) == len({case[:2] for case in CASES}) == 100


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} @{case[1][5:]}")
def test_a_time_means_what_people_mean(case: Case) -> None:
    text, now, expected, precision = case
    found, told = parse_time(text, moment(now), ZONE)
    assert (found, told) == (moment(expected) if expected else None, precision)


def test_on_a_page_what_lies_ahead_is_capped_and_flagged() -> None:
    misplaced, flagged = [], 0
    for now, cases, records in on_pages():
        assert len(records) == len(cases)
        for case, record in zip(cases, records, strict=True):
            ahead = bool(case[2]) and moment(str(case[2])) > now
            if record.published_at != capped(case) or bool(record.extra.get("future")) != ahead:
                misplaced.append((case, record))
            flagged += ahead
    assert not misplaced and flagged == len(FUTURE)


def test_in_the_store_the_moment_of_reading_stays_beside_the_moment_of_writing(store: Store) -> None:
    read: dict[str, dt.datetime] = {}
    wanted: dict[str, dt.datetime | None] = {}
    for now, cases, records in on_pages():
        rows = [
            MentionRow(record.native_id, record.url, "post", record.text, published_at=record.published_at,
                       precision=record.precision if record.published_at else "none")
            for record in records
        ]
        for seen in (now, now + LATER):  # read again: nothing moves but the last sight
            with store.begin() as connection:
                mentions.save(connection, "times", rows, seen)
        read.update((row.native_id, now) for row in rows)
        wanted.update((row.native_id, capped(case)) for row, case in zip(rows, cases, strict=True))
    with store.read() as connection:
        stored = {row.native_id: row for row in connection.execute(sa.select(table))}
    assert len(stored) == 100
    assert {key: row.published_at for key, row in stored.items()} == wanted
    assert {key: row.first_seen_at for key, row in stored.items()} == read
    assert all(row.last_seen_at == row.first_seen_at + LATER for row in stored.values())


def test_the_store_caps_what_no_page_was_asked_about(store: Store) -> None:
    now = moment("2026-11-16 08:30")
    row = MentionRow("x", "https://example.com/x", "post", "正文", published_at=now + dt.timedelta(days=400),
                     precision="minute")
    with store.begin() as connection:
        mentions.save(connection, "times", [row], now)
        assert connection.execute(sa.select(table.c.published_at)).scalar_one() == now
