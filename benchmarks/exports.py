"""How long an export takes to import, and how much memory: `python -m benchmarks.exports [--rows 1000000] [--store]`.

Writes a workbook of made-up sessions, reads it in a process of its own (masked, as an import does), and prints rows a
second and the peak memory. `--store` imports it into a throw-away database as well.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import xlsxwriter

from sessions.importer import import_file, read_export
from vocwatch.models import SessionRecord
from vocwatch.settings import load_settings, read_environment
from vocwatch.store import open_store

HEADER = ("会话ID", "会话开始时间", "店铺", "客服昵称", "买家昵称", "订单编号", "商品编码", "商品名称", "满意度", "首次响应(秒)", "是否解决", "聊天记录")


def write(path: Path, rows: int) -> None:
    """Write a workbook with that many sessions."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = book.add_worksheet("非满意")
    sheet.write_row(0, 0, HEADER)
    for number in range(1, rows + 1):
        chat = f"买家{number}（买家）12:03:11\n壶盖烫手，第{number}次找你们了\n小七（客服）12:04:00\n亲，马上处理"
        sheet.write_row(number, 0, (
            f"S{number:08d}", f"2026/9/{number % 28 + 1} {number % 24}:{number % 60:02d}", "松果匣官方旗舰店", "小七", f"买家{number}",
            f"3026101281{number:09d}", f"SG-K{number % 40}", "恒温电水壶", "不满意", number % 90, "否", chat,
        ))
    book.close()


def measure(path: Path, store: bool) -> None:
    """Read (or import) one file and print the figures."""
    settings = load_settings(read_environment({"VOCWATCH_HOME": str(path.parent), "VOCWATCH_CONFIG": str(Path(__file__).resolve().parents[1] / "config"), "VOCWATCH_SECRET": "benchmark"}))
    began = time.perf_counter()
    if store:
        report = import_file(settings, open_store(f"sqlite:///{path.parent / 'bench.sqlite3'}"), path)
        number = report.rows
    else:
        number = sum(isinstance(item, SessionRecord) for item in read_export(settings, path)[1])
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak, processor = used.ru_maxrss / 1024, used.ru_utime + used.ru_stime
    done = f"imported {number} sessions ({report.added} new)" if store else f"read {number} sessions"
    print(f"{done}, {path.stat().st_size / 1e6:.0f} MB file, {seconds:.0f} s ({processor:.0f} s of the processor), {number / seconds:.0f}/s, peak {peak:.0f} MB", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the workbook and measure in fresh processes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        measure(options.measure, options.store)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "非满意.xlsx"
        write(path, options.rows)
        command = [sys.executable, "-m", "benchmarks.exports", "--measure", str(path)]
        subprocess.run(command, check=True)
        for _ in range(2 if options.store else 0):
            subprocess.run([*command, "--store"], check=True)


if __name__ == "__main__":
    main()
