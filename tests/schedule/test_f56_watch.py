"""F56: whatever fails, somebody outside notices; and what vocwatch itself can tell, it tells."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.delivery.kit import Inbox, configured, mail_server, rows, text_of
from tests.reports.conftest import at_home
from tests.reports.conftest import shipped as shipped
from tests.schedule.kit import BEGIN, HOUR, MINUTE, Stepping, engine, until_idle
from vocwatch.models import RunStatus, SourceStatus
from vocwatch.schedule import Engine
from vocwatch.schedule import digests as dated
from vocwatch.schedule.beacon import BeaconError, ping
from vocwatch.schedule.tasks import Shift
from vocwatch.schedule.work import tasks_of
from vocwatch.settings import Settings
from vocwatch.store import Store, leases, runs

DETECT = 15 * MINUTE


class Monitor:
    """An outside monitor: expects a sign every minute and alarms after four without."""

    GRACE = 4 * MINUTE

    def __init__(self, clock: Stepping) -> None:
        self.clock, self.signs, self.status = clock, [clock.now()], 200
        monitor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                monitor.signs.append(clock.now())
                self.send_response(monitor.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01}).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/ping/0f3c-secret"

    @property
    def alarms(self) -> bool:
        return self.clock.now() - self.signs[-1] > self.GRACE

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def clock() -> Stepping:
    return Stepping(BEGIN + 2 * HOUR)


@pytest.fixture
def monitor(clock: Stepping) -> Iterator[Monitor]:
    found = Monitor(clock)
    yield found
    found.close()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server(Inbox()) as found:
        yield found


@pytest.fixture
def ours(shipped: Settings, tmp_path: object, monitor: Monitor, inbox: Inbox) -> Settings:
    """The invented brand with a reader, an administrator and an outside monitor."""
    made = configured(
        at_home(shipped, tmp_path), inbox, recipients=["qa@example.com"],
        alerts={"to": ["qa@example.com"], "admins": ["admin@example.com"]},
        crawler={"contact": "https://example.com", "allow_private_hosts": ["127.0.0.1"]},
    )
    return dataclasses.replace(made, env=dataclasses.replace(made.env, heartbeat_url=monitor.url, heartbeat_file="beat"))


def standing(settings: Settings, store: Store, clock: Stepping, **more: object) -> Engine:
    """A scheduler that does everything but crawl, judge and import."""
    def tasks(settings: Settings) -> dict[str, object]:
        return {name: task for name, task in tasks_of(settings).items() if name in ("watch", "deliver")}

    settings.env.data.mkdir(parents=True, exist_ok=True)
    return engine(settings, store, clock, tasks=tasks, **more)


def detected(scheduler: Engine, monitor: Monitor, clock: Stepping) -> dt.timedelta:
    """Let time pass until the monitor alarms; returns how long it took."""
    began = clock.now()
    while not monitor.alarms and clock.now() - began < 5 * HOUR:
        clock.step(MINUTE)
        until_idle(scheduler)
    return clock.now() - began


def test_f56_while_all_is_well_there_is_a_sign_every_minute(
    ours: Settings, sqlite_store: Store, clock: Stepping, monitor: Monitor
) -> None:
    scheduler = standing(ours, sqlite_store, clock)
    for _ in range(10):
        until_idle(scheduler)
        clock.step(MINUTE)
    assert len(monitor.signs) == 11 and not monitor.alarms
    assert (ours.env.home / "beat").read_text().startswith((clock.now() - MINUTE).isoformat()[:16])


def test_f56_a_dead_scheduler_is_noticed_outside(
    ours: Settings, sqlite_store: Store, clock: Stepping, monitor: Monitor
) -> None:
    until_idle(standing(ours, sqlite_store, clock))
    assert not monitor.alarms
    clock.step(DETECT)  # nobody ticks any more
    assert monitor.alarms


def test_f56_a_dead_way_out_is_noticed_outside(
    ours: Settings, sqlite_store: Store, clock: Stepping, monitor: Monitor
) -> None:
    cut = dataclasses.replace(ours, env=dataclasses.replace(ours.env, smtp=dataclasses.replace(ours.env.smtp, port=1)))
    scheduler = standing(cut, sqlite_store, clock, digests=True)  # the digest of yesterday goes out, or would
    until_idle(scheduler)
    assert {row["state"] for row in rows(sqlite_store, kind="digest")} == {"retry"}
    assert detected(scheduler, monitor, clock) <= DETECT + MINUTE


def test_f56_a_dead_disk_is_noticed_outside(
    ours: Settings, sqlite_store: Store, clock: Stepping, monitor: Monitor
) -> None:
    scheduler = standing(ours, sqlite_store, clock)
    until_idle(scheduler)
    (ours.env.data / ".heartbeat.half").mkdir()  # no file can be written there
    assert detected(scheduler, monitor, clock) <= DETECT


def test_f56_a_digest_that_is_absent_is_told_half_an_hour_after_its_time(
    ours: Settings, sqlite_store: Store, clock: Stepping, monitor: Monitor, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(shift: Shift) -> None:
        raise RuntimeError("模板坏了")

    monkeypatch.setattr(dated, "make", fails)
    clock.leap(-2 * HOUR)  # 08:00; the one of the day before is due since yesterday, and fails
    scheduler = standing(ours, sqlite_store, clock, digests=True)
    until_idle(scheduler)
    inbox.mails.clear()
    told = []
    for minute in range(100):
        until_idle(scheduler)
        told += [(minute, text_of(mail)) for mail in inbox.mails]
        inbox.mails.clear()
        clock.step(MINUTE)
    late = [(minute, text) for minute, text in told if "2026-11-15" in text]
    assert [minute for minute, _ in late] == [90] and "模板坏了" in late[0][1] and "vocwatch status" in late[0][1]
    assert monitor.alarms


def test_f56_blindness_is_told_once_a_day_and_ends_with_the_first_good_crawl(
    ours: Settings, sqlite_store: Store, clock: Stepping, monitor: Monitor, inbox: Inbox
) -> None:
    names = [name for name, source in ours.sources.items() if source.enabled]
    with sqlite_store.begin() as connection:
        leases.plan(connection, [(f"crawl:{name}", f"crawl:{name}", clock.now()) for name in names])
        for row in leases.jobs(connection, "crawl:"):
            assert leases.claim(connection, row, "other", clock.now())
        for name in names:
            run = runs.start(connection, "crawl", name, clock.now())
            runs.finish(connection, run, clock.now(), RunStatus.DONE, SourceStatus.BLOCKED, "返回 403，拒绝访问")
    scheduler = standing(ours, sqlite_store, clock)
    for _ in range(4 * 12):
        until_idle(scheduler)
        clock.step(5 * MINUTE)
    [mail] = inbox.mails
    assert "盲区" in str(mail["Subject"]) and "403" in text_of(mail) and monitor.alarms
    with sqlite_store.begin() as connection:
        run = runs.start(connection, "crawl", names[0], clock.now())
        runs.finish(connection, run, clock.now(), RunStatus.DONE, SourceStatus.OK)
    until_idle(scheduler)
    assert not monitor.alarms and len(inbox.mails) == 1


def test_f56_the_heartbeat_keeps_to_the_address_rules_and_tells_no_secret(ours: Settings, monitor: Monitor) -> None:
    def said(**env: str) -> str:
        settings = dataclasses.replace(ours, env=dataclasses.replace(ours.env, heartbeat_file="", **env))
        closed = settings.app.crawler.model_copy(update={"allow_private_hosts": ()})
        settings = dataclasses.replace(settings, app=settings.app.model_copy(update={"crawler": closed}))
        with pytest.raises(BeaconError) as error:
            ping(settings, BEGIN)
        return str(error.value)

    for url in (monitor.url, "http://169.254.169.254/latest", "http://[::1]/x", "file:///etc/passwd", "http://2130706433/x"):
        assert "不能访问" in said(heartbeat_url=url)
    assert len(monitor.signs) == 1  # nobody was asked
    assert "0f3c" not in said(heartbeat_url=monitor.url)
    monitor.status = 302
    with pytest.raises(BeaconError, match="302"):
        ping(ours, BEGIN)
    monitor.status = 500
    with pytest.raises(BeaconError, match="500") as error:
        ping(ours, BEGIN)
    assert "0f3c" not in str(error.value)
