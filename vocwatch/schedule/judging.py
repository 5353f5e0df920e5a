"""From new texts to what must be said: judged, made into incidents, told."""

from __future__ import annotations

import datetime as dt

from reports.run import build_incidents
from sentiment.run import analyse
from vocwatch.clock import business_date, day_window
from vocwatch.lang import tr
from vocwatch.schedule import sending
from vocwatch.schedule.tasks import Shift
from vocwatch.store import Connection, assessments, runs
from vocwatch.store import digests as stored

PATIENCE = 60.0  # seconds for the second reader; a red line does not wait for it
BREAKDOWNS = 3  # so often the judge may take its process down before the words alone judge
REBUILT = dt.timedelta(hours=1)  # what rises within hours is looked at this often
_ONE_DAY = dt.timedelta(days=1)


def judge(shift: Shift) -> None:
    """Judge what is new, build the incidents it may change, and put what must be said into the outbox."""
    judge_texts(shift)
    for date in _open_dates(shift):
        shift.hold()
        build_incidents(shift.settings, shift.store, date, now=shift.now())
    shift.hold()
    if sending.tell(shift.settings, shift.store, shift.now()):
        shift.ask("deliver")


def judge_texts(shift: Shift) -> None:
    """Judge every text that waits. A judge that fails is said so and never keeps a digest or an alert back."""
    with shift.store.read() as connection:
        waiting = assessments.count_pending(connection, again=True)
    if not waiting:
        return
    # One that has ended its process three times on this slot will do so again.
    engine = "standby" if shift.lease.attempts > BREAKDOWNS else "auto"
    report = analyse(shift.settings, shift.store, engine=engine, patience=PATIENCE)
    shift.progress(tr(f"判定 {report.assessed} 条", f"{report.assessed} texts judged"))
    if report.problem:
        shift.progress(report.problem)


def _open_dates(shift: Shift) -> list[dt.date]:
    """The dates whose incidents may have changed: today, and the day before until its digest is on its way.

    What of a day is read later is told of by the day on which it was read.
    """
    now, app = shift.now(), shift.settings.app
    today = business_date(now, app.zone)
    dates = [today]
    with shift.store.read() as connection:
        eve = today - _ONE_DAY
        while app.digest_moment(eve) > now:
            dates.insert(0, eve)
            eve -= _ONE_DAY
        if _still_open(shift, connection, eve):
            dates.insert(0, eve)
        newest = assessments.newest(connection)
        return [date for date in dates if _stale(runs.latest(connection, "incidents", date.isoformat()), newest, now)]


def _still_open(shift: Shift, connection: Connection, date: dt.date) -> bool:
    """Whether a date's incidents may change though its digest is due: it is not on its way yet, or a red line that was
    read in time was judged only afterwards.
    """
    sent = stored.sealed(connection, date)
    if sent is None:
        return stored.load(connection, date, "qa") is None
    app = shift.settings.app
    start, end = day_window(date, app.zone)
    return assessments.judged_too_late(connection, start, end, seen_before=app.digest_moment(date), after=sent)


def _stale(built: runs.Run | None, newest: dt.datetime | None, now: dt.datetime) -> bool:
    if built is None or built.status != "done":
        return True
    if newest is not None and newest >= built.started_at:
        return True
    return not dt.timedelta() <= now - built.started_at < REBUILT  # also after the clock was put back
