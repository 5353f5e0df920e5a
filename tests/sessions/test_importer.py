"""Importing good files, and files of which some rows are bad."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sessions.importer import ImportRefused, ImportReport, RowProblem, import_file, read_export
from tests.sessions.samples import HEADER, chat, row, utc, write_book, write_csv
from vocwatch.models import Path as QcPath
from vocwatch.models import RunStatus, SessionRecord
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, runs
from vocwatch.store.schema import sessions, turns


def records(settings: Settings, path: Path) -> list[SessionRecord]:
    return [item for item in read_export(settings, path)[1] if isinstance(item, SessionRecord)]


def problems(settings: Settings, path: Path) -> list[RowProblem]:
    return [item for item in read_export(settings, path)[1] if isinstance(item, RowProblem)]


def stored(store: Store) -> tuple[list[Any], list[Any]]:
    with store.read() as connection:
        return (
            list(connection.execute(sa.select(sessions).order_by(sessions.c.native_id, sessions.c.path))),
            list(connection.execute(sa.select(turns).order_by(turns.c.session_id, turns.c.seq))),
        )


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [
        ("utf-8", ","),
        ("utf-8-sig", ","),
        ("gb18030", ","),
        ("gb18030", "\t"),
        ("utf-8", ";"),
        ("utf-16", "\t"),
    ],
)
def test_one_row_in_every_encoding(settings: Settings, tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = write_csv(tmp_path / "非满意.csv", [HEADER, row()], encoding, delimiter)
    (record,) = records(settings, path)
    assert record.native_id == "S000001"
    assert record.path is QcPath.UNSATISFIED
    assert record.started_at == utc(2026, 9, 14, 4, 3)
    assert (record.shop, record.sku, record.product) == ("松果匣官方旗舰店", "SG-K101", "恒温电水壶")
    assert (record.rating, record.stars, record.response_seconds, record.resolved) == (
        "不满意",
        None,
        27,
        False,
    )
    assert [(turn.role, turn.text) for turn in record.turns] == [
        ("customer", "壶盖烫手，客服也不管\n第二行"),
        ("agent", "亲，买家您好，我是客服"),
    ]
    assert all(len(key or "") == 16 for key in (record.order_key, record.agent_key, record.buyer_key))


def test_nothing_personal_is_stored(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    said = (
        "我是爱吃西柚，订单3026101281566200000１，电话139 0000 1234，"
        "寄到杭州市青石路88号3栋1201室，收件人吴雨桐"
    )
    path = write_csv(
        tmp_path / "非满意.csv",
        [HEADER, row(1, 聊天记录=chat(said=said), 商品名称="吴雨桐 13900001234", 满意度="加微信songguo_88")],
    )
    import_file(settings, sqlite_store, path)
    dump = "".join(sqlite_store_dump(sqlite_store))
    for secret in (
        "爱吃西柚",
        "小七",
        "13900001234",
        "139 0000",
        "青石路",
        "1201",
        "吴雨桐",
        "30261012815662",
        "songguo_88",
    ):
        assert secret not in dump, secret


def sqlite_store_dump(store: Store) -> list[str]:
    with store.read() as connection:
        return [
            str(row)
            for table in sa.inspect(connection).get_table_names()
            for row in connection.execute(sa.text(f'SELECT * FROM "{table}"'))
        ]


def test_same_people_get_same_codes(settings: Settings, tmp_path: Path) -> None:
    first, second, third = records(
        settings, write_csv(tmp_path / "非满意.csv", [HEADER, row(1), row(2), row(3, 买家昵称="别人")])
    )
    assert first.buyer_key == second.buyer_key != third.buyer_key
    assert first.order_key != second.order_key


@pytest.mark.parametrize(
    ("name", "column", "value", "path"),
    [
        ("20260914_服务红线.csv", None, None, QcPath.RED_LINE),
        ("不满意明细.csv", None, None, QcPath.UNSATISFIED),
        ("中差评.csv", None, None, QcPath.BAD_REVIEW),
        ("品退.csv", None, None, QcPath.QUALITY_RETURN),
        ("流失.csv", None, None, QcPath.LOST),
        ("导出.csv", "数据来源", "品质退货", QcPath.QUALITY_RETURN),
        ("导出.csv", "数据来源", "服务红线", QcPath.RED_LINE),
        ("流失.csv", "来源", "某平台", QcPath.LOST),
        ("导出.csv", "违规类型", "辱骂", None),
        ("导出.csv", None, None, QcPath.UNSATISFIED),
    ],
)
def test_where_the_path_is_written(
    settings: Settings, tmp_path: Path, name: str, column: str | None, value: str | None, path: QcPath | None
) -> None:
    header, values = (HEADER, row()) if column is None else ([column, *HEADER], [value, *row()])
    target = write_csv(tmp_path / name, [header, values])
    if path is None:  # rating and violation: two telling columns tell nothing
        with pytest.raises(ImportRefused, match="质检路径"):
            records(settings, target)
    else:
        assert records(settings, target)[0].path is path


def test_a_workbook_as_people_make_them(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    title = ["客服数据日报"] + [None] * 10
    groups = ["评价", None, None, "会话", None, "订单", None, None, None, None, None]
    header = [
        "评论时间",
        "店铺",
        "评分",
        "会话ID",
        "客服",
        "订单编号",
        "货号",
        "商品标题",
        "买家昵称",
        "评价内容",
        "沟通记录",
    ]

    def line(number: int, shop: str | None, order: Any, **more: Any) -> list[Any]:
        return [
            "2026/9/14 9:05",
            shop,
            2,
            f"R{number}",
            "小七",
            order,
            "SG-K101",
            "恒温电水壶",
            "爱吃西柚",
            "壶盖烫手",
            more.get("chat", ""),
        ]

    sheets = {
        "说明": [["本表由后台导出"]],
        "中差评": [
            title,
            groups,
            header,
            line(1, "一店", "3026101281566282666"),
            line(2, None, "x"),
            line(3, "二店", 3026101281566282666),
            ["合计", "3 条"] + [None] * 9,
        ],
        "流失": [
            [*header[:9], "沟通记录"],
            [*line(4, "三店", "y")[:9], chat()],
            [None] * 10,
            [*header[:9], "沟通记录"],
        ],
        "空白": [],
    }
    path = write_book(tmp_path / "日报.xlsx", sheets, {"中差评": ["A1:K1", "B4:B5"]})
    report = import_file(settings, sqlite_store, path)
    rows, _ = stored(sqlite_store)
    assert [(r.native_id, r.path, r.shop, r.stars) for r in rows] == [
        ("R1", "中差评", "一店", 2),
        ("R2", "中差评", "一店", 2),
        ("R3", "中差评", "二店", 2),
        ("R4", "流失", "三店", 2),
    ]
    assert report.rows == report.added == 4
    assert report.paths == {"中差评": 3, "流失": 1}
    lost, skipped = sorted(report.problems, key=lambda p: p.sheet == "说明")
    assert (lost.sheet, lost.line, lost.column, lost.kept) == ("中差评", 6, "订单编号", True)
    assert "文本" in lost.reason
    assert skipped.sheet == "说明" and skipped.kept
    assert rows[2].order_key is None and rows[0].order_key


def test_header_over_two_rows(settings: Settings, tmp_path: Path) -> None:
    upper = ["会话ID", "会话开始时间", "订单", None, "聊天记录"]
    lower = [None, None, "订单编号", "商品编码", None]
    values = ["S1", "2026/9/14 9:05", "x", "SG-K101", chat()]
    (record,) = records(settings, write_book(tmp_path / "流失.xlsx", {"Sheet1": [upper, lower, values]}))
    assert (record.native_id, record.sku, len(record.turns)) == ("S1", "SG-K101", 2)


def test_json_lines_array_and_tickets(settings: Settings, tmp_path: Path) -> None:
    record = {
        "session_id": "J1",
        "start": "2026-09-14T09:05:00+08:00",
        "path": "品退",
        "order_id": 3026101281566282666,
        "amount": 139,
        "messages": [{"role": "买家", "nick": "爱吃西柚", "time": "2026-09-14T09:05:10", "text": "烫手"}],
    }
    lines = tmp_path / "a.jsonl"
    lines.write_text(
        "\n".join(
            [json.dumps(record, ensure_ascii=False), "", "{坏的}", json.dumps({**record, "session_id": "J2"})]
        )
        + "\n",
        encoding="utf-8",
    )
    array = tmp_path / "b.json"
    array.write_text(json.dumps([record]), encoding="utf-8")
    mapping, items = read_export(settings, lines)
    read = list(items)
    assert mapping.name == "records"
    assert [item.native_id for item in read if isinstance(item, SessionRecord)] == ["J1", "J2"]
    assert [(p.line, p.kept) for p in read if isinstance(p, RowProblem)] == [(3, False)]
    assert dataclasses.asdict(records(settings, array)[0]) == dataclasses.asdict(records(settings, lines)[0])
    tickets = tmp_path / "品退.json"
    tickets.write_text(
        json.dumps(
            {
                "count": 1,
                "tickets": [
                    {
                        "id": 35436,
                        "created_at": "2026-09-14T01:05:00Z",
                        "status": "solved",
                        "requester": {"name": "爱吃西柚"},
                        "satisfaction_rating": {"score": "bad"},
                        "custom_fields": {"sku": "SG-K101"},
                        "comments": [
                            {
                                "author": {"role": "end-user", "name": "爱吃西柚"},
                                "body": "烫手",
                                "created_at": "2026-09-14T01:05:00Z",
                            },
                            {
                                "author": {"role": "agent", "name": "小七"},
                                "body": "爱吃西柚您好",
                                "created_at": "2026-09-14T01:06:00Z",
                            },
                        ],
                    }
                ],
            },
            ensure_ascii=False,
        ),
        encoding="utf-8",
    )
    mapping, items = read_export(settings, tickets)
    (ticket,) = list(items)
    assert mapping.name == "tickets" and isinstance(ticket, SessionRecord)
    assert (ticket.native_id, ticket.path, ticket.sku, ticket.resolved, ticket.rating) == (
        "35436",
        QcPath.QUALITY_RETURN,
        "SG-K101",
        True,
        "bad",
    )
    assert [(t.role, t.text) for t in ticket.turns] == [("customer", "烫手"), ("agent", "买家您好")]


def test_bad_rows_are_named_and_the_others_stand(
    settings: Settings, sqlite_store: Store, tmp_path: Path
) -> None:
    path = write_csv(
        tmp_path / "非满意.csv",
        [
            HEADER,
            row(1),
            row(2, 会话开始时间="2026/2/30 10:05"),
            row(3, 会话开始时间="2027/1/1 0:00"),
            row(4, 会话ID=""),
            row(5, 聊天记录=""),
            [*row(6), "多一列"],
            row(7, 会话ID="1.23E+18"),
            row(8, **{"首次响应(秒)": "很快"}),
            row(9),
        ],
    )
    report = import_file(settings, sqlite_store, path)
    found = {p.line: p for p in report.problems}
    # A record takes five lines: the chat has breaks in it. The one without id got one of order and time.
    assert [(p.line, p.column) for p in report.problems if not p.kept] == [
        (7, "会话开始时间"),
        (12, "会话开始时间"),
        (22, "聊天记录"),
        (23, None),
        (28, "会话ID"),
    ]
    assert "没有这个时间" in found[7].reason and "将来" in found[12].reason
    assert report.added == 4 and report.rows == 9
    assert {r.native_id for r in stored(sqlite_store)[0]} >= {"S000001", "S000008", "S000009"}
    assert [p.column for p in report.problems if p.kept] == ["首次响应(秒)"]


def test_an_unclosed_quote_takes_only_what_it_swallows(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "非满意.csv", [HEADER, row(1)])
    with path.open("a", encoding="utf-8") as file:
        file.write('S2,"没有闭合\n' + "一行\n" * 500)
    assert [record.native_id for record in records(settings, path)] == ["S000001"]
    (problem,) = problems(settings, path)
    assert problem.line == 7 and "引号" in problem.reason


def test_the_last_of_duplicates_wins(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "非满意.csv", [HEADER, row(1, 满意度="一般"), row(2), row(1, 满意度="很不满意")]
    )
    report = import_file(settings, sqlite_store, path)
    assert (report.rows, report.added, report.paths) == (3, 2, {"非满意": 2})
    assert "重复" in report.problems[0].reason and report.problems[0].line == 12
    assert [r.rating for r in stored(sqlite_store)[0]] == ["很不满意", "不满意"]
    again = import_file(settings, sqlite_store, path)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 2)


def test_without_ids_order_and_time_make_one(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "非满意.csv", [HEADER[1:], row(1)[1:], row(2)[1:], row(1)[1:]])
    first, second, third = records(settings, path)
    assert first.native_id == third.native_id != second.native_id
    assert "3026" not in first.native_id


def test_an_id_that_is_the_order_number_is_coded(settings: Settings, tmp_path: Path) -> None:
    (record,) = records(
        settings,
        write_csv(tmp_path / "非满意.csv", [HEADER, row(1, 会话ID="302610128156", 订单编号="302610128156")]),
    )
    assert record.native_id.startswith("k-") and "3026" not in record.native_id


def test_reimport_adds_nothing_and_changes_are_taken_over(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "非满意.csv", [HEADER, *(row(n) for n in range(1, 6))])
    first = import_file(settings, store, path)
    assert (first.added, first.updated, first.unchanged) == (5, 0, 0)
    before = stored(store)
    again = import_file(settings, store, path)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 5)
    assert stored(store) == before
    write_csv(
        path,
        [
            HEADER,
            row(1, 聊天记录=chat(said="改口了").split("\n小")[0]),
            row(2, 满意度="满意"),
            *(row(n) for n in range(3, 7)),
        ],
    )
    changed = import_file(settings, store, path)
    assert (changed.added, changed.updated, changed.unchanged) == (1, 2, 3)
    rows, said = stored(store)
    assert len(rows) == 6
    assert [r.id for r in rows[:5]] == [r.id for r in before[0]]
    assert next(t.text for t in said if t.session_id == rows[0].id).startswith("改口了")
    assert {r.run_id for r in rows} == {first.run_id, changed.run_id}
    with store.read() as connection:
        latest = runs.latest(connection, "import", path.name)
    assert latest is not None and latest.status is RunStatus.DONE
    assert latest.stats["updated"] == 2 and latest.stats["paths"] == {"非满意": 6}


def test_a_failure_in_the_middle_leaves_nothing(
    settings: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sessions.importer as importer

    path = write_csv(tmp_path / "非满意.csv", [HEADER, *(row(n) for n in range(1, 9))])
    real, calls = importer.upsert_sessions, []

    def dies_at_the_third(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(importer, "_BATCH", 2)
    monkeypatch.setattr(importer, "upsert_sessions", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        import_file(settings, store, path)
    assert stored(store) == ([], [])
    monkeypatch.setattr(importer, "upsert_sessions", real)
    assert import_file(settings, store, path).added == 8
    with store.read() as connection:
        states = [run.status for run in runs.history(connection, "import", path.name)]
    assert states == [RunStatus.DONE, RunStatus.FAILED]


CELL = st.one_of(
    st.sampled_from(
        ["S1", "S2", "2026/9/14 9:05", "品退", "", "=1+1", "13900001234", '"', "a\nb", "买家：在吗"]
    ),
    st.text(max_size=12),
)


@pytest.fixture(scope="module")
def read_rows(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[list[list[str]], str], list[SessionRecord | RowProblem]]:
    folder = tmp_path_factory.mktemp("any")
    own = load_settings(
        read_environment(
            {"VOCWATCH_SECRET": "test", "VOCWATCH_NOW": "2026-11-16T08:30:00", "VOCWATCH_DATA": str(folder)}
        )
    )

    def read(rows: list[list[str]], encoding: str) -> list[SessionRecord | RowProblem]:
        try:
            return list(read_export(own, write_csv(folder / "任意.csv", rows, encoding))[1])
        except ImportRefused:
            return []  # a file full of NULs is no text

    return read


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(CELL, min_size=1, max_size=6), max_size=6),
    encoding=st.sampled_from(["utf-8", "gb18030"]),
)
def test_any_rows_end_in_sessions_or_problems(
    read_rows: Callable[[list[list[str]], str], list[SessionRecord | RowProblem]],
    rows: list[list[str]],
    encoding: str,
) -> None:
    clean = [[cell.encode("utf-8", "replace").decode() for cell in values] for values in rows]
    for item in read_rows([["会话ID", "时间", "数据来源", "聊天记录"], *clean], encoding):
        assert isinstance(item, SessionRecord | RowProblem)
        if isinstance(item, SessionRecord):
            assert not any("13900001234" in turn.text for turn in item.turns)


def test_the_report_is_plain_data(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    report = import_file(
        settings, sqlite_store, write_csv(tmp_path / "流失.csv", [HEADER, row()]), format="qc-cn"
    )
    assert isinstance(report, ImportReport)
    assert json.loads(json.dumps(dataclasses.asdict(report)))["file"] == "流失.csv"
