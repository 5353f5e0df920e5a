"""`vocwatch --lang en`: what goes wrong is told in English; only what people wrote themselves stays Chinese."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from tests.sessions.samples import HEADER, row, write_book, write_csv
from vocwatch.cli.app import run
from vocwatch.exits import Exit
from vocwatch.models import RunStatus, SourceStatus
from vocwatch.settings import Settings
from vocwatch.store import open_store, runs

CHINESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]+")
NOW = dt.datetime.fromisoformat("2026-11-16T08:30:00+08:00")
SOURCE = """\
name: forum
title: Forum
owner: qa
access: {basis: public, robots: allowed, reviewer: qa, date: 2026-11-16}
start: ["https://bbs.example.com/"]
listing: {extract: html, records: [{kind: post, items: li, fields: {text: p}}]}
"""


@pytest.fixture(autouse=True)
def here(home: Path) -> Path:
    (home / "config" / "sources" / "forum.yaml").write_text(SOURCE, encoding="utf-8")
    return home


def told(capsys: pytest.CaptureFixture[str], *command: str, allowed: str = "") -> tuple[int, str]:
    """Run a command in English; return its exit code and what it printed, which may hold no Chinese but `allowed`."""
    code = run(["--lang", "en", *command])
    shown = "".join(capsys.readouterr())
    quoted = [word for word in CHINESE.findall(shown) if word not in allowed]
    assert shown.strip() and not quoted, f"{quoted} in: {shown}"
    return code, shown


FAULTS = [  # a source file, what is put in place of what, and what is said of it
    ("start: [", "start: 松 [", ""),
    ("name: forum", "name: 论坛", "only letters"),
    ("name: forum", "nane: forum", "nearest is name"),
    ("fields: {text: p}", "fields: {text: {html: true}}", "at least one of path"),
    ("fields: {text: p}", "fields: {text: {path: p, regex: '('}}", "not a regular expression"),
    ("kind: post", "kind: posts", ""),
    ("listing: {", "headers: {X-Key: abc}\nlisting: {", "env:NAME"),
    ("listing: {", "transport: export\nlisting: {", "imported from files"),
    (SOURCE[SOURCE.index("listing"):], "", "listing and detail"),
    ("records: [", "links: {items: a, fields: {native_id: '@id'}}, records: [", "must have url"),
    ("records: [", "links: {items: a, fields: {url: '@href'}}, records: [", "detail is needed"),
    ("example.com/", "example.com/?q={keyword}", "keywords is needed"),
    ("example.com/", "example.com/?d={since}", "go together"),
]


@pytest.mark.parametrize(("old", "new", "said"), FAULTS)
def test_faults_of_a_source_file(here: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str) -> None:
    assert old in SOURCE
    (here / "config" / "sources" / "forum.yaml").write_text(SOURCE.replace(old, new), encoding="utf-8")
    code, shown = told(capsys, "source", "list", allowed="论坛 松")
    assert code == Exit.CONFIGURATION and "forum.yaml:" in shown and said in shown


@pytest.mark.parametrize(("watch", "said"), [
    ("name: 的", "single character"), ("name: 我们", "so common"), ("name: '！'", "no letters"),
    ("name: 松果匣, patterns: ['(']", "not a pattern"), ("name: 松果匣, patterns: ['.*']", "too broad"),
    ("name: 松果匣, patterns: ['" + "a" * 1001 + "']", "too long"),
    ("name: 松果匣, query: '漏水 ('", "missing"), ("name: 松果匣, query: '(漏水'", "bracket"), ("name: 松果匣, query: '漏水)'", "too many"),
    ("name: 松果匣, query: NOT 漏水", "without NOT"), ("name: 松果匣, query: '@ 漏水'", "require"), ("name: 松果匣, query: ''", "empty"),
    ("name: 松果匣, query: 'OR'", "expected a word"), ("name: 松果匣, query: '“漏水'", "quote"), ("name: 松果匣, query: '“ ” 漏水'", "between the quotes"),
    ("name: 松果匣, query: '漏水 NEAR/900 杯'", "at most 500"), ("name: 松果匣, query: '漏水 NEAR NOT 杯'", "beside NOT"),
    ("name: 松果匣, query: '" + "(" * 25 + "漏水'", "deeper"), ("name: 松果匣, query: '" + "漏" * 2001 + "'", "too long"),
    ("name: 松果匣, brand: other", "names no watch"), ("name: 松果匣}\n  - {id: b, kind: brand, name: 松果匣", "is taken"),
])
def test_faults_of_a_watch(here: Path, capsys: pytest.CaptureFixture[str], watch: str, said: str) -> None:
    (here / "config" / "watches.yaml").write_text(f"watches:\n  - {{id: b, kind: brand, {watch}}}\n", encoding="utf-8")
    code, shown = told(capsys, "source", "list", allowed="的我们！松果匣漏水杯“” '" + "漏" * 2001)
    assert code == Exit.CONFIGURATION and said in shown


@pytest.mark.parametrize(("file", "text", "said"), [
    ("vocwatch.yaml", "brand: {name: x, watch: x}\ntimezone: Mars/Base\ncrawler: {contact: x}\n", "no such time zone"),
    ("refusals.yaml", "urls: [{url: example.com, date: 2026-11-16}]\n", "whole address"),
    ("refusals.yaml", "authors: [{author: somebody, date: 2026-11-16}]\n", "author key"),
    ("sessions/own.yaml", "name: own\ntitle: x\ncolumns: {}\nreviews: {source: own, platform: x, names: [x], home: ftp://x}\n", "http(s) address"),
])
def test_faults_of_other_files(here: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, said: str) -> None:
    (here / "config" / file).write_text(text, encoding="utf-8")
    code, shown = told(capsys, "source", "list")
    assert code == Exit.CONFIGURATION and said in shown


@pytest.mark.parametrize(("name", "content", "said"), [
    ("a.csv", b"", "is empty"), ("a.csv", b"id,x\n1,2\n", "header fits no format"), ("a.csv", b"x,y\n1,2\n", "header is not known"), ("a.csv", b"\xff\xff\xff\x81", "encoding"),
    ("a.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "XLSX"), ("a.xls", b"<html><table></table>", "web page"),
    ("a.pdf", b"%PDF-1.4 ", "no table"), ("a.bin", b"\x01\0\0\0" * 900, "binary"), ("a.xlsx", b"PK\x03\x04broken", "damaged"),
    ("a.json", b"[{", "malformed"), ("a.json", b"[" * 200_000, "nested"),
])
def test_exports_that_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    code, shown = told(capsys, "sessions", "import", str(tmp_path / name))
    assert code == Exit.USAGE and said in shown and name in shown


def test_exports_that_are_folders_missing_or_of_no_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = HEADER.index("满意度")  # the column that tells the path where no name does
    good = write_csv(tmp_path / "week.csv", [[*cells[:place], *cells[place + 1:]] for cells in (HEADER, row())])
    assert "is a folder" in told(capsys, "sessions", "import", str(tmp_path))[1]
    assert "cannot be read" in told(capsys, "sessions", "import", str(tmp_path / "none.csv"))[1]
    assert "no format other" in told(capsys, "sessions", "import", str(good), "--format", "other")[1]
    listed = "服务红线, 非满意, 中差评, 品退, 流失, 舆情关键词 数据来源"
    assert "quality-check path" in told(capsys, "sessions", "import", str(good), allowed=listed)[1]


def test_bad_rows_of_an_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row(), row(**{"会话ID": "S-2", "会话开始时间": "昨天"}), row(**{"会话ID": "S-3", "会话开始时间": "2036-01-01 10:00"}),
            row(**{"会话ID": "S-4", "首次响应(秒)": "很快", "是否解决": "也许"}), row(**{"会话ID": "S-5", "聊天记录": ""}), row(),
            row(**{"会话ID": "", "订单编号": "", "买家昵称": ""})]
    path = write_book(tmp_path / "rows.xlsx", {"流失": [HEADER, *rows]})
    code, shown = told(capsys, "sessions", "import", str(path), allowed="流失昨天很快也许" + "".join(HEADER))
    assert code == Exit.INCOMPLETE
    for said in ("not a time", "lies ahead", "expected a number", "expected yes or no", "transcript is empty", "stood in a row before",
                 "no session id"):
        assert said in shown, shown
    wide = write_csv(tmp_path / "流失.csv", [HEADER, row(), [*row(2), "x", "y"]])
    assert "columns more than the header" in told(capsys, "sessions", "import", str(wide), allowed="流失")[1]


def test_reasons_that_were_stored_in_chinese(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(settings.env.database_url)
    reason = "有 3 页列表没读出来：要求登录 3 页；12 条里只有 3 条读到了 listing.text，页面写法可能变了"
    with store.begin() as connection:
        key = runs.start(connection, "crawl", "forum", NOW)
        runs.finish(connection, key, NOW, RunStatus.DONE, SourceStatus.DEGRADED, reason, {"pages": 3, "faults": ["listing"]})
    for command in (("source", "list"), ("source", "health"), ("source", "health", "forum"), ("source", "health", "--json")):
        _, shown = told(capsys, *command, allowed="▁▂▃▄▅▆▇█")
        assert "3 list pages could not be read: a login is wanted, 3 pages; listing.text was read in only 3 of 12" in shown


def test_saved_pages_that_do_not_fit(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><body><p>a sentence that is long enough to be one, in a paragraph of its own", encoding="utf-8")
    assert "nothing of what the source file describes" in told(capsys, "source", "test", "forum", "--file", str(page))[1]
    assert "has no step detail" in told(capsys, "source", "test", "forum", "--file", str(page), "--step", "detail")[1]
    assert "expected.json" in told(capsys, "source", "test", "forum", "--against", str(tmp_path))[1]
    (here / "config" / "sources" / "forum.yaml").write_text(SOURCE.replace("items: li", "items: 'li['"), encoding="utf-8")
    code, shown = told(capsys, "source", "test", "forum", "--file", str(page))
    assert code == Exit.CONFIGURATION and "forum.yaml: not a CSS selector: li[" in shown
    assert "not a CSS selector" in told(capsys, "doctor")[1]


@pytest.mark.parametrize(("command", "said"), [
    (("crawl", "nowhere"), "No source nowhere"), (("digest", "--date", "x"), "2026-11-15"), (("evidence", "none"), "No such mention"),
    (("source", "new", "x", "nonsense"), "No address"), (("source", "new", "forum", "https://bbs.example.com/"), "already"),
    (("source", "test", "forum", "--file", "none.html"), "No such file"), (("source", "health", "--accept"), "Name the source"),
    (("demo", "--web", "none.json"), "serve.py"),
])
def test_wrong_calls(capsys: pytest.CaptureFixture[str], command: tuple[str, ...], said: str) -> None:
    code, shown = told(capsys, *command)
    assert code == Exit.USAGE and said in shown
