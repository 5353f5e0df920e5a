"""A request for deletion leaves nothing: rows, bodies, samples, quotes; and may be killed and asked again."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.store.kept import NOW, Kept, ago, raw_bytes, tiny_home, tiny_settings
from vocwatch.settings import Refusals, Settings
from vocwatch.store import Store, erase, forget
from vocwatch.store import schema as s

LEAK = "新买的保温杯用到第三天杯盖就漏水了，客服让我自己承担运费"
ITCH = "宝宝用了以后手腕起了一圈红疹，医生说是接触性皮炎"
THEIRS, OTHERS = "abcdefghij234567", "zzzzzzzzzz222222"
DATE = dt.date(2026, 11, 16)


def asked(**kind: Any) -> Refusals:
    return Refusals.model_validate({name: [{**entry, "date": DATE}] for name, entry in kind.items()})


def seed(kept: Kept) -> dict[str, str]:
    """A post and a comment by one person; another's comment; a listing that shows the beginning of the post."""
    page = f"<h1>求助</h1><p>{LEAK}</p><p>{ITCH}</p>"
    shas = {
        "thread": kept.page("https://forum.example/p/1", page, ago(2)),
        "escaped": kept.page("https://forum.example/api?p=1", ascii_json(LEAK), ago(2)),
        "gb": kept.page("https://forum.example/hot", "x", ago(2)),
        "listing": kept.page("https://forum.example/list", f"<li>{LEAK[:18]}…</li>", ago(2)),
        "other": kept.page("https://forum.example/p/9", f"<p>{ITCH}</p>", ago(2)),
        "elsewhere": kept.page("https://news.example/1", f"<p>{LEAK}</p>", ago(2), "news"),
    }
    post = kept.post("1", LEAK, ago(2), shas["thread"], author=THEIRS)
    reply = kept.post("1-1", "同款漏水，退了", ago(1), shas["thread"], parent="1", author=OTHERS)
    other = kept.post("9", ITCH, ago(2), shas["other"], author=OTHERS)
    kept.shot(post)
    url = "https://forum.example/p/1"
    kept.incident([post, reply, other], quotes=[
        {"text": "…用到第三天杯盖就漏水了", "url": url, "evidence": shas["thread"]},
        {"text": ITCH, "url": "https://forum.example/p/9", "evidence": shas["other"]},
    ])
    kept.incident([post], "INC-2")
    sample = kept.settings.env.data / "sources" / "forum"
    sample.mkdir(parents=True)
    (sample / "page.html.gz").write_bytes(gzip.compress(page.encode("gb18030")))
    (sample / "listing.html.gz").write_bytes(gzip.compress("别的".encode()))
    return shas


def ascii_json(text: str) -> str:
    return '{"text": "' + "".join(f"\\u{ord(char):04x}" for char in text) + '"}'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return tiny_settings(tiny_home(tmp_path / "home"))


@pytest.fixture
def kept(settings: Settings, sqlite_store: Store) -> Kept:
    return Kept(settings, sqlite_store)


def test_an_author_is_forgotten_with_everything_that_shows_his_words(settings: Settings, store: Store) -> None:
    kept = Kept(settings, store)
    shas = seed(kept)
    wish = asked(authors={"author": THEIRS})
    dry = forget.forget(kept.settings, kept.store, wish, NOW, dry_run=True)
    assert (dry.rows, dry.pages, dry.shared, dry.samples) == ({"mentions": 1}, 3, 1, 1)
    assert LEAK in kept.everything()
    report = forget.forget(kept.settings, kept.store, wish, NOW)
    assert report.rows == {"assessments": 1, "hits": 1, "incident_members": 2, "engagement": 1, "shots": 1,
                           "revisions": 1, "mentions": 1, "incidents": 1}
    assert (report.pages, report.bodies, report.samples, report.quotes) == (3, 4, 1, 1)
    everything = kept.everything().replace(LEAK, "", 1)  # the other site's own article stays
    assert LEAK[:12] not in everything and "杯盖就漏水了" not in everything and THEIRS not in everything
    assert kept.files() == {shas["other"], shas["gb"], shas["elsewhere"]}
    assert kept.rows(s.mentions, "native_id") == [("1-1",), ("9",)]  # what others said stays
    assert kept.rows(s.incident_members, "cluster", "ref_id") == [(key, key) for _, key in kept.rows(s.incident_members, "cluster", "ref_id")]
    assert kept.rows(s.alerts, "incident_id") == [("INC-1",)]
    assert kept.rows(s.visits, "native_id", "carried") == [("1", {}), ("9", {"title": ITCH})]
    [proof] = kept.rows(s.erasures, "why", "subject", "rows")
    assert proof[0] == "request" and proof[1].startswith("sha256:") and proof[2] == 9


def test_files_written_of_digests_lose_the_words_and_the_address(kept: Kept) -> None:
    seed(kept)
    forget.forget(kept.settings, kept.store, asked(ids={"source": "forum", "id": "1"}), NOW)
    for path in (kept.settings.env.data / "digests").glob("*"):
        text = path.read_text(encoding="utf-8")
        assert "漏水" not in text and "forum.example/p/1" not in text, path
        assert erase.ASKED in text and ITCH in text and "forum.example/p/9" in text, path
    [(stored,)] = kept.rows(s.digests, "content")
    assert "forum.example/p/1" not in str(stored) and str(stored).count("forum.example/p/9") == 7


