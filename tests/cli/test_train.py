"""`vocwatch train`, `evaluate`, `feedback` and `analyse --rebuild` as a person meets them."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sentiment import learn, shelf
from sentiment.training.corpus import own_texts
from tests.sentiment.test_learning import BAD, GOOD, THINGS, WHEN
from vocwatch.cli.app import run
from vocwatch.cli.context import Context
from vocwatch.cli.doctor import _own_model
from vocwatch.exits import Exit
from vocwatch.settings import read_environment
from vocwatch.store import mentions, open_store
from vocwatch.store.mentions import MentionRow
from vocwatch.store.schema import assessments as table

NOW = dt.datetime(2026, 11, 15, 4, tzinfo=dt.UTC)
TOPICS = """version: "1"
topics:
  - name: 物流
    leaves: [{name: 物流慢, severity: 1, words: [太慢了]}]
red_lines: []
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small configuration, and half of the own corpus."""
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    (home / "config" / "topics.yaml").write_text(TOPICS, encoding="utf-8")
    (home / "config" / "watches.yaml").write_text("watches: [{id: pine, kind: brand, name: 松果匣}]\n", encoding="utf-8")
    (home / "config" / "vocwatch.yaml").write_text(
        "brand: {name: 松果匣, watch: pine}\ncrawler: {contact: 'https://example.com/x'}\n", encoding="utf-8",
    )
    corpus = own_texts()[::2]
    monkeypatch.setattr(learn, "own_texts", lambda: corpus)
    return home


def data() -> Path:
    return read_environment().data


def labels(home: Path) -> str:
    sides = [(text, "负") for text in BAD] + [(text, "正") for text in GOOD]
    path = home / "labels.csv"
    path.write_text("正文,label\n" + "".join(f"{text},{side}\n" for text, side in sides), encoding="utf-8")
    return str(path)


def fill(texts: list[tuple[str, float | None]]) -> None:
    store = open_store(read_environment().database_url)
    with store.begin() as connection:
        mentions.save(connection, "shop", [
            MentionRow(str(n), f"https://a.example/{n}", "review", text, rating=stars,
                       published_at=NOW - dt.timedelta(days=n)) for n, (text, stars) in enumerate(texts)
        ], NOW)
    store.close()


def versions() -> list[str]:
    store = open_store(read_environment().database_url)
    with store.read() as connection:
        found = list(connection.execute(sa.select(table.c.model_version).order_by(table.c.ref_id)).scalars())
    store.close()
    return found


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == Exit.OK
    return json.loads(capsys.readouterr().out)


def test_trained_listed_used_compared_and_left(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = labels(home)
    assert run(["train", file, "--dry-run"]) == Exit.OK and not shelf.versions(data())
    assert run(["train", file]) == Exit.OK
    shown = capsys.readouterr()
    assert "已启用" in shown.err and "自有检验集" in shown.out and "训练正负" in shown.err
    [version] = shelf.versions(data())
    rows = told(capsys, "train", "--list")
    assert [(row["version"], row["in_use"]) for row in rows] == [("shipped", False), (version, True)]
    found = told(capsys, "evaluate", file, "--against", "shipped", "--errors", "3")
    assert found["version"] == version and found["classes"]["negative"]["recall"] == 1.0
    assert found["against"]["difference"] > 0.1 and found["against"]["p_value"] < 0.01
    assert len(found["against"]["texts"]) == 3 and found["against"]["broken"] == 0
    assert _own_model(Context(read_environment())).seen == version
    (data() / "models" / version / "card.json").write_text("{}", encoding="utf-8")
    assert "旧版" in _own_model(Context(read_environment())).seen
    assert run(["train", "--reset"]) == Exit.OK and shelf.current(data()) == shelf.SHIPPED
    assert run(["train", "--use", version]) == Exit.OK and shelf.current(data()) == version
    assert run(["train", "--use", "0" * 12]) == Exit.USAGE


def test_what_would_judge_worse_is_refused_with_the_reason(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turned = [(text.text, 2 - text.label) for text in learn.own_texts() if text.label != 1 and not text.held_out]
    file = home / "turned.jsonl"
    file.write_text("".join(json.dumps({"text": text, "label": label - 1}) + "\n" for text, label in turned), encoding="utf-8")
    assert run(["train", str(file)]) == Exit.INCOMPLETE
    said = capsys.readouterr().err
    assert "没有启用：新模型更差" in said and "macro-F1 从" in said
    assert shelf.current(data()) == shelf.SHIPPED and not shelf.versions(data())


def test_what_shows_no_gain_is_not_taken_up(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sides = (("质量很好，非常满意", "正"), ("质量太差，非常失望", "负"))
    file = home / "clear.csv"
    rows = [f"{thing}{when}到的，{said},{label}\n" for thing in THINGS[:8] for when in WHEN for said, label in sides]
    file.write_text("正文,label\n" + "".join(rows).replace("，", " "), encoding="utf-8")
    assert run(["train", str(file)]) == Exit.INCOMPLETE
    said = capsys.readouterr()
    assert "没有启用：看不出提升：交叉检验" in said.err and "现用的仍是 shipped" in said.err and "负面查全 1.00" in said.out
    assert shelf.current(data()) == shelf.SHIPPED and not shelf.versions(data())


def test_stars_and_feedback_of_the_store_teach(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill([(text, stars) for pair in zip(BAD, GOOD, strict=True) for text, stars in zip(pair, (1.0, 5.0), strict=True)]
         + [("收到了，还没用", 4.0)])
    assert run(["feedback", "https://a.example/0", "误报"]) == Exit.OK
    assert run(["feedback", "https://a.example/1", "准", "--label", "正", "--note", "电话13800138000"]) == Exit.OK
    [right, _] = told(capsys, "feedback", "list")
    assert (right["verdict"], right["label"], right["note"]) == ("准", "positive", "电话[手机号]")
    report = told(capsys, "train", "--stars")
    assert report["origins"] == {"feedback": 1, "stars": 142} and report["adopted"]


def test_nothing_to_learn_from_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train"]) == Exit.USAGE and "没有可学的" in capsys.readouterr().err
    few = home / "few.csv"
    few.write_text("text,stars\n不错,5\n太差,1\n", encoding="utf-8")
    assert run(["train", str(few)]) == Exit.INCOMPLETE and "可用的标注太少" in capsys.readouterr().err
    assert run(["train", str(home / "none.csv")]) == Exit.USAGE
    assert run(["evaluate", str(home)]) == Exit.USAGE


def test_feedback_asks_for_what_it_can_use(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill([("太慢了", 1.0)])
    for arguments in (["https://a.example/0", "好"], ["nobody", "准"], ["https://a.example/0", "准", "--label", "x"],
                      ["https://a.example/0", "不准", "--topic", "没有/这个"], []):
        assert run(["feedback", *arguments]) == Exit.USAGE, arguments
    assert run(["feedback", "1", "不准", "--topic", "物流/物流慢"]) == Exit.OK
    assert told(capsys, "feedback", "list")[0]["topics"] == ["物流/物流慢"]


def test_worst_errors_are_masked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "one.csv"
    file.write_text("text,label\n质量很好，推荐，电话13800138000,负\n太差了,负\n", encoding="utf-8")
    found = told(capsys, "evaluate", str(file))
    assert [error["text"] for error in found["errors"]] == ["质量很好，推荐，电话[手机号]"]
    assert run(["evaluate", str(file)]) == Exit.OK and "ECE" in capsys.readouterr().out


def test_killed_while_judging_again_it_goes_on_where_it_was(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill([(f"第{n}条，太慢了", None) for n in range(1200)])
    assert run(["analyse", "--engine", "rules"]) == Exit.OK
    before = versions()
    topics = home / "config" / "topics.yaml"
    topics.write_text(TOPICS.replace('"1"', '"2"'), encoding="utf-8")
    command = [sys.executable, "-c", "from vocwatch.cli import main; main()", "analyse", "--rebuild", "--engine", "rules", "--rate", "500"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGKILL)
    assert "已判定 500 条，还剩 700 条" in first
    half = versions()
    changed = [n for n, pair in enumerate(zip(before, half, strict=True)) if pair[0] != pair[1]]
    assert changed[:500] == list(range(500)) and len(changed) < 1200  # the newest; all others keep what was said
    report = told(capsys, "analyse", "--rebuild", "--engine", "rules")
    assert (report["assessed"], report["left"]) == (1200 - len(changed), 0)
    assert len(set(versions())) == 1 and set(versions()).isdisjoint(before)
    assert run(["analyse", "--rate", "5"]) == Exit.USAGE
