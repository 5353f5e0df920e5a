"""`sessions map`: a mapping out of headers and values, and what it could not place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sessions.importer import import_file
from sessions.propose import Proposal, propose
from tests.sessions.samples import write_book, write_csv
from vocwatch.cli.app import run
from vocwatch.settings import SessionMap, Settings, load_settings, read_environment
from vocwatch.store import Store

CHAT = "爱吃西柚 2026-09-14 10:00:01\n杯子漏水，骗子\n小七 2026-09-14 10:00:20\n抱歉"
HEAD = ["流水号", "接待时刻", "网店名", "顾客名称", "坐席名", "宝贝", "总体感受", "沟通全文", "手机", "部门"]


def row(number: int, rating: str) -> list[str]:
    return [f"A{number}", f"2026-09-14 1{number}:00:00", "松果匣官方旗舰店", "爱吃西柚", "小七", "恒温电水壶", rating, CHAT,
            f"1390000{number:04d}", "二组"]


def targets(proposal: Proposal) -> dict[str, str]:
    return {one.column: one.target for one in proposal.placed if one.target}


def test_written_and_then_imported_with_it(
    settings: Settings, home: Path, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_book(tmp_path / "客服全量.xlsx", {"说明": [["由后台导出"]], "数据": [["九月"], HEAD, row(1, "不满意"), row(2, "满意"), row(3, "满意")]})
    for key, value in {"VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "test", "VOCWATCH_NOW": "2026-11-16T08:30:00"}.items():
        monkeypatch.setenv(key, value)
    assert run(["sessions", "map", str(path), "--name", "ours", "--write"]) == 0
    shown = capsys.readouterr()
    assert "手机号" in shown.out and "13900" not in shown.out and "--format ours" in shown.err
    assert run(["sessions", "map", str(path), "--name", "ours", "--write"]) == 2  # nothing is overwritten
    changed = load_settings(read_environment({"VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "test", "VOCWATCH_NOW": "2026-11-16T08:30:00"}))
    report = import_file(changed, sqlite_store, path)
    assert (report.format, report.added, report.counted) == ("ours", 3, 3)
    assert report.paths == {"非满意": 1, "舆情关键词": 2}
    assert "13900" not in json.dumps(changed.session_maps["ours"].model_dump(), default=str)


def test_columns_are_told_by_name_likeness_and_values(settings: Settings, tmp_path: Path) -> None:
    proposal = propose(settings, write_csv(tmp_path / "x.csv", [HEAD, row(1, "不满意"), row(2, "满意")], "gb18030", "\t"), "x")
    assert targets(proposal) == {
        "流水号": "native_id", "接待时刻": "started_at", "网店名": "shop", "顾客名称": "buyer", "坐席名": "agent", "宝贝": "product",
        "总体感受": "rating", "沟通全文": "transcript",
    }
    left = {one.column: one.why for one in proposal.placed if one.target is None}
    assert "手机号" in left["手机"] and "不认识" in left["部门"]
    assert not proposal.open and SessionMap.model_validate(proposal.mapping).judge is not None


def test_what_it_cannot_find_it_asks_for(settings: Settings, tmp_path: Path) -> None:
    head = ["甲", "乙"]
    proposal = propose(settings, write_csv(tmp_path / "x.csv", [head, ["红", "圆"], ["绿", "方"]]), "x")
    assert [word in " ".join(proposal.open) for word in ("native_id", "started_at", "transcript")] == [True] * 3


def test_a_name_does_not_outweigh_what_stands_in_the_column(settings: Settings, tmp_path: Path) -> None:
    head = ["会话ID", "开始时间", "时间", "聊天记录"]
    rows = [["1", "早上", "2026-09-14 10:00", "买家：在吗\n客服：在"], ["2", "晚上", "2026-09-14 11:00", "买家：在吗\n客服：在"]]
    assert targets(propose(settings, write_csv(tmp_path / "x.csv", [head, *rows]), "x")) == {
        "会话ID": "native_id", "时间": "started_at", "聊天记录": "transcript",
    }


def test_a_list_of_messages_in_json(settings: Settings, tmp_path: Path) -> None:
    talk = {"cid": "7", "begin": "2026-09-14T10:00:00+08:00", "log": [
        {"who": "visitor", "words": "杯子漏水", "ts": 1}, {"who": "kefu", "words": "抱歉", "ts": 2}, {"who": "x9", "words": "?", "ts": 3}]}
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps({**talk, "cid": f"C{n}"}, ensure_ascii=False) + "\n" for n in range(3)), encoding="utf-8")
    proposal = propose(settings, path, "x")
    assert targets(proposal) == {"cid": "native_id", "begin": "started_at", "log": "transcript"}
    spec = proposal.mapping["transcript"]
    assert (spec["text_key"], spec["role_key"], spec["roles"]) == ("words", "who", {"visitor": "customer", "kefu": "agent"})
    assert "x9" in " ".join(proposal.open)


def test_daily_totals_are_known_for_what_they_are(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", [["业务日期", "网店名", "会话总量", "订单总数"], ["2026/9/14", "一店", "900", "300"], ["2026/9/15", "一店", "800", "310"]])
    proposal = propose(settings, path, "x")
    assert proposal.mapping["totals"] is True and set(proposal.mapping["columns"]) >= {"day", "sessions_total", "orders_total"}


def test_every_shipped_mapping_would_be_proposed_again(settings: Settings, tmp_path: Path) -> None:
    """The first name of each field of the tools' mappings lands on that field."""
    wrong = []
    for name in ("qiyu", "meiqia"):
        mapping = settings.session_maps[name]
        columns = {target: names[0] for target, names in mapping.columns.items()}
        cells = {"started_at": "2026-09-14 10:00", "ended_at": "2026-09-14 10:09", "transcript": CHAT, "response_seconds": "20", "resolved": "是"}
        body = [[cells.get(target, f"{target}{number}") for target in columns] for number in range(3)]
        found = targets(propose(settings, write_csv(tmp_path / f"{name}.csv", [list(columns.values()), *body]), "x"))
        wrong += [(name, column, found.get(column)) for target, column in columns.items() if found.get(column) != target]
    assert len(wrong) <= 1, wrong
