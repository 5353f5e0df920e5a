"""Everything goes when its time is over, nothing before; a purge may be killed anywhere and run again."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import ROOT
from tests.store.kept import DAY, NOW, Kept, ago, raw_bytes, tiny_home, tiny_settings
from vocwatch.settings import Settings, Source
from vocwatch.settings.yamlfile import load_model
from vocwatch.store import Store, erase, mentions, retention
from vocwatch.store import schema as s
from vocwatch.store.assessments import count_pending
from vocwatch.store.mentions import MentionRow
from vocwatch.store.retention import purge

LEAK = "新买的保温杯第三天杯盖就漏水了"
ITCH = "宝宝用了以后手腕起红疹"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return tiny_settings(tiny_home(tmp_path / "home"))


@pytest.fixture
def kept(settings: Settings, sqlite_store: Store) -> Kept:
    return Kept(settings, sqlite_store)


@pytest.fixture
def anywhere(settings: Settings, store: Store) -> Kept:
    """On both databases."""
    return Kept(settings, store)


def quote(text: str, url: str, evidence: str | None = None) -> dict[str, Any]:
    return {"text": text, "url": url, "evidence": evidence, "source": "论坛", "published_at": "2026-11-15"}


def whys(kept: Kept) -> list[tuple[str, int]]:
    return kept.rows(s.erasures, "why", "rows")


def test_raw_pages_go_after_their_time_but_not_those_behind_a_digest(anywhere: Kept) -> None:
    kept = anywhere
    old = kept.page("https://forum.example/p/1", "<p>旧页</p>", ago(31))
    held = kept.page("https://forum.example/p/2", "<p>事件里的旧页</p>", ago(31))
    young = kept.page("https://forum.example/p/3", "<p>新页</p>", ago(29))
    kept.post("1", LEAK, ago(31), old)
    kept.incident([kept.post("2", LEAK, ago(31), held)])
    kept.post("3", LEAK, ago(29), young)
    assert purge(kept.settings, kept.store, NOW, dry_run=True).pages == 1
    assert kept.files() == {old, held, young} and not whys(kept)
    report = purge(kept.settings, kept.store, NOW)
    assert (report.pages, report.held, report.bodies) == (1, 1, 1)
    assert kept.files() == {held, young}
    assert whys(kept) == [("raw_days", 1)]
    assert purge(kept.settings, kept.store, NOW + dt.timedelta(days=149)).pages == 1  # the young one; still held
    assert kept.files() == {held}
    purge(kept.settings, kept.store, NOW + dt.timedelta(days=181))
    assert kept.files() == set()


def test_a_page_seen_again_lately_is_not_old(kept: Kept) -> None:
    sha256 = kept.page("https://forum.example/p/1", "<p>还在</p>", ago(40))
    kept.page("https://forum.example/p/1", "<p>还在</p>", ago(1))
    assert purge(kept.settings, kept.store, NOW).pages == 0
    assert kept.files() == {sha256}


def test_a_sources_own_days_count(kept: Kept) -> None:
    source = load_model(ROOT / "config/sources/catalogue/rss.yaml", Source, {})
    own = source.model_copy(update={"raw_days": 3, "text_days": 5})
    kept.settings = dataclasses.replace(kept.settings, sources={"rss": own})
    for source_name in ("rss", "forum"):
        kept.post("1", LEAK, ago(6), kept.page("https://x.example/1", source_name, ago(6), source_name), source=source_name)
    report = purge(kept.settings, kept.store, NOW)
    assert (report.pages, report.texts) == (1, 1)
    assert kept.rows(s.pages, "source") == [("forum",)]


def test_an_old_text_is_emptied_and_its_counts_stay(anywhere: Kept) -> None:
    kept = anywhere
    key = kept.post("1", LEAK, ago(181), title="求助漏水")
    kept.shot(key, at=ago(100))
    kept.incident([key], quotes=[quote("…第三天杯盖就漏水了", "https://forum.example/p/1")])
    kept.post("2", ITCH, ago(179))
    report = purge(kept.settings, kept.store, NOW)
    assert (report.texts, report.deleted, report.shots, report.quotes) == (1, 0, 1, 1)
    everything = kept.everything()
    assert "漏水了" not in everything and "求助漏水" not in everything and ITCH in everything
    assert kept.rows(s.mentions, "native_id", "author_key", "likes") == [("1", None, 3), ("2", "abcdefghij234567", 3)]
    assert [row[0] for row in kept.rows(s.assessments, "topics")] == [["产品质量/漏水"]] * 2
    assert {row[0] for row in kept.rows(s.hits, "matched")} == {"", ITCH[:2]}
    assert kept.rows(s.incident_days, "mentions") == [(1,)]
    assert erase.EXPIRED in everything
    assert not kept.files()


def test_a_purged_text_is_neither_judged_again_nor_filled_again(kept: Kept) -> None:
    kept.post("1", LEAK, ago(181))
    purge(kept.settings, kept.store, NOW)
    with kept.store.begin() as connection:
        assert count_pending(connection, other_than="another") == 0
        still_there = MentionRow("1", "https://forum.example/p/1", "post", LEAK, author_key="abcdefghij234567")
        mentions.save(connection, "forum", [still_there], NOW)
    assert LEAK not in kept.everything() and kept.rows(s.mentions, "author_key") == [(None,)]
    with kept.store.begin() as connection:
        edited = MentionRow("1", "https://forum.example/p/1", "post", "又改了：换了新杯盖", author_key="abcdefghij234567")
        mentions.save(connection, "forum", [edited], NOW)
        assert count_pending(connection) == 1
    assert kept.rows(s.mentions, "purged_at") == [(None,)]
    assert purge(kept.settings, kept.store, NOW).total == 0


def test_earlier_texts_go_before_the_newest(kept: Kept) -> None:
    kept.post("1", LEAK, ago(181))
    with kept.store.begin() as connection:
        mentions.save(connection, "forum", [MentionRow("1", "https://forum.example/p/1", "post", "改过的")], ago(10))
    assert purge(kept.settings, kept.store, NOW).texts == 1
    assert kept.rows(s.revisions, "text") == [("",), ("改过的",)]
    assert kept.rows(s.mentions, "author_key", "purged_at") == [("abcdefghij234567", None)]


def test_what_its_site_deleted_goes_at_once_with_page_and_picture(anywhere: Kept) -> None:
    kept = anywhere
    own = kept.page("https://forum.example/p/1", f"<p>{LEAK}</p>", ago(2))
    kept.page("https://forum.example/p/1", f"<p>{LEAK}</p>一条新回复", ago(1))  # seen again, changed; nothing was read from it
    both = kept.page("https://forum.example/list", f"<p>{ITCH}</p>", ago(1))
    dead, other = kept.post("1", LEAK, ago(2), own), kept.post("2", ITCH, ago(2), both)
    kept.post("3", "短评", ago(2), both)
    kept.shot(dead)
    kept.incident([dead, other], quotes=[quote(LEAK, "https://forum.example/p/1", own), quote(ITCH, "https://forum.example/p/2")])
    kept.gone(dead)
    report = purge(kept.settings, kept.store, NOW)
    assert (report.deleted, report.shots, report.quotes, report.bodies) == (1, 1, 1, 3)
    everything = kept.everything()
    assert LEAK not in everything and ITCH in everything and erase.DELETED in everything
    assert kept.files() == {both}
    assert kept.rows(s.incident_members, "ref_id") == [(dead,), (other,)]  # it still counts
    assert ("deleted", 1) in whys(kept)


def test_a_deleted_post_that_comes_back_is_new(kept: Kept) -> None:
    key = kept.post("1", LEAK, ago(2))
    kept.gone(key)
    purge(kept.settings, kept.store, NOW)
    with kept.store.begin() as connection:
        back = MentionRow("1", "https://forum.example/p/1", "post", LEAK, author_key="abcdefghij234567")
        mentions.save(connection, "forum", [back], NOW)
        assert count_pending(connection) == 1
    assert kept.rows(s.mentions, "gone_at", "purged_at", "author_key") == [(None, None, "abcdefghij234567")]
    assert LEAK in kept.everything()


def test_one_look_is_not_enough_and_deleted_days_are_waited_for(kept: Kept) -> None:
    key = kept.post("1", LEAK, ago(2))
    with kept.store.begin() as connection:
        connection.execute(s.mentions.update().values(missing_since=ago(1)))
    assert purge(kept.settings, kept.store, NOW).deleted == 0
    rules = kept.settings.app.retention.model_copy(update={"deleted_days": 3})
    waiting = dataclasses.replace(kept.settings, app=kept.settings.app.model_copy(update={"retention": rules}))
    kept.gone(key, at=ago(2))
    assert purge(waiting, kept.store, NOW).deleted == 0
    assert purge(waiting, kept.store, NOW + dt.timedelta(days=1)).deleted == 1


def test_files_without_rows_go_an_hour_later(kept: Kept) -> None:
    named = kept.page("https://forum.example/p/1", "有行", ago(1))
    from vocwatch.store.pages import keep_evidence

    fresh, stale = keep_evidence(kept.evidence, b"fresh"), keep_evidence(kept.evidence, b"stale")
    draft = kept.evidence / stale[:2] / ".half.gz.123"
    draft.write_bytes(b"half")
    for path, age in ((named, 5), (fresh, 0), (stale, 2)):
        moment = (NOW - dt.timedelta(hours=age)).timestamp()
        os.utime(kept.evidence / path[:2] / f"{path[2:]}.gz", (moment, moment))
    os.utime(draft, (NOW.timestamp() - 7200,) * 2)
    assert purge(kept.settings, kept.store, NOW).orphans == 2
    assert kept.files() == {named, fresh}


def test_samples_and_audit_logs_have_their_days_too(kept: Kept) -> None:
    data = kept.settings.env.data
    for name, days in (("forum", 31), ("news", 29)):
        folder = data / "sources" / name
        folder.mkdir(parents=True)
        (folder / "page.html.gz").write_bytes(gzip.compress(b"page"))
        (folder / "expected.json").write_text(json.dumps({"fetched_at": str(ago(days)), "records": []}), encoding="utf-8")
    for days in (1094, 1096):
        (data / "audit" / f"{ago(days):%Y-%m-%d}").mkdir(parents=True)
        (data / "audit" / f"{ago(days):%Y-%m-%d}" / "forum-1.jsonl").write_text("{}\n", encoding="utf-8")
    report = purge(kept.settings, kept.store, NOW)
    assert (report.samples, report.audit) == (2, 1)
    assert sorted(path.name for path in (data / "sources").rglob("*.*")) == ["expected.json", "page.html.gz"]
    assert len(list((data / "audit").iterdir())) == 1
    assert whys(kept) == [("audit_days", 1), ("samples", 2)]


def test_once_a_day_is_enough(kept: Kept) -> None:
    kept.post("1", LEAK, ago(200))
    first = retention.purge_if_due(kept.settings, kept.store, NOW)
    assert first is not None and first.texts == 1
    assert retention.purge_if_due(kept.settings, kept.store, NOW + dt.timedelta(hours=3)) is None
    assert retention.purge_if_due(kept.settings, kept.store, NOW + dt.timedelta(days=1)) is not None


# -- killed in between ------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for kill -9: nothing after it runs."""


