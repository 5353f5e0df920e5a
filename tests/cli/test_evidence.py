"""evidence, audit, purge, forget, stop-all as a person at the terminal meets them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawlers.audit import AuditLog
from tests.conftest import ROOT
from tests.store.kept import PNG, Kept, ago, tiny_home
from vocwatch.cli.app import run
from vocwatch.exits import Exit
from vocwatch.pseudonym import Pseudonyms
from vocwatch.settings import load_settings, read_environment
from vocwatch.store import open_store, runs
from vocwatch.store.pages import evidence_path

TEXT = "新买的保温杯第三天杯盖就漏水了"
BODY = f"<html><p>{TEXT}</p></html>"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tiny_home(tmp_path / "home")


@pytest.fixture
def kept(at_home: Path) -> Iterator[Kept]:
    settings = load_settings(read_environment())
    store = open_store(settings.env.database_url)
    yield Kept(settings, store)
    store.close()


@pytest.fixture
def case(kept: Kept) -> str:
    """One post with its page and picture; returns the page's hash."""
    sha256 = kept.page("https://forum.example/p/1?token=SECRET", BODY, ago(1))
    key = kept.post("1", TEXT, ago(1), sha256)
    kept.post("1-1", "同款", ago(1), sha256, parent="1")
    kept.shot(key)
    return sha256


