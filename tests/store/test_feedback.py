"""What people say of findings, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.store.test_assessments import judgement
from vocwatch.models import Sentiment
from vocwatch.store import Store, assessments, erase, feedback, mentions
from vocwatch.store.feedback import Feedback, label_of
from vocwatch.store.mentions import MentionRow

NOW = dt.datetime(2026, 11, 15, tzinfo=dt.UTC)


def fill(store: Store) -> None:
    rows = [MentionRow(name, f"https://a.example/{name}", "review", f"评价{name}", rating=stars)
            for name, stars in (("a", 1.0), ("b", 5.0), ("c", 3.0), ("ad", 5.0))]
    with store.begin() as connection:
        mentions.save(connection, "shop", [*rows, MentionRow("p", "https://a.example/p", "post", "帖子")], NOW)
        waiting = assessments.pending_mentions(connection, replies=False)
        assessments.save(connection, [
            (each, judgement(voice="ad" if each.item.text == "评价ad" else "customer", review=True)) for each in waiting
        ], NOW)


def say(store: Store, name: str, verdict: str, hours: int = 0, who: str = "张", **more: Any) -> None:
    with store.begin() as connection:
        [subject] = feedback.find(connection, name)
        feedback.save(connection, Feedback(subject, verdict, who, "cli", NOW + dt.timedelta(hours=hours), **more))


def test_it_remembers_what_had_been_judged_by_which_model(store: Store) -> None:
    fill(store)
    say(store, "https://a.example/a", "准", note="对")
    with store.read() as connection:
        [row] = feedback.rows(connection)
    assert (row["subject_kind"], row["verdict"], row["model_version"], row["note"]) == ("mention", "准", "m1", "对")
    assert row["judged"]["sentiment"] == "negative" and row["text_sha"] and row["at"] == NOW


def test_said_twice_is_kept_once_and_the_newest_word_counts(store: Store) -> None:
    fill(store)
    for hours, verdict in enumerate(("误报", "误报", "准")):
        say(store, "https://a.example/a", verdict, hours)
    with store.read() as connection:
        assert len(feedback.rows(connection)) == 2
        assert not feedback.excluded(connection)
        [told] = feedback.told(connection)
    assert (told.verdict, label_of(told)) == ("准", Sentiment.NEGATIVE.value)


def test_stars_come_without_what_people_spoke_against_and_without_advertising(store: Store) -> None:
    fill(store)
    say(store, "https://a.example/b", "误报")
    with store.read() as connection:
        rated = [(each.text, each.stars) for each in feedback.rated(connection, 10)]
        [[kind, _]] = feedback.excluded(connection)
    assert rated == [("评价c", 3.0), ("评价a", 1.0)] and kind == "mention"


def test_a_verdict_that_does_not_say_what_is_right_teaches_nothing(store: Store) -> None:
    fill(store)
    say(store, "https://a.example/a", "不准")
    say(store, "https://a.example/b", "不准", label="neutral")
    say(store, "https://a.example/p", "漏报")
    with store.read() as connection:
        labels = {each.text: label_of(each) for each in feedback.told(connection)}
    assert labels == {"评价a": None, "评价b": "neutral", "帖子": "negative"}


def test_an_edited_text_is_not_the_one_that_was_spoken_of(store: Store) -> None:
    fill(store)
    say(store, "https://a.example/p", "漏报")
    with store.begin() as connection:
        mentions.save(connection, "shop", [MentionRow("p", "https://a.example/p", "post", "改过的帖子")], NOW)
    with store.read() as connection:
        assert feedback.told(connection) == []


def test_it_goes_with_what_is_forgotten(store: Store) -> None:
    fill(store)
    say(store, "https://a.example/a", "误报", note="他写的是张三")
    with store.begin() as connection:
        [subject] = feedback.find(connection, "https://a.example/a")
        erase.blank(connection, [int(subject.id)], NOW, unlink=False)
        assert feedback.rows(connection)[0]["note"] is None
        erase.delete(connection, [int(subject.id)])
        assert feedback.rows(connection) == []


def test_whether_a_person_should_look_is_kept(store: Store) -> None:
    fill(store)
    with store.read() as connection:
        from vocwatch.store import queries

        assert all(row["review"] for row in queries.mention_rows(connection, queries.Filter()))
