"""Which level a day gives an incident: by people as much as by score, by the way it moves, by who only copies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from reports.complaint import Complaint
from reports.incidents import Group
from reports.levels import LevelsOf
from reports.score import Parts
from reports.stories import merged
from tests.reports.test_clusters import RUMOUR, heard
from vocwatch.models import Level, TextKind
from vocwatch.settings import Settings
from vocwatch.settings.topics import RedLineClass
from vocwatch.store.incidents import Known

DAY = dt.date(2026, 11, 9)
EVE = DAY - dt.timedelta(days=1)
LEAK = "产品质量/漏水"
PRODUCT = "PC-S4"


def said(number: int, day: dt.date = DAY, inside: bool = False, text: str = "杯盖漏水", red_lines: tuple[RedLineClass, ...] = ()) -> list[Complaint]:
    found = []
    for n in range(number):
        ref = 1000 * day.toordinal() + 500 * inside + n
        kind = TextKind.SESSION if inside else TextKind.MENTION
        told = heard(ref, f"{text}{n}")._replace(text_kind=kind)
        found.append(Complaint(told, day, PRODUCT, (LEAK,), red_lines, f"{day}{inside}{n}", ref))
    return found


def known(level: Level, last: dt.date = EVE) -> Known:
    return Known("INC-1", PRODUCT, LEAK, EVE, last, level.value, 50.0, None)


def parts(total: float, spread: float = 0.2) -> Parts:
    """Parts that add up to a score, as far as these weights go."""
    left = (total - 15 * spread) / 85
    return Parts(left, left, left, spread, left, left)


def level(
    settings: Settings, total: float, today: Sequence[Complaint], eve: Sequence[Complaint] = (), before: Known | None = None,
    read: float = 1.0, spread: float = 0.2, recurs: Known | None = None,
) -> tuple[str | None, str]:
    group = Group(PRODUCT, LEAK, list(today), None, known=before, recurs_of=recurs)
    found, rule = LevelsOf(settings, DAY, read).level(parts(total, spread), [], [*eve, *today], group, False)
    return found.value if found else None, rule.key


@pytest.mark.parametrize(("outside", "inside", "expected"), [
    (2, 2, "蓝"), (3, 0, "黄"), (0, 6, "蓝"), (0, 7, "黄"),
], ids=["few", "outside", "few inside", "inside"])
def test_what_a_few_people_complain_of_stays_blue_however_surprising(
    cups: Settings, outside: int, inside: int, expected: str
) -> None:
    found = level(cups, 55, [*said(outside), *said(inside, inside=True)])
    assert found == (expected, "level.few_people" if expected == "蓝" else "level.score")


def test_of_half_the_sources_half_the_people_are_enough(cups: Settings) -> None:
    assert level(cups, 55, said(2), read=0.5) == ("黄", "level.score")
    assert level(cups, 55, said(1), read=0.5) == ("蓝", "level.few_people")


def test_what_goes_on_is_counted_over_both_days(cups: Settings) -> None:
    assert level(cups, 55, said(3), said(2, EVE), known(Level.YELLOW))[0] == "蓝"
    assert level(cups, 55, said(2), said(4, EVE), known(Level.YELLOW))[0] == "黄"
    assert level(cups, 55, said(3), said(2, EVE))[0] == "黄"  # what begins today is counted by today


def test_what_came_back_or_goes_far_needs_no_crowd(cups: Settings) -> None:
    assert level(cups, 55, said(2), recurs=known(Level.ORANGE, DAY - dt.timedelta(days=9)))[0] == "黄"
    assert level(cups, 55, said(1), spread=0.6)[0] == "黄"


def test_near_a_floor_the_way_it_moves_decides(cups: Settings) -> None:
    assert level(cups, 63, said(9), said(8, EVE), known(Level.YELLOW)) == ("橙", "level.growing")
    assert level(cups, 63, said(8), said(8, EVE), known(Level.YELLOW)) == ("黄", "level.score")
    assert level(cups, 63, said(8), said(9, EVE), known(Level.ORANGE)) == ("橙", "level.held")
    assert level(cups, 63, said(4), said(9, EVE), known(Level.ORANGE)) == ("黄", "level.score")
    assert level(cups, 67, said(4), said(9, EVE), known(Level.ORANGE)) == ("黄", "level.halved")
    assert level(cups, 69, said(4), said(9, EVE), known(Level.ORANGE)) == ("橙", "level.score")


FAKE = RedLineClass(name="假货", words=("假货",), topic=LEAK, first_class=False)


def test_what_is_nearly_all_copies_is_no_more_than_yellow(cups: Settings) -> None:
    voices = said(4, red_lines=(FAKE,))
    copies = [
        Complaint(heard(n, RUMOUR, n / 60, f"a{n % 5}"), DAY, PRODUCT, (LEAK,), (FAKE,), None, 1) for n in range(1, 41)
    ]
    for today, expected in (([*voices, *copies], "level.mostly_arranged"), ([*voices, *copies[:0]], "level.score")):
        group = Group(PRODUCT, LEAK, today, None)
        found, rule = LevelsOf(cups, DAY).level(parts(68), [FAKE], today, group, False)
        assert (found, rule.key) == (Level.YELLOW if "arranged" in expected else Level.ORANGE, expected)


def test_yesterdays_cries_alone_keep_no_second_class_red_line_orange(cups: Settings) -> None:
    for today, expected in ((said(1, red_lines=(FAKE,)), Level.YELLOW), (said(2, red_lines=(FAKE,)), Level.ORANGE)):
        episode = [*said(4, EVE, red_lines=(FAKE,)), *today]
        group = Group(PRODUCT, LEAK, list(today), None, known=known(Level.YELLOW))
        found, _ = LevelsOf(cups, DAY).level(parts(50), [FAKE], episode, group, False)
        assert found is expected


@pytest.mark.parametrize(("word", "left"), [("定金", 1), ("付款", 2)], ids=["new", "heard"])
def test_one_word_that_nobody_used_before_makes_one_story(word: str, left: int) -> None:
    def told(topic: str, ref: int, text: str) -> Complaint:
        return Complaint(heard(ref, text), DAY, None, (topic,), (), f"v{ref}", ref)

    fillers = ["早", "晚", "哎", "哦", "嗯", "啊", "呀", "哈"]
    groups = [
        Group(None, "价格/不保价", [told("价格/不保价", n, f"{word}{filler}") for n, filler in enumerate(fillers)], None),
        Group(None, "售后/退款难", [told("售后/退款难", 20 + n, f"{filler}{word}") for n, filler in enumerate(fillers[:4])], None),
    ]
    before = [told("物流/物流慢", 100 + n, "付款" if n == 0 else "慢得很") for n in range(60)]
    assert len(merged(groups, lambda: before)) == left
