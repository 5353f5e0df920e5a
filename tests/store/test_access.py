"""People, lock-out and the log's chain, on SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from vocwatch.store import Store
from vocwatch.store.access import lockout, log, logins, tokens, users
from vocwatch.store.access.logins import Terms
from vocwatch.store.access.schema import access_log, attempts
from vocwatch.store.access.users import UserError

NOW = dt.datetime(2026, 11, 16, 1, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
TERMS = Terms(120 * MINUTE, 720 * MINUTE)
KEY = b"a key outside the database"


def test_a_block_grows_to_a_quarter_of_an_hour_ends_by_itself_and_is_not_prolonged(store: Store) -> None:
    moment, waits = NOW, []
    for _ in range(8):
        with store.begin() as connection:
            while (until := lockout.admit(connection, {"pair:x": 5}, moment)) is None:
                continue
            waits.append((until - moment) // MINUTE)
            assert lockout.admit(connection, {"pair:x": 5}, moment) == until  # trying on prolongs nothing
        moment = until
    assert waits == [1, 2, 4, 8, 15, 15, 15, 15]
    with store.begin() as connection:
        assert lockout.admit(connection, {"pair:x": 5}, moment + 60 * MINUTE) is None
        assert connection.execute(sa.select(attempts.c.count)).scalar() == 1  # an hour later all is forgotten


def test_whoever_guesses_from_everywhere_does_not_shut_out_a_known_browser(store: Store) -> None:
    with store.begin() as connection:
        for number in range(20):
            assert lockout.admit(connection, {f"pair:{number}": 5, "name:x": 20}, NOW) is None
        assert lockout.admit(connection, {"pair:new": 5, "name:x": 20}, NOW) is not None
        assert lockout.admit(connection, {"device:known": 10}, NOW) is None


def test_a_login_gives_an_address_only_its_own_attempt_back(store: Store) -> None:
    with store.begin() as connection:
        for number in range(3):
            lockout.admit(connection, {f"pair:{number}": 5, "from:y": 40}, NOW)
        lockout.admit(connection, {"pair:own": 5, "from:y": 40}, NOW)
        lockout.succeeded(connection, ["pair:own"], ["from:y"])
        left = dict(map(tuple, connection.execute(sa.select(attempts.c.key, attempts.c.count))))
    assert left == {"pair:0": 1, "pair:1": 1, "pair:2": 1, "from:y": 3}


def test_attempts_at_once_and_first_people_at_once_are_counted_one_by_one(store: Store) -> None:
    def guess(_: int) -> bool:
        with store.begin() as connection:
            return lockout.admit(connection, {"pair:x": 5}, NOW) is None

    def first(number: int) -> bool:
        try:
            with store.begin() as connection:
                users.add_first(connection, f"管理{number}", password="x", now=NOW)
        except UserError:
            return False
        return True

    def same(_: int) -> bool:
        try:
            with store.begin() as connection:
                users.add(connection, "同名", "reader", password="x", now=NOW)
        except UserError:
            return False
        return True

    with ThreadPoolExecutor(8) as people:
        assert [sum(people.map(act, range(16))) for act in (guess, first, same)] == [5, 1, 1]


def test_names_are_one_whatever_their_case_and_width(store: Store) -> None:
    with store.begin() as connection:
        users.add(connection, "Zhou Nan", "reader", password=None, now=NOW)
        assert users.find(connection, " ＺＨＯＵ nan") is not None
        with pytest.raises(UserError, match="已经有人"):
            users.add(connection, "zhou nan", "admin", password=None, now=NOW)
        for bad in ("", " ", "x" * 61, "a\nb", "a\u202eb"):
            with pytest.raises(UserError, match="名字"):
                users.add(connection, bad, "reader", password=None, now=NOW)


def test_no_secret_is_stored_and_a_token_is_never_more_than_its_person(store: Store) -> None:
    with store.begin() as connection:
        user = users.add(connection, "甲", "editor", password="$argon2id$…", now=NOW)
        cookie = logins.begin(connection, user.id, "password", NOW, TERMS)
        number, secret = tokens.new(connection, user, "看板", "editor", NOW, 30)
        with pytest.raises(UserError, match="不能高过"):
            tokens.new(connection, user, "看板", "admin", NOW)
        rows = [str(row) for name in ("users", "logins", "api_tokens") for row in connection.execute(sa.text(f"SELECT * FROM {name}"))]
        assert not [row for row in rows if cookie in row or secret in row]
        assert tokens.find(connection, secret, NOW).role == "editor"  # type: ignore[union-attr]
        users.set_role(connection, user, "reader", NOW)
        assert tokens.find(connection, secret, NOW).role == "reader"  # type: ignore[union-attr]
        assert tokens.find(connection, secret, NOW + dt.timedelta(days=30)) is None
        users.set_enabled(connection, user, False, NOW)
        assert tokens.find(connection, secret, NOW) is None and logins.find(connection, cookie, NOW, TERMS) is None
        users.set_enabled(connection, user, True, NOW)
        tokens.revoke(connection, number, NOW)
        assert tokens.find(connection, secret, NOW) is None


def test_the_log_tells_what_was_changed_left_out_or_put_in(store: Store) -> None:
    def fill() -> None:
        with store.begin() as connection:
            connection.execute(access_log.delete())
            for number in range(5):
                log.add(connection, "甲", "password", "view", f"session {number}", NOW + number * MINUTE, KEY)

    fill()
    with store.read() as connection:
        assert log.verify(connection, KEY) == log.Checked(5, None)
        assert [row.subject for row in log.entries(connection, limit=2)] == ["session 4", "session 3"]
        assert log.verify(connection, b"another").broken is not None
    a = access_log.c
    third = sa.select(a.id).order_by(a.id).offset(2).limit(1).scalar_subquery()
    for change in (
        access_log.update().where(a.id == third).values(who="乙"), access_log.update().where(a.id == third).values(at=NOW),
        access_log.delete().where(a.id == third), access_log.update().where(a.id == third).values(subject="session 9"),
    ):
        fill()
        with store.begin() as connection:
            connection.execute(change)
        with store.read() as connection:
            assert log.verify(connection, KEY).broken is not None, str(change)
    fill()
    with store.begin() as connection:  # the oldest end goes by retention, which leaves a proof of it, and not by a hand
        connection.execute(access_log.delete().where(a.at < NOW + MINUTE))
        assert log.verify(connection, KEY).broken is not None
    fill()
    with store.begin() as connection:
        assert log.forget_old(connection, NOW + 2 * MINUTE, NOW) == 2 and log.forget_old(connection, NOW, NOW) == 0
        assert log.verify(connection, KEY) == log.Checked(3, None)
        log.add(connection, "甲", "password", "view", "session 6", NOW, KEY)
        assert log.verify(connection, KEY) == log.Checked(4, None)
