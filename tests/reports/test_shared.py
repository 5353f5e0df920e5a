"""Texts that were read once for a day are not read again, and nothing else comes of it."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa

from reports.day import WINDOW_DAYS, _tones, read_day, speaking_of
from reports.past import StoredPast
from reports.traces import Kept, Shared, keep
from tests.reports.factory import PLANTED, day
from vocwatch.clock import day_window
from vocwatch.store import facts, incidents
from vocwatch.store import schema as s

DATE = PLANTED["rumour"]


def remade(cups, store):
    """The day's texts as they are read when all traces are made anew."""
    with store.begin() as connection:
        connection.execute(s.traces.delete())
        judged = sa.select(s.assessments.c.text_kind, s.assessments.c.ref_id)
        connection.execute(sa.insert(s.changes).from_select(["text_kind", "ref_id"], judged))
    shared = Shared(DATE)
    keep(cups, store, DATE, WINDOW_DAYS, shared)
    return shared


def complaints(cups, store, shared=None):
    with store.read() as connection:
        return read_day(cups, connection, DATE, StoredPast(connection), shared).complaints


def test_a_day_is_the_same_from_texts_that_were_read_before(cups, story, monkeypatch):
    shared = remade(cups, story)
    fresh = complaints(cups, story)
    assert any(c.inside for c in fresh) and any(not c.inside for c in fresh)
    today = {("mention" if not c.inside else "session", c.heard.ref_id) for c in fresh if c.day == DATE}
    read: list[int] = []
    by_id = incidents.mentions_by_id
    monkeypatch.setattr(incidents, "mentions_by_id", lambda connection, ids: read.extend(ids) or by_id(connection, ids))
    assert complaints(cups, story, shared) == fresh
    assert not {("mention", ref) for ref in read} & today


def test_a_text_that_was_judged_anew_meanwhile_is_read_again(cups, story):
    shared = remade(cups, story)
    changed = next(c for c in complaints(cups, story) if not c.inside and c.day == DATE and c.topics)
    with story.begin() as connection:
        connection.execute(s.assessments.update().where(
            s.assessments.c.text_kind == "mention", s.assessments.c.ref_id == changed.heard.ref_id
        ).values(severity=7))
    found = {c.key: c for c in complaints(cups, story, shared)}
    assert found[changed.key].heard.severity == 7 != changed.heard.severity


def test_the_past_is_read_when_it_is_asked_for(cups, story):
    since = day(10)
    with story.read() as connection:
        window = day_window(since, cups.app.zone)[0], day_window(DATE, cups.app.zone)[0]
        wanted = [text for _, _, _, text in facts.negative_texts(connection, *window)]
        found = Kept(cups, connection, since, DATE).negative_texts(DATE)
        assert len(found) == len(wanted) > 20 and Counter(found) == Counter(wanted)
        assert Counter(found[::3]) == Counter(wanted[::3]) and found[5] == wanted[5]


def test_tones_are_those_of_the_mentions(cups, story):
    start, end = day_window(DATE, cups.app.zone)
    with story.begin() as connection:
        some = [m.ref_id for m, _ in speaking_of(cups, connection, start, end)][:9]
        products = [w.id for w in cups.watches.watches if w.kind == "product"][:3]
        connection.execute(s.hits.insert(), [
            {"text_kind": "mention", "ref_id": ref, "watch": watch, "kind": "product", "rule": "alias", "start": 90 + place, "end": 99,
             "matched": "x"}
            for ref in some for place, watch in enumerate(products)
        ])
    with story.read() as connection:
        texts, negative = Counter(), Counter()
        for mention, about in speaking_of(cups, connection, start, end):
            texts.update(about)
            negative.update(about if mention.sentiment == "negative" else ())
        told = _tones(cups, connection, start, end)
    assert {product: (tone.texts, tone.negative) for product, tone in told.items()} == {p: (n, negative[p]) for p, n in texts.items()}
    assert len(told) > 3
