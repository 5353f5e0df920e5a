"""`vocwatch schedule`: APScheduler ticks, the engine works, a signal ends it gracefully."""

from __future__ import annotations

import signal
import threading
import time

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from vocwatch.lang import tr
from vocwatch.schedule.engine import Engine
from vocwatch.schedule.reload import Reloader
from vocwatch.schedule.tasks import Progress
from vocwatch.settings import Settings
from vocwatch.store import Store

TICK_SECONDS = 2
CRAWL_GRACE_SECONDS = 20.0  # a crawl goes on from where it was, so it need not be waited for


def serve_schedule(settings: Settings, store: Store, progress: Progress) -> None:
    """Work by the clock until SIGTERM or SIGINT: then begin nothing more, finish what is under way, give back the rest."""
    reloader = Reloader(settings, progress)
    engine = Engine(
        reloader.settings, store, progress=progress, reload=reloader.look, problem=lambda: reloader.problem
    )
    stop = threading.Event()
    # The main thread only waits, and a signal only ends its waiting: an exception thrown into the scheduler
    # itself could leave one of its locks held.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    zone = settings.app.zone
    # APScheduler is only the clock: one tick at a time, late ones become one, none is remembered.
    clock = BackgroundScheduler(timezone=zone, executors={"default": ThreadPoolExecutor(1)})
    clock.add_job(
        engine.tick, IntervalTrigger(seconds=TICK_SECONDS, timezone=zone), coalesce=True, max_instances=1,
        misfire_grace_time=None,
    )
    clock.start()
    plan = settings.app.schedule
    progress(tr(
        f"每个来源按自己的间隔采集（默认 {plan.crawl_every_minutes} 分钟），每天 {plan.digest_at} 出日报"
        f"（{plan.digest_zone or settings.app.timezone}）。Ctrl-C 停止",
        f"Each source at its own pace (by default every {plan.crawl_every_minutes} minutes), digest at {plan.digest_at} "
        f"({plan.digest_zone or settings.app.timezone}). Ctrl-C stops",
    ))
    stop.wait()
    engine.stop()
    busy = engine.under_way
    progress(tr(f"正在收尾：{'、'.join(busy) or '没有在做的事'}", f"Finishing what is under way: {', '.join(busy) or 'nothing'}"))
    _wait_for_crawls(engine)
    engine.close()
    clock.shutdown(wait=True)
    progress(tr("已停止", "Stopped"))


def _wait_for_crawls(engine: Engine) -> None:
    """Give crawls a little time to end by themselves, then end them."""
    deadline = time.monotonic() + CRAWL_GRACE_SECONDS
    while any(job.startswith("crawl:") for job in engine.under_way) and time.monotonic() < deadline:
        time.sleep(0.2)
    engine.cancel()
