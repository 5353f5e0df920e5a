"""The steps of `benchmarks.query`, each run in a process of its own."""

from __future__ import annotations

import datetime as dt
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.day.filler import DAY
from benchmarks.day.peak import Peak
from benchmarks.query.filler import QueryFiller
from reports.desk.ask import Desk, Question, ask, facets, heat, series
from reports.desk.export import export, write
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, open_store
from vocwatch.store import schema as s
from vocwatch.store.desk import counts, keep, rollup, rows
from vocwatch.store.desk_schema import desk_changes, desk_mentions

ROOT = Path(__file__).resolve().parents[2]
LAST = DAY - dt.timedelta(days=1)
MONTH = Question(since=LAST - dt.timedelta(days=29), until=LAST)
QUARTER = Question(since=LAST - dt.timedelta(days=89), until=LAST, brand=True)
WORD = "毛刺"
REDONE = 50_000


def main(name: str, url: str, *values: str) -> None:
    """Run one step and print what it measured as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"VOCWATCH_HOME": str(ROOT), "VOCWATCH_SECRET": "bench", "VOCWATCH_DATA": folder, "VOCWATCH_NOW": f"{DAY}T12:00:00"}
        settings = load_settings(read_environment(environment))
        store = open_store(url)
        found = {"fill": fill, "ask": questions, "export": exported, "write": writing}[name](settings, store, *values)
        store.close()
    print(json.dumps(found))


def fill(settings: Settings, store: Store, mentions: str) -> dict[str, float]:
    """Fill the database, make the counts of days, and make some narrow rows anew as a migration does."""
    found: dict[str, float] = {}
    began = time.perf_counter()
    QueryFiller(settings, store).ninety_days(int(mentions))
    found["fill_s"] = since(began)
    began = time.perf_counter()
    rollup.refresh(store, settings.app.zone)
    found["refresh_all_days_s"] = since(began)
    some = min(REDONE, int(mentions))
    with store.engine.begin() as connection:  # around the store, which would make them anew at once
        connection.execute(desk_changes.insert().from_select(["ref_id"], sa.select(desk_mentions.c.ref_id).limit(some)))
    began = time.perf_counter()
    with store.engine.begin() as connection:
        keep.drain(connection)
    found[f"narrow_rows_of_{some}_s"] = since(began)
    began = time.perf_counter()
    rollup.refresh(store, settings.app.zone)
    found["refresh_again_s"] = since(began)
    if store.dialect == "postgresql":
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    else:
        with store.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    return found


def questions(settings: Settings, store: Store, times: str) -> dict[str, float]:
    """Ask each question some times; milliseconds on the clock and of this process's processor time, the medians."""
    desk = Desk(settings, store)
    found: dict[str, float] = {}

    def median(name: str, ask_it: Callable[[], object]) -> None:
        ask_it()
        taken = [elapsed(ask_it) for _ in range(int(times))]
        found[f"{name}_ms"] = round(statistics.median(clock for clock, _ in taken) * 1000, 1)
        found[f"{name}_cpu_ms"] = round(statistics.median(processor for _, processor in taken) * 1000, 1)

    with store.read() as connection:
        quarter, month = desk.plain_scope(QUARTER), desk.plain_scope(MONTH)
        word = desk.plain_scope(Question(text=WORD))
        found["mentions"] = rows.count(connection, desk.plain_scope(Question()))
        found["word_found_in"] = rows.count(connection, word)
        median("topic_by_day_90", lambda: counts.grouped(connection, quarter, ("topic", "day"), authors=False))
        median("source_by_level_30", lambda: counts.grouped(connection, month, ("source", "level"), authors=False))
        median("word_count_and_newest_20", lambda: (rows.count(connection, word), list(rows.mention_rows(connection, word, limit=20))))
    median("page_topics", lambda: (series(desk, QUARTER, "topic"), heat(desk, MONTH), list(ask(desk, "topics", MONTH).rows)))
    median("page_mentions", lambda: (list(ask(desk, "mentions", MONTH, limit=50).rows), [facets(desk, MONTH, by) for by in ("source", "level", "sentiment")]))
    median("page_word", lambda: list(ask(desk, "mentions", Question(since=MONTH.since, until=MONTH.until, text=WORD, sentiments=("negative",)), limit=50).rows))
    median("facet_product_30", lambda: facets(desk, MONTH, "product"))
    median("trends_30", lambda: ask(desk, "trends", MONTH))
    return found


def exported(settings: Settings, store: Store, name: str, path: str) -> dict[str, float]:
    """Export all mentions: seconds, peak memory of the process, rows in the file against rows counted."""
    peak = Peak()
    peak.start()
    answer = ask(Desk(settings, store), "mentions", Question())
    began = time.perf_counter()
    write(answer, name, Path(path), ("published_at", "source", "sentiment", "topics", "severity", "text", "url") if name == "xlsx" else ())
    found = {f"{name}_s": since(began), f"{name}_peak_mb": peak.take(), f"{name}_missing_rows": answer.total - _rows(name, Path(path))}
    peak.end()
    Path(path).unlink()
    return found


def _rows(name: str, path: Path) -> int:
    if name == "parquet":
        from pyarrow import parquet

        return int(parquet.read_metadata(path).num_rows)
    if name == "xlsx":
        import python_calamine

        book = python_calamine.CalamineWorkbook.from_path(path)
        return sum(sum(1 for _ in book.get_sheet_by_name(sheet).iter_rows()) - 1 for sheet in book.sheet_names)
    import csv

    with path.open(encoding="utf-8-sig", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1 if name == "csv" else sum(1 for _ in file)


def writing(settings: Settings, store: Store) -> dict[str, float]:
    """The 95th percentile of a writer's transactions, alone and while all rows are exported."""
    desk = Desk(settings, store)
    alone = _p95(store)
    ended = threading.Event()

    def run() -> None:
        for _ in export(ask(desk, "mentions", Question()), "jsonl"):
            if ended.is_set():
                return

    thread = threading.Thread(target=run)
    thread.start()
    beside = _p95(store)
    ended.set()
    thread.join()
    return {"write_p95_alone_ms": alone, "write_p95_while_exporting_ms": beside}


def _p95(store: Store, times: int = 200) -> float:
    """Judge ten mentions anew in each transaction."""
    a = s.assessments.c
    taken = []
    for number in range(times):
        ids = range(number * 10 + 1, number * 10 + 11)
        began = time.perf_counter()
        with store.begin() as connection:
            connection.execute(s.assessments.update().where(a.text_kind == "mention", a.ref_id.in_(ids)).values(confidence=0.5))
        taken.append(time.perf_counter() - began)
        time.sleep(0.01)
    return round(statistics.quantiles(taken, n=20)[-1] * 1000, 2)


def elapsed(act: Callable[[], Any]) -> tuple[float, float]:
    """Seconds on the clock, and of the processor in this process (with PostgreSQL the asking side alone)."""
    began, busy = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - began, time.process_time() - busy


def since(began: float) -> float:
    """Seconds since then."""
    return round(time.perf_counter() - began, 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
