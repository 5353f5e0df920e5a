"""Exports of the usual tools, which hold all sessions and no 质检路径: judged row by row, and counted."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import xlsxwriter

from sessions.bigbook import open_big
from sessions.importer import ImportRefused, ImportReport, import_file, read_export
from sessions.keywords import scan
from tests.conftest import ROOT
from tests.sessions.samples import write_book, write_csv
from vocwatch.models import Path as QcPath
from vocwatch.models import SessionRecord
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.settings.keywords import Keywords
from vocwatch.store import Store, keywords, totals
from vocwatch.store.schema import session_keywords, sessions, turns
from vocwatch.store.totals import Total

DAY = dt.date(2026, 9, 14)
SINCE, UNTIL = dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The shipped settings, read once."""
    return load_settings(read_environment({
        "VOCWATCH_HOME": str(tmp_path_factory.mktemp("home")), "VOCWATCH_CONFIG": str(ROOT / "config"),
        "VOCWATCH_SECRET": "test", "VOCWATCH_NOW": "2026-11-16T08:30:00",
    }))


def found(settings: Settings, path: Path) -> dict[str, SessionRecord]:
    return {item.native_id: item for item in read_export(settings, path)[1] if isinstance(item, SessionRecord)}


def paths(settings: Settings, path: Path) -> dict[str, str]:
    return {name: item.path.value for name, item in found(settings, path).items()}


def qianniu(number: int, **changes: Any) -> list[Any]:
    values = {
        "接待ID": f"Q{number}", "聊天开始时间": "2026-09-14 10:02:03", "店铺": "松果匣官方旗舰店", "客服旺旺": "松果匣:小七",
        "买家旺旺": "t***1", "咨询商品": "恒温电水壶", "订单编号": f"4412{number:015d}\t", "客户评价结果": "满意",
        "退款原因": "", "询单状态": "已付款", "首次响应(分钟)": 2, "是否解决": "是",
        "聊天记录": "t***1 2026-09-14 10:02:03\n壶什么时候发货\n松果匣:小七 2026-09-14 10:02:30\n今天就发",
    }
    values.update(changes)
    return list(values.values())


HEAD = ["接待ID", "聊天开始时间", "店铺", "客服旺旺", "买家旺旺", "咨询商品", "订单编号", "客户评价结果", "退款原因", "询单状态",
        "首次响应", "是否解决", "聊天记录"]


def said(text: str) -> str:
    return f"t***1 2026-09-14 10:02:03\n{text}\n松果匣:小七 2026-09-14 10:02:30\n别投诉，马上给您处理"