def test_what_was_made_for_other_readers_loses_the_words_as_well(kept: Kept) -> None:
    """An owner's page is cleaned, of cards behind the first five too; pictures, PDFs and workbooks go."""
    seed(kept)
    folder = kept.settings.env.data / "digests"
    page = next(folder.glob("*.html"))
    for name in ("-owner-何雨.html", "-revised.txt"):
        (folder / (page.stem + name)).write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
    for suffix in (".pdf", ".xlsx", "-1280.png"):
        (folder / (page.stem + suffix)).write_bytes(b"\xff\x00")
    with kept.store.begin() as connection:
        content = connection.execute(sa.select(s.digests.c.content)).scalar_one()
        moved = {**content, "others": content["risks"], "risks": []}
        connection.execute(s.digests.update().values(content=moved))
    page.with_suffix(".json").write_text(json.dumps(moved, ensure_ascii=False), encoding="utf-8")
    forget.forget(kept.settings, kept.store, asked(ids={"source": "forum", "id": "1"}), NOW)
    left = sorted(folder.iterdir())
    assert [path.suffix for path in left].count(".html") == 2 and {path.suffix for path in left} == {".html", ".txt", ".json"}
    for path in left:
        text = path.read_text(encoding="utf-8")
        assert "漏水" not in text and "forum.example/p/1" not in text and ITCH in text, path


def test_an_address_takes_everything_under_it_along(kept: Kept) -> None:
    seed(kept)
    report = forget.forget(kept.settings, kept.store, asked(urls={"url": "https://FORUM.example/p/1"}), NOW)
    assert report.rows["mentions"] == 2
    assert kept.rows(s.mentions, "native_id") == [("9",)]
    assert not [row for row in kept.rows(s.visits, "url") if row[0].endswith("/p/1")]


def test_all_below_an_address_and_nothing_beside_it(kept: Kept) -> None:
    kept.post("1", LEAK, ago(1), url="https://forum.example/u/12/p/1")
    kept.post("2", ITCH, ago(1), url="https://forum.example/u/123/p/2")
    forget.forget(kept.settings, kept.store, asked(urls={"url": "https://forum.example/u/12/*"}), NOW)
    assert kept.rows(s.mentions, "native_id") == [("2",)]


def test_asking_twice_changes_nothing(kept: Kept) -> None:
    seed(kept)
    wish = asked(ids={"source": "forum", "id": "1"})
    forget.forget(kept.settings, kept.store, wish, NOW)
    before = kept.snapshot()
    again = forget.forget(kept.settings, kept.store, wish, NOW)
    assert (again.rows, again.pages, again.bodies, again.samples, again.quotes) == ({}, 0, 0, 0, 0)
    assert kept.snapshot() == before


def test_words_that_everybody_writes_take_no_other_page_along(kept: Kept) -> None:
    own = kept.page("https://forum.example/p/1", "<p>质量很好，物流很快</p>", ago(1))
    other = kept.page("https://forum.example/p/2", "<p>质量很好，物流很快</p>又一条", ago(1))
    kept.post("1", "质量很好", ago(1), own)
    kept.post("2", "质量很好", ago(1), other, author=OTHERS)
    forget.forget(kept.settings, kept.store, asked(ids={"source": "forum", "id": "1"}), NOW)
    assert kept.files() == {other}


class Killed(BaseException):
    """Stands for kill -9."""


@pytest.mark.parametrize("step", ["erase.redact_digests", "erase.delete", "erase.record", "erase.drop_bodies",
                                  "erase.sweep", "erase.redact_files", "forget._pages"])
def test_a_request_killed_anywhere_is_finished_by_asking_again(
    settings: Settings, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    kept = Kept(settings, sqlite_store)
    seed(kept)
    wish = asked(authors={"author": THEIRS})

    def struck(*args: Any, **kwargs: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr({"erase": erase, "forget": forget}[step.split(".")[0]], step.split(".")[1], struck)
        with pytest.raises(Killed):
            forget.forget(settings, sqlite_store, wish, NOW)
    forget.forget(settings, sqlite_store, wish, NOW)
    everything = kept.everything().replace(LEAK, "", 1)
    assert LEAK[:12] not in everything and THEIRS not in everything and "杯盖就漏水了" not in everything
    assert len(kept.rows(s.erasures, "why")) == 1


def test_the_database_file_holds_no_trace(settings: Settings, sqlite_store: Store) -> None:
    kept = Kept(settings, sqlite_store)
    seed(kept)
    forget.forget(settings, sqlite_store, asked(authors={"author": THEIRS}), NOW)
    left = raw_bytes(sqlite_store)
    assert LEAK.encode() not in left and THEIRS.encode() not in left and ITCH.encode() in left


@pytest.mark.parametrize("text", ["短", "", "好评！好评！"])
def test_too_little_text_tells_nobody(text: str) -> None:
    assert forget.pieces_of(text) == []


@pytest.mark.parametrize("form", [
    lambda text: text.encode(), lambda text: text.encode("gb18030"), lambda text: ascii_json(text).encode(),
    lambda text: "".join(f"&#{ord(char)};" for char in text).encode(),
])
def test_a_text_is_found_in_every_writing(form: Any, tmp_path: Path) -> None:
    assert forget.holds(b"<p>" + form(LEAK) + b"</p>", forget.pieces_of(LEAK))
    assert not forget.holds(b"<p>" + form(ITCH) + b"</p>", forget.pieces_of(LEAK))
