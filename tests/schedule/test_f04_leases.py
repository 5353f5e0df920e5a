"""F04: however many schedulers there are, each slot is done once; and the dead are told from the living."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest

from tests.schedule import racers
from tests.schedule.kit import DAY, HOUR, MINUTE, Stepping, engine, task, until_idle
from vocwatch.schedule.leash import DEAD_SECONDS
from vocwatch.schedule.tasks import Shift, Task
from vocwatch.settings import Settings
from vocwatch.store import Store, leases, open_store
from vocwatch.store.leases import Lost


def race(settings: Settings, store: Store, tasks: dict[str, Task], schedulers: int) -> None:
    """Let several schedulers at the same slots, each in a thread of its own."""
    clock = Stepping()
    crew = [engine(settings, store, clock, tasks=lambda _: tasks) for _ in range(schedulers)]
    with store.begin() as connection:
        leases.plan(connection, [(one.job, one.lane, clock.now()) for one in tasks.values()])
    start = threading.Barrier(schedulers)
    broken: list[BaseException] = []

    def work(which: int) -> None:
        try:
            start.wait()
            while any(row.due_at and row.due_at <= clock.now() for row in undone(store)):
                crew[which].tick()
        except BaseException as error:
            broken.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(schedulers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not broken


def undone(store: Store) -> list[leases.Due]:
    with store.read() as connection:
        return leases.jobs(connection, "slot:")


@pytest.mark.parametrize(
    ("database_url", "schedulers", "slots"), [("sqlite", 2, 300), ("sqlite", 5, 1000), ("postgresql", 5, 300)],
    indirect=["database_url"],
)
def test_f04_each_slot_is_done_once_by_schedulers_in_processes_of_their_own(
    database_url: str, tmp_path: Path, schedulers: int, slots: int
) -> None:
    found = racers.race(tmp_path, database_url, schedulers, slots)
    assert found.wrong(slots) == {} and sum(found.runs.values()) == slots
    assert len(found.by) > 1 and found.complaints == []
    opened = open_store(database_url)
    assert {row.done for row in undone(opened)} == {1}
    opened.close()


def test_f04_jobs_of_one_lane_never_run_together(settings: Settings, store: Store) -> None:
    inside, most = [0], [0]
    lock = threading.Lock()

    def run(shift: Shift) -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        with shift.store.read() as connection:  # time for the others to come in
            leases.jobs(connection)
        with lock:
            inside[0] -= 1

    names = [f"slot:{n:02d}" for n in range(60)]
    race(settings, store, {name: task(name, run, DAY, lane="one") for name in names}, 3)
    assert most == [1]


def claimed(store: Store, clock: Stepping, owner: str = "other") -> leases.Lease:
    with store.begin() as connection:
        leases.plan(connection, [("slot:a", "slot:a", clock.now())])
        [row] = leases.jobs(connection, "slot:a")
        lease = leases.claim(connection, row, owner, clock.now())
    assert lease is not None
    return lease


def test_f04_a_living_owner_is_left_alone_and_a_dead_one_replaced_whatever_the_clocks_say(
    settings: Settings, store: Store
) -> None:
    clock, done = Stepping(), []
    lease = claimed(store, clock)
    scheduler = engine(settings, store, clock, tasks=lambda _: {"slot:a": task("slot:a", lambda shift: done.append(shift))})
    for _ in range(10):  # a day by the wall clock, and the owner shows life now and then
        scheduler.tick()
        clock.step(MINUTE)
        clock.leap(3 * HOUR)
        with store.begin() as connection:
            assert leases.renew(connection, lease)
    assert not done
    scheduler.tick()
    clock.step(dt.timedelta(seconds=DEAD_SECONDS))
    assert until_idle(scheduler) == 1 and len(done) == 1
    with store.begin() as connection, pytest.raises(Lost):  # who slept through it is refused
        leases.finish(connection, lease, clock.now(), None)
    with store.begin() as connection:
        assert not leases.renew(connection, lease)


def test_f04_a_shift_that_lost_its_lease_is_told_and_writes_nothing_down(settings: Settings, sqlite_store: Store) -> None:
    store, clock, told = sqlite_store, Stepping(), []

    def overslept(shift: Shift) -> None:
        with store.begin() as connection:  # somebody else took it for dead
            [seen] = [one for one in leases.held(connection).values() if one.name == "slot:a"]
            [row] = leases.jobs(connection, "slot:a")
            assert leases.claim(connection, row, "other", clock.now(), seen)
        with pytest.raises(Lost):
            shift.hold()
        clock.step(MINUTE)
        scheduler.tick()
        told.append(shift.stop.is_set())

    scheduler = engine(settings, store, clock, tasks=lambda _: {"slot:a": task("slot:a", overslept)})
    scheduler.tick()
    assert told == [True]
    with store.read() as connection:
        [row] = leases.jobs(connection, "slot:a")
        assert (row.done, leases.held(connection)["slot:a"].owner) == (0, "other")
