"""F05, F06: one digest for each business date, whatever the service and the clocks do."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from reports.digest import write_digest
from reports.shape import Facts
from tests.schedule.kit import BEGIN, DAY, HOUR, MINUTE, Stepping, engine, until_idle
from vocwatch.clock import day_window
from vocwatch.schedule import Engine, digests, sending
from vocwatch.schedule.tasks import Shift
from vocwatch.settings import Settings
from vocwatch.store import Store, leases, mentions
from vocwatch.store import digests as stored
from vocwatch.store.mentions import MentionRow

ZONES = {"Asia/Shanghai": "09:00", "America/New_York": "02:30"}  # 02:30 is left out once a year, and 01:30 comes twice


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[dt.date]:
    """The dates whose mails were handed over, in that order."""
    seen: list[dt.date] = []
    real = sending.hand_over

    def hand_over(settings: Settings, store: Store, facts: Facts, now: dt.datetime, lang: str) -> int:
        real(settings, store, facts, now, lang)
        seen.append(facts.date)
        return 0

    monkeypatch.setattr(sending, "hand_over", hand_over)
    return seen


def planned(settings: Settings, **schedule: str) -> Settings:
    """Settings with another schedule."""
    zone = schedule.pop("timezone", settings.app.timezone)
    plan = settings.app.schedule.model_copy(update=schedule)
    return dataclasses.replace(settings, app=settings.app.model_copy(update={"schedule": plan, "timezone": zone}))


def alone(settings: Settings, store: Store, clock: Stepping) -> Engine:
    """A scheduler with nothing but digests to do."""
    return engine(settings, store, clock, digests=True, tasks=lambda _: {})


@pytest.mark.parametrize("down", [10 * MINUTE, 6 * HOUR, 3 * DAY], ids=["10 min", "6 h", "3 days"])
def test_f05_a_service_that_was_down_makes_up_once_with_the_window_of_the_date(
    settings: Settings, sqlite_store: Store, handed_over: list[dt.date], down: dt.timedelta
) -> None:
    clock = Stepping(BEGIN + 70 * MINUTE)  # 09:10: that of the day before is done first
    until_idle(alone(settings, sqlite_store, clock))
    clock.step(DAY - 15 * MINUTE)  # 08:55, and down it goes
    clock.step(down + 10 * MINUTE)
    for _ in range(6):  # another process by now, and it is started several times
        until_idle(alone(settings, sqlite_store, clock))
        clock.step(MINUTE)
    first, last = dt.date(2026, 11, 15), settings.app.digest_due(clock.now())
    missed = [first + n * DAY for n in range(1, (last - first).days)]
    assert handed_over == [first, last]  # the last one in full
    with sqlite_store.read() as connection:
        assert leases.merged_into(connection, last) == missed
        for date in [first, *missed, last]:
            told = stored.load(connection, date, "qa")
            assert told is not None
            window = [dt.datetime.fromisoformat(told["window"][end]).astimezone(dt.UTC) for end in ("from", "to")]
            assert window == list(day_window(date, settings.app.zone))
        notes = stored.load(connection, last, "qa")["notes"]  # type: ignore[index]
    assert sum("补发" in note for note in notes) == len(missed)
    assert all(any(f"补发 {date:%m-%d}" in note for note in notes) for date in missed)


def test_f05_killed_between_any_two_steps_each_date_is_handed_over_once(
    settings: Settings, sqlite_store: Store, handed_over: list[dt.date], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies before and after each step of a catch-up; the rest of the day is done by the next one."""
    clock = Stepping(BEGIN + 70 * MINUTE)
    until_idle(alone(settings, sqlite_store, clock))
    steps = [(leases, "merge"), (leases, "remerge"), (digests, "_write"), (stored, "seal"), (leases, "finish"), (Shift, "ask")]
    deaths = [(owner, name, when) for owner, name in steps for when in ("before", "after")]
    for number, (owner, name, when) in enumerate(deaths):
        clock.step(3 * DAY)
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, mortal(getattr(owner, name), when))
            with pytest.raises(Killed):
                take_over(alone(settings, sqlite_store, clock), clock)
        if number % 2:  # taken up at once, or only when more has come due
            take_over(alone(settings, sqlite_store, clock), clock)
    take_over(alone(settings, sqlite_store, clock), clock)
    given = Counter(handed_over)
    with sqlite_store.read() as connection:
        rows = leases.jobs(connection, "digest:")
        sealed = {date for date in (digests.date_of(row.job) for row in rows) if stored.sealed(connection, date)}
    told = {digests.date_of(row.job) for row in rows if row.outcome == "merged"}
    over = [digests.date_of(row.job) for row in rows if row.due_at is None]
    assert len(over) == 3 * len(deaths) + 1
    # Each date is either told of by its own mail or by another date's, never both.
    assert sealed | told == set(over) and not sealed & told
    assert given == Counter(dict.fromkeys(sealed, 1))
    assert all(row.note is None or dt.date.fromisoformat(row.note) in sealed for row in rows if row.outcome == "merged")


