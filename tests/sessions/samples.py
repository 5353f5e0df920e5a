"""Writing real export files for the tests."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl

HEADER = [
    "会话ID",
    "会话开始时间",
    "店铺",
    "客服昵称",
    "买家昵称",
    "订单编号",
    "商品编码",
    "商品名称",
    "满意度",
    "首次响应(秒)",
    "是否解决",
    "聊天记录",
]


def chat(
    buyer: str = "爱吃西柚", agent: str = "松果匣旗舰店:小七", said: str = "壶盖烫手，客服也不管"
) -> str:
    return f"{buyer}（买家）12:03:11\n{said}\n第二行\n{agent}（客服）12:04:00\n亲，{buyer}您好，我是小七"


def row(number: int = 1, **changes: Any) -> list[Any]:
    values: dict[str, Any] = {
        "会话ID": f"S{number:06d}",
        "会话开始时间": "2026/9/14 12:03",
        "店铺": "松果匣官方旗舰店",
        "客服昵称": "松果匣旗舰店:小七",
        "买家昵称": "爱吃西柚",
        "订单编号": f"30261012815662{number:06d}\t",
        "商品编码": "SG-K101",
        "商品名称": "恒温电水壶",
        "满意度": "不满意",
        "首次响应(秒)": 27,
        "是否解决": "否",
        "聊天记录": chat(),
    }
    values.update(changes)
    return list(values.values())


def write_csv(path: Path, rows: list[list[Any]], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def write_book(
    path: Path, sheets: dict[str, list[list[Any]]], merges: dict[str, list[str]] | None = None
) -> Path:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for values in rows:
            sheet.append(values)
        for merge in (merges or {}).get(name, []):
            sheet.merge_cells(merge)
    book.save(path)
    return path


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]
