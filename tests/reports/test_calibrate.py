"""Calibration: what people said moves the proposal, too little moves nothing, and nothing is ever switched on."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from reports import score
from reports.calibrate import MIN_LABELS, as_dict, calibrate, right_level
from reports.fitting import LEVELS, NAMES, Labelled, confusion, crossed, fit, intervals, level_index, mcnemar
from reports.score import Parts
from tests.reports.factory import PLANTED, day
from tests.reports.test_incidents import dump, listed
from vocwatch.settings.app import Levels, Risk
from vocwatch.store import Store, feedback, incidents, labels
from vocwatch.store.labels import IncidentWord

NOW = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)
# A team that cares for sensitive topics and corroboration, and hardly for reach.
TEAM = Risk(sensitivity=42, intensity=12, evolution=12, spread=2, attitude=7, corroboration=25,
            levels=Levels(red=72, orange=52, yellow=34, blue=18))


def days_of_work(number: int, incidents: int = 40, seed: int = 3, noise: float = 0.0) -> list[Labelled]:
    chance = random.Random(seed)
    found = []
    for place in range(number):
        parts = tuple(round(chance.random(), 3) for _ in NAMES)
        right = level_index(parts, TEAM)
        if chance.random() < noise:
            right = min(4, max(0, right + chance.choice((-1, 1))))
        found.append(Labelled(f"INC-{place % incidents}", parts, level_index(parts, Risk()), right))
    return found


def agreement(labelled: list[Labelled], risk: Risk) -> float:
    return sum(level_index(each.parts, risk) == each.right for each in labelled) / len(labelled)


def test_the_fit_goes_towards_what_people_said_and_holds_on_unseen_days() -> None:
    found = fit(days_of_work(150, noise=0.1), Risk())
    unseen = days_of_work(300, seed=9)
    assert agreement(unseen, found) > agreement(unseen, Risk()) + 0.15
    assert found.corroboration > Risk().corroboration and found.spread < Risk().spread
    assert round(sum(getattr(found, name) for name in NAMES), 1) == 100.0 and all(getattr(found, n) >= 0 for n in NAMES)
    floors = found.levels
    assert 0 < floors.blue < floors.yellow < floors.orange < floors.red
    assert (found.hold_points, found.red_line_authors) == (Risk().hold_points, Risk().red_line_authors)


def test_without_labels_and_with_agreeing_ones_the_weights_stay_where_they_are() -> None:
    assert fit([], Risk()) == Risk()
    one = fit([Labelled("INC-1", (0.9, 0.5, 0.5, 0.5, 0.5, 0.5), 3, 3)], Risk())
    assert all(abs(getattr(one, name) - getattr(Risk(), name)) < 1 for name in NAMES)
    odd = fit([Labelled("INC-1", (1.0, 0.0, 0.0, 0.0, 0.0, 0.0), 1, 4)], Risk())
    assert Risk().sensitivity < odd.sensitivity < 40


def test_a_day_is_judged_by_a_fit_that_saw_no_day_of_its_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    import reports.fitting

    seen: list[set[str]] = []
    real = fit

    def watched(labelled: list[Labelled], risk: Risk) -> Risk:
        seen.append({each.incident for each in labelled})
        return real(labelled, risk)

    monkeypatch.setattr(reports.fitting, "fit", watched)
    work = days_of_work(40, incidents=12)
    assert len(crossed(work, Risk())) == 40
    everything = {each.incident for each in work}
    left_out = [everything - names for names in seen]
    assert all(left_out) and sorted(name for names in left_out for name in names) == sorted(everything)


def test_intervals_hold_the_fit_and_narrow_with_more_labels() -> None:
    few, many = days_of_work(40, 20, noise=0.2), days_of_work(400, 200, noise=0.2)
    wide, narrow = intervals(few, Risk(), 40), intervals(many, Risk(), 40)
    low, high = narrow["sensitivity"]
    assert low - 1 <= fit(many, Risk()).sensitivity <= high + 1
    assert sum(b - a for a, b in narrow.values()) < sum(b - a for a, b in wide.values())
    assert intervals(few, Risk(), 40) == wide


def test_confusion_and_mcnemar_count_pairs() -> None:
    table = confusion([(4, 4), (4, 3), (0, 1), (0, 1)])
    assert table[4] == (0, 0, 0, 1, 1) and table[0] == (0, 2, 0, 0, 0)
    assert mcnemar([True, False, False, False], [True, True, True, False]) == (2, 0, 0.5)
    assert mcnemar([True], [True]) == (0, 0, 1.0)


def test_the_level_of_parts_is_that_of_the_score() -> None:
    chance = random.Random(5)
    for _ in range(200):
        parts = [round(chance.random(), 3) for _ in NAMES]
        told = score.level_of(score.total(Parts(*parts), Risk()), Risk())
        assert LEVELS[level_index(parts, Risk())] == (told.value if told else "无")


@pytest.mark.parametrize(
    ("verdict", "level", "right"),
    [("准", None, "橙"), ("误报", None, "无"), ("不准", "黄", "黄"), ("准", "红", "红"), ("不准", None, None), ("重复", None, None)],
)
def test_what_a_word_says_of_the_level(verdict: str, level: str | None, right: str | None) -> None:
    word = IncidentWord("INC-1", day(30), verdict, level, "产品质量/漏水", "PC-B2", "橙", 65.0, {}, "R", ("notes",))
    assert right_level(word) == right


def say(store: Store, incident: str, date: dt.date, verdict: str, level: str | None = None, who: str = "何雨") -> None:
    with store.begin() as connection:
        [subject] = feedback.find(connection, incident, date)
        feedback.save(connection, feedback.Feedback(subject, verdict, who, "cli", NOW, level))


def plant(store: Store, number: int) -> None:
    """Incidents of one day each, with invented parts, as they would have been written down."""
    chance = random.Random(4)
    with store.begin() as connection:
        for place in range(number):
            name, date = f"INC-PLANTED-{place:03d}", day(20 + place % 20)
            parts = Parts(*(round(chance.random(), 3) for _ in NAMES))
            told = score.level_of(score.total(parts, Risk()), Risk())
            if told is None:
                continue
            incident = {"id": name, "brand": "songguoxia", "product": f"P-{place}", "topic": "物流/错发", "title": "错发",
                        "shop": None, "owner": "何雨", "first_day": date, "last_day": date, "first_seen_at": NOW, "recurs_of": None}
            told_day = {"incident_id": name, "day": date, "level": told.value, "state": "新增", "parts": parts.as_dict(),
                        "score": score.total(parts, Risk()), "why": [], "authors": 1, "mentions": 1, "sessions": 0,
                        "expected": None, "p_value": None, "formula": score.FORMULA}
            incidents.save_incident(connection, incident, told_day, [])


def say_all(store: Store, team: Risk, most: int = 1000) -> int:
    """The team says of every listed day which level it deserved."""
    said = 0
    for number in range(20, 41):
        for row in listed(store, day(number)):
            if said < most:
                right = LEVELS[level_index([row["parts"][name] for name in NAMES], team)]
                say(store, row["id"], day(number), "准" if right == row["level"] else "不准", right)
                said += 1
    return said


def test_feedback_is_about_one_day_of_an_incident(story: Store) -> None:
    row = listed(story, day(29))[0]
    for number, level in ((29, "黄"), (30, "红")):
        say(story, row["id"], day(number), "不准", level)
    with story.read() as connection:
        words, lost = labels.incident_words(connection)
        assert feedback.find(connection, row["id"])[0].id == f"{row['id']}/{row['last_day'].isoformat()}"
        assert feedback.find(connection, row["id"], day(21)) == []
    assert [(w.day, w.level, w.told) for w in words] == [(day(29), "黄", row["level"]), (day(30), "红", words[1].told)]
    assert lost == 0 and "sessions" in words[0].sources and set(words[0].sources) <= set(words[1].sources)


def test_a_team_of_another_mind_gets_a_proposal_that_is_not_active(cups, story: Store) -> None:
    plant(story, 60)
    before = dump(story)
    said = say_all(story, TEAM)
    stored = dump(story)
    found = calibrate(cups, story, (day(28), day(30)), rounds=20)
    assert found.words == said >= MIN_LABELS and found.used == said - sum(found.left_out.values())
    assert found.proposed and found.version and found.version.startswith(score.FORMULA + "+") and not found.why
    assert found.before and found.after and found.after.off < found.before.off
    assert sum(map(sum, found.before.confusion)) == found.used == found.before.exact.whole
    assert found.replayed and (found.replayed.since, found.replayed.until) == (day(28), day(30))
    told = as_dict(found)
    assert told["proposed"]["formula"] == found.version and told["replay"]["incident_days"] == len(found.replayed.changes)
    assert dump(story) == stored and before["incident_days"] == stored["incident_days"]


def test_a_team_that_agrees_gets_no_proposal(cups, story: Store) -> None:
    plant(story, 60)
    say_all(story, Risk())
    found = calibrate(cups, story, rounds=5)
    assert found.proposed is None and found.why == "no-better" and not found.need and found.fitted
    assert found.before and found.before.exact.value == 1.0


def test_too_few_words_fit_nothing_and_say_what_is_missing(cups, story: Store) -> None:
    assert calibrate(cups, story).need["labels"] == (0, MIN_LABELS)
    say_all(story, TEAM, most=8)
    found = calibrate(cups, story)
    assert found.fitted is None and found.proposed is None and found.replayed is None and found.why == "few"
    assert found.need["labels"][0] == found.used <= 8 and found.before is not None and found.after is None


def test_days_that_a_rule_decided_say_nothing_of_the_weights(cups, story: Store) -> None:
    burn = next(r for r in listed(story, PLANTED["burn"]) if r["topic"] == "商品安全/烫伤")
    assert LEVELS[level_index([burn["parts"][n] for n in NAMES], Risk())] != burn["level"]
    say(story, burn["id"], PLANTED["burn"], "准")
    found = calibrate(cups, story)
    assert found.left_out == {"rule": 1} and found.used == 0 and (found.by_rule.part, found.by_rule.whole) == (1, 1)
    assert [(each.name, each.part, each.whole) for each in found.by_topic] == [("商品安全/烫伤", 1, 1)]
    assert ("notes", 1, 1) in [(each.name, each.part, each.whole) for each in found.by_source]