def test_every_path_out_of_one_export_of_all_sessions(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    rows = [
        qianniu(1), qianniu(2, 客户评价结果="很不满意"), qianniu(3, 退款原因="质量问题"), qianniu(4, 退款原因="七天无理由"),
        qianniu(5, 询单状态="未付款"), qianniu(6, 聊天记录=said("再这样我就去曝光你们")), qianniu(7, 客户评价结果=""),
    ]
    path = write_csv(tmp_path / "接待明细.csv", [HEAD, *rows], "gb18030")
    report = import_file(settings, sqlite_store, path)
    assert report.format == "qianniu" and not report.problems
    assert (report.rows, report.added, report.counted) == (7, 4, 7)
    assert report.paths == {"非满意": 1, "品退": 1, "流失": 1, "舆情关键词": 1}
    assert report.keywords == {"曝光维权": 1}  # what the agent says is not searched
    with sqlite_store.read() as connection:
        known = totals.load(connection, DAY, DAY + dt.timedelta(days=1))
        agents = set(connection.execute(sa.select(sessions.c.agent_key)).scalars())
    assert {(row.what, row.value, row.basis) for row in known} == {
        ("sessions", 7, "counted"), ("rated", 6, "counted"), ("unsatisfied", 1, "counted"), ("answered", 7, "counted"),
        ("resolved", 7, "counted"), ("satisfied", 5, "counted"), ("fair", 0, "counted"),
    }
    assert len(agents) == 1 and "小七" not in str(agents)
    again = import_file(settings, sqlite_store, path)
    assert (again.added, again.updated, again.totals) == (0, 0, 0)


def test_the_unit_of_a_response_time_stands_in_the_column(settings: Settings, tmp_path: Path) -> None:
    head = [name.replace("首次响应", "首次响应(分钟)") for name in HEAD]
    (record,) = found(settings, write_csv(tmp_path / "接待.csv", [head, qianniu(2, 客户评价结果="不满意")])).values()
    assert record.response_seconds == 120


def test_an_export_of_bad_sessions_alone_is_no_denominator(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    import_file(settings, sqlite_store, write_csv(tmp_path / "a.csv", [HEAD, qianniu(1, 客户评价结果="不满意")]))
    with sqlite_store.read() as connection:
        assert not totals.load(connection, DAY, DAY + dt.timedelta(days=1))


def test_one_message_a_row(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    head = ["会话ID", "消息时间", "发送方", "发送人", "消息内容", "店铺"]

    def row(session: str, minute: int, who: str, name: str, text: str) -> list[str]:
        return [session, f"2026-09-14 10:{minute:02d}:00", who, name, text, "松果匣官方旗舰店"]

    path = write_book(tmp_path / "消息.xlsx", {"1": [
        head, row("M1", 1, "访客", "爱吃西柚", "壶盖烫伤了孩子的手"), row("M1", 2, "客服", "小七", "爱吃西柚您好"),
        row("M2", 3, "访客", "别人", "在吗"), row("M2", 4, "访客", "别人", "好的谢谢"), row("M1", 9, "访客", "爱吃西柚", "还在吗"),
    ]})
    report = import_file(settings, sqlite_store, path)
    assert (report.added, report.counted, report.paths) == (1, 2, {"舆情关键词": 1})
    (problem,) = report.problems
    assert problem.line == 6 and "不挨着" in problem.reason
    with sqlite_store.read() as connection:
        stored = list(connection.execute(sa.select(turns.c.role, turns.c.text).order_by(turns.c.seq)))
    assert [tuple(turn) for turn in stored] == [("customer", "壶盖烫伤了孩子的手"), ("agent", "买家您好")]


def test_qiyu_and_meiqia(settings: Settings, tmp_path: Path) -> None:
    head = ["会话ID", "访客名称", "接待客服", "会话开始时间", "会话来源", "首次响应时长", "满意度", "评价备注", "解决状态", "会话关闭方式", "会话内容"]
    chat = "爱吃西柚 2026-09-14 10:00:01\n杯子漏水\n小七 2026-09-14 10:00:20\n抱歉"
    rows = [
        ["71", "爱吃西柚", "小七", "2026-09-14 10:00:00", "微信小程序", "00:00:20", "不满意", "", "未解决", "访客关闭", chat],
        ["72", "别人", "小七", "2026-09-14 11:00:00", "网页", "00:01:20", "非常满意", "", "已解决", "客服关闭", chat.replace("爱吃西柚", "别人")],
    ]
    path = write_book(tmp_path / "会话记录.xlsx", {"Sheet1": [head, *rows]})
    mapping, _ = read_export(settings, path)
    (record,) = found(settings, path).values()
    assert mapping.name == "qiyu"
    assert (record.native_id, record.path, record.platform, record.response_seconds, record.resolved) == (
        "71", QcPath.UNSATISFIED, "微信小程序", 20, False,
    )
    assert [turn.role for turn in record.turns] == ["customer", "agent"]
    talk = {
        "conv_id": 9, "conv_start_tm": "2026-09-14T02:00:00Z", "agent_nickname": "小七", "client_info": {"name": "爱吃西柚"},
        "evaluation_level": "差评", "evaluation_content": "杯子漏水没人管", "conv_first_resp_wait_in_secs": 31,
        "messages": [{"from": "client", "content": "漏水", "timestamp": 1789351200}, {"from": "agent", "content": "抱歉"}],
    }
    lines = tmp_path / "对话.jsonl"
    lines.write_text("".join(json.dumps({**talk, "conv_id": n, "evaluation_level": level}, ensure_ascii=False) + "\n"
                             for n, level in ((9, "差评"), (10, "好评"))), encoding="utf-8")
    mapping, _ = read_export(settings, lines)
    assert mapping.name == "meiqia" and paths(settings, lines) == {"9": "中差评"}


def test_zendesk_csv_and_intercom_json(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    head = ["Ticket ID", "Created at", "Status", "Subject", "Requester", "Assignee", "Satisfaction Score", "First reply time in minutes", "Description"]
    rows = [["51", "2026-09-14 10:05:00 +0800", "Solved", "kettle", "Ann", "Bo", "Bad", "3", "the lid burns"],
            ["52", "2026-09-14 10:06:00 +0800", "Open", "kettle", "Ann", "Bo", "Good", "3", "thanks"]]
    path = write_csv(tmp_path / "tickets.csv", [head, *rows])
    (record,) = found(settings, path).values()
    assert (record.native_id, record.path, record.response_seconds, record.resolved) == ("51", QcPath.UNSATISFIED, 180, True)
    talk = {
        "id": "61", "created_at": 1789351200, "state": "closed",
        "source": {"type": "chat", "body": "<p>the lid<br>burns &amp; leaks</p>", "author": {"type": "user", "name": "Ann"}},
        "conversation_parts": {"total_count": 1, "conversation_parts": [
            {"body": "<p>sorry <b>Ann</b></p>", "created_at": 1789351300, "author": {"type": "admin", "name": "Bo"}},
            {"body": None, "part_type": "close", "created_at": 1789351400, "author": {"type": "admin", "name": "Bo"}}]},
        "conversation_rating": {"rating": 1, "remark": None}, "statistics": {"time_to_admin_reply": 100},
        "custom_attributes": {"sku": "SG-K101", "shop": "松果匣官方旗舰店"},
    }
    document = tmp_path / "conversations.json"
    good = {**talk, "id": "62", "conversation_rating": {"rating": 5}}
    document.write_text(json.dumps({"conversations": [talk, good]}), encoding="utf-8")
    mapping, _ = read_export(settings, document)
    (record,) = found(settings, document).values()
    assert mapping.name == "intercom"
    assert (record.native_id, record.path, record.sku, record.stars, record.response_seconds) == (
        "61", QcPath.UNSATISFIED, "SG-K101", 1, 100,
    )
    assert [(turn.role, turn.text) for turn in record.turns] == [
        ("customer", "the lid\nburns & leaks"), ("agent", "sorry 买家"),
    ]


def test_a_file_named_after_a_path_is_all_of_that_path(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "品退.csv", [HEAD, qianniu(1), qianniu(2)])
    assert paths(settings, path) == {"Q1": "品退", "Q2": "品退"}


def test_only_the_rating_tells_and_the_satisfied_are_not_bad(settings: Settings, tmp_path: Path) -> None:
    head = ["会话编号", "会话开始时间", "满意度", "聊天记录"]
    rows = [["1", "2026/9/14 9:05", rating, "买家：在吗"] for rating in ("不满意", "非常满意")]
    rows = [[str(number), *row[1:]] for number, row in enumerate(rows)]
    assert paths(settings, write_csv(tmp_path / "导出.csv", [head, *rows])) == {"0": "非满意"}


def import_totals(settings: Settings, store: Store, folder: Path, rows: list[list[Any]]) -> ImportReport:
    head = ["统计日期", "店铺名称", "会话数", "订单数", "品退数"]
    return import_file(settings, store, write_csv(folder / "总数.csv", [head, *rows]))


def test_given_totals_are_denominators_and_an_empty_cell_is_unknown(
    settings: Settings, sqlite_store: Store, tmp_path: Path
) -> None:
    report = import_totals(settings, sqlite_store, tmp_path, [
        ["2026/9/14", "一店", "1,200", "300", "0"], ["2026/9/14", "二店", 800, "", 4], ["2026/9/16", "一店", 900, 310, 2],
        ["2026/9/15", "一店", "很多", 1, 1], ["合计", "", 2900, 610, 6],
    ])
    assert (report.format, report.totals, [(p.line, p.column) for p in report.problems]) == (
        "daily-totals", 8, [(5, "会话数")],
    )
    with sqlite_store.read() as connection:
        rows = totals.load(connection, DAY, DAY + dt.timedelta(days=3))
    days = [DAY, DAY + dt.timedelta(days=1), DAY + dt.timedelta(days=2)]
    assert totals.of(rows, "sessions", [DAY]) == (2000, "given")
    assert totals.of(rows, "quality_returns", [DAY], "一店") == (0, "given")
    assert totals.of(rows, "orders", [DAY], "二店") == (None, None)
    assert totals.of(rows, "sessions", days) == (None, None)  # a day inside is missing: no sum that pretends it was 0
    assert import_totals(settings, sqlite_store, tmp_path, [["2026/9/14", "一店", 1200, 300, 0]]).totals == 0


def test_counted_totals_never_shrink_nor_replace_given_ones(sqlite_store: Store) -> None:
    now = dt.datetime(2026, 9, 20, tzinfo=dt.UTC)

    def save(value: int, basis: Any) -> Total:
        with sqlite_store.begin() as connection:
            totals.save(connection, [Total(DAY, "一店", "sessions", value, basis)], 1, now)
        with sqlite_store.read() as connection:
            return totals.load(connection, DAY, DAY + dt.timedelta(days=1))[0]

    assert save(50, "counted").value == 50
    assert save(20, "counted").value == 50  # an export of half the day
    assert save(60, "counted").value == 60
    assert save(55, "given") == Total(DAY, "一店", "sessions", 55, "given")
    assert save(70, "counted").value == 55


def test_changed_keywords_search_old_sessions_again(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "非满意.csv", [HEAD, qianniu(1, 聊天记录=said("水壶冒烟了"))])
    assert import_file(settings, sqlite_store, path).keywords == {"人身伤害": 1}
    assert scan(settings, sqlite_store) == 0
    changed = replace(settings, keywords=Keywords.model_validate({"classes": [{"name": "冒烟", "words": ["水壶冒烟"]}]}))
    assert scan(changed, sqlite_store) == 1
    with sqlite_store.read() as connection:
        (one,) = keywords.keyword_sessions(connection, SINCE, UNTIL)
        hit = connection.execute(sa.select(session_keywords)).one()
        text = connection.execute(sa.select(turns.c.text).where(turns.c.seq == hit.seq)).scalar_one()
    assert (one.name, one.words, one.native_id) == ("冒烟", ("水壶冒烟",), "Q1")
    assert text[hit.start:hit.end] == "水壶冒烟"


def test_an_unknown_export_names_the_way_on(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="sessions map"):
        read_export(settings, write_csv(tmp_path / "x.csv", [["流水", "说明"], ["1", "2"]]))


def test_shared_strings_rich_text_and_the_1904_calendar(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = xlsxwriter.Workbook(path, {"date_1904": True})
    sheet = book.add_worksheet("流失")
    sheet.write_row(0, 0, ["时间", "说"])
    sheet.write_datetime(1, 0, dt.datetime(2026, 9, 14, 12, 3, tzinfo=dt.UTC).replace(tzinfo=None), book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
    sheet.write_rich_string(1, 1, "壶", book.add_format({"bold": True}), "烫手", " 了")
    sheet.write_row(3, 0, [12, True])
    book.close()
    rows = [row for table in open_big(path) for row in table.rows]
    assert [number for number, _ in rows] == [1, 2, 4]
    assert rows[1][1][1] == "壶烫手 了" and str(rows[1][1][0])[:16] == "2026-09-14 12:03"
    assert rows[2][1] == [12.0, True]
