"""After a crawl everything follows: judged, made into incidents, told, sent. A red line does not wait for the morning."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.schedule.days import SOURCE
from crawlers.runner import CrawlResult
from tests.conftest import ROOT
from tests.delivery.kit import Inbox, mail_server, text_of
from tests.schedule.kit import BEGIN, DAY, HOUR, MINUTE, Stepping, engine, until_idle
from vocwatch.models import SourceStatus
from vocwatch.schedule import Engine, digests, judging, work
from vocwatch.schedule.tasks import Shift
from vocwatch.settings import Settings, Smtp, load_settings, read_environment
from vocwatch.store import Store, assessments, mentions, runs
from vocwatch.store.leases import Lease
from vocwatch.store.mentions import MentionRow

FIRE = "松果匣的暖手宝半夜突然冒烟起火，桌子烧黑了一大块"
NINE = BEGIN + HOUR


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server(Inbox()) as found:
        yield found


@pytest.fixture
def ours(tmp_path: Path, inbox: Inbox) -> Settings:
    """The practice brand, one source read every hour, one reader; the judge looks by itself once a day only."""
    config = tmp_path / "config"
    (config / "sources").mkdir(parents=True)
    for name in ("vocwatch.yaml", "watches.yaml"):
        text = (ROOT / "examples" / "practice" / "config" / name).read_text(encoding="utf-8").split("digest:")[0]
        (config / name).write_text(text, encoding="utf-8")
    (config / "sources" / "forum.yaml").write_text(SOURCE.format(name="forum").replace("600", "60"), encoding="utf-8")
    with (config / "vocwatch.yaml").open("a", encoding="utf-8") as file:
        file.write("digest: {recipients: [{email: qa@example.com}]}\nalerts: {to: [qa@example.com]}\n")
        file.write("schedule: {analyse_every_minutes: 1440, jitter: 0}\n")
    made = load_settings(read_environment({"VOCWATCH_HOME": str(tmp_path), "VOCWATCH_SECRET": "test"}))
    made.env.data.mkdir(exist_ok=True)
    smtp = Smtp(host="127.0.0.1", port=inbox.port, sender="vocwatch@mail.example.com", security="none")
    return dataclasses.replace(made, env=dataclasses.replace(made.env, smtp=smtp))


class Town:
    """A forum on which people say things, and a scheduler that reads it."""

    def __init__(self, settings: Settings, store: Store, begin: dt.datetime, dated: bool = False):
        self.clock, self.store, self.said = Stepping(begin), store, []  # type: ignore[var-annotated]
        self.scheduler: Engine = engine(settings, store, self.clock, digests=dated)

    def say(self, text: str, at: dt.datetime | None = None) -> None:
        number = len(self.said)
        self.said.append(MentionRow(
            f"p{number}", f"https://forum.example/{number}", "post", text, author_key=f"a{number}",
            published_at=at or self.clock.now(), precision="minute",
        ))

    def read(self) -> None:
        """What a crawl of the forum stores at this moment."""
        with self.store.begin() as connection:
            mentions.save(connection, "forum", self.said, self.clock.now())

    def crawl_one(self, settings: Settings, store: Store, source: Any, **_: Any) -> CrawlResult:
        self.read()
        with store.begin() as connection:
            run = runs.start(connection, "crawl", source.name, self.clock.now())
            runs.finish(connection, run, self.clock.now(), outcome=SourceStatus.OK)
        return CrawlResult(source.name, SourceStatus.OK, None, {}, run)


@pytest.fixture
def town(ours: Settings, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Found a town at a moment."""
    def found(begin: dt.datetime, dated: bool = False) -> Town:
        made = Town(ours, sqlite_store, begin, dated)
        monkeypatch.setattr(work, "crawl_one", made.crawl_one)
        monkeypatch.setattr(work, "look_after", lambda *_: None)  # no browser
        return made

    return found


def alarms(inbox: Inbox) -> list[str]:
    return [text_of(mail) for mail in inbox.mails if "起火" in str(mail["Subject"]) + text_of(mail) and "日报" not in str(mail["Subject"])]


def test_after_a_crawl_everything_follows_within_the_same_minute(town: Any, inbox: Inbox) -> None:
    here = town(NINE)
    until_idle(here.scheduler)
    here.clock.step(30 * MINUTE)
    here.say(FIRE)
    until_idle(here.scheduler)
    assert not alarms(inbox)  # nobody has read it yet
    here.clock.step(30 * MINUTE)
    until_idle(here.scheduler)
    assert len(alarms(inbox)) == 1


def test_a_red_line_of_yesterday_read_after_midnight_is_told_at_once(town: Any, inbox: Inbox) -> None:
    here = town(NINE + 14 * HOUR + 30 * MINUTE)  # 23:30
    until_idle(here.scheduler)
    here.say(FIRE, here.clock.now() + 20 * MINUTE)  # 23:50
    here.clock.step(HOUR)
    until_idle(here.scheduler)
    assert len(alarms(inbox)) == 1


def test_a_red_line_that_was_judged_only_after_the_digest_still_alarms(
    town: Any, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = town(NINE - 30 * MINUTE, dated=True)
    until_idle(here.scheduler)
    here.say(FIRE, NINE - 12 * HOUR)
    here.clock.step(29 * MINUTE)
    here.read()  # 08:59, and the judge is not at hand when the digest is made
    with monkeypatch.context() as patch:
        patch.setattr(digests, "judge_texts", lambda shift: None)
        patch.setattr(work, "judge", lambda shift: None)
        here.scheduler._tasks = work.tasks_of(here.scheduler.settings)
        here.clock.step(MINUTE)
        until_idle(here.scheduler)
    assert any("日报" in str(mail["Subject"]) for mail in inbox.mails) and not alarms(inbox)
    here.scheduler._tasks = work.tasks_of(here.scheduler.settings)
    here.clock.step(HOUR)
    until_idle(here.scheduler)
    assert len(alarms(inbox)) == 1


@pytest.mark.parametrize(("attempts", "stands_in"), [(3, False), (4, True)])
def test_f11_a_judge_that_takes_its_process_down_is_stood_in_for_the_fourth_time(
    ours: Settings, sqlite_store: Store, attempts: int, stands_in: bool
) -> None:
    with sqlite_store.begin() as connection:
        mentions.save(connection, "forum", [MentionRow("p", "https://forum.example/p", "post", FIRE)], BEGIN)
    lease = Lease("judge", "me", 1, "judge", BEGIN, 0, attempts, 0)
    judging.judge_texts(Shift(ours.with_clock(Stepping()), sqlite_store, lease, lambda line: None))
    with sqlite_store.read() as connection:
        assert assessments.standing_in(connection, BEGIN - DAY, BEGIN + DAY) == int(stands_in)
