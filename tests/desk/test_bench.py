"""The laboratory over the store: what is new, changed or erased is seen; on both databases."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from sentiment.bench import Bench
from sentiment.run import analyse
from tests.desk.kit import settings_at
from vocwatch.clock import FixedClock
from vocwatch.settings import Settings
from vocwatch.store import Store, mentions, recent
from vocwatch.store import feedback as words
from vocwatch.store import schema as s
from vocwatch.store.feedback import Feedback, Subject
from vocwatch.store.mentions import MentionRow

NOW = dt.datetime(2026, 11, 16, 1, tzinfo=dt.UTC)
LEAK: dict[str, object] = {"id": "leak", "kind": "keyword", "name": "漏水"}


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    return settings_at(tmp_path)


class Ticking:
    """Settings whose clock goes on."""

    def __init__(self, settings: Settings):
        self._settings, self.now = settings, NOW

    def __call__(self) -> Settings:
        self.now += dt.timedelta(minutes=1)
        return self._settings.with_clock(FixedClock(self.now))


def add(settings: Settings, store: Store, texts: dict[str, str], now: dt.datetime, **more: Any) -> None:
    rows = [MentionRow(name, f"https://a.example/{name}", "post", text, published_at=NOW - dt.timedelta(days=2), **more) for name, text in texts.items()]
    with store.begin() as connection:
        mentions.save(connection, "forum", rows, now)
    analyse(settings.with_clock(FixedClock(now)), store, engine="rules")


def test_the_bench_follows_the_store(shop: Settings, store: Store) -> None:
    ticking = Ticking(shop)
    bench = Bench(ticking, store)
    add(shop, store, {"a": "杯子漏水", "b": "今天晴", "c": "松果匣漏水了"}, NOW)
    first = bench.try_fields(LEAK, "leak", 7)
    assert (first.texts, first.caught.count, first.lost.count) == (3, 2, 0)
    assert [one.name for one in first.overlaps] == ["songguoxia"]
    add(shop, store, {"d": "壶也漏水", "b": "昨天漏水"}, NOW + dt.timedelta(minutes=30))
    second = bench.try_fields(LEAK, "leak", 7)
    assert (second.texts, second.caught.count) == (4, 4)
    with store.begin() as connection:
        ref = connection.execute(s.mentions.select().where(s.mentions.c.native_id == "d")).one().id
        words.save(connection, Feedback(Subject("mention", str(ref), None, None, {}), words.FALSE_ALARM, "甲", "cli", NOW))
    third = bench.try_fields(LEAK, "leak", 7)
    assert third.wrong.count == 1 and third.wrong.samples[0].text == "壶也漏水"


def test_f60_what_was_erased_is_not_in_the_laboratory_any_more(shop: Settings, store: Store) -> None:
    bench = Bench(Ticking(shop), store)
    add(shop, store, {"a": "杯子漏水", "b": "秘密漏水"}, NOW)
    assert bench.try_fields(LEAK, "leak", 7).caught.count == 2
    with store.begin() as connection:
        connection.execute(s.mentions.update().where(s.mentions.c.native_id == "b").values(purged_at=NOW))
        connection.execute(s.erasures.insert(), {"why": "request", "source": "forum", "subject": "x", "rows": 1, "at": NOW})
    assert [one.text for one in bench.try_fields(LEAK, "leak", 7).caught.samples] == ["杯子漏水"]
    assert all("秘密".encode() not in block._plain._bytes for block in bench._specimens._blocks)


def test_texts_judged_by_an_older_configuration_are_read_anew(shop: Settings, store: Store) -> None:
    add(shop, store, {"a": "杯子渗水", "b": "杯子漏水"}, NOW)
    bench = Bench(Ticking(shop), store, version=lambda _: "newer")
    found = bench.try_fields({**LEAK, "aliases": ["渗水"]}, "", 7)
    assert found.caught.count == 0 and found.problems  # the id is taken by the saved one
    found = bench.try_fields(LEAK, "leak", 7)
    assert (found.caught.count, found.stale) == (1, 1)


def test_old_texts_leave_and_a_window_counts_its_own(shop: Settings, store: Store) -> None:
    add(shop, store, {"a": "杯子漏水"}, NOW)
    add(shop, store, {"b": "旧杯子漏水"}, NOW)
    with store.begin() as connection:
        connection.execute(s.mentions.update().where(s.mentions.c.native_id == "b").values(published_at=NOW - dt.timedelta(days=20)))
    bench = Bench(Ticking(shop), store)
    assert (bench.try_fields(LEAK, "leak", 7).caught.count, bench.try_fields(LEAK, "leak", 28).caught.count) == (1, 2)
    with store.read() as connection:
        assert len(recent.texts(connection, NOW - dt.timedelta(days=28), limit=1)) == 1


def test_f30_ten_thousand_names_with_their_disguises_are_refused_at_once(shop: Settings, store: Store) -> None:
    bench = Bench(Ticking(shop), store)
    report = bench.try_fields({"id": "big", "kind": "brand", "name": "松果家族", "aliases": [f"松果{n}号" for n in range(10_000)]}, "", 7)
    assert "最多 1000 个" in report.problems[0].message
    assert not bench.try_fields({"id": "big", "kind": "keyword", "name": "松果家族", "aliases": [f"松果{n}号" for n in range(10_000)]}, "", 7).problems
