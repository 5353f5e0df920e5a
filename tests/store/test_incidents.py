"""Incident, digest and delivery rows on both databases."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from vocwatch.store import Store, alerts, digests, incidents
from vocwatch.store import schema as s
from vocwatch.store.incidents import Member

DAY = dt.date(2026, 11, 15)
NOW = dt.datetime(2026, 11, 16, 0, 30, tzinfo=dt.UTC)


def save(store: Store, day: dt.date = DAY, identifier: str = "INC-1", watched: bool = False, **changes) -> None:
    row = {
        "id": identifier,
        "brand": "b",
        "product": "P",
        "topic": "大类/小类",
        "title": "标题",
        "shop": None,
        "owner": "甲",
        "first_day": DAY,
        "last_day": day,
        "first_seen_at": NOW,
        "recurs_of": None,
        **changes,
    }
    day_row = {
        "incident_id": identifier,
        "day": day,
        "level": "橙",
        "state": "新增",
        "score": 61.0,
        "parts": {},
        "why": [],
        "authors": 3,
        "mentions": 3,
        "sessions": 0,
        "expected": 0.5,
        "p_value": 0.001,
        "formula": "f",
        "watched": watched,
    }
    with store.begin() as connection:
        incidents.save_incident(
            connection, row, day_row, [Member(identifier, "mention", 10 + (day - DAY).days, day, 10)]
        )


def test_an_earlier_day_written_again_does_not_change_the_latest_title(store):
    save(store)
    save(store, DAY + dt.timedelta(days=1), title="后来的标题")
    save(store, DAY, title="重写的标题")
    with store.read() as connection:
        (row,) = connection.execute(sa.select(s.incidents)).all()
        assert (row.title, row.last_day) == ("后来的标题", DAY + dt.timedelta(days=1))
        assert len(incidents.incident_list(connection, DAY)) == 1
        assert {m.day for m in incidents.members(connection, ["INC-1"])} == {DAY, DAY + dt.timedelta(days=1)}
        assert [m.ref_id for m in incidents.members(connection, ["INC-1"], DAY + dt.timedelta(days=1))] == [
            10
        ]


def test_forgetting_a_day_leaves_the_others(store):
    save(store)
    save(store, DAY + dt.timedelta(days=1))
    save(store, DAY, "INC-2")
    with store.begin() as connection:
        alerts.raise_one(connection, "INC-2", "红", DAY, now=NOW, mention_ids=[1], session_ids=[])
        incidents.forget_day(connection, DAY)
        incidents.drop_empty(connection, DAY)
    with store.read() as connection:
        assert [row.id for row in connection.execute(sa.select(s.incidents))] == ["INC-1"]
        assert incidents.incident_list(connection, DAY) == []
        assert len(incidents.incident_list(connection, DAY + dt.timedelta(days=1))) == 1
        assert alerts.listed(connection) == []


def test_an_alert_keeps_the_time_it_was_raised(store):
    save(store)
    with store.begin() as connection:
        alerts.raise_one(connection, "INC-1", "红", DAY, now=NOW, mention_ids=[1], session_ids=[])
        alerts.raise_one(
            connection,
            "INC-1",
            "红",
            DAY,
            now=NOW + dt.timedelta(hours=3),
            mention_ids=[1, 2],
            session_ids=[7],
        )
        alerts.raise_one(
            connection,
            "INC-1",
            "橙",
            DAY - dt.timedelta(days=1),
            now=NOW - dt.timedelta(days=1),
            mention_ids=[1],
            session_ids=[],
        )
    with store.read() as connection:
        newest, oldest = alerts.listed(connection)
        assert newest["raised_at"] == NOW and newest["mention_ids"] == [1, 2] and newest["title"] == "标题"
        assert oldest["level"] == "橙"
        assert alerts.listed(connection, DAY) == [newest]


def test_known_incidents_stand_as_of_their_last_day_before(store):
    save(store)
    save(store, DAY + dt.timedelta(days=2))
    with store.read() as connection:
        (known,) = incidents.known_before(connection, DAY + dt.timedelta(days=2), 45)
        assert known.last_day == DAY and known.level == "橙"
        assert incidents.known_before(connection, DAY, 45) == []
        assert incidents.known_before(connection, DAY + dt.timedelta(days=60), 45) == []
        assert incidents.listed_days(connection, DAY, DAY + dt.timedelta(days=1)) == [("P", "大类/小类", DAY)]
        assert incidents.taken_before(connection, DAY + dt.timedelta(days=1), 45) == {("mention", 10)}


def test_what_was_only_to_be_checked_is_no_day_of_an_incident(store):
    """It must not leave the base of what is usual, and its texts are free to join what others confirm."""
    save(store, watched=True)
    after = DAY + dt.timedelta(days=1)
    with store.read() as connection:
        assert incidents.listed_days(connection, DAY, after) == []
        assert incidents.taken_before(connection, after, 45) == set()
        (known,) = incidents.known_before(connection, after, 45)
        assert known.watched


def test_a_digest_is_kept_as_written_last(store):
    for content in ({"n": 1}, {"n": 2}):
        with store.begin() as connection:
            digests.save(connection, DAY, "qa", NOW, content)
    with store.read() as connection:
        assert digests.load(connection, DAY, "qa") == {"n": 2}
        assert digests.load(connection, DAY, "executive") is None
