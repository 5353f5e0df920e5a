"""`vocwatch watch` as a person meets it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from sentiment.run import analyse
from vocwatch.cli.app import run
from vocwatch.cli.context import Context
from vocwatch.cli.doctor import _watches as watches_line
from vocwatch.exits import Exit
from vocwatch.settings import load_settings, read_environment
from vocwatch.store import mentions, open_store
from vocwatch.store.mentions import MentionRow

NOW = dt.datetime(2026, 11, 15, 4, tzinfo=dt.UTC)
WATCHES = """# 我们的监测词
watches:
  - {id: songguoxia, kind: brand, name: 松果匣, ambiguous: [松果]}
  - {id: chestnut, kind: keyword, name: 栗子屋}
"""
TEXTS = [
    "松果匣的小胖壶漏水", "宋果匣的小胖壶退了", "松果匣小胖壶不保温", "的确不错", "今天的天气", "快递的盒子压扁了",
    "栗子屋的毯子", "松果体检查", "松果匣旗舰店好评",
]


@pytest.fixture(autouse=True)
def here(home: Path) -> Path:
    (home / "config" / "watches.yaml").write_text(WATCHES, encoding="utf-8")
    (home / "config" / "vocwatch.yaml").write_text(
        "brand: {name: 松果匣, watch: songguoxia}\ncrawler: {contact: 'https://example.com/x'}\n", encoding="utf-8",
    )
    return home


@pytest.fixture
def filled(here: Path) -> Path:
    env = read_environment()
    settings = load_settings(env)
    with_store = open_store(env.database_url)
    rows = [
        MentionRow(str(n), f"https://a.example/{n}", "post", text, published_at=NOW - dt.timedelta(days=9 * (n % 2)))
        for n, text in enumerate(TEXTS)
    ]
    with with_store.begin() as connection:
        mentions.save(connection, "forum", rows, NOW)
    analyse(settings, with_store, engine="rules")
    with_store.close()
    return here


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run([*arguments, "--json"]) == Exit.OK
    return json.loads(capsys.readouterr().out)


def test_a_word_is_tried_on_what_is_stored(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "watch", "test", "松果匣")
    assert (found["texts"], found["hits"], found["hits_7_days"], found["lost"]) == (9, 4, 3, 0)
    assert found["rules"] == {"name": 3, "homophone": 1} and found["warning"] is None


def test_an_over_broad_word_shows_its_hits_and_is_not_taken(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "watch", "test", "的")
    assert found["hits"] >= 6 and "只有一个字" in found["warning"]
    before = (filled / "config" / "watches.yaml").read_text(encoding="utf-8")
    assert run(["watch", "add", "的", "--id", "de"]) == Exit.USAGE
    assert "只有一个字" in capsys.readouterr().err
    assert (filled / "config" / "watches.yaml").read_text(encoding="utf-8") == before


def test_an_edited_file_shows_what_it_loses(filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited = tmp_path / "watches.yaml"
    edited.write_text(WATCHES.replace("ambiguous: [松果]", "require: {none: [旗舰店]}, variants: false"), encoding="utf-8")
    found = told(capsys, "watch", "test", "songguoxia", "--file", str(edited))
    assert (found["hits"], found["lost"]) == (2, 2)
    assert {item["text"] for item in found["lost_samples"]} == {"宋果匣的小胖壶退了", "松果匣旗舰店好评"}


def test_a_watch_is_added_below_the_others(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["watch", "add", "小胖壶", "--id", "pot", "--kind", "product", "--brand", "songguoxia", "--sku", "SG-9", "--alias", "胖壶"]) == Exit.OK
    text = (here / "config" / "watches.yaml").read_text(encoding="utf-8")
    assert text.startswith("# 我们的监测词")
    added = load_settings(read_environment()).watches.watches[-1]
    assert (added.id, added.name, added.aliases, added.sku) == ("pot", "小胖壶", ("胖壶",), "SG-9")
    assert run(["watch", "add", "小胖壶", "--id", "pot"]) == Exit.USAGE
    assert "重复" in capsys.readouterr().err
    assert [row["id"] for row in told(capsys, "watch", "list")] == ["songguoxia", "chestnut", "pot"]


def test_suggestions_come_from_stored_texts(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "watch", "suggest", "songguoxia")
    assert (found[0]["word"], found[0]["why"]) == ("宋果匣", "homophone")
    assert run(["watch", "suggest", "nobody"]) == Exit.USAGE


def test_labelled_hits_are_learned_into_a_file_that_people_can_read(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.jsonl"
    rows = [(text, True) for text in ("松果杯子漏水", "松果杯盖松", "新松果杯子有味")]
    rows += [(text, False) for text in ("捡松果做手工", "捡松果去公园", "捡松果喂松鼠")]
    labels.write_text("".join(json.dumps({"watch": "songguoxia", "text": t, "is_brand": b}) + "\n" for t, b in rows), encoding="utf-8")
    learned = told(capsys, "watch", "learn", str(labels))
    assert (learned[0]["brand"], learned[0]["other"]) == (3, 3) and learned[0]["accuracy"] >= 0.8
    text = (here / "config" / "watches.learned.yaml").read_text(encoding="utf-8")
    assert text.startswith("# 由 vocwatch watch learn 写成") and "捡~: -" in text
    assert load_settings(read_environment()).watches.learned["songguoxia"].brand == 3
    labels.write_text('{"watch": "songguoxia", "text": "x"}\n', encoding="utf-8")
    assert run(["watch", "learn", str(labels)]) == Exit.USAGE
    assert f"{labels}:1" in capsys.readouterr().err


def test_a_learned_file_for_a_watch_that_is_gone_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "config" / "watches.learned.yaml").write_text(
        "learned:\n  gone: {names: [x], bias: 0, words: {}, brand: 3, other: 3, accuracy: 1}\n", encoding="utf-8",
    )
    assert run(["watch", "list"]) == Exit.CONFIGURATION
    assert "gone" in capsys.readouterr().err


def test_the_doctor_names_a_keyword_that_hits_half_of_everything(here: Path) -> None:
    env = read_environment()
    opened = open_store(env.database_url)
    rows = [MentionRow(str(n), f"https://a.example/{n}", "post", f"第{n}条，栗子屋的毯子", published_at=NOW) for n in range(20)]
    with opened.begin() as connection:
        mentions.save(connection, "forum", rows, NOW)
    analyse(load_settings(env), opened, engine="rules")
    opened.close()
    line = watches_line(Context(env))
    assert line.state == "note" and "chestnut 100%" in line.seen and "chestnut" in line.step
