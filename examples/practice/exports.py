"""Write the customer-service exports of the practice brand: ``python examples/practice/exports.py OUT``.

Five files as the tools of this trade export them, each with its own columns, encoding and time format.
The same ``now`` gives the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import xlsxwriter
from world import DEFAULT_NOW, Row, parse_time, read_json, read_jsonl

# One row that no calendar has, so that an import shows how it reports a bad row.
BAD_ROW = {
    "接待ID": "S20261105099",
    "咨询时间": "2026/2/30 10:05",
    "店铺": "松果匣官方旗舰店",
    "接待客服": "小匣-青柚",
    "客户昵称": "日历翻错页",
    "咨询商品编码": "SG-K101",
    "咨询商品": "恒温电水壶",
    "是否下单": "否",
    "流失原因": "咨询未回复",
    "聊天内容": "日历翻错页（买家）10:05:00\n在吗",
}


def transcript(session: Row) -> str:
    """The chat as one cell: 昵称（买家）12:03:11, then what was said."""
    lines = []
    for turn in session["turns"]:
        buyer = turn["who"] == "buyer"
        name, role = (session["buyer"], "买家") if buyer else (session["agent"], "客服")
        lines.append(f"{name}（{role}）{parse_time(turn['at']):%H:%M:%S}\n{turn['text']}")
    return "\n".join(lines)


def stamp(session: Row) -> str:
    """2026-11-15 09:03:00"""
    return f"{parse_time(session['at']):%Y-%m-%d %H:%M:%S}"


def unhappy_row(session: Row) -> Row:
    """非满意会话."""
    return {
        "会话ID": session["id"],
        "会话开始时间": stamp(session),
        "店铺": session["shop"],
        "客服昵称": session["agent"],
        "买家昵称": session["buyer"],
        "订单编号": session["order_no"],
        "商品编码": session["sku"],
        "商品名称": session["product"],
        "满意度": session["rating"],
        "首次响应(秒)": session["first_reply_s"],
        "是否解决": "是" if session["solved"] else "否",
        "聊天记录": transcript(session),
    }


def rated_row(session: Row) -> Row:
    """中差评跟进."""
    return {
        "评价编号": session["id"],
        "评价时间": stamp(session),
        "店铺名称": session["shop"],
        "买家ID": session["buyer"],
        "订单号": session["order_no"],
        "SKU编码": session["sku"],
        "宝贝标题": f"松果匣{session['product']}",
        "评价等级": session["rating"],
        "评价内容": session["reason"],
        "跟进客服": session["agent"],
        "沟通记录": transcript(session),
    }


def returned_row(session: Row) -> Row:
    """品质退货."""
    return {
        "退款编号": session["id"],
        "申请时间": stamp(session),
        "所属店铺": session["shop"],
        "会员名": session["buyer"],
        "订单编号": session["order_no"],
        "商家编码": session["sku"],
        "商品标题": f"松果匣{session['product']}",
        "退款原因": session["reason"],
        "责任客服": session["agent"],
        "聊天记录": transcript(session),
    }


def red_line_row(session: Row) -> Row:
    """服务红线, one JSON object per session."""
    people = {"buyer": ("customer", session["buyer"]), "agent": ("agent", session["agent"])}
    messages = [
        {"role": people[t["who"]][0], "name": people[t["who"]][1], "time": t["at"], "text": t["text"]}
        for t in session["turns"]
    ]
    return {
        "session_id": session["id"],
        "started_at": session["at"],
        "shop": session["shop"],
        "agent": session["agent"],
        "customer": session["buyer"],
        "order_id": session["order_no"],
        "sku": session["sku"],
        "product": session["product"],
        "redline": session["reason"],
        "messages": messages,
    }


def lost_row(session: Row) -> Row:
    """流失: times without leading zeros, as spreadsheets write them."""
    at = parse_time(session["at"])
    return {
        "接待ID": session["id"],
        "咨询时间": f"{at.year}/{at.month}/{at.day} {at.hour}:{at:%M}",
        "店铺": session["shop"],
        "接待客服": session["agent"],
        "客户昵称": session["buyer"],
        "咨询商品编码": session["sku"],
        "咨询商品": session["product"],
        "是否下单": "否",
        "流失原因": session["reason"],
        "聊天内容": transcript(session),
    }


def csv_text(rows: Iterable[Row]) -> str:
    """Rows as CSV; multi-line cells are quoted."""
    listed = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(listed[0]) if listed else [], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(listed)
    return out.getvalue()


def write_returns(path: Path, rows: list[Row], now: dt.datetime) -> None:
    """品退 as a workbook: two merged title rows above the header, as the back office exports it."""
    start = read_json("world.json")["window"]["from"]
    columns = list(rows[0]) if rows else ["退款编号"]
    with xlsxwriter.Workbook(path, {"strings_to_urls": False}) as book:
        # A fixed date instead of the clock keeps the bytes the same from run to run.
        book.set_properties({"title": "品质退货明细", "created": now.replace(tzinfo=None)})
        title = book.add_format({"bold": True, "font_size": 14, "align": "center"})
        head = book.add_format({"bold": True, "bg_color": "#F2E9DC", "border": 1})
        wrap = book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet("品退明细")
        last = max(1, len(columns) - 1)
        sheet.merge_range(0, 0, 0, last, "品质退货明细", title)
        sheet.merge_range(1, 0, 1, last, f"统计周期：{start} 至 {now:%Y-%m-%d}　共 {len(rows)} 条")
        sheet.write_row(2, 0, columns, head)
        for number, row in enumerate(rows, 3):
            for column, value in enumerate(row.values()):
                sheet.write_string(number, column, str(value), wrap)
        sheet.set_column(0, last - 1, 18)
        sheet.set_column(last, last, 48)
        sheet.freeze_panes(3, 0)


def write_exports(out_dir: Path, now: dt.datetime) -> list[Path]:
    """Write the five exports of all sessions up to ``now``; gives their paths."""
    out_dir.mkdir(parents=True, exist_ok=True)
    sessions = [s for s in read_jsonl("sessions.jsonl") if parse_time(s["at"]) <= now]

    def rows(path: str, make: Callable[[Row], Row]) -> list[Row]:
        return [make(s) for s in sessions if s["path"] == path]

    def put(name: str, text: str, encoding: str) -> Path:
        target = out_dir / name
        target.write_bytes(text.encode(encoding))
        return target

    red = rows("服务红线", red_line_row)
    lines: list[Any] = [json.dumps(row, ensure_ascii=False) + "\n" for row in red]
    returns = out_dir / "品退明细.xlsx"
    write_returns(returns, rows("品退", returned_row), now)
    return [
        put("非满意会话.csv", csv_text(rows("非满意", unhappy_row)), "utf-8-sig"),
        put("中差评跟进.csv", csv_text(rows("中差评", rated_row)), "gb18030"),
        returns,
        put("服务红线.jsonl", "".join(lines), "utf-8"),
        put("流失会话.csv", csv_text([*rows("流失", lost_row), BAD_ROW]), "utf-8"),
    ]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write the practice brand's customer-service exports.")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--now", default=DEFAULT_NOW, help="sessions later than this do not exist")
    chosen = parser.parse_args()
    for path in write_exports(chosen.out, parse_time(chosen.now)):
        print(path)


if __name__ == "__main__":
    main()
