"""Watching the watch: a heartbeat for an outside monitor, and alarms of one's own when the eyes or the mouth fail.

The heartbeat is given only while all is in order, so that a monitor outside alarms whatever fails: this process, the
database, the disk, the way out. It is one for all schedulers of a database: who takes the task's lease gives it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from vocwatch.lang import tr
from vocwatch.models import SourceStatus
from vocwatch.reasons import spoken
from vocwatch.schedule import digests, sending
from vocwatch.schedule.beacon import BeaconError, ping
from vocwatch.schedule.tasks import Shift
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, leases, runs
from vocwatch.store import digests as stored

SHUT = dt.timedelta(minutes=10)  # for so long the mail server or the robot could not be reached
STUCK = dt.timedelta(minutes=60)  # so long a message may wait for a mailbox that is busy
SILENT = dt.timedelta(minutes=3)
JUDGE_LATE = dt.timedelta(minutes=60)
KIND, SUBJECT = "heartbeat", "all"


@dataclass(frozen=True)
class Trouble:
    """Something that keeps vocwatch from hearing or telling. `key` names it, so that it is told once a day."""

    key: str
    subject: str
    text: str


def watch(shift: Shift) -> None:
    """Look for trouble, tell the administrators of it, and give a heartbeat where there is none."""
    settings, store, now = shift.settings, shift.store, shift.now()
    found = troubles(settings, store, now)
    day = now.astimezone(settings.app.zone).date().isoformat()
    for trouble in found:
        if sending.notice(settings, store, f"{trouble.key}/{day}", trouble.subject, trouble.text, now):
            shift.progress(f"{trouble.subject}：{trouble.text}")
            shift.ask("deliver")
    said = "；".join(trouble.subject for trouble in found)
    if not found:
        try:
            ping(settings, now)
        except BeaconError as error:
            said = str(error)
            shift.progress(said)
    _remember(store, said, now)


def troubles(settings: Settings, store: Store, now: dt.datetime) -> list[Trouble]:
    """Return what is wrong at this moment: eyes, digest, way out, disk, judge."""
    with store.read() as connection:
        found = [
            _blind(settings, connection, now), _absent(settings, connection, now), _stuck(settings, connection, now),
            _unjudged(connection, now),
        ]
    return [trouble for trouble in (*found, _disk(settings)) if trouble is not None]


def _blind(settings: Settings, connection: Connection, now: dt.datetime) -> Trouble | None:
    """Every source has failed for so long, or was not read at all."""
    names = [name for name, source in settings.sources.items() if source.enabled and source.transport != "export"]
    limit = dt.timedelta(minutes=settings.app.schedule.blind_minutes)
    began = _schedule_began(connection)
    if not names or began is None or now - began < limit:
        return None
    reasons = []
    for name in names:
        good = runs.latest_of(connection, "crawl", name, (SourceStatus.OK, SourceStatus.EMPTY))
        pace = dt.timedelta(minutes=settings.sources[name].every_minutes or settings.app.schedule.crawl_every_minutes)
        if good is not None and now - (good.finished_at or good.started_at) < max(limit, 2 * pace):
            return None
        last = runs.latest(connection, "crawl", name)
        reasons.append(f"{name}：{spoken(last.reason) if last and last.reason else tr('没有运行', 'not run')}")
    shown = "；".join(reasons[:5])
    return Trouble("blind", tr("盲区：所有来源都读不到", "Blind: no source can be read"), tr(
        f"{len(names)} 个来源超过 {limit.total_seconds() / 3600:g} 小时没有一个读成功。这段时间没有预警不等于没有事。{shown}",
        f"None of {len(names)} sources was read for over {limit.total_seconds() / 3600:g} hours. No alert does not mean that "
        f"nothing happens. {shown}",
    ))


def _schedule_began(connection: Connection) -> dt.datetime | None:
    """When this database's schedule first did anything."""
    started = [row.started_at for row in leases.jobs(connection, "crawl:") if row.started_at is not None]
    return min(started) if started else None


