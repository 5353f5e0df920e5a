"""The past judged again: newest first, stoppable, slow where it should be."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa

from sentiment import run
from sentiment.judge import Judge
from sentiment.run import STOPPED, Pace, analyse
from tests.sentiment.conftest import WATCHES
from vocwatch.models import Path, SessionRecord, Turn
from vocwatch.settings import Settings
from vocwatch.settings.topics import Topics
from vocwatch.store import Store, mentions, runs
from vocwatch.store.mentions import MentionRow
from vocwatch.store.schema import assessments as table
from vocwatch.store.sessions import upsert_sessions

NOW = dt.datetime(2026, 11, 15, tzinfo=dt.UTC)


@pytest.fixture
def ours(settings: Settings, topics: Topics) -> Settings:
    return replace(settings, watches=WATCHES, topics=topics)


def days(number: float) -> dt.datetime:
    return NOW - dt.timedelta(days=number)


def fill(store: Store) -> None:
    """Ids run against the times: what was collected first is the newest."""
    rows = [MentionRow(f"p{n}", "u", "post", f"帖{n}漏水", published_at=days(20 * n)) for n in range(5)]
    rows += [MentionRow(f"c{n}", "u", "comment", f"评{n}", parent=f"p{n}", published_at=days(20 * n)) for n in range(5)]
    record = SessionRecord("S1", Path.BAD_REVIEW, days(1), [Turn("customer", "漏水")])
    with store.begin() as connection:
        mentions.save(connection, "forum", rows, NOW)
        upsert_sessions(connection, [record], runs.start(connection, "import", "x", NOW), NOW)


class Watched(Judge):
    """Another version, which keeps what it was asked and can be interrupted."""

    def __init__(self, *arguments: object):
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.version = "other"
        self.asked: list[str] = []
        self.most = 1000

    def assess(self, texts):  # type: ignore[no-untyped-def]
        """Judge, or be interrupted."""
        if len(self.asked) >= self.most:
            raise KeyboardInterrupt
        self.asked += [text.body for text in texts]
        return super().assess(texts)


def versions(store: Store) -> list[str]:
    with store.read() as connection:
        return sorted(connection.execute(sa.select(table.c.model_version)).scalars())


def test_the_newest_come_first_and_posts_before_their_comments(
    ours: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "WINDOW", 5)
    fill(store)
    analyse(ours, store, engine="rules")
    judge = Watched(ours.watches, ours.topics)
    report = analyse(ours, store, rebuild=True, judge=judge, batch=1)
    assert judge.asked == [
        "帖0漏水", "帖1漏水", "评0", "评1", "漏水", "帖2漏水", "帖3漏水", "帖4漏水", "评2", "评3", "评4",
    ]
    assert report.left == 0 and set(versions(store)) == {"other"}


def test_a_stop_keeps_both_judgements_and_the_next_run_goes_on(ours: Settings, store: Store) -> None:
    fill(store)
    analyse(ours, store, engine="rules")
    judge = Watched(ours.watches, ours.topics)
    judge.most = 4
    with pytest.raises(KeyboardInterrupt):
        analyse(ours, store, rebuild=True, judge=judge, batch=2)
    assert versions(store).count("other") == 4 and len(versions(store)) == 11
    with store.read() as connection:
        last = runs.latest(connection, "analyse", "rebuild")
    assert last is not None and (last.status, last.reason, last.stats["assessed"]) == ("failed", STOPPED, 4)
    judge.most = 1000
    assert analyse(ours, store, rebuild=True, judge=judge, batch=2).assessed == 7
    assert len(judge.asked) == len(set(judge.asked)) == 11


def test_a_rebuild_beside_it_is_not_taken_for_dead(ours: Settings, store: Store) -> None:
    fill(store)
    with store.begin() as connection:
        running = runs.start(connection, "analyse", "rebuild", NOW)
    analyse(ours, store, engine="rules")
    with store.read() as connection:
        found = runs.get(connection, running)
    assert found is not None and found.status == "running"


def test_only_since_a_day_and_only_so_fast(ours: Settings, store: Store) -> None:
    fill(store)
    analyse(ours, store, engine="rules")
    judge, slept = Watched(ours.watches, ours.topics), []
    pace = Pace(days(30), rate=2.0, sleep=slept.append, seconds=lambda: 0.0)
    seen: list[tuple[int, int]] = []
    report = analyse(
        ours, store, rebuild=True, judge=judge, batch=2, pace=pace, on_progress=lambda *now: seen.append(now)
    )
    assert judge.asked == ["帖0漏水", "帖1漏水", "评0", "评1", "漏水"]
    assert slept == [1.0, 1.0, 0.5] and seen == [(2, 3), (4, 1), (5, 0)] and report.left == 0
