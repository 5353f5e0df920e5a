"""The order of the day: crawl → import → analyse → incidents → digest, once (`vocwatch.schedule`: at their times).

Every step claims what is undone and may be killed and repeated; this module only puts them in order.
"""

from __future__ import annotations

import datetime as dt
import fcntl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from crawlers.evidence import shoot
from crawlers.runner import CrawlResult, crawl
from reports.digest import DigestFiles, write_digest
from reports.run import IncidentReport, build_incidents
from sentiment.run import AnalyseReport, analyse
from sessions import folder as import_folder
from sessions.importer import ImportRefused, ImportReport, import_file
from sessions.keywords import scan
from sessions.views import import_view
from vocwatch.lang import tr
from vocwatch.settings import Settings
from vocwatch.store import Store, evidence, retention, runs

HISTORY_DAYS = 34
Progress = Callable[[str], None]


class Busy(Exception):
    """Another vocwatch works on the same data folder."""


@dataclass
class CycleReport:
    """What one full cycle did."""

    crawled: list[CrawlResult] = field(default_factory=list)
    imported: list[ImportReport] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    analysed: AnalyseReport | None = None
    incidents: list[IncidentReport] = field(default_factory=list)
    digest: DigestFiles | None = None


@contextmanager
def only_one(settings: Settings, wait: bool = False, shared: bool = False) -> Iterator[None]:
    """Hold the data folder's work lock; the system lets go of it even after kill -9.

    Those who share it (the schedule's tasks, which take turns by their leases) don't exclude each other, only whoever
    holds it alone. Raises Busy where another process holds it, unless told to wait.
    """
    settings.env.data.mkdir(parents=True, exist_ok=True)
    handle: IO[str] = (settings.env.data / "work.lock").open("w")
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        handle.close()
        raise Busy(
            tr(f"另一个 vocwatch 正在处理 {settings.env.data}，请等它结束",
               f"Another vocwatch is working on {settings.env.data}; wait for it to finish")
        ) from error
    try:
        yield
    finally:
        handle.close()


def cycle(
    settings: Settings, store: Store, date: dt.date, *, sources: Sequence[str] | None = None,
    exports: Sequence[Path] = (), engine: str = "auto", lang: str = "zh", out: Path | None = None,
    progress: Progress = lambda line: None,
) -> CycleReport:
    """Run one full cycle for a business date and write its digest. Nothing is sent."""
    report = CycleReport()
    _first_look(settings, store)
    progress(tr("采集：读取来源", "Crawling sources"))
    report.crawled = crawl(settings, store, sources, on_progress=lambda name, state: progress(crawl_line(name, state)))
    for path in exports:
        progress(tr(f"导入：{path.name}", f"Importing {path.name}"))
        try:
            report.imported.append(import_file(settings, store, path))
        except ImportRefused as error:
            report.refused.append(str(error))
            progress(str(error))
    found = import_waiting(settings, store, progress)
    report.imported += found.imported
    report.refused += found.refused
    progress(tr("判定：情感、主题、红线", "Judging sentiment, topics and red lines"))
    report.analysed = analyse(
        settings, store, engine=engine,
        on_progress=lambda done, left: progress(tr(f"  已判定 {done} 条，还剩 {left} 条", f"  {done} judged, {left} left")),
    )
    if report.analysed.problem:
        progress(report.analysed.problem)
    progress(tr("事件：聚合、基线、评分", "Incidents: clusters, baselines, scores"))
    report.incidents = catch_up(settings, store, date)
    progress(tr("日报：写出", "Writing the digest"))
    report.digest = write_digest(settings, store, date, now=settings.clock.now(), lang=lang, out=out)
    look_after(settings, store, date, progress)
    return report


def look_after(settings: Settings, store: Store, date: dt.date, progress: Progress) -> None:
    """After a digest: screenshots of what it shows, then (once a date) what is past its time is removed."""
    with store.read() as connection:
        wanted = evidence.shot_candidates(connection, date, settings.app.digest.max_risks)
    if wanted:
        progress(tr("存证：给进入日报和预警的内容截图", "Evidence: screenshots of what the digest and the alerts show"))
        shoot(settings, store, wanted, on_progress=progress)
    gone = retention.purge_if_due(settings, store, settings.clock.now())
    if gone is not None and gone.total:
        progress(tr(f"清理：按保留期清除 {gone.total} 项", f"Retention: {gone.total} items removed"))


def catch_up(settings: Settings, store: Store, date: dt.date) -> list[IncidentReport]:
    """Build the incidents of `date`, and before it of those of the last 34 days that were never built."""
    done = []
    for back in range(HISTORY_DAYS, -1, -1):
        day = date - dt.timedelta(days=back)
        with store.read() as connection:
            known = runs.latest(connection, "incidents", day.isoformat())
        if back == 0 or known is None or known.status != "done":
            done.append(build_incidents(settings, store, day, now=settings.clock.now()).without_texts())
    return done


def _first_look(settings: Settings, store: Store) -> None:
    """Note what lies in the import folder, so that after the crawl it can be seen what has not changed since."""
    with suppress(ImportRefused):  # the second look says so
        import_folder.look(settings, store)


def import_waiting(settings: Settings, store: Store, progress: Progress) -> import_folder.FolderReport:
    """Import what the watched folder and the database views hold, and search old sessions with changed keywords."""
    found = import_folder.take(settings, store, progress)
    for name in found.waiting:
        progress(tr(f"{name} 还在变，下次再导入", f"{name} is still changing; it is imported next time"))
    for view in settings.app.sessions.views:
        try:
            done = import_view(settings, store, view)
        except ImportRefused as error:
            found.refused.append(str(error))
            progress(str(error))
            continue
        if done is not None:
            found.imported.append(done)
    scan(settings, store)
    return found


def crawl_line(name: str, counts: Mapping[str, int]) -> str:
    """Say how far the crawl of a source is."""
    pages, records = counts.get("pages", 0), counts.get("records", 0)
    return tr(f"  {name}：{pages} 页，{records} 条", f"  {name}: {pages} pages, {records} records")
