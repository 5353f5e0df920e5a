"""Review exports of merchant back offices become mentions: recognised by their headers, masked, stored once."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crawlers.runner import crawl
from reports.coverage import coverage, usable_days
from sessions.importer import ImportRefused, RowProblem, import_file, read_export
from sessions.reviews import Review
from tests.conftest import ROOT
from tests.sessions.samples import utc, write_book, write_csv
from vocwatch.clock import FixedClock
from vocwatch.models import SourceStatus
from vocwatch.settings import Refusals, Settings, load_settings, read_environment
from vocwatch.settings.refusals import RefusedId
from vocwatch.store import Store, runs
from vocwatch.store.schema import mentions, revisions, sessions

NOW = dt.datetime(2026, 11, 16, 0, 30, tzinfo=dt.UTC)
# One export a platform, invented; the headers are those that the platform's own columns give away.
EXPORTS: dict[str, list[list[Any]]] = {
    "jd": [
        ["评价ID", "商品编号", "商品名称", "订单编号", "用户昵称", "评价星级", "评价内容", "评价时间", "追评内容", "追评时间", "商家回复", "回复时间"],
        ["77001122", "100012345678", "恒温电水壶", "288001122334455", "小***芒", "1星", "壶盖烫手，打我电话13900001234", "2026-11-15 20:11:05", "三天后漏水了", "2026-11-15 21:00:00", "亲，非常抱歉", "2026-11-15 22:00"],
        ["77001123", "100012345678", "恒温电水壶", "288001122334456", "青柠", "5", "烧水快", "2026/11/15 9:05", "", "", "", ""],
    ],
    "tmall": [
        ["订单编号", "宝贝标题", "商家编码", "买家旺旺", "评价等级", "初评内容", "初评时间", "追评内容", "追评时间", "卖家回复"],
        ["3301122334455667788\t", "恒温电水壶", "SG-K101", "t**8", "差评", "掉漆严重", "2026-11-15 12:00:00", "", "", "已联系您处理"],
        ["3301122334455667799\t", "恒温电水壶", "SG-K101", "匿名", "好评", "此用户没有填写评价", "2026-11-14 12:00:00", "", "", ""],
    ],
    "douyin": [
        ["评价ID", "订单编号", "商品ID", "商品名称", "买家昵称", "商品评分", "物流评分", "服务评分", "评价内容", "评价时间", "商家回复"],
        ["7301", "690011", "36211", "恒温电水壶", "向日葵", "2", "5", "5", "声音很大", "2026-11-15 08:00:00", ""],
    ],
    "xiaohongshu": [
        ["评价ID", "包裹号", "商品ID", "商品名称", "小红书号", "星级", "评价内容", "评价时间"],
        ["a1b2", "P2200334455", "65aa", "恒温电水壶", "ee11", "★★☆☆☆", "和图片有色差", "2026-11-15"],
    ],
    "dianping": [
        ["点评ID", "门店名称", "门店ID", "点评用户", "总体星级", "口味评分", "环境评分", "点评内容", "点评时间", "商家回复"],
        ["88001", "松果匣体验店", "H3344", "吃货一号", "15", "2.0", "3.0", "排队一小时，杯子里有虫子", "2026-11-15 19:30", "感谢反馈"],
    ],
}
STARS = {"jd": [1.0, 5.0], "tmall": [1.0, 5.0], "douyin": [2.0], "xiaohongshu": [2.0], "dianping": [1.5]}


@pytest.fixture
def shops(home: Path) -> Settings:
    """The settings with the six shops adopted and switched on."""
    for name in ("jd", "tmall", "taobao", "douyin", "xiaohongshu", "dianping"):
        text = (ROOT / "config/sources/catalogue" / f"{name}-shop.yaml").read_text(encoding="utf-8")
        (home / "config/sources" / f"{name}-shop.yaml").write_text(text.replace("enabled: false", "enabled: true"), encoding="utf-8")
    return load_settings(read_environment(
        {"VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "test", "VOCWATCH_NOW": "2026-11-16T08:30:00"}
    ))


def rows_of(settings: Settings, path: Path, format: str = "auto") -> list[Any]:
    mapping, items = read_export(settings, path, format)
    found = list(items)
    assert not [item for item in found if isinstance(item, RowProblem)], found
    assert all(isinstance(item, Review) for item in found), mapping.name
    return [item.row for item in found]


def stored(store: Store) -> list[Any]:
    with store.read() as connection:
        joined = sa.select(mentions, revisions.c.text).join(revisions, revisions.c.id == mentions.c.revision_id)
        return list(connection.execute(joined.order_by(mentions.c.source, mentions.c.native_id)))


@pytest.mark.parametrize("platform", EXPORTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_recognised_by_its_headers_in_every_encoding(
    settings: Settings, tmp_path: Path, platform: str, encoding: str
) -> None:
    path = write_csv(tmp_path / "20261116.csv", EXPORTS[platform], encoding)
    if platform == "tmall":  # 淘宝 writes the same columns: the file's name has to say which
        with pytest.raises(ImportRefused, match="看不出是哪个平台"):
            read_export(settings, path)
        path = path.rename(tmp_path / "天猫评价_20261116.csv")
    mapping, items = read_export(settings, path)
    assert mapping.name == f"{platform}-reviews"
    reviews = [item.row for item in items if isinstance(item, Review)]
    assert [row.rating for row in reviews if row.kind == "review"] == STARS[platform]
    assert all(row.author_key is None or len(row.author_key) == 16 for row in reviews)


def test_review_addition_and_answer_of_one_row(settings: Settings, tmp_path: Path) -> None:
    path = write_book(tmp_path / "导出.xlsx", {"Sheet1": EXPORTS["jd"]})
    review, addition, answer, second = rows_of(settings, path)
    assert (review.kind, review.native_id, review.parent) == ("review", "77001122", None)
    assert review.text.startswith("壶盖烫手") and "13900001234" not in review.text
    assert review.published_at == utc(2026, 11, 15, 12, 11, 5) and review.precision == "second"
    assert (review.sku, review.product, review.rating) == ("100012345678", "恒温电水壶", 1.0)
    assert review.url == "https://item.jd.com/100012345678.html#comment"
    assert (addition.kind, addition.parent, addition.text) == ("append", review.native_id, "三天后漏水了")
    assert addition.author_key == review.author_key and addition.published_at == utc(2026, 11, 15, 13, 0)
    assert (answer.kind, answer.parent, answer.author_key) == ("reply", review.native_id, None)
    assert second.parent is None and second.native_id == "77001123"
    assert review.order_key and review.order_key != second.order_key


def test_ids_that_a_spreadsheet_would_round_are_kept(settings: Settings, tmp_path: Path) -> None:
    head, row, _ = EXPORTS["jd"]
    kept = rows_of(settings, write_csv(tmp_path / "京东.csv", [head, ['="R77001122"', *row[1:]]]))[0]
    assert kept.native_id == "R77001122"


def test_the_order_joins_the_session_that_has_it(settings: Settings, tmp_path: Path) -> None:
    review = rows_of(settings, write_csv(tmp_path / "京东.csv", EXPORTS["jd"]))[0]
    session = ["会话ID", "会话开始时间", "订单编号", "聊天记录"], ["S1", "2026-11-15 10:00", "288001122334455", "买家：烫手"]
    (record,) = [item for item in read_export(settings, write_csv(tmp_path / "中差评.csv", list(session)))[1] if not isinstance(item, RowProblem)]
    assert not isinstance(record, Review) and record.order_key == review.order_key


@pytest.mark.parametrize("shape", ["lines", "array", "nested"])
def test_json_of_an_open_platform(settings: Settings, tmp_path: Path, shape: str) -> None:
    rows = [
        {"comment_id": "c1", "order_id": "690011", "product_id": "36211", "product_name": "电水壶", "content": "有异味", "rank": 1, "create_time": 1794614400, "shop_reply": "抱歉", "append_content": ""},
        {"comment_id": "c2", "order_id": "690012", "product_id": "36211", "product_name": "电水壶", "content": "不错", "rank": 5, "create_time": 1794614401},
    ]
    text = {
        "lines": "\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "array": json.dumps(rows),
        "nested": json.dumps({"code": 0, "data": {"total": 2, "list": rows}}),
    }[shape]
    path = tmp_path / "抖店评价.json"
    path.write_text(text, encoding="utf-8")
    assert [(row.native_id, row.kind, row.rating) for row in rows_of(settings, path)] == [
        ("c1", "review", 1.0), ("c1-reply", "reply", None), ("c2", "review", 5.0),
    ]


def test_without_ids_order_product_and_time_tell_a_review(settings: Settings, tmp_path: Path) -> None:
    head, first, _ = EXPORTS["tmall"]
    other = [*first[:1], "电炖锅", "SG-D2", *first[3:]]
    one, _, two, _ = rows_of(settings, write_csv(tmp_path / "天猫.csv", [head, first, other]))
    again = rows_of(settings, write_csv(tmp_path / "天猫2.csv", [head, [*first[:5], "改过的字", *first[6:]]]))[0]
    assert one.native_id.startswith("k-") and one.native_id != two.native_id
    assert again.native_id == one.native_id, "an edited text is a revision, not another review"
    assert "3301122334455667788" not in one.native_id


def test_additions_may_have_rows_of_their_own(shops: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    rows = [
        ["评价ID", "原评价ID", "评价阶段", "商品编号", "用户昵称", "评价内容", "评价时间", "订单编号"],
        ["A9", "77001122", "追评", "100", "小芒", "又漏了", "2026-11-15 20:00", "288"],
    ]
    report = import_file(shops, sqlite_store, write_csv(tmp_path / "京东追评.csv", rows))
    (row,) = stored(sqlite_store)
    assert (report.rows, row.kind, row.native_id, row.parent) == (1, "append", "A9", "77001122")
    with sqlite_store.read() as connection:
        last = runs.latest(connection, "crawl", "jd-shop")
    assert last is not None and last.outcome is SourceStatus.OK


def test_importing_twice_adds_nothing_and_an_edit_adds_a_revision(shops: Settings, store: Store, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "jd.csv", EXPORTS["jd"])
    first = import_file(shops, store, path)
    assert (first.rows, first.added, first.sources, first.paths) == (2, 4, {"jd-shop": 4}, {})
    second = import_file(shops, store, path)
    assert (second.added, second.updated, second.unchanged) == (0, 0, 4)
    changed = [row.copy() for row in EXPORTS["jd"]]
    changed[2][6] = "烧水快，但是盖子松"
    third = import_file(shops, store, write_csv(tmp_path / "jd2.csv", changed))
    assert (third.added, third.updated, third.unchanged) == (0, 1, 3)
    found = stored(store)
    assert len(found) == 4 and {row.source for row in found} == {"jd-shop"}
    assert [row.text for row in found if row.native_id == "77001123"] == ["烧水快，但是盖子松"]
    with store.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(revisions)).scalar_one() == 5
        assert connection.execute(sa.select(sa.func.count()).select_from(sessions)).scalar_one() == 0


def test_nothing_personal_is_stored(shops: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    head, row, _ = EXPORTS["jd"]
    said = [*row[:4], "爱吃西柚", row[5], "我是爱吃西柚，订单288001122334455，电话139 0000 1234，收件人吴雨桐", *row[7:]]
    import_file(shops, sqlite_store, write_csv(tmp_path / "京东.csv", [head, said]))
    with sqlite_store.read() as connection:
        dump = "".join(
            str(entry) for table in sa.inspect(connection).get_table_names()
            for entry in connection.execute(sa.text(f'SELECT * FROM "{table}"'))
        )
    for secret in ("爱吃西柚", "288001122334455", "139 0000", "13900001234", "吴雨桐"):
        assert secret not in dump, secret


def test_bad_rows_are_named_with_line_and_reason_and_the_others_stored(
    shops: Settings, sqlite_store: Store, tmp_path: Path
) -> None:
    head, good, _ = EXPORTS["jd"]
    rows = [
        head, good, [*good[:7], "昨天晚上", *good[8:]], [*good[:7], "2027-01-01 10:00", *good[8:]],
        ["9.00123E+18", *good[1:]], ["合计", "", ""], ["77", *good[1:5], "", "", good[7], "", "", "", ""], [*good[:5], "很赞", *good[6:]],
    ]
    report = import_file(shops, sqlite_store, write_csv(tmp_path / "京东.csv", rows))
    bad = [(problem.line, problem.column) for problem in report.problems if not problem.kept]
    assert bad == [(3, "评价时间"), (4, "评价时间"), (5, "评价ID"), (7, "评价内容")]
    assert "看不懂的评分" in next(p.reason for p in report.problems if p.line == 8 and p.column == "评价星级")
    assert report.added == 3
    with sqlite_store.read() as connection:
        run = runs.latest(connection, "crawl", "jd-shop")
    assert run is not None and run.outcome is SourceStatus.DEGRADED and "4 行读不了" in (run.reason or "")


def test_a_chat_makes_it_a_session_whatever_else_stands_there(settings: Settings, tmp_path: Path) -> None:
    rows = [["会话ID", "商品编号", "评价星级", "评价内容", "评价时间", "订单编号", "聊天记录"], ["S1", "100", "1星", "差", "2026-11-15 10:00", "28", "买家：差"]]
    mapping, items = read_export(settings, write_csv(tmp_path / "京东中差评.csv", rows))
    assert mapping.name == "qc-cn" and not any(isinstance(item, Review) for item in items)


def test_a_file_called_after_a_path_stays_one_of_sessions_without_a_platform(settings: Settings, tmp_path: Path) -> None:
    rows = [["评价编号", "评价内容", "评价时间", "店铺", "商品名称"], ["P1", "掉色", "2026-11-15 10:00", "松果匣", "壶"]]
    assert read_export(settings, write_csv(tmp_path / "中差评.csv", rows))[0].name == "qc-cn"
    told = [[*rows[0], "平台"], [*rows[1], "京东"]]
    assert read_export(settings, write_csv(tmp_path / "中差评3.csv", told))[0].name == "qc-cn"
    assert read_export(settings, write_csv(tmp_path / "20261116.csv", told))[0].name == "jd-reviews"
    assert read_export(settings, write_csv(tmp_path / "京东中差评.csv", rows))[0].name == "jd-reviews"
    assert read_export(settings, write_csv(tmp_path / "中差评2.csv", rows), "douyin-reviews")[0].name == "douyin-reviews"


def test_an_unregistered_source_is_said(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    report = import_file(settings, sqlite_store, write_csv(tmp_path / "京东.csv", EXPORTS["jd"]))
    assert any("jd-shop 还没有登记" in problem.reason and problem.kept for problem in report.problems)


def test_a_crawl_leaves_the_shops_alone(shops: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    import_file(shops, sqlite_store, write_csv(tmp_path / "京东.csv", EXPORTS["jd"]))
    assert crawl(shops, sqlite_store, None) == []
    (result,) = crawl(shops, sqlite_store, ["jd-shop"])
    assert result.status is SourceStatus.NOT_RUN and "sessions import" in (result.reason or "")
    with sqlite_store.read() as connection:
        last = runs.latest(connection, "crawl", "jd-shop")
    assert last is not None and last.outcome is SourceStatus.OK, "asking in vain must not hide how the import went"


def test_what_the_refusal_list_names_is_not_stored(shops: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    refused = dataclasses.replace(shops, refusals=Refusals(
        ids=(RefusedId(source="jd-shop", id="77001122", date=dt.date(2026, 11, 1)),)
    ))
    report = import_file(refused, sqlite_store, write_csv(tmp_path / "京东.csv", EXPORTS["jd"]))
    assert report.added == 1 and [row.native_id for row in stored(sqlite_store)] == ["77001123"]


# -- coverage -----------------------------------------------------------------------------------------------------


def covered(settings: Settings, store: Store, date: dt.date, now: dt.datetime) -> dict[str, Any]:
    with store.read() as connection:
        past = [run for name in settings.sources for run in reversed(runs.history(connection, "crawl", name))]
    return {source.name: source for source in coverage(settings, date, past, now).sources}


def test_an_export_that_did_not_arrive_is_unknown_and_one_that_did_is_read(
    shops: Settings, sqlite_store: Store, tmp_path: Path
) -> None:
    import_file(shops, sqlite_store, write_csv(tmp_path / "京东.csv", EXPORTS["jd"]))
    found = covered(shops, sqlite_store, dt.date(2026, 11, 15), NOW + dt.timedelta(minutes=5))
    assert found["jd-shop"].status is SourceStatus.OK and found["jd-shop"].read == 2
    assert found["douyin-shop"].status is SourceStatus.NOT_RUN
    later = covered(shops, sqlite_store, dt.date(2026, 11, 17), NOW + dt.timedelta(days=2))
    assert later["jd-shop"].status is SourceStatus.NOT_RUN


def test_the_same_file_again_is_no_new_reading(shops: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "京东.csv", EXPORTS["jd"])
    import_file(shops, sqlite_store, path)
    import_file(shops, sqlite_store, path, clock=FixedClock(NOW + dt.timedelta(days=2)))
    found = covered(shops, sqlite_store, dt.date(2026, 11, 17), NOW + dt.timedelta(days=2, minutes=5))
    assert found["jd-shop"].status is SourceStatus.NOT_RUN


def test_an_old_export_and_an_empty_one_are_not_taken_for_today(
    shops: Settings, sqlite_store: Store, tmp_path: Path
) -> None:
    old = [EXPORTS["jd"][0], [*EXPORTS["jd"][2][:7], "2026-10-01 10:00", "", "", "", ""]]
    import_file(shops, sqlite_store, write_csv(tmp_path / "京东.csv", old))
    report = import_file(shops, sqlite_store, write_csv(tmp_path / "抖音.csv", EXPORTS["douyin"][:1]))
    assert report.rows == 0 and not [problem for problem in report.problems if not problem.kept]
    found = covered(shops, sqlite_store, dt.date(2026, 11, 15), NOW + dt.timedelta(minutes=5))
    assert found["jd-shop"].status is SourceStatus.DEGRADED
    assert found["douyin-shop"].status is SourceStatus.EMPTY


def test_days_that_a_later_export_tells_of_may_stand_in_a_baseline(
    shops: Settings, sqlite_store: Store, tmp_path: Path
) -> None:
    head, row, _ = EXPORTS["jd"]
    days = [[str(day), *row[1:7], f"2026-11-{day:02d} 10:00", "", "", "", ""] for day in (10, 12, 15)]
    import_file(shops, sqlite_store, write_csv(tmp_path / "京东.csv", [head, *days]), clock=FixedClock(NOW - dt.timedelta(hours=1)))
    later = FixedClock(NOW + dt.timedelta(days=4))
    more = [[str(day), *row[1:7], f"2026-11-{day:02d} 10:00", "", "", "", ""] for day in (17, 19)]
    import_file(shops, sqlite_store, write_csv(tmp_path / "京东2.csv", [head, *more]), clock=later)
    with sqlite_store.read() as connection:
        past = list(reversed(runs.history(connection, "crawl", "jd-shop")))
    wanted = [dt.date(2026, 11, day) for day in range(9, 22)]
    usable = usable_days(shops, wanted, past, {"jd-shop": past[0].started_at}, {"jd-shop": utc(2026, 11, 10, 2)})
    assert {day.day for day in usable["jd-shop"]} == {10, 11, 12, 13, 14, 15, 17, 18, 19}
