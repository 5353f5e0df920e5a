"""Judging a day from traces comes to what the texts themselves say, in whatever order they came."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools

import pytest
import sqlalchemy as sa

from reports.baseline import UNNAMED
from reports.clusters import collapse
from reports.day import WINDOW_DAYS, read_day
from reports.past import StoredPast
from reports.run import build_incidents
from reports.texts import Reader
from reports.traces import Kept, keep
from reports.vocabulary import keep_words, words_before
from reports.window import Window
from reports.words import counted
from tests.reports.conftest import morning
from tests.reports.factory import PLANTED, Text, World, day
from vocwatch.clock import day_window
from vocwatch.fingerprint import fingerprint
from vocwatch.settings import Settings
from vocwatch.store import Store, erase, facts, incidents
from vocwatch.store import schema as s

DATE = PLANTED["rumour"]
COPIED = "听说这款杯子的内胆涂层遇热水会掉渣，已经有人喝下去了，大家先别用，等厂家出来说清楚再说"


def told(settings: Settings, store: Store, date: dt.date) -> tuple[list[tuple[object, ...]], dict[object, object]]:
    """What the traces say of a day: each complaint as it stands among all, and the voices of the baseline."""
    with store.read() as connection:
        found = read_day(settings, connection, date, StoredPast(connection))
        window = Window(Kept(settings, connection, date - dt.timedelta(days=WINDOW_DAYS), date).window())
    rows = [(c.key, c.day, c.product, c.topics, c.voice, c.origin) for c in found.complaints if c.day == date]
    return sorted(rows, key=lambda row: row[0]), window.counts()


def read_in_full(settings: Settings, store: Store, date: dt.date) -> tuple[list[tuple[object, ...]], dict[object, object]]:
    """The same from all texts of the day and of the days before, read one by one."""
    since = day_window(date - dt.timedelta(days=WINDOW_DAYS), settings.app.zone)[0]
    end = day_window(date, settings.app.zone)[1]
    with store.read() as connection:
        outside = incidents.complaints(connection, since, end)
        inside = incidents.service_complaints(connection, since, end)
    complaints = Reader(settings).complaints([*outside, *inside], collapse(outside))
    counts: dict[object, dict[object, set[str]]] = {}
    for c in complaints:
        for topic in c.topics if c.voice else ():
            for cell in ((None, topic), (c.product or UNNAMED, topic)):
                counts.setdefault(cell, {}).setdefault((c.channel, c.day), set()).add(c.voice or "")
    rows = [(c.key, c.day, c.product, c.topics, c.voice, c.origin) for c in complaints if c.day == date]
    return sorted(rows, key=lambda row: row[0]), {
        cell: {where: len(who) for where, who in days.items()} for cell, days in counts.items()
    }


def same(settings: Settings, store: Store, date: dt.date) -> None:
    rows, counts = told(settings, store, date)
    expected, voices = read_in_full(settings, store, date)
    assert rows == expected and counts == voices


@pytest.mark.parametrize("date", [DATE, PLANTED["burn"]])
def test_a_day_of_the_story_is_what_its_texts_say(cups, story, date):
    assert any(row[4] is None or str(row[4]).startswith("arranged") for row in told(cups, story, DATE)[0])
    same(cups, story, date)


def test_what_was_not_kept_yet_is_read_all_the_same(cups, story):
    kept = told(cups, story, DATE)
    with story.begin() as connection:
        connection.execute(s.traces.delete())
        connection.execute(sa.insert(s.changes).from_select(
            ["text_kind", "ref_id"], sa.select(s.assessments.c.text_kind, s.assessments.c.ref_id)
        ))
    assert told(cups, story, DATE) == kept
    with story.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(s.traces)).scalar_one() == 0
    keep(cups, story, DATE, WINDOW_DAYS)
    assert told(cups, story, DATE) == kept


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_copies_have_the_earliest_as_origin_in_whatever_order_they_came(cups, small, order):
    date = day(23)
    world, quiet = small, small.store
    ids = {}
    for number in order:
        ids[number] = world.mention(date - dt.timedelta(days=2 - number), Text(COPIED, ("产品质量/掉色",), clause=COPIED[:20]), hour=10)
        world.save()
        keep(cups, quiet, date, WINDOW_DAYS)
    (row,) = [row for row in told(cups, quiet, date)[0] if row[0] == ("mention", ids[2])]
    assert row[-1] == ids[0] and row[-2] is None
    same(cups, quiet, date)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("erased", [False, True])
def test_a_text_that_changes_leaves_its_copies_and_they_still_have_each_other(cups, small, place, erased):
    date = day(23)
    said = Text(COPIED, ("产品质量/掉色",), clause=COPIED[:20])
    ids = [small.mention(date, said, hour=hour) for hour in (8, 9, 10)]
    small.save()
    keep(cups, small.store, date, WINDOW_DAYS)
    gone = ids.pop(place)
    with small.store.begin() as connection:
        if erased:
            erase.delete(connection, [gone])
        else:
            connection.execute(s.assessments.update().where(
                s.assessments.c.text_kind == "mention", s.assessments.c.ref_id == gone
            ).values(fingerprint=fingerprint("换了一个盖子，客服当天就寄出来了，再也不漏")))
    for _ in ("waiting", "kept"):
        origins = {row[0][1]: row[-1] for row in told(cups, small.store, date)[0] if row[0][1] in ids}
        assert origins == {ids[0]: ids[0], ids[1]: ids[0]}
        same(cups, small.store, date)
        keep(cups, small.store, date, WINDOW_DAYS)


def test_moved_and_erased_texts_are_counted_where_they_are(cups, story):
    with story.begin() as connection:
        moved = connection.execute(sa.select(s.traces.c.ref_id).where(
            s.traces.c.day == DATE.toordinal(), s.traces.c.text_kind == "mention", s.traces.c.complains
        ).limit(2)).scalars().all()
        connection.execute(s.mentions.update().where(s.mentions.c.id == moved[0]).values(sku="SKU-MOVED"))
    with erase.erasing(story) as connection:
        erase.delete(connection, [moved[1]])
    same(cups, story, DATE)
    keep(cups, story, DATE, WINDOW_DAYS)
    same(cups, story, DATE)
    with story.read() as connection:
        query = sa.select(s.traces.c.ref_id, s.traces.c.product).where(
            s.traces.c.text_kind == "mention", s.traces.c.ref_id.in_(moved)
        )
        assert connection.execute(query).all() == [(moved[0], "SKU-MOVED")]


def test_other_settings_make_other_traces(cups, story):
    lines = tuple(line.model_copy(update={"topic": "宣传/别的"}) for line in cups.topics.red_lines)
    other = dataclasses.replace(cups, topics=cups.topics.model_copy(update={"red_lines": lines}))
    date = PLANTED["burn"]
    same(other, story, date)
    assert told(other, story, date) != told(cups, story, date)
    keep(other, story, date, WINDOW_DAYS)
    same(other, story, date)


def test_volumes_are_counts_of_mentions(cups, story):
    since, end = day_window(DATE - dt.timedelta(days=5), cups.app.zone)[0], day_window(DATE, cups.app.zone)[1]
    with story.read() as connection:
        expected: dict[tuple[dt.date, str], tuple[int, int]] = {}
        for mention in facts.brand_mentions(connection, since, end):
            key = (mention.at.astimezone(cups.app.zone).date(), mention.source)
            total, negative = expected.get(key, (0, 0))
            expected[key] = (total + 1, negative + (mention.sentiment == "negative"))
        assert Kept(cups, connection, DATE - dt.timedelta(days=5), DATE).volumes() == expected


def test_words_are_counted_again_when_a_text_of_their_day_changes(cups, story):
    keep_words(cups, story, DATE, 3)
    eve = DATE - dt.timedelta(days=1)
    world = World(story)
    world.mentions = 90_000
    world.mention(eve, Text("密封圈老化", ("产品质量/掉色",)))
    world.save()
    build_incidents(cups, story, DATE, now=morning(DATE))
    since = day_window(DATE - dt.timedelta(days=3), cups.app.zone)[0]
    with story.read() as connection:
        texts = [text for _, _, _, text in facts.negative_texts(connection, since, day_window(DATE, cups.app.zone)[0])]
        found = words_before(cups, connection, DATE, 3)
    assert found == counted(texts) and found["密封圈"] >= 1
