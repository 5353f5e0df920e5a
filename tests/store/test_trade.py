"""What the measures and calibration read, on both databases."""

from __future__ import annotations

import datetime as dt

from tests.reports.factory import Text, World, day
from vocwatch.store import Store, feedback, incidents, labels, trade
from vocwatch.store.incidents import Member

LEAK = "产品质量/漏水"
SINCE, UNTIL = dt.datetime(2026, 10, 6, tzinfo=dt.UTC), dt.datetime(2026, 10, 12, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)


def test_reviews_texts_names_and_dialogues(store: Store) -> None:
    world = World(store)
    good = Text("很好", (), "positive", 0)
    world.mention(day(1), good, "reviews", "PC-B2", kind="review", rating=5.0)
    world.mention(day(1), good, "reviews", "PC-B2", kind="review", rating=4.0, voice="merchant")
    world.mention(day(1), good, "reviews", "PC-B2", kind="review", rating=3.0, brand_match=False)
    world.mention(day(1), good, "reviews", "PC-B2", kind="review")
    both = world.mention(day(2), world.complaint(LEAK, "漏水"), "notes", hits=[("rival", "competitor", 7), ("songguoxia", "brand", 0), ("kw", "keyword", 1)])
    inside = world.session(day(2), world.complaint(LEAK, "漏水"))
    world.mention(day(20), good, "notes")
    world.save()
    with store.read() as connection:
        assert [review.stars for review in trade.star_reviews(connection, SINCE, UNTIL)] == [5.0]
        texts = {text.ref_id: text for text in trade.judged_mentions(connection, SINCE, UNTIL)}
        assert sorted(texts) == [1, 3, 4, both] and not texts[3].brand_match  # the merchant's own words are nobody's voice
        assert texts[both].spans[0][:2] == (LEAK, "negative") and texts[both].author == f"notes:a{both}"
        [session] = trade.judged_sessions(connection, SINCE, UNTIL)
        assert (session.kind, session.ref_id, session.topics) == ("session", inside, (LEAK,))
        assert [(hit.watch, hit.start) for hit in trade.named(connection, SINCE, UNTIL)[both]] == [("songguoxia", 0), ("rival", 7)]
        said = trade.dialogues(connection, [inside])
        assert [line.role for line in said[inside]] == ["customer", "agent"]


def test_words_on_incidents_meet_the_day_they_are_about(store: Store) -> None:
    world = World(store)
    first = world.mention(day(1), world.complaint(LEAK, "漏水"), "notes")
    later = world.mention(day(2), world.complaint(LEAK, "漏水"), "forum")
    world.session(day(1), world.complaint(LEAK, "漏水"))
    world.save()
    incident = {"id": "INC-1", "brand": "songguoxia", "product": None, "topic": LEAK, "title": "漏水", "shop": None, "owner": "何雨",
                "first_day": day(1), "last_day": day(1), "first_seen_at": NOW, "recurs_of": None}
    with store.begin() as connection:
        for number, ref in ((1, first), (2, later)):
            told = {"incident_id": "INC-1", "day": day(number), "level": "橙", "state": "新增", "score": 61.0, "parts": {"spread": 0.5}, "why": [],
                    "authors": 1, "mentions": 1, "sessions": 0, "expected": None, "p_value": None, "formula": "R-1"}
            joined = [Member("INC-1", "mention", ref, day(number), ref)]
            joined += [Member("INC-1", "session", 1, day(1), None)] if number == 1 else []
            incidents.save_incident(connection, {**incident, "last_day": day(number)}, told, joined)
        for name, at, verdict, label in (("INC-1", day(1), "不准", "黄"), ("INC-1", None, "误报", None), (str(first), None, "准", None)):
            [subject] = feedback.find(connection, name, at)
            feedback.save(connection, feedback.Feedback(subject, verdict, "何雨", "cli", NOW, label))
    with store.read() as connection:
        words, lost = labels.incident_words(connection)
        spoken = labels.mention_words(connection)
    assert [(w.day, w.verdict, w.level, w.sources) for w in words] == [
        (day(1), "不准", "黄", ("notes", "sessions")), (day(2), "误报", None, ("forum", "notes", "sessions")),
    ]
    assert lost == 0 and [(w.source, w.topics, w.verdict) for w in spoken] == [("notes", (LEAK,), "准")]
    with store.begin() as connection:
        incidents.forget_day(connection, day(2))
    with store.read() as connection:
        assert labels.incident_words(connection)[1] == 1
