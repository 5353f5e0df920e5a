"""The guide's week from Monday to Sunday, run as it stands, in both languages."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reports.alerting import notify
from reports.delivery import deliver
from reports.run import build_incidents
from tests.conftest import ROOT
from tests.delivery.kit import Inbox, configured, mail_server
from tests.reports.brand import BURN, ZONE
from tests.reports.factory import World, burn
from vocwatch.cli import context
from vocwatch.cli.app import run
from vocwatch.clock import FixedClock
from vocwatch.exits import Exit
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, alarms, cases, feedback, objections, open_store

GUIDES = {"operate.md": ("A week", "en"), "operate.zh-CN.md": ("一周怎么过", "zh")}
MONDAY, EVE, RED_DAY = dt.date(2026, 11, 16), dt.date(2026, 11, 15), dt.date(2026, 11, 17)
HOURS = (9.5, 23.5, 10.0, 15.0, 16.0, 11.0, 9.5)  # when people come to it, Monday to Sunday


def week(name: str) -> list[list[list[str]]]:
    """The commands of each of the seven days."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    part = re.search(rf"^## {GUIDES[name][0]}\n(.*?)^## ", text, re.S | re.M)
    assert part
    days = re.findall(r"^\*\*(\w+)\*\*.*?```\n(.*?)```", part[1], re.S | re.M)
    assert len({day for day, _ in days}) == 7
    return [[shlex.split(line, comments=True)[1:] for line in block.splitlines()] for _, block in days]


def at(number: int, hours: float) -> dt.datetime:
    return dt.datetime.combine(MONDAY, dt.time(), tzinfo=ZONE) + dt.timedelta(days=number, hours=hours)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server(Inbox()) as opened:
        yield opened


@pytest.fixture
def life(at_home: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, Callable[[dt.datetime], Settings]]]:
    """A store with what is said in the week, and how to move the clock."""
    base = configured(load_settings(read_environment()), inbox, recipients=["qa@example.com"], alerts={"to": ["duty@example.com"]})

    def move(moment: dt.datetime) -> Settings:
        settings = base.with_clock(FixedClock(moment))
        monkeypatch.setattr(context, "load_settings", lambda _env: settings)
        return settings

    store = open_store(f"sqlite:///{at_home / 'var' / 'vocwatch.sqlite3'}")
    world = World(store, 3)
    for clause in ("买到的是假货", "鉴定出来是假货", "店里卖的就是假货"):
        world.mention(EVE, world.complaint("宣传/假货", clause, 3, "假货"), "forum", "PC-B2", hour=11)
    for clause in BURN[:3]:
        burn(world, RED_DAY, clause, hour=22)
    world.save()
    yield store, move
    store.close()


@pytest.mark.parametrize("name", GUIDES)
def test_the_guides_week_works(
    name: str, life: tuple[Store, Callable[[dt.datetime], Settings]], inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    store, move = life
    lang, shown = GUIDES[name][1], {}
    numbers = {"12": "1", "3": "1", "7": "1"}  # the guide's are examples
    for number, lines in enumerate(week(name)):
        if number == 0:  # what the schedule does: Monday, nine
            settings = move(at(0, 9))
            [found] = build_incidents(settings, store, EVE, now=at(0, 8.5)).findings
            numbers["INC-20261115-3fa2c1"] = found.id
            assert run(["digest", "--date", EVE.isoformat(), "--send"]) == Exit.OK
            assert [mail["To"] for mail in inbox.mails] == ["qa@example.com"]
        if number == 1:  # Tuesday, ten past eleven at night
            settings = move(at(1, 23 + 1 / 6))
            [found] = build_incidents(settings, store, RED_DAY, now=at(1, 23.1)).findings
            numbers["INC-20261117-8b21d0"] = found.id
            notify(settings, store, now=at(1, 23.15))
            deliver(settings, store, now=at(1, 23.15))
            assert inbox.mails[-1]["To"] == "duty@example.com" and "Ⅰ" in inbox.mails[-1]["Subject"]
        move(at(number, HOURS[number]))
        for words in lines:
            capsys.readouterr()
            code = run(["--lang", lang, *(numbers.get(word, word) for word in words)])
            out, err = capsys.readouterr()
            assert code == Exit.OK, (words, err)
            shown[number, " ".join(words[:2])] = out
    assert set(range(7)) == {number for number, _ in shown}
    assert numbers["INC-20261117-8b21d0"] in shown[1, "alerts list"] and "买到的是假货" in shown[0, "digest --date"]
    assert "1/1" in shown[6, "digest --date"]  # Monday's finding: judged by one, contested, confirmed by the ruling
    with store.read() as connection:
        told = alarms.all_told(connection, [numbers["INC-20261117-8b21d0"]])[numbers["INC-20261117-8b21d0"]]
        assert told.acked_by and objections.number_open(connection) == 0
        [silence] = alarms.all_silences(connection)
        assert silence.expires_at < at(2, 12) and cases.get(connection, 1).outcome == "下架"
        assert {row["verdict"] for row in feedback.rows(connection)} == {"误报", "准"}
