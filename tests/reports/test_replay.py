"""`replay`: past days under other weights, without a trace; levels don't flap."""

from __future__ import annotations

import pytest

from reports import score
from reports.replay import as_dict, replay
from tests.reports.factory import day
from tests.reports.test_incidents import dump, listed
from vocwatch.models import Level
from vocwatch.settings.app import Risk


def test_nothing_changes_under_the_same_weights_and_nothing_is_written(cups, story):
    before = dump(story)
    told = replay(cups, story, day(26), day(40))
    assert told.moved == () and len(told.changes) == sum(len(listed(story, day(n))) for n in range(26, 41))
    assert all(c.before == c.after for c in told.changes) and told.before == told.after == score.FORMULA
    assert all(c.before == c.after for c in replay(cups, story, day(26), day(32), Risk()).changes)
    assert dump(story) == before


def test_other_weights_show_what_would_have_changed(cups, story):
    before = dump(story)
    timid = Risk(sensitivity=5, intensity=5, evolution=5, spread=65, attitude=10, corroboration=10)
    told = replay(cups, story, day(26), day(32), timid)
    assert told.moved and told.after.startswith(score.FORMULA + "+") and told.after != told.before
    first = next(c for c in told.changes if c.day == day(29) and c.topic == "产品质量/漏水")
    assert first.before[0] == "橙" and (first.after is None or first.after[1] < first.before[1])
    assert as_dict(told)["moved"] == len(told.moved)
    assert dump(story) == before


def test_a_replay_that_starts_amid_an_incident_knows_its_past(cups, story):
    told = replay(cups, story, day(30), day(32))
    assert told.moved == () and {c.incident for c in told.changes if c.topic == "产品质量/漏水"} == {
        r["id"] for r in listed(story, day(28)) if r["topic"] == "产品质量/漏水"
    }


@pytest.mark.parametrize(
    ("points", "before", "kept"),
    [(64.9, "橙", True), (62.0, "橙", True), (61.9, "橙", False), (65.0, "橙", False), (38.0, "黄", True), (38.0, "橙", False)],
)
def test_a_level_is_kept_until_the_score_falls_clearly_below_its_floor(points, before, kept):
    assert score.held(points, Level(before), Risk()) is kept


def test_a_score_that_wavers_about_a_floor_changes_level_once():
    levels, before = [], None
    for points in (63, 66, 64, 65.5, 63, 66, 62.5, 60, 63, 64):
        found = score.level_of(points, Risk())
        if before and score.held(points, before, Risk()):
            found = before
        levels.append(found.value)
        before = found
    assert "".join(levels) == "黄橙橙橙橙橙橙黄黄黄"


def test_rows_carry_the_formula_and_a_mark_of_own_weights(cups, story):
    assert {r["formula"] for n in range(26, 41) for r in listed(story, day(n))} == {score.FORMULA}
    assert score.version(Risk(spread=14, sensitivity=26)) not in (score.FORMULA, score.version(Risk(spread=16, sensitivity=24)))
    assert len(score.version(Risk(spread=14))) <= 40
