"""Files that cannot be used: refused whole, with one message with file and next step; nothing is stored."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa

import sessions.workbook as workbook
from sessions.importer import ImportRefused, import_file
from tests.sessions.samples import HEADER, row, write_book, write_csv
from vocwatch.models import RunStatus
from vocwatch.settings import Settings
from vocwatch.store import Store, runs, schema


def book(folder: Path) -> bytes:
    return write_book(folder / "good.xlsx", {"流失": [HEADER, row()]}).read_bytes()


def bomb(_: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (30 * 1024 * 1024))
    return out.getvalue()


def far_cells(folder: Path) -> bytes:
    """Two cells, as far apart as a sheet allows: a small file that takes 500 GB as a dense block."""
    sheet = openpyxl.Workbook()
    assert sheet.active is not None
    sheet.active["A1"] = sheet.active["XFD1048576"] = "x"
    sheet.save(folder / "far.xlsx")
    return (folder / "far.xlsx").read_bytes()


def lying_bomb(folder: Path) -> bytes:
    """Declares 10 bytes where 30 MB are packed."""
    raw = bytearray(bomb(folder))
    position = raw.rfind(b"PK\x01\x02")
    struct.pack_into("<I", raw, position + 24, 10)
    return bytes(raw)


def encrypted(_: Path) -> bytes:
    """The compound file that spreadsheet programs wrap a locked workbook in, as far as its first sector."""
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 16
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + b"\0" * 2000
    )


def locked_member(folder: Path) -> bytes:
    raw = bytearray(book(folder))
    position = raw.rfind(b"PK\x01\x02")
    struct.pack_into("<H", raw, position + 8, 1)
    return bytes(raw)


def other_zip(_: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("流失.csv", "会话ID\n")
    return out.getvalue()


CASES: list[tuple[str, Callable[[Path], bytes], str]] = [
    ("空.csv", lambda _: b"", "空的"),
    ("空白.csv", lambda _: b"\xef\xbb\xbf \r\n\r\n", "空的"),
    ("流失.csv", lambda _: ",".join(HEADER).encode(), "只有表头"),
    ("流失.csv", lambda _: "天气,温度\n晴,20\n".encode(), "认不出表头.*天气"),
    (
        "流失.csv",
        lambda _: "会话编码,会话开始时间,聊天记录\n1,2026/9/14,在吗\n".encode(),
        "native_id.*会话编码",
    ),
    ("导出.csv", lambda _: "会话ID,时间,聊天记录\n1,2026/9/14,在吗\n".encode(), "质检路径.*数据来源"),
    ("乱.csv", lambda _: b"\xff\xfe\xff\x80\x81" * 50 + b"\x80", "编码|二进制|认不出"),
    ("坏.csv", lambda _: "会话ID,时间\n".encode() + b"\xff\xff\xff\n", "编码"),
    ("断.xlsx", lambda folder: book(folder)[:3000], "损坏"),
    ("错.xlsx", lambda folder: book(folder).replace(b"PK\x01\x02", b"PK\x01\x09"), "损坏"),
    ("炸弹.xlsx", bomb, "压缩比"),
    ("远.xlsx", far_cells, "单元格超过"),
    ("谎报.xlsx", lying_bomb, "损坏|压缩比"),
    ("密码.xlsx", encrypted, "密码|加了密"),
    ("锁.xlsx", locked_member, "加了密"),
    ("包.xlsx", other_zip, "压缩包"),
    ("网页.xls", lambda _: b"<html><table><tr><td>1</td></tr></table></html>", "网页"),
    ("图.csv", lambda _: b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "不是表格"),
    ("库.csv", lambda _: b"SQLite format 3\0" + b"\0" * 50, "二进制"),
    ("断.json", lambda _: b'[{"session_id": "1", ', "JSON 不完整"),
    ("深.json", lambda _: b"[" * 100_000, "JSON 不完整"),
    ("无.json", lambda _: b"[]", "认不出表头"),
    ("流失.jsonl", lambda _: b'{"a": 1, "b": 2}\n', "认不出表头"),
]


@pytest.mark.parametrize(("name", "make", "message"), CASES, ids=[f"{n}-{m}" for n, _, m in CASES])
def test_unusable_files_are_refused_whole(
    settings: Settings,
    sqlite_store: Store,
    tmp_path: Path,
    name: str,
    make: Callable[[Path], bytes],
    message: str,
) -> None:
    path = tmp_path / name
    path.write_bytes(make(tmp_path))
    with pytest.raises(ImportRefused, match=message) as refusal:
        import_file(settings, sqlite_store, path)
    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value) and "请" in str(refusal.value)
    with sqlite_store.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.sessions)).scalar() == 0
        run = runs.latest(connection, "import", name)
    assert run is not None and run.status is RunStatus.FAILED and name in (run.reason or "")


def test_missing_file_and_folder(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="读不到"):
        import_file(settings, sqlite_store, tmp_path / "没有.csv")
    with pytest.raises(ImportRefused, match="文件夹"):
        import_file(settings, sqlite_store, tmp_path)


def test_an_unknown_format_lists_the_known(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "流失.csv", [HEADER, row()])
    with pytest.raises(ImportRefused, match="qc-cn"):
        import_file(settings, sqlite_store, path, format="没有")
    with pytest.raises(ImportRefused, match="session_id"):
        import_file(settings, sqlite_store, path, format="records")


def test_the_sum_of_members_counts(
    tmp_path: Path, settings: Settings, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "流失.xlsx"
    path.write_bytes(book(tmp_path))
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 1000)
    with pytest.raises(ImportRefused, match="为安全没有打开"):
        import_file(settings, sqlite_store, path)
