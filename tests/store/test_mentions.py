"""Mentions, revisions, evidence and the crawl's memory, on both databases."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from vocwatch.store import StorageError, Store, mentions, pages
from vocwatch.store.mentions import MentionRow, Missed
from vocwatch.store.pages import PageRow, Visit
from vocwatch.store.schema import mentions as mention_table
from vocwatch.store.schema import pages as page_table
from vocwatch.store.schema import revisions

NOW = dt.datetime(2026, 11, 16, 8, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=3)
POSTED = NOW - dt.timedelta(days=1)


def row(native_id: str = "a", text: str = "杯盖漏水", **more: object) -> MentionRow:
    return MentionRow(native_id, f"https://shop.example/{native_id}", "review", text, **more)  # type: ignore[arg-type]


def save(store: Store, *rows: MentionRow, now: dt.datetime = NOW) -> mentions.Saved:
    with store.begin() as connection:
        return mentions.save(connection, "shop", rows, now)


def stored(store: Store, native_id: str = "a") -> sa.Row[tuple[object, ...]]:
    query = sa.select(mention_table, revisions.c.text, revisions.c.title).join(
        revisions, revisions.c.id == mention_table.c.revision_id
    ).where(mention_table.c.native_id == native_id)
    with store.read() as connection:
        return connection.execute(query).one()


def count(store: Store, table: sa.Table) -> int:
    with store.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_the_same_batch_twice_changes_nothing_but_the_last_sight(store: Store) -> None:
    batch = [row("a", likes=3, published_at=POSTED, precision="minute"), row("b", "挺好的")]
    assert save(store, *batch) == mentions.Saved(new=2, changed=0, touched=frozenset("ab"))
    before = stored(store)
    assert save(store, *batch, now=LATER) == mentions.Saved(new=0, changed=0)
    after = stored(store)
    assert after.last_seen_at == LATER
    assert {**before._mapping, "last_seen_at": LATER} == dict(after._mapping)
    assert (count(store, mention_table), count(store, revisions)) == (2, 2)


def test_counts_move_and_stay_where_the_page_is_silent(store: Store) -> None:
    save(store, row(likes=3, rating=2.0, author_key="k"))
    save(store, row(likes=9), now=LATER)
    found = stored(store)
    assert (found.likes, found.rating, found.author_key) == (9, 2.0, "k")


def test_an_edit_adds_a_revision_and_an_undone_edit_points_back(store: Store) -> None:
    save(store, row(text="还行"))
    assert save(store, row(text="还行。更新：孩子手被烫伤了"), now=LATER).changed == 1
    assert stored(store).text == "还行。更新：孩子手被烫伤了"
    assert save(store, row(text="还行"), now=LATER).changed == 1
    assert stored(store).text == "还行"
    assert (count(store, mention_table), count(store, revisions)) == (1, 2)


def test_a_changed_title_is_an_edit_too(store: Store) -> None:
    save(store, row(title="求助"))
    save(store, row(title="曝光"), now=LATER)
    assert stored(store).title == "曝光"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
def test_a_listing_never_replaces_what_the_page_itself_said(
    store: Store, order: tuple[int, int], together: bool
) -> None:
    rows = [
        row(text="全文：用了三天就漏水", likes=5),
        row(text="用了三天…", partial=True, shop="官方店", likes=4),
    ]
    batches = [[rows[i] for i in order]] if together else [[rows[i]] for i in order]
    for batch in batches:
        save(store, *batch)
    found = stored(store)
    assert (found.text, found.shop, found.likes) == ("全文：用了三天就漏水", "官方店", 5)


def test_the_first_reading_of_the_time_stays_unless_a_finer_one_comes(store: Store) -> None:
    day, minute = POSTED.replace(hour=0), POSTED
    save(store, row(published_at=day, precision="day"))
    save(store, row(published_at=day + dt.timedelta(days=1), precision="day"), now=LATER)
    assert stored(store).published_at == day
    save(store, row(published_at=minute, precision="minute"), now=LATER)
    assert (stored(store).published_at, stored(store).precision) == (minute, "minute")
    save(store, row(published_at=None), now=LATER)
    assert stored(store).published_at == minute


def test_a_time_in_the_future_is_the_first_sight(store: Store) -> None:
    save(store, row(published_at=NOW + dt.timedelta(days=30), precision="second"))
    assert stored(store).published_at == NOW


def test_overlong_ids_stay_apart_and_parents_follow_them(store: Store) -> None:
    long = "x" * 400
    save(store, row(long + "1"), row(long + "2"), row("c", parent=long + "1"))
    assert count(store, mention_table) == 3
    with store.begin() as connection:
        assert mentions.mark_missing(connection, "shop", LATER, [long + "1"]) == Missed(missing=2)


def test_deleted_needs_two_looks_a_day_apart_and_takes_its_comments_along(store: Store) -> None:
    save(store, row("a"), row("c", parent="a"), row("b"))
    next_day = LATER + dt.timedelta(hours=24)
    with store.begin() as connection:
        assert mentions.mark_missing(connection, "shop", LATER, urls=["https://shop.example/a"]) == Missed(missing=2)
        assert mentions.mark_missing(connection, "shop", next_day - dt.timedelta(seconds=1), ["a"]) == Missed()
        assert mentions.mark_missing(connection, "other", LATER, ["b"]) == Missed()
    assert (stored(store).missing_since, stored(store).gone_at, stored(store, "b").missing_since) == (LATER, None, None)
    with store.begin() as connection:
        assert mentions.mark_missing(connection, "shop", next_day, ["a"]) == Missed(deleted=2)
    assert (stored(store).gone_at, stored(store, "c").gone_at) == (next_day, next_day)
    save(store, row("a"), now=next_day)
    assert (stored(store).missing_since, stored(store).gone_at) == (None, None)


def test_counts_are_kept_as_a_series(store: Store) -> None:
    def series() -> list[tuple[object, ...]]:
        with store.read() as connection:
            found = mentions.engagement_series(connection, stored(store, "a").id)
        return [(point["seen_at"], point["likes"], point["replies"]) for point in found]

    save(store, row("a"), row("silent"))
    assert series() == []
    save(store, row("a", likes=3), now=LATER)
    save(store, row("a", likes=3), now=LATER + dt.timedelta(hours=1))
    save(store, row("a", replies=2), now=LATER + dt.timedelta(hours=2))
    assert series() == [(LATER, 3, None), (LATER + dt.timedelta(hours=2), 3, 2)]


def test_big_batches_are_split(store: Store) -> None:
    save(store, *(row(str(i), f"第 {i} 条") for i in range(4500)))
    with store.read() as connection:
        known = mentions.known_since(connection, "shop", [str(i) for i in range(5000)])
    assert len(known) == 4500
    assert count(store, revisions) == 4500


def test_sources_do_not_share_ids(store: Store) -> None:
    save(store, row())
    with store.begin() as connection:
        assert mentions.save(connection, "other", [row()], NOW).new == 1
        assert mentions.newest_published(connection, "other") is None


def test_evidence_is_kept_once_and_noticed_when_changed(tmp_path: Path) -> None:
    sha = pages.keep_evidence(tmp_path, "原文".encode())
    assert pages.keep_evidence(tmp_path, "原文".encode()) == sha
    assert pages.read_evidence(tmp_path, sha) == "原文".encode()
    path = pages.evidence_path(tmp_path, sha)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]
    other = pages.evidence_path(tmp_path, pages.keep_evidence(tmp_path, b"other"))
    path.write_bytes(other.read_bytes())
    with pytest.raises(StorageError, match="哈希"):
        pages.read_evidence(tmp_path, sha)
    path.unlink()
    with pytest.raises(StorageError, match="读不到"):
        pages.read_evidence(tmp_path, sha)


def test_a_folder_that_takes_no_evidence_says_so(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file, not a folder")
    with pytest.raises(StorageError, match="磁盘空间"):
        pages.keep_evidence(tmp_path / "evidence", b"x")


def test_pages_are_recorded_once_for_each_body(store: Store) -> None:
    page = PageRow("https://a.example/", "https://a.example/", 200, {"server": "x"}, "0" * 64, 3, NOW)
    with store.begin() as connection:
        pages.record_pages(connection, "shop", 1, [page, page])
        pages.record_pages(connection, "shop", 2, [page, dataclasses.replace(page, sha256="1" * 64)])
        assert (pages.count_pages(connection, 1), pages.count_pages(connection, 2)) == (1, 1)
    assert count(store, page_table) == 2


def test_visits_remember_what_was_read_to_its_end(store: Store) -> None:
    old = Visit("https://a.example/1", NOW, "1", NOW - dt.timedelta(days=30), {"sku": "A-1"})
    young = Visit("https://a.example/2", NOW, "2", POSTED)
    many = Visit("https://a.example/list", NOW)
    with store.begin() as connection:
        pages.record_visits(connection, "shop", [old, young, many])
        pages.record_visits(connection, "shop", [dataclasses.replace(old, visited_at=LATER, published_at=None)])
        found = pages.find_visits(connection, "shop", [old.url, many.url, "https://a.example/none"])
        recent = pages.watched_visits(connection, "shop", NOW - dt.timedelta(days=7))
    assert found == {
        old.url: dataclasses.replace(old, visited_at=LATER, changed_at=NOW), many.url: dataclasses.replace(many, changed_at=NOW)
    }
    assert recent == [dataclasses.replace(young, changed_at=NOW)]


def test_the_high_water_mark_moves_forward_only(store: Store) -> None:
    with store.begin() as connection:
        assert pages.read_state(connection, "shop") == pages.SourceState()
        pages.write_state(connection, "shop", NOW, high_water=LATER, next_allowed_at=LATER)
        pages.write_state(connection, "shop", NOW, high_water=NOW)
        assert pages.read_state(connection, "shop") == pages.SourceState(LATER, None)
