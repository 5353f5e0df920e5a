"""Storing sessions, on both databases."""

from __future__ import annotations

import dataclasses
import datetime as dt

import sqlalchemy as sa

from vocwatch.models import Path, SessionRecord, Turn
from vocwatch.store import Store
from vocwatch.store.schema import sessions, turns
from vocwatch.store.sessions import UpsertCounts, text_sha, upsert_sessions

NOW = dt.datetime(2026, 11, 16, 0, 30, tzinfo=dt.UTC)


def record(number: int = 1, path: Path = Path.LOST, **changes: object) -> SessionRecord:
    base = SessionRecord(
        f"S{number}",
        path,
        NOW - dt.timedelta(days=1),
        [Turn("customer", "在吗", NOW), Turn("agent", "在", None)],
        shop="一店",
        amount=12.5,
        resolved=False,
        response_seconds=0.1,
    )
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]


def test_add_change_and_leave_alone(store: Store) -> None:
    many = [record(n) for n in range(1, 1201)]
    with store.begin() as connection:
        assert upsert_sessions(connection, many, 1, NOW) == UpsertCounts(added=1200)
    changed = [record(1, turns=[Turn("customer", "改口")]), record(2, shop="二店"), *many[2:]]
    with store.begin() as connection:
        assert upsert_sessions(connection, changed, 2, NOW) == UpsertCounts(updated=2, unchanged=1198)
    with store.read() as connection:
        rows = {row.native_id: row for row in connection.execute(sa.select(sessions))}
        said = (
            connection.execute(sa.select(turns.c.text).where(turns.c.session_id == rows["S1"].id))
            .scalars()
            .all()
        )
        total = connection.execute(sa.select(sa.func.count()).select_from(turns)).scalar()
    assert said == ["改口"] and total == 2 * 1200 - 1
    assert (rows["S1"].run_id, rows["S2"].run_id, rows["S3"].run_id) == (2, 2, 1)
    assert rows["S2"].shop == "二店" and rows["S1"].text_sha != rows["S3"].text_sha


def test_one_id_may_be_bad_for_two_reasons(store: Store) -> None:
    with store.begin() as connection:
        counts = upsert_sessions(connection, [record(1), record(1, path=Path.BAD_REVIEW)], 1, NOW)
    assert counts.added == 2


def test_a_value_that_goes_away_is_a_change(store: Store) -> None:
    with store.begin() as connection:
        upsert_sessions(connection, [record(1)], 1, NOW)
        assert upsert_sessions(connection, [record(1, amount=None, resolved=None)], 2, NOW).updated == 1
        assert connection.execute(sa.select(sessions.c.amount)).scalar() is None


def test_nothing_is_nothing(store: Store) -> None:
    with store.begin() as connection:
        assert upsert_sessions(connection, [], 1, NOW) == UpsertCounts()


def test_the_digest_of_a_text_follows_the_words() -> None:
    assert text_sha(record(1)) == text_sha(record(2, shop="别家"))
    assert text_sha(record(1)) != text_sha(record(1, review="差"))
