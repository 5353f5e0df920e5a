"""Cases on both databases: one open case for a subject, steps in order, a history that only grows."""

from __future__ import annotations

import datetime as dt
import threading
from itertools import pairwise

import pytest

from tests.delivery.plant import alarm
from tests.store.test_feedback import NOW, fill
from vocwatch.store import Store, cases, erase, feedback
from vocwatch.store.cases import By, Case, CaseError

DUE = dt.date(2026, 11, 18)


def by(who: str = "何雨", hours: int = 0) -> By:
    return By(who, "cli", NOW + dt.timedelta(hours=hours))


def opened(store: Store, name: str = "inc-burn") -> Case:
    if name == "inc-burn":
        alarm(store)
    with store.begin() as connection:
        return cases.open_case(connection, *cases.find_subject(connection, name), by())[0]


def test_a_case_goes_its_way_and_its_history_tells_who_when_what(store: Store) -> None:
    number = opened(store).id
    kept = []
    steps = (
        lambda c: cases.assign(c, number, "客服 周楠", by("何雨", 1), "先电话"),
        lambda c: cases.set_due(c, number, DUE, by("何雨", 2)),
        lambda c: cases.comment(c, number, "已退款", by("周楠", 3)),
        lambda c: cases.close(c, number, "补偿", by("周楠", 4), "顾客接受"),
        lambda c: cases.comment(c, number, "回访满意", by("何雨", 5)),
    )
    for step in steps:
        with store.begin() as connection:
            step(connection)
        with store.read() as connection:
            kept.append(cases.history(connection, number))
    for before, after in pairwise(kept):
        assert after[: len(before)] == before and len(after) == len(before) + 1  # rows are only added
    assert [(s["what"], s["value"], s["who"], s["note"]) for s in kept[-1]] == [
        ("opened", None, "何雨", None), ("assigned", "客服 周楠", "何雨", "先电话"), ("due", "2026-11-18", "何雨", None),
        ("comment", None, "周楠", "已退款"), ("closed", "补偿", "周楠", "顾客接受"), ("comment", None, "何雨", "回访满意"),
    ]
    with store.read() as connection:
        found = cases.get(connection, number)
    assert (found.owner, found.due_on, found.state, found.outcome) == ("客服 周楠", DUE, "closed", "补偿")
    assert found.closed_at == NOW + dt.timedelta(hours=4)


def test_a_closed_case_stays_closed(store: Store) -> None:
    number = opened(store).id
    with store.begin() as connection:
        cases.close(connection, number, "澄清", by())
    for step in (
        lambda c: cases.assign(c, number, "周楠", by()), lambda c: cases.set_due(c, number, DUE, by()),
        lambda c: cases.close(c, number, "补偿", by()),
    ):
        with pytest.raises(CaseError), store.begin() as connection:
            step(connection)
    with store.read() as connection:
        assert len(cases.history(connection, number)) == 2 and cases.get(connection, number).outcome == "澄清"
    assert opened(store).id != number  # it may be taken up anew


def test_a_subject_has_one_open_case_however_many_open_it_at_once(store: Store) -> None:
    alarm(store)
    made: list[tuple[int, bool]] = []
    together = threading.Barrier(4)

    def work(who: str) -> None:
        together.wait()
        with store.begin() as connection:
            case, new = cases.open_case(connection, "incident", "inc-burn", "标题", by(who))
        made.append((case.id, new))

    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({number for number, _ in made}) == 1 and sorted(new for _, new in made) == [False, False, False, True]
    with store.read() as connection:
        assert [step["what"] for step in cases.history(connection, made[0][0])] == ["opened"]


def test_wrong_calls_are_refused_with_words(store: Store) -> None:
    number = opened(store).id
    for step in (
        lambda c: cases.assign(c, number, "  ", by()), lambda c: cases.close(c, number, "不了了之", by()),
        lambda c: cases.comment(c, number, " ", by()), lambda c: cases.comment(c, 999, "x", by()),
        lambda c: cases.assign(c, 999, "周楠", by()), lambda c: cases.find_subject(c, "inc-none"),
        lambda c: cases.find_subject(c, "999"),
    ):
        with pytest.raises(CaseError), store.begin() as connection:
            step(connection)


def test_closed_as_a_false_alarm_it_is_feedback_too(store: Store) -> None:
    fill(store)
    number = opened(store, "https://a.example/a").id
    with store.begin() as connection:
        cases.close(connection, number, "误报", by("周楠"), "隔壁店")
        [row] = feedback.rows(connection)
        assert feedback.excluded(connection)
    assert (row["verdict"], row["who"], row["note"]) == ("误报", "周楠", "隔壁店")


def test_what_is_overdue_comes_first_and_what_has_no_date_last(store: Store) -> None:
    fill(store)
    numbers = [opened(store, f"https://a.example/{name}").id for name in ("a", "b", "c")]
    with store.begin() as connection:
        cases.set_due(connection, numbers[2], DUE, by())
        cases.set_due(connection, numbers[1], DUE + dt.timedelta(days=1), by())
        assert [one.id for one in cases.listed(connection)] == [numbers[2], numbers[1], numbers[0]]
        assert [one.id for one in cases.listed(connection, due_by=DUE)] == [numbers[2]]
        assert cases.listed(connection, due_by=DUE - dt.timedelta(days=1)) == []
        assert cases.listed(connection, owner="周楠") == []


def test_a_forgotten_text_is_quoted_by_no_case(store: Store) -> None:
    fill(store)
    case = opened(store, "https://a.example/a")
    assert "评价a" in case.title
    with store.begin() as connection:
        cases.comment(connection, case.id, "他写：评价a", by())
        erase.delete(connection, [int(case.subject_id)])
        shown = repr(cases.get(connection, case.id)) + repr(cases.history(connection, case.id))
    assert "评价a" not in shown and "何雨" in shown
