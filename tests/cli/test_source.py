"""`vocwatch source` as a person meets it: questions, refusals, three files or none, and what `test` and `list` show."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crawlers import propose_write
from crawlers.propose import ProposeError, write_source
from tests.crawlers.site import Answer, Site
from tests.crawlers.test_propose_pages import _proposal
from tests.pages import test_pages
from vocwatch.cli.app import run
from vocwatch.exits import Exit
from vocwatch.settings import Settings

HTML = {"Content-Type": "text/html; charset=utf-8"}
ASKED = ["请问杯盖漏水怎么办呢，有人遇到过吗", "请问保温时间正常是多久，三个小时算吗", "请问划痕可以换货吗，刚收到就有"]
SAID = ["用了两周杯盖就开始漏水，书包湿了一大片", "客服半天不回，打13812345678也没人接", "颜色跟图片一样，孩子很喜欢"]
NAMES = ["青柚子大王", "慢半拍的鹿", "河边的阿树"]


def blocks(name: str, texts: list[str], times: bool = True) -> str:
    return "".join(
        f'<div class="{name}" data-id="{9100 + n}"><b class="{name}-user">{NAMES[n]}</b>'
        + (f'<i class="{name}-time">2026-11-1{n} 10:00</i>' if times else "") + f'<p class="{name}-text">{text}</p></div>'
        for n, text in enumerate(texts)
    )


def page(*parts: str) -> Answer:
    return Answer(f"<!doctype html><meta charset=utf-8><title>测试站</title><body>{''.join(parts)}", headers=HTML)


@pytest.fixture(autouse=True)
def here(home: Path) -> Path:
    (home / "config" / "vocwatch.yaml").write_text(
        "brand: {name: 松果匣, watch: songguoxia}\ncrawler: {contact: 'https://example.com/x', default_delay_seconds: 0, allow_private_hosts: ['127.0.0.1']}\n",
        encoding="utf-8",
    )
    return home


@pytest.fixture
def site() -> Iterator[Site]:
    one = Site()
    yield one
    one.close()


def answer(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def written(home: Path) -> str:
    return (home / "config" / "sources" / "say.yaml").read_text(encoding="utf-8")


def nothing_written(home: Path) -> bool:
    sources = [path for path in (home / "config" / "sources").glob("**/*") if "say" in path.name]
    return not sources and not list((home / "var" / "sources").glob("*") if (home / "var" / "sources").exists() else [])


def test_a_conversation_ends_in_three_things(
    here: Path, site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.rule = lambda path: page(blocks("ask", ASKED), blocks("say", SAID)) if path.startswith("/find") else None
    # keep the word, take the second group, then owner, ground, impact, reviewer
    answer(monkeypatch, "1", "2", "陆知夏", "公开页面", "每天一次", "")
    assert run(["source", "new", "say", f"{site.url}/find?q=%E6%9D%BE%E6%9E%9C%E5%8C%A3"]) == Exit.OK
    shown = capsys.readouterr().err
    assert "robots.txt：允许（User-agent: * 的规则里没有一行提到这个地址）" in shown
    assert "搜的是“松果匣”" in shown and "我找到 2 组重复内容，哪一组是要收的" in shown
    assert "div.ask（3 条）" in shown and "div.say（3 条）" in shown and "颜色跟图片一样" in shown
    text = written(here)
    for line in ("owner: 陆知夏", "  basis: 公开页面", "  impact: 每天一次", "  reviewer: 陆知夏", "/find?q={keyword}", "keywords: watches", "enabled: false"):
        assert line in text
    _check_saved(here / "var" / "sources" / "say")


def _check_saved(folder: Path) -> None:
    """Masked, in the layout of tests/pages: copied there, the folder is a test that passes."""
    assert sorted(path.name for path in folder.iterdir()) == ["listing.expected.json", "listing.html", "source.yaml"]
    for path in folder.iterdir():
        body = path.read_text(encoding="utf-8")
        assert "13812345678" not in body and not any(name in body for name in NAMES)
    wanted, got = test_pages.run(folder / "listing.expected.json")
    assert [(record.text, record.author) for record in got.records] == [(one["text"], one["author"]) for one in wanted["records"]]
    assert {one["author"] for one in wanted["records"]} == {"用户1", "用户2", "用户3"}
    assert "打[手机号]也没人接" in (folder / "listing.html").read_text(encoding="utf-8")
    test_pages.test_saved_page(folder / "listing.expected.json")
    test_pages.test_every_record_is_whole(folder / "listing.expected.json")


def test_unanswered_questions_write_nothing(
    here: Path, site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.rule = lambda path: page(blocks("say", SAID)) if path == "/list" else None
    answer(monkeypatch, "陆知夏")
    assert run(["source", "new", "say", f"{site.url}/list"]) == Exit.USAGE
    assert "什么也没有写" in capsys.readouterr().err
    assert nothing_written(here)


def test_what_stays_to_be_filled_in_keeps_a_source_off(here: Path, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.rule = lambda path: page(blocks("say", SAID)) if path == "/list" else None
    assert run(["source", "new", "say", f"{site.url}/list", "--yes", "--basis", "公开页面"]) == Exit.OK
    assert "待填" in capsys.readouterr().err
    assert run(["source", "list", "--json"]) == Exit.OK
    (row,) = json.loads(capsys.readouterr().out)
    assert row["why"] == "启用前要填：owner、access.impact、access.reviewer" and row["last_good"] is None
    for words in (["--yes"], ["--reason", "急"]):
        assert run(["source", "enable", "say", *words]) == Exit.USAGE
    shown = capsys.readouterr().err
    assert "access.reviewer" in shown and "access.impact" in shown and "access.basis" not in shown
    assert "enabled: false" in written(here)
    assert run(["source", "enable", "say", "--yes", "--reason", "事件处置，复核人明天补"]) == Exit.OK
    assert "enabled: true" in written(here)
    assert "# 2026-11-16 未填齐就启用：事件处置，复核人明天补" in written(here)


    _tested(here, capsys)


def _edited(home: Path, change: Callable[[str], str]) -> None:
    path = home / "config" / "sources" / "say.yaml"
    before = path.read_text(encoding="utf-8")
    path.write_text(change(before), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != before


def _tested(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Coverage, differences with what was expected, and nothing stored."""
    saved = here / "var" / "sources" / "say"
    capsys.readouterr()
    assert run(["source", "test", "say", "--json", "--file", str(saved / "listing.html")]) == Exit.OK
    found = json.loads(capsys.readouterr().out)
    assert {row["field"]: row["filled"] for row in found["coverage"]}["published_at"] == "3/3"
    assert all("author" not in record and record["author_key"] for record in found["records"])
    assert run(["source", "test", "say", "--against", str(saved)]) == Exit.OK
    _edited(here, lambda text: text.replace("published_at: i.say-time", "published_at: i.gone"))
    assert run(["source", "test", "say", "--against", str(saved)]) == Exit.INCOMPLETE
    assert "listing records[0].published_at：None ≠ '2026-11-10" in capsys.readouterr().err
    assert run(["source", "test", "say"]) == Exit.INCOMPLETE, "most records have lost their time"
    shown = capsys.readouterr()
    assert "多数记录缺 published_at" in shown.err and "没有入库" in shown.err
    assert "published_at\t0/3\t0%" in shown.out
    assert run(["query", "mentions", "--format", "json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out) == []


def test_a_page_that_may_not_be_read_is_refused_with_its_rule(here: Path, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["source", "new", "say", f"{site.url}/trap/1", "--yes"]) == Exit.BLOCKED
    shown = capsys.readouterr().err
    assert "不允许" in shown and "User-agent: * 的 Disallow: /trap/" in shown and "商家后台导出" in shown
    assert nothing_written(here)


def test_all_is_written_or_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, file = settings.env.data / "sources", settings.env.config / "sources" / "site.yaml"

    def full(draft: Path, path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patched, pytest.raises(ProposeError, match=r"site\.yaml") as caught:
        patched.setattr(propose_write, "_publish", full)
        write_source(settings, _proposal())
    assert caught.value.code is Exit.STORAGE
    assert not file.exists() and list(folder.iterdir()) == []
    folder.rmdir()
    folder.write_text("不是目录", encoding="utf-8")
    with pytest.raises(ProposeError) as caught:
        write_source(settings, _proposal())
    assert caught.value.code is Exit.STORAGE and not file.exists()
    folder.unlink()
    (folder / "site").mkdir(parents=True)  # of a run that was killed between the two
    (folder / "site" / "old.html").write_text("x", encoding="utf-8")
    write_source(settings, _proposal())
    assert sorted(path.name for path in (folder / "site").iterdir()) == ["listing.expected.json", "listing.html", "source.yaml"]
    assert [path.name for path in folder.iterdir()] == ["site"]


def test_the_folder_can_be_copied_anywhere(tmp_path: Path, here: Path, site: Site) -> None:
    """A list with details: two pages, two expectations, comments described though the first detail has none."""
    site.posts = {n: type(post)(n, f"第{n}个保温杯，杯盖有点漏水，客服说换新的", [f"同款，第{n}个也漏", "一样的情况"] if n == 8 else [])
                  for n, post in Site(posts=16).posts.items()}
    site.per_page = 16
    _dress(site)
    assert run(["source", "new", "say", f"{site.url}/list?page=1", "--yes"]) == Exit.OK
    copied = tmp_path / "elsewhere"
    shutil.copytree(here / "var" / "sources" / "say", copied)
    for case in copied.glob("*.expected.json"):
        test_pages.test_saved_page(case)
    expected: dict[str, Any] = json.loads((copied / "detail.expected.json").read_text(encoding="utf-8"))
    assert [one["kind"] for one in expected["records"]] == ["post", "comment", "comment"]


def _dress(site: Site) -> None:
    plain = site.answer

    def rule(path: str) -> Answer | None:
        site.rule = lambda path: None
        found = plain(path)
        site.rule = rule
        if path.startswith("/list"):
            rows = "".join(f'<li class=item><a class=subject href="/p/{n}">保温杯漏水求助第{n}帖，大家怎么看</a><i class=when>2026-11-10</i></li>' for n in sorted(site.posts, reverse=True))
            return page(f"<ul>{rows}</ul>")
        if isinstance(found.body, bytes) and path.startswith("/p/"):
            body = found.body.decode().replace("<div class=c ", "<div class=comment ").replace("<b>路人", "<i class=ctime>2026-11-11 09:00</i><b class=nick>路人")
            return Answer(body, headers=HTML)
        return found

    site.rule = rule
