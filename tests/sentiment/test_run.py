"""The analysis stage over the store, on both databases."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from sentiment.judge import Judge
from sentiment.run import AnalyseReport, analyse
from tests.sentiment.conftest import WATCHES
from vocwatch.models import Assessment, Path, SessionRecord, TextInput, Turn
from vocwatch.settings import Settings
from vocwatch.settings.topics import Topics
from vocwatch.store import Connection, Store, mentions, runs
from vocwatch.store.engine import upsert
from vocwatch.store.mentions import MentionRow
from vocwatch.store.schema import assessments as table
from vocwatch.store.schema import hits as hit_table
from vocwatch.store.schema import mentions as mention_table
from vocwatch.store.sessions import upsert_sessions

NOW = dt.datetime(2026, 11, 15, tzinfo=dt.UTC)
SHA = "0" * 64


@pytest.fixture
def ours(settings: Settings, topics: Topics) -> Settings:
    return replace(settings, watches=WATCHES, topics=topics)


def post(native_id: str, text: str, **more: object) -> MentionRow:
    kind = str(more.pop("kind", "post"))
    return MentionRow(native_id, f"https://a.example/{native_id}", kind, text, **more)  # type: ignore[arg-type]


def fill(store: Store) -> None:
    rows = [
        post("c1", "我的也漏了", kind="comment", parent="p1"),
        post("c2", "栗子屋不漏", kind="comment", parent="p1"),
        post("c3", "同漏", kind="comment", parent="c1"),
        post("c4", "孤儿评论", kind="comment", parent="gone"),
        post("p1", "盖子漏水，烫出水泡了", title="松果匣避雷"), post("p2", ""), post("p3", "https://a.example/1"),
        post("r1", "洗一次就掉色", kind="review", rating=1.0, sku="SG-01", product="暖松保温杯",
             shop="天汇超市"),
        post("r2", "掉色严重", kind="review", rating=1.0, sku="XX-9", product="别家毛毯", shop="天汇超市"),
        post("a1", "追评：又漏了", kind="append", parent="r1"),
        *(post(f"n{i}", f"第{i}条，松果匣的杯子不错") for i in range(20)),
    ]
    record = SessionRecord(
        native_id="S1", path=Path.BAD_REVIEW, started_at=NOW, review="再也不买了", sku="SG-01",
        turns=[Turn("customer", "杯子漏水"), Turn("agent", "您好，烫伤了吗"), Turn("customer", "还不给退")],
    )
    with store.begin() as connection:
        mentions.save(connection, "forum", rows, NOW)
        run_id = runs.start(connection, "import", "x", NOW)
        upsert_sessions(connection, [record], run_id, NOW)


def rows(store: Store) -> list[dict[str, object]]:
    """All judgements and hits, without their row ids."""
    with store.read() as connection:
        judged = [dict(row._mapping) for row in connection.execute(
            sa.select(table).order_by(table.c.text_kind, table.c.ref_id))]
        found = [dict(row._mapping) for row in connection.execute(sa.select(hit_table).order_by(
            hit_table.c.text_kind, hit_table.c.ref_id, hit_table.c.start, hit_table.c.watch))]
    for row in (*judged, *found):
        row.pop("id")
    return [*judged, *found]


def judged(store: Store) -> dict[str, sa.Row[tuple[object, ...]]]:
    query = sa.select(mention_table.c.native_id, table).join(
        table, sa.and_(table.c.text_kind == "mention", table.c.ref_id == mention_table.c.id))
    with store.read() as connection:
        return {row.native_id: row for row in connection.execute(query)}


def run(settings: Settings, store: Store, **more: object) -> AnalyseReport:
    return analyse(settings, store, engine="rules", batch=7, **more)  # type: ignore[arg-type]


def test_everything_is_judged_once(ours: Settings, store: Store) -> None:
    fill(store)
    progress: list[tuple[int, int]] = []
    first = run(ours, store, on_progress=lambda done, left: progress.append((done, left)))
    assert (first.assessed, first.refused, first.left) == (31, 2, 0)
    assert progress[-1] == (31, 0)
    before = rows(store)
    assert run(ours, store).assessed == 0
    assert rows(store) == before
    with store.read() as connection:
        last = runs.latest(connection, "analyse", "all")
    assert last is not None and last.finished_at and last.stats["model_version"] == first.model_version


def test_what_is_said_of_each(ours: Settings, store: Store) -> None:
    fill(store)
    run(ours, store)
    found = judged(store)
    brand = {name for name, row in found.items() if row.brand_match and not name.startswith("n")}
    assert brand == {"p1", "c1", "c3", "r1", "a1"}  # not another product's page, another brand, an orphan
    assert found["p1"].severity == 3 and [line["name"] for line in found["p1"].red_lines] == ["烫伤烧伤"]
    title_and_text = "松果匣避雷\n盖子漏水，烫出水泡了"
    assert {title_and_text[s["start"]:s["end"]] for s in found["p1"].spans} == {"盖子漏水", "烫出水泡了"}
    assert found["r1"].topics == ["产品质量/掉色"] and found["r1"].sentiment == "negative"
    assert found["p2"].refused == "空文本" and found["p3"].refused == "只有链接"
    with store.read() as connection:
        session = connection.execute(sa.select(table).where(table.c.text_kind == "session")).one()
        inside = sa.select(hit_table.c.watch).where(hit_table.c.text_kind == "session")
        session_hits = connection.execute(inside).all()
    assert session.brand_match and not session.red_lines  # what the agent says is not judged
    assert set(session.topics) == {"产品质量/漏水", "售后/拒绝退货"}
    assert [row.watch for row in session_hits] == ["cup"]


class Killed(Exception):
    """Stands for kill -9."""


class Mortal(Judge):
    """A judge that dies in the middle of its n-th batch."""

    lives = 0

    def assess(self, texts: Sequence[TextInput]) -> list[Assessment]:
        """Judge, or die."""
        if not self.lives:
            raise Killed
        self.lives -= 1
        return super().assess(texts)


def test_killed_anywhere_and_run_again_gives_the_same_rows(ours: Settings, store: Store) -> None:
    fill(store)
    for lives in (0, 1, 2):
        mortal = Mortal(ours.watches, ours.topics)
        mortal.lives = lives
        with pytest.raises(Killed):
            analyse(ours, store, batch=7, judge=mortal)
    run(ours, store)
    after_kills = rows(store)
    with store.begin() as connection:
        connection.execute(table.delete())
        connection.execute(hit_table.delete())
    run(ours, store)
    assert json.dumps(rows(store), default=str) == json.dumps(after_kills, default=str)
    with store.read() as connection:
        failed = [item for item in runs.history(connection, "analyse", "all") if item.status == "failed"]
    assert len(failed) == 3 and all("Killed" in (item.reason or "") for item in failed)


def test_F02_dying_between_judgements_and_hits_leaves_neither(
    ours: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    run(ours, store)
    whole = rows(store)
    with store.begin() as connection:
        connection.execute(table.delete())
        connection.execute(hit_table.delete())

    def dies(connection: Connection, target: sa.Table, values: list[dict[str, object]], *more: object) -> None:
        if target is hit_table and values:
            raise Killed
        upsert(connection, target, values, *more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr("vocwatch.store.assessments.upsert", dies)
        run(ours, store)
    run(ours, store)
    assert json.dumps(rows(store), default=str) == json.dumps(whole, default=str)


def test_an_edited_text_is_judged_again_and_its_old_hits_go(ours: Settings, store: Store) -> None:
    with store.begin() as connection:
        mentions.save(connection, "forum", [post("p", "松果匣漏水")], NOW)
    run(ours, store)
    with store.begin() as connection:
        mentions.save(connection, "forum", [post("p", "栗子屋很好")], NOW + dt.timedelta(hours=1))
    assert run(ours, store).assessed == 1
    with store.read() as connection:
        assert [row.watch for row in connection.execute(sa.select(hit_table.c.watch))] == ["rival"]
    assert not judged(store)["p"].brand_match


def test_a_late_parent_brings_its_comments_along(ours: Settings, store: Store) -> None:
    with store.begin() as connection:
        mentions.save(connection, "forum", [post("c", "我的也是", kind="comment", parent="p")], NOW)
    run(ours, store)
    assert not judged(store)["c"].brand_match
    with store.begin() as connection:
        mentions.save(connection, "forum", [post("p", "松果匣漏水")], NOW)
    later = replace(ours, env=replace(ours.env, now="2026-11-16T09:00:00"))
    assert run(later, store).assessed == 2
    assert judged(store)["c"].brand_match
    assert run(later, store).assessed == 0


def test_rebuild_judges_again_what_another_version_judged(ours: Settings, store: Store) -> None:
    fill(store)
    first = run(ours, store)
    newer = replace(ours, topics=ours.topics.model_copy(update={"version": "next"}))
    assert run(newer, store).assessed == 0
    again = run(newer, store, rebuild=True)
    assert again.assessed == first.assessed and again.model_version != first.model_version
    assert run(newer, store, rebuild=True).assessed == 0


def test_a_thread_that_bites_its_tail_ends(ours: Settings, store: Store) -> None:
    with store.begin() as connection:
        mentions.save(connection, "forum", [
            post("a", "漏", kind="comment", parent="b"), post("b", "水", kind="comment", parent="a"),
            post("s", "自己", kind="comment", parent="s"),
        ], NOW)
    assert run(ours, store).assessed == 3
    assert run(ours, store).assessed == 0


def test_an_empty_store(ours: Settings, store: Store) -> None:
    assert run(ours, store).assessed == 0
