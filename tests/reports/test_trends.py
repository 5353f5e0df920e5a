"""The trend detector on simulated counts: how often it cries wolf, what it sees, campaigns, blind and half-read days."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

from reports.baseline import Baseline, base_days, benjamini_hochberg
from reports.calendar import campaign_on, exposures, known
from reports.run import build_incidents
from tests.reports import factory
from tests.reports.conftest import morning
from tests.reports.factory import day
from vocwatch.settings.app import App, Campaign

DAY = dt.date(2026, 9, 15)
CELLS = 120
DAYS = 12
WEEKEND = 1.4


def simulated(rng, mean, dispersion=0.3, busy=None):
    """NB2 counts of 120 cells over the base of a day and the day itself, with a weekend effect."""
    days = [*base_days(DAY), DAY]
    level = rng.gamma(4, mean / 4, size=CELLS)
    counts, today = {}, {}
    for cell in range(CELLS):
        key = (f"P{cell % 12}", f"T{cell // 12}")
        counts[key] = {}
        for date in days:
            mu = level[cell] * (WEEKEND if date.weekday() >= 5 else 1) * (busy or {}).get(date, 1.0)
            drawn = int(rng.poisson(rng.gamma(1 / dispersion, mu * dispersion)))
            if date == DAY:
                today[key] = drawn
            elif drawn:
                counts[key]["notes", date] = drawn
    return counts, today


def alarms(rng, mean, p=0.001, busy=None, told=None):
    """(alarms at p, alarms at q < 0.1) a day, for 120 cells."""
    plain = corrected = 0
    for _ in range(DAYS):
        counts, today = simulated(rng, mean, busy=busy)
        baseline = Baseline(DAY, counts, {"notes": set(base_days(DAY))}, exposures=told)
        found = {cell: baseline.expect(cell, seen).p for cell, seen in today.items() if seen}
        plain += sum(value < p for value in found.values())
        q = benjamini_hochberg(found.values(), baseline.cells)
        corrected += sum(q[value] < 0.1 for value in found.values() if value < p)
    return plain / DAYS, corrected / DAYS


@pytest.mark.parametrize("mean", [0.3, 2.0, 15.0])
def test_false_alarms_stay_rare_at_any_volume(mean):
    plain, corrected = alarms(np.random.default_rng(7), mean)
    assert plain <= 0.6 and corrected <= 0.25


def test_correction_for_many_tests_keeps_alarms_rarer_than_the_bare_p():
    rng = np.random.default_rng(3)
    plain, corrected = alarms(rng, 2.0, p=0.02)
    assert corrected < plain / 3


def test_a_tenfold_rise_is_seen_at_once_and_a_mild_one_is_not_claimed():
    rng = np.random.default_rng(5)
    seen = mild = tried = 0
    for _ in range(4):
        counts, _ = simulated(rng, 2.0)
        baseline = Baseline(DAY, counts, {"notes": set(base_days(DAY))})
        for cell in list(counts)[:30]:
            usual = sum(counts[cell].values()) / 28
            if usual >= 1.5:
                tried += 1
                seen += baseline.expect(cell, int(rng.poisson(10 * usual))).p < 0.001
                mild += baseline.expect(cell, int(rng.poisson(1.5 * usual))).p < 0.001
    assert tried > 20 and seen / tried > 0.95 and mild / tried < 0.05


def test_a_campaign_cries_wolf_only_where_nobody_told_of_it():
    busy = {DAY: 4.0, DAY - dt.timedelta(days=20): 4.0}
    told = alarms(np.random.default_rng(11), 2.0, busy=busy, told=busy)
    untold = alarms(np.random.default_rng(11), 2.0, busy=busy)
    assert told[0] <= 0.6 and untold[0] > 5


def test_a_campaign_in_the_base_does_not_hide_a_rise_after_it():
    days = base_days(DAY)
    busy = {days[20]: 12.0, days[21]: 12.0}
    counts = {("P", "T"): {("notes", d): int(2 * busy.get(d, 1)) for d in days}, ("Q", "T"): {("notes", days[0]): 1}}
    usable = {"notes": set(days)}
    untold, told = Baseline(DAY, counts, usable), Baseline(DAY, counts, usable, exposures=busy)
    assert told.expect(("P", "T"), 9).mean == pytest.approx(2, abs=0.3) and untold.expect(("P", "T"), 9).mean > 2.5
    assert told.expect(("P", "T"), 9).p < untold.expect(("P", "T"), 9).p / 2


def test_of_a_source_that_was_half_read_only_half_is_expected():
    days = base_days(DAY)
    counts = {("P", "T"): {("notes", d): 6 for d in days}, ("Q", "T"): {("notes", days[0]): 1}}
    whole = Baseline(DAY, counts, {"notes": set(days)}).expect(("P", "T"), 9)
    half = Baseline(DAY, counts, {"notes": set(days)}, shares={"notes": 0.5}).expect(("P", "T"), 9)
    assert half.mean == pytest.approx(whole.mean / 2) and half.p < whole.p


# --- the calendar ---


@pytest.mark.parametrize(
    ("date", "name"),
    [("2026-06-18", "618"), ("2026-11-11", "双11"), ("2026-11-05", None), ("2026-12-12", "双12"), ("2027-01-15", "年货节"),
     ("2027-01-30", None), ("2026-08-20", None)],
)
def test_known_campaigns(date, name):
    assert known(dt.date.fromisoformat(date)) == name


def test_own_dates_come_first_and_the_known_ones_can_be_switched_off(cups):
    own = Campaign(date=dt.date(2026, 6, 17), until=dt.date(2026, 6, 20), name="店庆")
    app = cups.app.model_copy(update={"campaigns": (own,)})
    settings = dataclasses.replace(cups, app=app)
    assert [campaign_on(settings, dt.date(2026, 6, d)) for d in (16, 18, 20, 21)] == ["618", "店庆", "店庆", None]
    plain = dataclasses.replace(cups, app=app.model_copy(update={"campaign_calendar": False}))
    assert campaign_on(plain, dt.date(2026, 6, 16)) is None
    with pytest.raises(ValueError, match="until"):
        App.model_validate({**cups.app.model_dump(mode="json"), "campaigns": [{"date": "2026-06-17", "until": "2026-06-01", "name": "x"}]})


def test_only_days_that_were_busy_are_adjusted(cups):
    days = [day(n) for n in range(1, 41)]
    volume = dict.fromkeys(days, 20) | {factory.PLANTED["campaign"]: 80, day(30): 90}
    found = exposures(cups, days, volume)
    assert found[factory.PLANTED["campaign"]] == pytest.approx(4.0)
    assert day(30) not in found and factory.PLANTED["campaign"] + dt.timedelta(days=1) not in found
    assert exposures(cups, days, dict.fromkeys(days, 1)) == {}


def test_an_incident_on_a_campaign_day_does_not_explain_itself(small, cups):
    """Sixty complaints in an ordinary day's volume of praise are no busy day."""
    date = day(factory.QUIET_DAYS + 1)
    app = cups.app.model_copy(update={"campaigns": (Campaign(date=date, name="店庆"),)})
    small.background(date)
    for number in range(60):
        small.mention(date, small.complaint("产品质量/漏水", factory.LEAK[number % 8], 2), sku="PC-B2")
    small.save()
    expected = [
        next(f.expected for f in build_incidents(settings, small.store, date, now=morning(date)).findings if f.topic == "产品质量/漏水")
        for settings in (cups, dataclasses.replace(cups, app=app))
    ]
    assert expected[0] == expected[1] is not None