@pytest.mark.parametrize("key", ["1", "forum:1", "https://forum.example/p/1", "SHA"])
def test_a_mention_is_found_by_whatever_one_has_of_it(kept: Kept, case: str, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evidence", case if key == "SHA" else key]) == Exit.OK
    shown = capsys.readouterr().out
    assert "forum:1 " in shown and TEXT in shown and case in shown and shown.count("哈希一致") == 2
    assert "etag" in shown and "1280×900" in shown and "SECRET" not in shown


def test_json_tells_the_same(kept: Kept, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evidence", "forum:1", "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert told["verified"] == {case: "ok", told["shots"][0]["sha256"]: "ok"}
    assert told["bodies"][0]["headers"]["etag"] == '"1"' and told["texts"][0]["text"] == TEXT


def test_an_ambiguous_key_lists_what_it_may_mean(kept: Kept, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    kept.post("2", "另一条", ago(1), source="news")
    assert run(["evidence", "2"]) == Exit.USAGE  # row 2 is forum:1-1
    shown = capsys.readouterr().err
    assert "forum:1-1" in shown and "news:2" in shown
    assert run(["evidence", "2", "--source", "news"]) == Exit.OK
    assert run(["evidence", "nothing"]) == Exit.USAGE


@pytest.mark.parametrize("damage", ["altered", "missing", "garbage", "swapped"])
def test_altered_bytes_are_said_loudly(kept: Kept, case: str, damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = evidence_path(kept.evidence, case)
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"altered": gzip.compress(BODY.replace("漏水", "很好").encode()), "garbage": b"\x1f\x8b\x08\x00broken----",
                          "swapped": gzip.compress(PNG)}[damage])
    out = tmp_path / "page.html"
    assert run(["evidence", "forum:1", "--open", str(out), "--warc", str(tmp_path / "a.warc.gz")]) == Exit.STORAGE
    shown = capsys.readouterr()
    assert "哈希不符或缺失" in shown.out and "证据校验不通过" in shown.err
    assert not list(tmp_path.glob("page.html")) and not list(tmp_path.glob("*.warc.gz"))


def test_an_altered_picture_is_said_too(kept: Kept, case: str) -> None:
    [sha256] = kept.files() - {case}
    evidence_path(kept.evidence, sha256).write_bytes(gzip.compress(PNG + b"x"))
    assert run(["evidence", "forum:1"]) == Exit.STORAGE


def test_the_raw_bytes_and_the_picture_are_written_out(kept: Kept, case: str, tmp_path: Path) -> None:
    assert run(["evidence", "forum:1", "--open", str(tmp_path / "a.html"), "--screenshot", str(tmp_path / "a.png")]) == Exit.OK
    assert (tmp_path / "a.html").read_bytes() == BODY.encode() and (tmp_path / "a.png").read_bytes() == PNG
    assert run(["evidence", "forum:1-1", "--screenshot", str(tmp_path / "b.png")]) == Exit.INCOMPLETE
    assert run(["evidence", "forum:1", "--open", str(tmp_path / "no" / "a.html")]) == Exit.STORAGE


def test_the_warc_is_read_back_with_its_digests(kept: Kept, case: str, tmp_path: Path) -> None:
    path = tmp_path / "case.warc.gz"
    assert run(["evidence", "forum:1", "--warc", str(path)]) == Exit.OK
    records: list[tuple[str, str | None, str, bytes, Any]] = []
    with path.open("rb") as file:
        for record in ArchiveIterator(file, check_digests="raise"):
            headers = record.rec_headers
            records.append((record.rec_type, headers.get_header("WARC-Target-URI"), headers.get_header("WARC-Date"),
                            record.content_stream().read(), record.http_headers))
            assert record.digest_checker.passed is not False
            if record.rec_type != "warcinfo":
                assert headers.get_header("WARC-Payload-Digest").startswith("sha256:")
    kinds = [record[0] for record in records]
    assert kinds == ["warcinfo", "response", "resource"]
    _, url, date, body, http = records[1]
    assert url == "https://forum.example/p/1?token=***" and date == "2026-11-15T00:30:00Z" and body == BODY.encode()
    assert http.get_statuscode() == "200" and http.get_header("etag") == '"1"'
    assert int(http.get_header("Content-Length")) == len(body)
    assert records[2][3] == PNG


def test_what_was_purged_is_no_fault(kept: Kept, case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--now", "2027-01-16T08:30:00", "purge"]) == Exit.OK
    assert "原始页面" in capsys.readouterr().out
    assert run(["evidence", "forum:1"]) == Exit.OK
    assert "只剩哈希" in capsys.readouterr().out
    assert run(["evidence", "forum:1", "--open", str(tmp_path / "a")]) == Exit.INCOMPLETE


# -- purge and forget -------------------------------------------------------------------------------------------


def test_a_dry_purge_touches_nothing(kept: Kept, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = kept.snapshot()
    assert run(["--now", "2027-08-16T08:30:00", "purge", "--dry-run", "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert told["dry_run"] and told["pages"] == 1 and told["texts"] == 2
    assert kept.snapshot() == before
    assert run(["purge"]) == Exit.OK
    assert "没有要清除的" in capsys.readouterr().err


def test_forgetting_a_name_stores_no_name(kept: Kept, case: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config" / "sources").mkdir()
    (home / "config" / "sources" / "forum.yaml").write_text(
        (ROOT / "config/sources/catalogue/rss.yaml").read_text(encoding="utf-8").replace("name: rss", "name: forum"), encoding="utf-8")
    key = Pseudonyms(b"test").of("forum", "路人甲")
    assert key is not None
    kept.post("5", "路人甲说的另一段话，别人都没有说过", ago(1), author=key)
    arguments = ["forget", "--source", "forum", "--author-name", "路人甲", "--reason", "本人来信\n${HOME}"]
    assert run([*arguments, "--dry-run"]) == Exit.OK
    assert not (home / "config/refusals.yaml").read_text(encoding="utf-8").count(key)
    assert run(arguments) == Exit.OK
    listed = (home / "config/refusals.yaml").read_text(encoding="utf-8")
    assert key in listed and "路人甲" not in listed and "本人来信 $ {HOME}" in listed and "vocwatch forget" in listed
    assert "另一段话" not in kept.everything() and TEXT in kept.everything()
    assert load_settings(read_environment()).refusals.refuses("forum", author_key=key)
    shown = capsys.readouterr()
    assert "已写进名单" in shown.err and "已发出的邮件" in shown.err
    assert run(arguments) == Exit.OK
    assert "已经在名单" in capsys.readouterr().err
    assert (home / "config/refusals.yaml").read_text(encoding="utf-8") == listed


@pytest.mark.parametrize("arguments", [
    [], ["--url", "https://a.example/", "--author", "abcdefghij234567"], ["--id", "1"], ["--author-name", "甲"],
    ["--url", "ftp://a.example/"], ["--author", "路人甲"], ["--author-name", "甲", "--source", "nowhere"],
])
def test_an_unclear_request_changes_nothing(kept: Kept, case: str, home: Path, arguments: list[str]) -> None:
    before = (home / "config/refusals.yaml").read_text(encoding="utf-8")
    assert run(["forget", *arguments]) == Exit.USAGE
    assert (home / "config/refusals.yaml").read_text(encoding="utf-8") == before and TEXT in kept.everything()


def test_forgetting_an_address(kept: Kept, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["forget", "--url", "https://forum.example/p/1", "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert told["rows"]["mentions"] == 2 and told["bodies"] == 2 and told["added"]
    assert not kept.files() and TEXT not in kept.everything()


# -- audit and kill switch --------------------------------------------------------------------------------------


def crawled(kept: Kept, lines: int = 3) -> Path:
    now = kept.settings.clock.now()
    with kept.store.begin() as connection:
        run_id = runs.start(connection, "crawl", "forum", now)
        log = AuditLog.of(kept.settings, "forum", run_id)
        for number in range(lines):
            log.record("fetch" if number else "refuse", f"https://forum.example/{number}", "" if number else "robots")
        runs.finish(connection, run_id, now, stats={"audit": log.close()})
    return kept.settings.env.data / "audit" / "2026-11-16" / f"forum-{run_id}.jsonl"


def test_whole_logs_verify_and_are_counted(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    crawled(kept)
    crawled(kept, 2)
    for which, files in (([], 2), (["2026-11-16"], 2), (["2026-11-15"], 0), (["2"], 1)):
        assert run(["audit", *which, "--json"]) == Exit.OK
        told = json.loads(capsys.readouterr().out)
        assert [row["state"] for row in told["files"]] == ["ok"] * files
    assert told["decisions"] == {"refuse robots": 1, "fetch": 1}
    assert run(["audit", "neulich"]) == Exit.USAGE


@pytest.mark.parametrize("damage", ["changed", "cut", "deleted"])
def test_a_broken_log_is_said_loudly(kept: Kept, damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = crawled(kept)
    text = path.read_text(encoding="utf-8")
    if damage == "deleted":
        path.unlink()
    else:
        path.write_text(text.replace("robots", "budget") if damage == "changed" else text[:text.rindex("{")], encoding="utf-8")
    assert run(["audit"]) == Exit.STORAGE
    assert path.name in capsys.readouterr().err
    assert run(["audit", "2026-11-15"]) == Exit.OK


def test_a_log_past_its_time_is_not_missed(kept: Kept) -> None:
    path = crawled(kept)
    assert run(["--now", "2029-12-16T08:30:00", "purge"]) == Exit.OK
    assert not path.exists()
    assert run(["--now", "2029-12-16T08:30:00", "audit"]) == Exit.OK


def test_the_switch_from_the_terminal(kept: Kept, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["source", "resume-all"]) == Exit.OK
    assert run(["source", "stop-all", "--reason", "演练"]) == Exit.OK
    assert "resume-all" in capsys.readouterr().err
    source = (ROOT / "config/sources/catalogue/rss.yaml").read_text(encoding="utf-8").replace("enabled: false", "enabled: true")
    (home / "config" / "sources").mkdir()
    (home / "config" / "sources" / "rss.yaml").write_text(source, encoding="utf-8")
    assert run(["crawl", "rss", "--json"]) == Exit.INCOMPLETE
    told = json.loads(capsys.readouterr().out)
    assert told[0]["status"] == "not-run" and told[0]["reason"] == "已按总开关停止：演练"
    assert run(["source", "resume-all"]) == Exit.OK
    config = home / "config" / "vocwatch.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("crawler:\n", "crawler:\n  stopped: true\n"), encoding="utf-8")
    assert run(["source", "resume-all"]) == Exit.CONFIGURATION
    assert "crawler.stopped" in capsys.readouterr().err
