"""The tasks there are: each source at its own pace, the import folder, judging, sending, looking after, watching."""

from __future__ import annotations

import datetime as dt
from functools import partial

from crawlers.browser import needed as needs_browser
from crawlers.runner import EXPORT, crawl_one
from vocwatch.lang import tr
from vocwatch.models import SourceStatus
from vocwatch.reasons import spoken
from vocwatch.schedule import sending
from vocwatch.schedule.judging import judge
from vocwatch.schedule.tasks import Shift, Task
from vocwatch.schedule.watchman import watch
from vocwatch.scheduler import crawl_line, import_waiting, look_after
from vocwatch.settings import Settings, Source

MINUTE = dt.timedelta(minutes=1)
CARE = dt.timedelta(hours=6)


def tasks_of(settings: Settings) -> dict[str, Task]:
    """Return the standing tasks of a configuration by job. Digests come by the calendar (`schedule.digests`)."""
    plan = settings.app.schedule
    looks = dt.timedelta(minutes=plan.analyse_every_minutes)
    tasks = [
        Task("watch", "watch", MINUTE, watch, rank=0, locked=False),
        Task("deliver", "deliver", MINUTE, _deliver, rank=1, locked=False),
        Task("judge", "judge", looks, judge, rank=3),
        Task("import", "import", looks, _import, rank=4),
        Task("care", "care", CARE, _care, rank=6),
    ]
    for name, source in settings.sources.items():
        if source.enabled and source.transport != EXPORT:
            tasks.append(Task(
                f"crawl:{name}", f"crawl:{name}", pace_of(settings, source), partial(_crawl, name), rank=5,
                jitter=plan.jitter, crawls=True, browser=needs_browser(source),
            ))
    return {task.job: task for task in tasks}


def pace_of(settings: Settings, source: Source) -> dt.timedelta:
    """Return how often a source is read."""
    return dt.timedelta(minutes=source.every_minutes or settings.app.schedule.crawl_every_minutes)


def _crawl(name: str, shift: Shift) -> None:
    """Read one source; whatever came of it, the judge looks at once."""
    source = shift.settings.sources[name]
    result = crawl_one(
        shift.settings, shift.store, source, cancelled=shift.stop,
        on_progress=lambda name, counts: shift.progress(crawl_line(name, counts)),
    )
    if result.status not in (SourceStatus.OK, SourceStatus.EMPTY):
        shift.progress(f"{source.title}（{name}）：{spoken(result.reason)}")
    shift.ask("judge")


def _import(shift: Shift) -> None:
    """Look at the import folder and the database views."""
    found = import_waiting(shift.settings, shift.store, shift.progress)
    if found.imported:
        shift.ask("judge")


def _deliver(shift: Shift) -> None:
    """Send what is due."""
    sent = sending.flush(shift.settings, shift.store, shift.now())
    if sent:
        shift.progress(tr(f"已发出 {sent} 条", f"{sent} messages sent"))


def _care(shift: Shift) -> None:
    """Screenshots of what the last digest and today's alerts show; what is past its time goes."""
    date = shift.settings.app.digest_due(shift.now())
    look_after(shift.settings, shift.store, date, shift.progress)