def seed(kept: Kept) -> None:
    old = kept.page("https://forum.example/p/8", "<p>旧页</p>", ago(40))
    own = kept.page("https://forum.example/p/1", f"<p>{LEAK}</p>", ago(2))
    dead = kept.post("1", LEAK, ago(2), own)
    expired = kept.post("2", ITCH, ago(190))
    kept.post("8", "还在", ago(40), old)
    kept.shot(expired, at=ago(181))
    kept.incident([dead, expired], quotes=[quote(LEAK, "https://forum.example/p/1"), quote(ITCH, "https://forum.example/p/2")])
    kept.gone(dead)


def step_names() -> list[str]:
    return ["erase.blank", "erase.redact_digests", "erase.record", "erase.drop_bodies", "erase.redact_files",
            "erase.sweep", "retention._their_pages", "erase.evidence_path", "erase._replace_in"]


def test_a_purge_killed_anywhere_ends_as_one_that_was_not(
    settings: Settings, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(Kept(settings, sqlite_store))
    sqlite_store.close()
    for number, (step, after) in enumerate((step, after) for step in step_names() for after in (False, True)):
        data = tmp_path / f"data{number}"
        shutil.copytree(settings.env.data, data)
        shutil.copy(str(sa.make_url(sqlite_store.url).database), data / "a.sqlite3")
        here = dataclasses.replace(settings, env=dataclasses.replace(settings.env, data=data))
        store = Store(f"sqlite:///{data / 'a.sqlite3'}")
        _killed_at(step, after, Kept(here, store), monkeypatch)
        _finished(Kept(here, store))
        store.close()


def _killed_at(step: str, after: bool, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    module = {"erase": erase, "retention": retention}[step.split(".")[0]]
    whole: Callable[..., Any] = getattr(module, step.split(".")[1])

    def struck(*args: Any, **kwargs: Any) -> Any:
        if after:
            whole(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, step.split(".")[1], struck)
        with pytest.raises(Killed):
            purge(kept.settings, kept.store, NOW)


def _finished(kept: Kept) -> None:
    purge(kept.settings, kept.store, NOW)
    erase.sweep(kept.store, kept.evidence)  # an hour later all files are old enough
    everything = kept.everything()
    assert LEAK not in everything and ITCH not in everything and "旧页" not in everything
    assert kept.rows(s.mentions, "native_id", "purged_at") == [("1", NOW), ("2", NOW), ("8", None)]
    assert [why for why, _ in whys(kept)] == ["deleted", "raw_days", "text_days"]
    before = kept.snapshot()
    assert purge(kept.settings, kept.store, NOW).total == 0
    assert kept.snapshot() == before


def test_not_even_the_free_pages_of_the_database_file_keep_it(settings: Settings, sqlite_store: Store) -> None:
    kept = Kept(settings, sqlite_store)
    seed(kept)
    assert LEAK.encode() in raw_bytes(sqlite_store)
    purge(settings, sqlite_store, NOW)
    left = raw_bytes(sqlite_store)
    assert LEAK.encode() not in left and ITCH.encode() not in left


def test_a_digest_day_long_past_holds_no_page(kept: Kept) -> None:
    sha256 = kept.page("https://forum.example/p/1", "旧", ago(200))
    kept.incident([kept.post("1", LEAK, ago(100), sha256)], day=DAY - dt.timedelta(days=200))
    assert purge(kept.settings, kept.store, NOW).pages == 1
