"""When a page is read again."""

from __future__ import annotations

import datetime as dt

import pytest

from crawlers.due import LONGEST_BACKOFF, PROBE_SECONDS, backoff, is_due, stretches
from vocwatch.store.pages import Visit

POSTED = dt.datetime(2026, 11, 10, 8, tzinfo=dt.UTC)
HOURS = (1, 6, 24, 72, 168)


def at(hours: float) -> dt.datetime:
    return POSTED + dt.timedelta(hours=hours)


def visit(hours: float, **more: object) -> Visit:
    return Visit("https://a.example/1", at(hours), "1", POSTED, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("read", "now", "due"), [
    (0.5, 0.9, False), (0.5, 1, True), (1, 5.9, False), (1, 6, True), (6.5, 23, False), (6.5, 24, True),
    (25, 71, False), (25, 72, True), (73, 167, False), (73, 168, True), (169, 5000, False),
    (0.5, 5000, True),  # nothing was read for months: once more
])
def test_a_page_is_read_again_at_its_hours_and_ever_more_rarely(read: float, now: float, due: bool) -> None:
    assert is_due(visit(read), at(now), HOURS) is due


def test_hourly_crawls_of_a_week_read_a_quiet_page_five_times_more() -> None:
    last, readings = 0.2, 0
    for hour in range(1, 24 * 14):
        if is_due(visit(last), at(hour), HOURS):
            last, readings = hour, readings + 1
    assert readings == 5


def test_signs_of_life_count_whatever_the_hours_say() -> None:
    quiet = visit(73, carried={"replies": 4})
    assert not is_due(quiet, at(100), HOURS, {"replies": 4, "updated_at": at(70)})
    assert is_due(quiet, at(100), HOURS, {"replies": 5})
    assert is_due(quiet, at(100), HOURS, {"updated_at": at(90)})
    assert not is_due(quiet, at(100), HOURS, {"replies": None})
    assert is_due(visit(400, changed_at=at(400)), at(424), HOURS)
    assert not is_due(visit(400, changed_at=at(400)), at(423), HOURS)
    assert not is_due(visit(400, changed_at=at(376)), at(424), HOURS)
    assert not is_due(visit(24 * 31, changed_at=at(24 * 31)), at(24 * 33), HOURS)


def test_a_missing_page_gets_one_second_look_a_day_later() -> None:
    assert not is_due(visit(10, missing_since=at(20)), at(43), HOURS)
    assert is_due(visit(10, missing_since=at(20)), at(44), HOURS)
    settled = visit(44, missing_since=at(20))
    assert not is_due(settled, at(400), HOURS)
    assert is_due(settled, at(44 + 7 * 24), HOURS, {}) and not is_due(settled, at(44 + 24), HOURS, {})


def test_pages_of_many_posts_are_always_due_and_no_hours_mean_never() -> None:
    assert is_due(Visit("https://a.example/", at(1)), at(1.1), HOURS)
    assert not is_due(visit(1, changed_at=at(1)), at(5000), ())


def test_what_came_due_since_the_last_run() -> None:
    assert stretches(at(30), at(31), (1, 6)) == [(at(29), at(30)), (at(24), at(25))]


def test_a_blocked_source_is_left_alone_for_an_hour_at_least_and_a_day_at_most() -> None:
    waits = [backoff(n, None, "forum 1") for n in range(1, 20)]
    assert PROBE_SECONDS <= waits[0] <= PROBE_SECONDS * 1.2
    assert waits == sorted(waits) and waits[-1] <= LONGEST_BACKOFF * 1.2
    assert waits[1] == pytest.approx(2 * waits[0])
    assert backoff(1, 86_000, "forum 1") == 86_000 and backoff(1, 5, "forum 1") == waits[0]
    assert len({backoff(1, None, f"source {n}") for n in range(50)}) == 50
