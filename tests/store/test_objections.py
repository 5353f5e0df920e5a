"""Objections to feedback, on both databases: disputed words teach nothing, and a second person settles."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.store.test_feedback import NOW, fill, say
from vocwatch.store import Store, erase, feedback, labels, objections
from vocwatch.store.objections import ObjectionError

A = "https://a.example/a"
HOUR = dt.timedelta(hours=1)


def first(store: Store) -> int:
    """张 calls a text a false alarm; returns the word's number."""
    fill(store)
    say(store, A, "误报")
    with store.read() as connection:
        [row] = feedback.rows(connection)
    return int(row["id"])


def contest(store: Store, word: int, who: str = "李", reason: str = "有照片") -> int:
    with store.begin() as connection:
        return objections.raise_one(connection, word, who, reason, NOW + HOUR)


def settle(store: Store, number: int, verdict: str, who: str, hours: int = 2, **more: str) -> str:
    with store.begin() as connection:
        return objections.settle(connection, number, verdict, who, NOW + hours * HOUR, **more)


def test_while_it_is_disputed_a_word_counts_for_nothing(store: Store) -> None:
    word = first(store)
    with store.read() as connection:
        assert feedback.excluded(connection) and feedback.told(connection) and labels.mention_words(connection)
        assert "评价a" not in [each.text for each in feedback.rated(connection, 10)]
    contest(store, word)
    with store.read() as connection:
        assert not feedback.excluded(connection) and not feedback.told(connection) and not labels.mention_words(connection)
        assert "评价a" not in [each.text for each in feedback.rated(connection, 10)]  # its stars don't either
        [row] = feedback.rows(connection)
    assert row["objection"] == "open"


def test_neither_side_settles_and_a_second_person_does(store: Store) -> None:
    number = contest(store, first(store))
    for party in ("张", " 张 ", "李"):
        with pytest.raises(ObjectionError):
            settle(store, number, "准", party)
    assert settle(store, number, "准", "王", note="照片为证") == "upheld"
    with store.read() as connection:
        [told] = feedback.told(connection)
        assert told.verdict == "准" and not feedback.excluded(connection)
        ruling = feedback.newest(connection)["mention", str(_id(connection))]
    assert (ruling.who, ruling.channel, ruling.note) == ("王", "settled", "照片为证")
    with pytest.raises(ObjectionError):
        settle(store, number, "误报", "赵")  # settled once


def _id(connection) -> int:
    return int(feedback.find(connection, A)[0].id)


def test_what_was_settled_stands_against_later_words_until_it_is_contested_itself(store: Store) -> None:
    number = contest(store, first(store))
    assert settle(store, number, "误报", "王") == "overruled"
    say(store, A, "准", 5, who="李")
    with store.read() as connection:
        assert feedback.excluded(connection)
        ruling = next(row for row in feedback.rows(connection) if row["channel"] == "settled")
    with pytest.raises(ObjectionError):
        contest(store, ruling["id"], "王")  # one's own ruling
    contest(store, ruling["id"], "李", "新的证据")
    with store.read() as connection:
        assert not feedback.excluded(connection)


def test_an_objection_needs_another_person_a_reason_and_a_verdict_and_is_raised_once(store: Store) -> None:
    word = first(store)
    say(store, A, "已处置", 1)
    with store.read() as connection:
        done = next(row["id"] for row in feedback.rows(connection) if row["verdict"] == "已处置")
    for number, who, reason in ((word, "张", "x"), (word, "李", "  "), (done, "李", "x"), (999, "李", "x")):
        with pytest.raises(ObjectionError):
            contest(store, number, who, reason)
    contest(store, word)
    with pytest.raises(ObjectionError):
        contest(store, word, "赵")
    with store.read() as connection:
        assert objections.number_open(connection) == 1


def test_only_who_raised_it_takes_it_back(store: Store) -> None:
    number = contest(store, first(store))
    with pytest.raises(ObjectionError), store.begin() as connection:
        objections.withdraw(connection, number, "王", NOW)
    with store.begin() as connection:
        objections.withdraw(connection, number, "李", NOW + HOUR, "看错了")
    with store.read() as connection:
        assert feedback.excluded(connection) and objections.number_open(connection) == 0


def test_a_ruling_may_say_what_would_have_been_right(store: Store) -> None:
    fill(store)
    say(store, A, "不准", label="positive")
    with store.read() as connection:
        [row] = feedback.rows(connection)
    assert settle(store, contest(store, row["id"]), "不准", "王", label="neutral") == "upheld"
    with store.read() as connection:
        assert [feedback.label_of(each) for each in feedback.told(connection)] == ["neutral"]


def test_the_weeks_disputes_are_objections_and_opposite_words(store: Store) -> None:
    word = first(store)
    say(store, "https://a.example/b", "准", who="张")
    say(store, "https://a.example/b", "误报", 1, who="李")
    say(store, "https://a.example/c", "准", who="张")
    say(store, "https://a.example/c", "准", 1, who="李")
    contest(store, word)
    week = (NOW - dt.timedelta(days=6), NOW + dt.timedelta(days=1))
    with store.read() as connection:
        found = objections.disputes(connection, *week)
        assert [(one.objection is not None, len(one.words)) for one in found] == [(True, 1), (False, 2)]
        later = objections.disputes(connection, NOW + dt.timedelta(days=5), NOW + dt.timedelta(days=12))
        assert [one.objection["state"] for one in later if one.objection] == ["open"] and len(later) == 1
    number = found[0].objection["id"] if found[0].objection else 0
    settle(store, number, "准", "王")
    with store.read() as connection:
        assert objections.disputes(connection, NOW + dt.timedelta(days=5), NOW + dt.timedelta(days=12)) == []


def test_what_is_forgotten_takes_its_objections_with_it(store: Store) -> None:
    word = first(store)
    contest(store, word, reason="他写的是张三")
    with store.begin() as connection:
        key = _id(connection)
        erase.blank(connection, [key], NOW, unlink=False)
        [one] = objections.disputes(connection, NOW, NOW + dt.timedelta(days=1))
        assert one.objection and one.objection["reason"] == ""
        erase.delete(connection, [key])
        assert objections.number_open(connection) == 0