def test_f05_dates_told_of_by_one_that_failed_are_told_of_by_the_next(
    settings: Settings, sqlite_store: Store, handed_over: list[dt.date], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Stepping(BEGIN + 70 * MINUTE)
    until_idle(alone(settings, sqlite_store, clock))
    clock.step(2 * DAY)
    with monkeypatch.context() as patch:
        patch.setattr(digests, "_complete", broken)
        until_idle(alone(settings, sqlite_store, clock))  # that of the 17th fails, and with it what it tells of the 16th
    clock.step(DAY)
    until_idle(alone(settings, sqlite_store, clock))
    first = dt.date(2026, 11, 15)
    assert handed_over == [first, first + 3 * DAY]
    with sqlite_store.read() as connection:
        assert leases.merged_into(connection, first + 3 * DAY) == [first + DAY, first + 2 * DAY]


def broken(*_: object) -> None:
    raise RuntimeError("模板坏了")


def take_over(scheduler: Engine, clock: Stepping) -> None:
    """Do all that is due, also what a dead scheduler still holds."""
    scheduler.tick()
    clock.step(3 * MINUTE)
    until_idle(scheduler)


class Killed(BaseException):
    """kill -9, as far as the database can tell: nothing is given back."""


def mortal(real: object, when: str) -> object:
    """Return the function with the death of its process before or after it."""

    def dies(*args: object, **kwargs: object) -> object:
        if when == "before":
            raise Killed
        real(*args, **kwargs)  # type: ignore[operator]
        raise Killed

    return dies


def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[dt.date]:
    """Count the digests made, instead of making them."""
    made: Counter[dt.date] = Counter()

    def make(shift: Shift) -> None:
        made[digests.date_of(shift.lease.job)] += 1
        for older in digests._missed(shift, digests.date_of(shift.lease.job)):
            made[older] += 1
            with shift.store.begin() as connection:
                leases.merge(connection, digests.job_of(older), shift.lease.job.partition(":")[2], shift.now())

    monkeypatch.setattr(digests, "make", make)
    return made


@pytest.mark.parametrize("zone", ["America/New_York"])
def test_f06_one_digest_a_date_over_730_days_of_leaps_outages_and_dst(
    settings: Settings, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    made = counted(monkeypatch)
    ours = planned(settings, timezone=zone, digest_at=ZONES[zone])
    clock, chance = Stepping(dt.datetime(2026, 11, 16, 12, tzinfo=dt.UTC)), random.Random(730)
    first = ours.app.digest_due(clock.now())
    scheduler = alone(ours, sqlite_store, clock)
    scheduler.tick()
    for _ in range(730):
        for step in chance.sample([10 * HOUR, 14 * HOUR], 2):
            clock.step(step)
            scheduler.tick()
        fate = chance.random()
        if fate < 0.05:
            scheduler = alone(ours, sqlite_store, clock)  # started anew
        elif fate < 0.15:
            leap = chance.choice([-HOUR, DAY, -DAY, 40 * MINUTE, dt.timedelta(seconds=-3)])
            clock.leap(leap)
            scheduler.tick()
            clock.step(4 * MINUTE)
            scheduler.tick()
            clock.leap(-leap)  # put right by NTP some minutes later
            scheduler.tick()
    clock.step(12 * HOUR)
    scheduler.tick()
    scheduler.tick()
    last = ours.app.digest_due(clock.now())
    assert (last - first).days >= 729 and dt.date(2028, 2, 29) in made
    assert made == Counter({first + n * DAY: 1 for n in range((last - first).days + 1)})


def test_f06_a_leap_forward_is_waited_out_before_a_digest_is_made(
    settings: Settings, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = counted(monkeypatch)
    clock = Stepping(BEGIN + 2 * HOUR)
    scheduler = alone(settings, sqlite_store, clock)
    until_idle(scheduler)
    clock.leap(DAY)  # somebody sets the date wrong
    scheduler.tick()
    clock.step(5 * MINUTE)
    scheduler.tick()
    clock.leap(-DAY)
    scheduler.tick()
    assert set(made) == {dt.date(2026, 11, 15)}
    clock.leap(DAY)  # this time it is right
    for _ in range(11):
        scheduler.tick()
        clock.step(MINUTE)
    assert set(made) == {dt.date(2026, 11, 15), dt.date(2026, 11, 16)}


@pytest.mark.parametrize(("date", "moment"), [
    (dt.date(2027, 3, 12), "2027-03-13T07:30:00+00:00"),  # the day before: EST
    (dt.date(2027, 3, 13), "2027-03-14T07:30:00+00:00"),  # 02:30 does not exist: 03:30 EDT
    (dt.date(2027, 3, 14), "2027-03-15T06:30:00+00:00"),
    (dt.date(2027, 11, 6), "2027-11-07T07:30:00+00:00"),
    (dt.date(2028, 2, 28), "2028-02-29T07:30:00+00:00"),
])
def test_f06_gap_and_fold_of_a_recipient_in_new_york(settings: Settings, date: dt.date, moment: str) -> None:
    ours = planned(settings, timezone="America/New_York", digest_at="02:30")
    assert ours.app.digest_moment(date).isoformat() == moment


def test_f06_an_hour_that_comes_twice_counts_once(settings: Settings) -> None:
    ours = planned(settings, timezone="America/New_York", digest_at="01:30")
    assert ours.app.digest_moment(dt.date(2027, 11, 6)).isoformat() == "2027-11-07T05:30:00+00:00"  # the first of the two
    assert ours.app.digest_due(dt.datetime(2027, 11, 7, 6, 30, tzinfo=dt.UTC)) == dt.date(2027, 11, 6)


def test_f06_readers_elsewhere_get_the_business_day_at_their_own_nine_o_clock(settings: Settings) -> None:
    ours = planned(settings, digest_zone="America/New_York")
    moments = [ours.app.digest_moment(dt.date(2027, 3, 1) + n * DAY) for n in range(60)]
    assert {m.astimezone(ZoneInfo("America/New_York")).time() for m in moments} == {dt.time(9)}
    assert len({m.date() for m in moments}) == 60
    start, end = day_window(dt.date(2027, 3, 1), ours.app.zone)
    assert end <= moments[0] < end + DAY and end - start == DAY


def test_f06_another_time_or_zone_in_the_configuration_moves_the_next_digest_and_doubles_none(
    settings: Settings, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = counted(monkeypatch)
    clock = Stepping(BEGIN + 2 * HOUR)
    scheduler = alone(settings, sqlite_store, clock)
    until_idle(scheduler)
    fresh = [planned(settings, digest_at="08:00"), planned(settings, timezone="America/New_York"), planned(settings, timezone="Asia/Tokyo")]
    for ours in fresh:
        scheduler.settings = ours.with_clock(clock)
        scheduler.tick()
        with sqlite_store.read() as connection:
            [coming] = [row for row in leases.jobs(connection, "digest:") if row.due_at is not None]
        assert coming.due_at == ours.app.digest_moment(digests.date_of(coming.job))
        for _ in range(26):
            scheduler.tick()
            clock.step(HOUR)
    assert set(made.values()) == {1} and len(made) >= 4


def test_f26_what_is_read_late_is_told_by_the_next_digest_and_the_sent_one_stays(
    settings: Settings, sqlite_store: Store
) -> None:
    clock = Stepping(BEGIN + 2 * HOUR)
    until_idle(alone(settings, sqlite_store, clock))
    sent = dt.date(2026, 11, 15)
    with sqlite_store.read() as connection:
        before = stored.load(connection, sent, "qa")
        assert stored.sealed(connection, sent) is not None
    folder = settings.env.data / "digests"
    page = (folder / f"digest-{sent}.json").read_bytes()
    again = write_digest(settings, sqlite_store, sent, now=clock.now() + HOUR)
    assert again.json.name == f"digest-{sent}-revised.json" and (folder / f"digest-{sent}.json").read_bytes() == page
    with sqlite_store.begin() as connection:
        assert stored.load(connection, sent, "qa") == before
        late = MentionRow("p1", "https://forum.example/1", "post", "松果匣的杯子盖不紧，一直漏水，气死了", published_at=BEGIN - 10 * HOUR)
        mentions.save(connection, "forum", [late], clock.now())
    clock.step(DAY)
    until_idle(alone(settings, sqlite_store, clock))
    with sqlite_store.read() as connection:
        told = stored.load(connection, sent + DAY, "qa")
        assert told is not None and stored.load(connection, sent, "qa") == before
    assert [note for note in told["notes"] if "补录" in note and " 1 条" in note]
