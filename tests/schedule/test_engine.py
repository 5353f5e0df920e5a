"""What the engine makes of tasks: their pace, their failures, those that are asked for, those that are no more."""

from __future__ import annotations

import datetime as dt
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.schedule.kit import BEGIN, HOUR, MINUTE, Stepping, engine, task, until_idle
from vocwatch.schedule import Engine
from vocwatch.schedule.tasks import Shift
from vocwatch.scheduler import only_one
from vocwatch.settings import Settings
from vocwatch.store import StorageError, Store, leases


def test_each_task_has_its_own_pace_with_jitter(settings: Settings, sqlite_store: Store) -> None:
    clock = Stepping()
    times: dict[str, list[dt.datetime]] = {"quick": [], "slow": []}
    tasks = {
        name: task(name, lambda shift: times[shift.lease.job].append(clock.now()), every, jitter=0.2)
        for name, every in (("quick", 20 * MINUTE), ("slow", 2 * HOUR))
    }
    scheduler = engine(settings, sqlite_store, clock, tasks=lambda _: tasks, chance=random.Random(1))
    for _ in range(8 * 60):
        scheduler.tick()
        clock.step(MINUTE)
    assert 20 <= len(times["quick"]) <= 28 and 4 <= len(times["slow"]) <= 5
    gaps = {(b - a) // MINUTE for a, b in zip(times["quick"], times["quick"][1:], strict=False)}
    assert len(gaps) > 4 and min(gaps) >= 16 and max(gaps) <= 25


def test_a_failure_is_written_down_and_tried_again_later_and_later(settings: Settings, sqlite_store: Store) -> None:
    clock, tried = Stepping(), []

    def fails(shift: Shift) -> None:
        tried.append((clock.now() - BEGIN) // MINUTE)
        raise RuntimeError("网站不见了")

    scheduler = engine(settings, sqlite_store, clock, tasks=lambda _: {"a": task("a", fails, 10 * HOUR)})
    for _ in range(60):
        scheduler.tick()
        clock.step(MINUTE)
    assert tried == [0, 1, 3, 7, 15, 30, 45]
    with sqlite_store.read() as connection:
        [row] = leases.jobs(connection, "a")
    assert (row.failures, row.outcome) == (7, "failed") and "网站不见了" in (row.note or "")


def test_what_is_asked_for_comes_at_once_and_again_if_it_was_just_under_way(settings: Settings, sqlite_store: Store) -> None:
    clock, seen = Stepping(), []

    def run(shift: Shift) -> None:
        seen.append(clock.now())
        if len(seen) == 1:
            shift.ask("a")  # something new comes in while it is at work

    scheduler = engine(settings, sqlite_store, clock, tasks=lambda _: {"a": task("a", run)})
    assert until_idle(scheduler) == 2
    clock.step(MINUTE)
    assert until_idle(scheduler) == 0
    with sqlite_store.begin() as connection:
        leases.ask(connection, "a", clock.now())
    assert until_idle(scheduler) == 1


def test_a_source_that_is_taken_out_comes_no_more_and_may_come_back(settings: Settings, sqlite_store: Store) -> None:
    clock, seen, there = Stepping(), [], [True]

    def tasks(_: Settings) -> dict[str, object]:
        return {"a": task("a", lambda shift: seen.append(1))} if there[0] else {}

    scheduler = engine(settings, sqlite_store, clock, tasks=tasks, reload=lambda: settings.with_clock(clock))
    until_idle(scheduler)
    there[0] = False
    clock.step(2 * HOUR)
    until_idle(scheduler)
    assert len(seen) == 1
    there[0] = True
    until_idle(scheduler)
    assert len(seen) == 2


def test_a_clock_put_back_draws_the_slots_near(settings: Settings, sqlite_store: Store) -> None:
    clock, seen = Stepping(), []
    scheduler = engine(settings, sqlite_store, clock, tasks=lambda _: {"a": task("a", lambda shift: seen.append(1))})
    until_idle(scheduler)
    clock.leap(-dt.timedelta(days=2))
    for _ in range(61):
        scheduler.tick()
        clock.step(MINUTE)
    assert len(seen) == 2


def test_a_person_at_work_on_the_same_data_is_waited_for(settings: Settings, sqlite_store: Store) -> None:
    clock, seen = Stepping(), []
    from dataclasses import replace

    tasks = {"a": replace(task("a", lambda shift: seen.append(1)), locked=True)}
    scheduler = engine(settings, sqlite_store, clock, tasks=lambda _: tasks)
    with only_one(settings):
        scheduler.tick()
        assert not seen
    clock.step(MINUTE)
    assert until_idle(scheduler) == 1 and seen == [1]


def test_a_database_that_is_away_for_a_while_ends_nothing(settings: Settings, sqlite_store: Store) -> None:
    clock, seen, said = Stepping(), [], []
    away = [False]
    real = sqlite_store.begin

    def begin() -> object:
        if away[0]:
            raise StorageError("away")
        return real()

    def run(shift: Shift) -> None:
        seen.append(1)
        away[0] = True  # it goes while the task is done: its end can't be written down yet

    scheduler = engine(settings, sqlite_store, clock, tasks=lambda _: {"a": task("a", run)}, progress=said.append)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_store, "begin", begin)
        scheduler.tick()
        scheduler.tick()
        away[0] = False
        assert until_idle(scheduler) == 0
    with sqlite_store.read() as connection:
        [row] = leases.jobs(connection, "a")
    assert seen == [1] and row.done == 1


def test_stopping_ends_crawls_gives_their_slots_back_and_lets_the_others_finish(
    settings: Settings, sqlite_store: Store
) -> None:
    clock, ended = Stepping(), []
    begun, go_on = threading.Barrier(3), threading.Event()

    def crawl(shift: Shift) -> None:
        begun.wait()
        assert shift.stop.wait(30)
        ended.append("crawl")

    def judge(shift: Shift) -> None:
        begun.wait()
        assert go_on.wait(30)
        ended.append("judge")

    tasks = {"crawl:a": task("crawl:a", crawl, crawls=True), "judge": task("judge", judge)}
    engine(settings, sqlite_store, clock)  # no digest comes due
    scheduler = Engine(
        settings.with_clock(clock), sqlite_store, seconds=clock.seconds, tasks=lambda _: tasks, pool=ThreadPoolExecutor(4)
    )
    assert scheduler.tick() == 2
    begun.wait()
    scheduler.stop()
    scheduler.cancel()
    go_on.set()
    scheduler.close()
    assert sorted(ended) == ["crawl", "judge"] and scheduler.tick() == 0
    with sqlite_store.read() as connection:
        rows = {row.job: row for row in leases.jobs(connection)}
        held = leases.held(connection)
        [me] = leases.all_schedulers(connection, BEGIN)
    assert rows["crawl:a"].due_at == BEGIN and rows["judge"].due_at == BEGIN + HOUR
    assert {one.owner for one in held.values()} == {None} and me.state == "stopped"
