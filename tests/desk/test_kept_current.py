"""The narrow rows say what the judgements say, whatever was written, moved or erased; nothing of the erased is left (F60)."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from reports.desk.ask import Desk, Question, ask
from tests.reports import factory
from tests.reports.factory import Text, World, day
from tests.store.kept import Kept, ago, raw_bytes, tiny_home, tiny_settings
from tests.store.test_forget import asked
from vocwatch.settings import Settings
from vocwatch.store import Store, erase, forget
from vocwatch.store import schema as s
from vocwatch.store.desk import counts, keep, rollup, rows
from vocwatch.store.desk.scope import Scope
from vocwatch.store.desk_schema import (
    desk_changes,
    desk_days,
    desk_dirty,
    desk_mentions,
    desk_red_lines,
    desk_topic_days,
    desk_topics,
    desk_watches,
)

NARROW = (desk_mentions, desk_topics, desk_watches, desk_red_lines)
NOW = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)


def content(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store.read() as connection:
        found = {table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr) for table in NARROW}
        assert not connection.execute(sa.select(desk_changes)).all()
    return found


def made_anew(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """What the narrow rows are when they are all made from the judgements."""
    with store.begin() as connection:
        as_migrated(connection)
        keep.drain(connection)
    return content(store)


def as_migrated(connection: sa.Connection) -> None:
    """No narrow row yet, and everything waiting for one."""
    for table in NARROW:
        connection.execute(table.delete())
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("INSERT INTO desk_words (desk_words) VALUES ('delete-all')")
        connection.exec_driver_sql("DELETE FROM desk_words_of")
    else:
        connection.exec_driver_sql("DELETE FROM desk_words")
    connection.execute(desk_changes.insert().from_select(["ref_id"], sa.select(s.mentions.c.id)))


def world_of(store: Store) -> World:
    world = World(store, 3)
    for number in range(1, 4):
        world.background(day(number), sessions=1)
    world.mention(day(2), Text("杯子漏水了还烫手", ("产品质量/漏水", "商品安全/烫伤"), severity=3, red_line="人身伤害"), hits=[("pc-b2", "product", 0)])
    world.mention(day(2), Text("亲，马上为您处理", sentiment="neutral", severity=0), voice="merchant")
    world.mention(day(3), Text("看不懂的字"), published_at=None)
    world.save()
    return world


def test_every_change_is_followed_before_its_transaction_ends(store: Store) -> None:
    world = world_of(store)
    draw = random.Random(5)
    ids = list(range(1, world.mentions + 1))
    a, m = s.assessments, s.mentions
    for turn in range(15):
        some = draw.sample(ids, 4)
        with store.begin() as connection:
            mine = sa.and_(a.c.text_kind == "mention", a.c.ref_id.in_(some))
            what = turn % 5
            if what == 0:
                connection.execute(a.update().where(mine).values(sentiment="positive", topics=["物流/错发"], red_lines=[{"name": "假货"}], severity=2))
            elif what == 1:
                connection.execute(m.update().where(m.c.id.in_(some)).values(published_at=world.at(day(draw.randrange(1, 5)))))
            elif what == 2:
                connection.execute(m.update().where(m.c.id.in_(some)).values(author_key="b", sku="PC-H1", shop="另一家"))
            elif what == 3:
                erase.blank(connection, some[:1], NOW, unlink=False)
            else:
                erase.delete(connection, some[:1])
    before = content(store)
    assert len(before["desk_mentions"]) < world.mentions and before == made_anew(store)


def test_counts_of_days_are_those_of_the_rows_at_any_moment(both: Desk) -> None:
    world_of(both.store)
    zone = both.settings.app.zone
    asked = Question(since=day(1), until=day(5), brand=True)

    def counted() -> list[Any]:
        with both.read() as connection:
            scope = both.plain_scope(asked)
            quick = counts.grouped(connection, scope, ("topic", "day"), authors=False), counts.grouped(connection, scope, ("source",), authors=False)
            slow = counts._from_rows(connection, scope, ("topic", "day"), False), counts._from_rows(connection, scope, ("source",), False)
            for one, other in zip(quick, slow, strict=True):
                assert {c.values: (c.mentions, c.negative) for c in one} == {c.values: (c.mentions, c.negative) for c in other}
            for groups, authors in ((("topic", "product"), False), (("product",), False), (("topic",), True), (("source", "level"), False)):
                one, other = counts.grouped(connection, scope, groups, authors=authors), counts._from_rows(connection, scope, groups, authors)
                assert sorted(map(repr, one)) == sorted(map(repr, other)), groups
        return list(quick[0])

    assert counted()  # before any were made
    assert rollup.refresh(both.store, zone) == 3 and rollup.refresh(both.store, zone) == 0
    before = counted()
    with both.store.begin() as connection:
        connection.execute(s.assessments.update().where(s.assessments.c.ref_id == 1).values(topics=["物流/错发"]))
    assert counted() != before
    assert rollup.refresh(both.store, zone) == 1
    with both.read() as connection:
        assert not connection.execute(sa.select(desk_dirty)).all()
        assert connection.execute(sa.select(sa.func.sum(desk_days.c.mentions))).scalar() == ask(both, "mentions", Question()).total
        assert connection.execute(sa.select(desk_topic_days)).first()
    assert counted()


RARE = "龘靐齉"


def test_forgotten_words_are_in_no_table_and_in_no_free_page_of_the_file(tmp_path: Path, sqlite_store: Store) -> None:
    settings = tiny_settings(tiny_home(tmp_path / "home"))
    kept = Kept(settings, sqlite_store)
    kept.post("1", f"用了三天就漏水{RARE}", ago(2), author="theirs2345672345")
    for number in range(40):
        kept.post(f"o{number}", f"同款也漏水第{number}次", ago(1), author="others2345672345")
    assert all(word.encode() in raw_bytes(sqlite_store) for word in RARE)
    forget.forget(settings, sqlite_store, asked(authors={"author": "theirs2345672345"}), NOW)
    left = raw_bytes(sqlite_store)
    assert not any(word.encode() in left for word in RARE)
    assert _found(settings, sqlite_store, "漏水") == 40


@pytest.mark.parametrize("how", ["forget", "blank"])
def test_the_erased_is_found_no_more(tmp_path: Path, store: Store, how: str) -> None:
    settings = tiny_settings(tiny_home(tmp_path / "home"))
    kept = Kept(settings, store)
    ref = kept.post("1", f"用了三天就漏水{RARE}", ago(2), author="theirs2345672345")
    kept.post("2", "也漏水", ago(2), author="others2345672345")
    assert _found(settings, store, RARE) == 1
    if how == "forget":
        forget.forget(settings, store, asked(authors={"author": "theirs2345672345"}), NOW)
    else:
        with store.begin() as connection:
            erase.blank(connection, [ref], NOW, unlink=True)
    assert (_found(settings, store, RARE), _found(settings, store, "漏水")) == (0, 1)
    with store.read() as connection:
        stored = connection.execute(sa.select(desk_mentions.c.ref_id)).scalars().all()
    assert (ref in stored) is (how == "blank")


def _found(settings: Settings, store: Store, word: str) -> int:
    return ask(Desk(settings, store), "mentions", Question(text=word)).total


def test_a_database_of_before_is_filled_when_it_is_opened(store: Store) -> None:
    world_of(store)
    whole = content(store)
    with store.engine.begin() as connection:  # around the store, which would make them anew at once
        as_migrated(connection)
    store._fill_desk()
    assert content(store) == whole
    with store.read() as connection:
        scope = Scope(Question(text="漏水"), factory.ZONE)
        assert rows.count(connection, scope) > 0
