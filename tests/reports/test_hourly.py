"""The hourly path: what rises within hours is told between two digests, rarely in vain, and with its rows."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest

from reports.baseline import Baseline, base_days, benjamini_hochberg, nb_tail
from reports.digest import render_html, render_text
from reports.digest.contract import as_dict
from reports.facts import build_facts
from reports.hourly import FAST_P, FAST_Q, HOURS, MIN_VOICES, movers_of, profile, share_of
from reports.rising import read_rising
from reports.run import build_incidents
from tests.reports import factory
from tests.reports.brand import LEAK
from tests.reports.conftest import morning
from tests.reports.factory import Text, day
from tests.reports.ledger import Ledger, unaccounted
from vocwatch.models import OTHER_TOPIC

DATE = day(24)
LATE = dt.time(16, 30)


def moment(hour, minute=0, date=DATE):
    return dt.datetime.combine(date, dt.time(hour, minute), tzinfo=factory.ZONE)


def leaks(world, number, hour=15.2, **columns):
    for n in range(number):
        clause = LEAK[n % len(LEAK)]
        world.mention(DATE, world.complaint("产品质量/漏水", clause, 2), sku="PC-B2", hour=hour + n / 60, **columns)


@pytest.fixture
def afternoon(cups, small):
    """Half past four: every source was read, and nothing has happened yet. `look` builds the day at a time."""
    for source in factory.SOURCES:
        small.run(DATE, source, hour=15.9)

    def look(now):
        small.save()
        env = dataclasses.replace(cups.env, now=now.isoformat())
        settings = dataclasses.replace(cups, env=env)
        assert settings.clock.now() == now
        build_incidents(settings, small.store, DATE, now=settings.clock.now())
        with small.store.read() as connection:
            return movers_of(connection, DATE)

    return look


def test_a_rise_within_the_hour_is_told_before_the_digest(afternoon, small):
    leaks(small, 2, hour=9)
    assert afternoon(moment(11)) == []
    leaks(small, 6)
    (mover,) = afternoon(moment(16))
    assert (mover.product, mover.topic, mover.hours, mover.seen) == ("PC-B2", "产品质量/漏水", 1, 6)
    assert mover.expected < 0.5 and mover.p < FAST_P and len(mover.mention_ids) == 6


def test_the_first_time_it_was_told_is_kept(afternoon, small):
    leaks(small, 5)
    afternoon(moment(16))
    leaks(small, 6, hour=16.1)
    (mover,) = afternoon(moment(16, 40))
    assert mover.told_at == moment(16).isoformat() and mover.seen >= 6
    (later,) = afternoon(moment(22))  # the rise is over; it was told all the same
    assert later == mover


def test_what_is_no_rise_of_voices_is_not_told(afternoon, small):
    leaks(small, 8, author="one", source="forum")  # one account
    leaks(small, 5, hour=17)  # ahead of the clock
    small.mention(DATE, Text("怪怪的", (OTHER_TOPIC,)), hour=15.5)
    assert afternoon(moment(16)) == []


def test_a_date_without_an_hour_is_no_midnight(afternoon, small):
    leaks(small, 6, published_at=moment(0))
    assert afternoon(moment(1)) == []
    leaks(small, 6, hour=0.5)
    assert [mover.seen for mover in afternoon(moment(1))] == [6]


def test_copies_are_no_voices(afternoon, small):
    said = small.complaint("产品质量/漏水", LEAK[0], 2)
    for number in range(8):
        small.mention(DATE, dataclasses.replace(said, text=said.text + "！" * number), sku="PC-B2", hour=15.2, author=f"c{number}")
    assert afternoon(moment(16)) == []


def test_another_days_work_tells_nothing_of_these_hours(cups, small):
    leaks(small, 8, hour=23.5)
    small.save()
    build_incidents(cups, small.store, DATE, now=moment(0, 30, DATE + dt.timedelta(days=1)))
    with small.store.read() as connection:
        assert movers_of(connection, DATE) == []


def test_without_a_baseline_nothing_is_claimed(cups, sqlite_store):
    world = factory.World(sqlite_store)
    for number in range(15, 24):
        world.background(day(number))
        world.runs(day(number))
    leaks(world, 8)
    world.save()
    build_incidents(cups, sqlite_store, DATE, now=moment(16))
    with sqlite_store.read() as connection:
        assert movers_of(connection, DATE) == []


def test_digest_and_ledger_know_it(afternoon, small, cups):
    small.background(DATE)
    leaks(small, 6)
    afternoon(moment(16))
    told = build_facts(cups, small.store, DATE, now=morning(DATE))
    (rising,) = told.rising
    assert rising.product_name == "暖杯" and rising.incident and len(rising.mention_urls) == rising.seen
    value = as_dict(told)
    assert unaccounted(Ledger(small.store, value, factory.ZONE)) == []
    value["movers"][0]["mention_urls"].pop()
    assert [line.split(":")[0] for line in unaccounted(Ledger(small.store, value, factory.ZONE))] == ["movers.0.seen"]
    assert "快速升温" in render_html(told) and "暖杯 产品质量/漏水：10-30 15:00–16:00" in render_text(told)
    assert "Fast mover" in render_html(told, "en") and "expected in these hours" in render_text(told, "en")


def test_it_survives_its_row(afternoon, small, cups):
    leaks(small, 6)
    (mover,) = afternoon(moment(16))
    assert json.loads(json.dumps(mover.stored()))["seen"] == 6
    with small.store.read() as connection:
        (rising,) = read_rising(cups, connection, DATE)
    assert rising.as_dict()["window"] == {"from": "2026-10-30T15:00:00+08:00", "to": "2026-10-30T16:00:00+08:00"}


def test_the_hours_of_a_day_add_up():
    moments = [moment(hour, 30) for hour in range(8, 23)] * 40 + [moment(0)] * 500
    shape = profile(moments, factory.ZONE)
    assert sum(shape) == pytest.approx(1) and shape[3] < shape[12] / 3 and shape[0] == shape[3]
    assert share_of(shape, moment(12, 30), 1) == pytest.approx(shape[12] / 2 + shape[11] / 2)
    assert share_of(shape, moment(1, 15), 3) == pytest.approx(shape[1] / 4 + shape[0] + shape[23] + shape[22] * 0.75)
    assert share_of(shape, moment(0), 3) == pytest.approx(shape[23] + shape[22] + shape[21])


@pytest.mark.parametrize("mean", [0.3, 3.0])
def test_a_hundred_and_twenty_cells_looked_at_every_hour_cry_wolf_once_in_days(mean):
    """Overdispersed counts spread over sixteen waking hours, looked at on the hour."""
    rng = np.random.default_rng(11)
    cells, days, false = 120, 6, 0
    date = dt.date(2026, 9, 15)
    for _ in range(days):
        level = rng.gamma(4, mean / 4, size=cells)
        counts = {}
        for cell in range(cells):
            drawn = rng.poisson(rng.gamma(1 / 0.3, level[cell] * 0.3, size=28))
            counts[f"P{cell % 12}", f"T{cell // 12}"] = {("notes", d): int(n) for d, n in zip(base_days(date), drawn, strict=True) if n}
        baseline = Baseline(date, counts, {"notes": set(base_days(date))})
        today = rng.gamma(1 / 0.3, level * 0.3)
        hourly = rng.poisson(today[:, None] / 16, size=(cells, 16))
        false += wolf(baseline, list(counts), hourly)
    assert false / days <= 0.5


def wolf(baseline, cells, hourly):
    """How many cells are flagged in a day by the rule of `movers`."""
    flagged = set()
    for hour in range(hourly.shape[1]):
        p = {}
        for cell, row in zip(cells, hourly, strict=True):
            tails = []
            for hours in HOURS:
                seen = int(row[max(0, hour + 1 - hours) : hour + 1].sum())
                if seen:
                    told = baseline.expect(cell, seen)
                    tails.append((nb_tail(seen, told.mean * hours / 16, told.alpha), seen))
            if tails:
                p[cell] = (min(1.0, 3 * min(tails)[0]), min(tails)[1])
        q = benjamini_hochberg([value for value, _ in p.values()], baseline.cells)
        flagged |= {cell for cell, (value, seen) in p.items() if seen >= MIN_VOICES and value < FAST_P and q[value] < FAST_Q}
    return len(flagged)
