"""What a source usually brings against what was heard: blind and half-read days are no part of what is usual."""

from __future__ import annotations

import datetime as dt

import pytest

from reports.coverage import Coverage, SourceHealth
from reports.digest import render_html, render_text
from reports.digest.contract import as_dict
from reports.facts import build_facts
from reports.usual import usual
from tests.reports import factory
from tests.reports.conftest import morning
from tests.reports.factory import PLANTED, day
from vocwatch.models import SourceStatus

DATE = dt.date(2026, 9, 15)
DAYS = [DATE - dt.timedelta(days=back) for back in range(28, -1, -1)]


def told(heard, status=SourceStatus.OK, share=1.0, blind=(), before=20):
    """A source with `before` mentions on every day but the blind ones, and `heard` on the day."""
    counts = {(d, "notes"): before for d in DAYS[:-1] if d not in blind} | {(DATE, "notes"): heard}
    health = SourceHealth("notes", "笔记站", status, None, None, None, share, None)
    return usual(DATE, DAYS, counts, {"notes": set(DAYS) - set(blind)}, Coverage(round(100 * share), (health,)))["notes"]


def test_blind_days_are_no_part_of_what_is_usual():
    assert told(20).usual == pytest.approx(20, abs=0.5)
    assert told(20, blind=DAYS[5:15]).usual == pytest.approx(20, abs=0.5)


def test_little_at_a_source_that_calls_itself_well_is_told():
    assert told(1).few and told(1).p_low < 0.001
    assert not told(15).few and not told(60).few


def test_of_a_part_only_that_part_is_expected():
    half = told(9, SourceStatus.DEGRADED, 0.5)
    assert half.expected == pytest.approx(10, abs=0.3) and half.p_low > 0.2 and not half.few
    blocked = told(0, SourceStatus.BLOCKED, 0.0)
    assert blocked.usual == pytest.approx(20, abs=0.5) and blocked.p_low is None and not blocked.few


def test_a_young_source_has_no_usual_number():
    young = told(0, blind=DAYS[:18])
    assert young.usual is None and young.p_low is None and not young.few


def test_the_digest_tells_the_blind_day_in_numbers(cups, story):
    facts = build_facts(cups, story, PLANTED["blind"], now=morning(PLANTED["blind"]))
    blind = as_dict(facts)["coverage"]["sources"]["notes"]
    assert blind["usual"] > 3 and blind["usual_read"] == 0 and blind["heard"] == facts.usual["notes"].heard
    line = f"平日约 {blind['usual']:g} 条提及，今日 {blind['heard']} 条"
    assert line in render_text(facts) and line in render_html(facts)
    assert "usually" in render_text(facts, "en")


def test_a_source_that_went_quiet_is_told_in_both_forms(cups, small):
    name = sorted(factory.SOURCES)[0]
    for number in range(1, 24):
        for _ in range(25):
            small.mention(day(number), small.complaint("物流/错发", "颜色发错了"), name)
    small.runs(day(24))
    small.save()
    facts = build_facts(cups, small.store, day(24), now=morning(day(24)))
    assert facts.usual[name].few and facts.coverage.percent == 100
    assert "疑漏读" in render_text(facts) and "疑漏读" in render_html(facts) and "strangely little" in render_text(facts, "en")