def _absent(settings: Settings, connection: Connection, now: dt.datetime) -> Trouble | None:
    """The last digest due is not out half an hour after its time."""
    date = settings.app.digest_due(now)
    late = dt.timedelta(minutes=settings.app.schedule.late_minutes)
    row = next((row for row in leases.jobs(connection, digests.job_of(date))), None)
    if row is None or now - settings.app.digest_moment(date) < late:
        return None
    if row.attempts <= 1 and not row.failures and now - _began(connection, now) < late:
        return None  # the service has just come back, and is at it
    waiting = sending.digest_waits(connection, date)
    if stored.sealed(connection, date) is not None and not waiting:
        return None
    why = row.note or tr("还在排队", "still waiting")
    if waiting:
        why = tr(f"{waiting} 位收件人还没收到", f"{waiting} recipients have not got it")
    return Trouble(f"absent/{date}", tr(f"日报缺席：{date} 的还没送到", f"Digest absent: that of {date}"), tr(
        f"{date} 的日报过点 {settings.app.schedule.late_minutes} 分钟还没送到：{why}。用 vocwatch status 看卡在哪一步",
        f"The digest of {date} is over {settings.app.schedule.late_minutes} minutes late: {why}. See vocwatch status",
    ))


def _began(connection: Connection, now: dt.datetime) -> dt.datetime:
    """Since when there has been a scheduler without a break."""
    living = [one for one in leases.all_schedulers(connection, now - SILENT) if one.state == "running"]
    return min((one.started_at for one in living), default=now)


def _stuck(settings: Settings, connection: Connection, now: dt.datetime) -> Trouble | None:
    """Messages wait and wait: the way out is shut, or one recipient takes none."""
    for shut_out, limit in ((True, SHUT), (False, STUCK)):
        number, since = sending.waiting(connection, shut_out)
        if since is not None and now - since >= limit:
            break
    else:
        return None
    minutes = int((now - since).total_seconds() // 60)
    return Trouble("outbox", tr("消息发不出去", "Messages do not get out"), tr(
        f"{number} 条消息在等，最早的等了 {minutes} 分钟。用 vocwatch outbox list 看原因",
        f"{number} messages wait, the oldest for {minutes} minutes. See vocwatch outbox list",
    ))


def _unjudged(connection: Connection, now: dt.datetime) -> Trouble | None:
    """The judge has not come to an end for an hour."""
    row = next((row for row in leases.jobs(connection, "judge") if row.job == "judge"), None)
    if row is None or row.ended_at is None or row.due_at is None or now - row.due_at < JUDGE_LATE:
        return None
    return Trouble("judge", tr("判定停了", "Judging has stopped"), tr(
        f"上次判定结束于 {row.ended_at:%m-%d %H:%M} UTC：{row.note or '没有说明'}。预警会迟到",
        f"The last judgement ended {row.ended_at:%m-%d %H:%M} UTC: {row.note or 'no reason given'}. Alerts will be late",
    ))


def _disk(settings: Settings) -> Trouble | None:
    """Whether the data folder still takes a file."""
    draft = settings.env.data / ".heartbeat"
    try:
        write_whole(draft, "1\n")
    except OSError as error:
        return Trouble("disk", tr("数据目录写不进去", "The data folder cannot be written"), tr(
            f"{settings.env.data}：{error.strerror}。请清理磁盘或检查权限", f"{settings.env.data}: {error.strerror}. Check space and rights",
        ))
    return None


def write_whole(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all. Raises OSError."""
    half = path.with_name(f"{path.name}.half")
    half.write_text(text, encoding="utf-8")
    half.replace(path)


def _remember(store: Store, said: str, now: dt.datetime) -> None:
    """Keep one row of the last heartbeat and, where there was none, why."""
    with store.begin() as connection:
        runs.replace_last(connection, KIND, SUBJECT, now, reason=said or None)
