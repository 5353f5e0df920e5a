"""The digest of each business date: due once, made up for once, told as it was when it was sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from reports.digest import DigestFiles, write_digest
from reports.digest.views import audiences
from vocwatch.lang import language, tr
from vocwatch.schedule import sending
from vocwatch.schedule.judging import judge_texts
from vocwatch.schedule.tasks import Shift, Task
from vocwatch.scheduler import HISTORY_DAYS, catch_up
from vocwatch.settings import Settings
from vocwatch.store import Connection, leases
from vocwatch.store import digests as stored

LANE = "judge"
RETRY_AT_MOST = dt.timedelta(minutes=15)
_ONCE = dt.timedelta(days=1)


def is_digest(job: str) -> bool:
    """Whether a job is a date's digest."""
    return job.startswith(leases.DIGEST)


def job_of(date: dt.date) -> str:
    """Return the job that is the digest of a business date."""
    return f"{leases.DIGEST}{date.isoformat()}"


def date_of(job: str) -> dt.date:
    """Return the business date of a digest's job."""
    return dt.date.fromisoformat(job.removeprefix(leases.DIGEST))


def task(job: str) -> Task:
    """Return the task behind a digest's job."""
    return Task(job, LANE, _ONCE, make, rank=2)


def wanted(
    settings: Settings, known: Sequence[dt.date], connection: Connection, now: dt.datetime
) -> list[dt.date]:
    """Return the dates whose digests have to be planned: all since the last one known, up to the next one that comes
    due. Where none is known, the one due last, unless it has been written already.
    """
    last = settings.app.digest_due(now)
    if known:
        first = max(known) + _ONCE
    else:
        first = last if stored.load(connection, last, "qa") is None else last + _ONCE
    first = max(first, last - dt.timedelta(days=HISTORY_DAYS))
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 2)]


def make(shift: Shift) -> None:
    """Write the digest of the shift's date and hand it over for sending. Repeated, it does what is still undone.

    Older dates that were missed are written too, and told of in this one's mail.
    """
    date = date_of(shift.lease.job)
    judge_texts(shift)
    for older in _missed(shift, date):
        _make_up(shift, older, date)
    _complete(shift, date)
    shift.ask("deliver")
    shift.ask("care")


def _missed(shift: Shift, date: dt.date) -> list[dt.date]:
    """The dates before this one whose digests are due and not done."""
    with shift.store.read() as connection:
        rows = leases.jobs(connection, leases.DIGEST)
    return [date_of(row.job) for row in rows if row.due_at is not None and date_of(row.job) < date]


def _make_up(shift: Shift, older: dt.date, date: dt.date) -> None:
    """See to a date that was missed: if its mail was on its way before, it is completed; else this date's tells of it."""
    sent = _sent(shift, older)
    if sent:
        _complete(shift, older)
    else:
        _build(shift, older)
        for audience in audiences(shift.settings):
            _write(shift, older, audience)
    with shift.store.begin() as connection:
        shift.hold_in(connection)
        leases.merge(connection, job_of(older), "" if sent else date.isoformat(), shift.now())
        leases.remerge(connection, older.isoformat(), older.isoformat() if sent else date.isoformat())


def _complete(shift: Shift, date: dt.date) -> None:
    """Write the digest for each audience that has not been served yet, and hand it over; then it stays as it is."""
    left = [audience for audience in audiences(shift.settings) if not _sent(shift, date, audience)]
    if left:
        _build(shift, date)
    for audience in left:
        files = _write(shift, date, audience)
        shift.hold()
        sending.hand_over(shift.settings, shift.store, files.facts, shift.now(), language())
        shift.progress(tr(f"日报已写出：{files.html}", f"Digest written: {files.html}"))


def _sent(shift: Shift, date: dt.date, audience: str | None = None) -> bool:
    with shift.store.read() as connection:
        return stored.sealed(connection, date, audience) is not None


def _build(shift: Shift, date: dt.date) -> None:
    shift.hold()
    catch_up(shift.settings, shift.store, date)


def _write(shift: Shift, date: dt.date, audience: str) -> DigestFiles:
    shift.hold()
    return write_digest(shift.settings, shift.store, date, now=shift.now(), audience=audience, lang=language())
