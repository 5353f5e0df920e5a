"""Texts judged in other processes are judged as here, and a process that dies costs nothing but time."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

import sentiment.run
from sentiment import workers
from sentiment.ready import make_judge
from sentiment.workers import Asked, Workers
from tests.sentiment.test_run import NOW, fill, judged, ours, post, rows, run
from vocwatch.models import Assessment, TextInput
from vocwatch.settings import Settings
from vocwatch.store import Store, mentions

__all__ = ["ours"]
TEXTS = [TextInput(str(n), f"第{n}条，松果匣的杯子漏水，客服不管") for n in range(6)]


class Late(Workers):
    """No process answers: what is given away is judged here, when its turn comes."""

    def __init__(self, *_: object):
        self.ahead = 4

    def ask(self, texts: object) -> Asked | None:
        return None

    def answer(self, asked: Asked | None) -> list[Assessment] | None:
        return None

    def close(self) -> None:
        return None


def test_other_processes_say_what_this_one_says_until_they_are_killed(ours: Settings) -> None:
    judge = make_judge(ours, "rules")
    pool = Workers(ours, "rules", judge.version, 2)
    try:
        asked = pool.ask(TEXTS)
        assert pool.answer(asked) == judge.assess(TEXTS)
        other = Workers(ours, "rules", "another", 0)
        assert other.answer(pool.ask(TEXTS)) is None  # what another model says is not taken
        assert pool._pool is not None
        for process in list(pool._pool._processes.values()):
            process.kill()
            process.join()
        assert pool.answer(pool.ask(TEXTS)) is None and pool.answer(pool.ask(TEXTS)) is None
    finally:
        pool.close()


def test_a_process_that_dies_costs_no_text(ours: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentiment.run, "wanted", lambda texts: 2)
    monkeypatch.setattr(workers.ProcessPoolExecutor, "submit", broken)
    fill(store)
    assert (run(ours, store).assessed, run(ours, store).left) == (31, 0)


def broken(*_: object) -> Asked:
    asked = Asked()
    asked.set_exception(workers.BrokenProcessPool())
    return asked


def test_a_run_with_other_processes_writes_the_same(
    ours: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    run(ours, store)
    alone = rows(store)
    with store.begin() as connection:
        for table in (sentiment.run.assessments.hits, sentiment.run.assessments.assessments):
            connection.execute(table.delete())
    monkeypatch.setattr(sentiment.run, "wanted", lambda texts: 1)
    given = []
    ask = Workers.ask
    monkeypatch.setattr(Workers, "ask", lambda self, texts: given.append(ask(self, texts)) or given[-1])
    report = run(ours, store)
    assert (report.assessed, report.left) == (31, 0) and all(given) and len(given) > 4
    found = rows(store)
    for row in (*alone, *found):
        row.pop("assessed_at", None)
    assert found == alone


def test_comments_wait_for_the_judgement_of_their_post_though_batches_go_ahead(
    ours: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    run(ours, store)
    later = NOW + dt.timedelta(days=3)
    with store.begin() as connection:
        mentions.save(connection, "forum", [post("p1", "杯子很好用", title="换了别家")], later)
    ours = replace(ours, env=replace(ours.env, now=later.isoformat()))
    monkeypatch.setattr(sentiment.run, "Workers", Late)
    assert run(ours, store).assessed == 3  # the post and both comments on it
    assert not judged(store)["c1"].brand_match  # its post speaks of somebody else now


@pytest.mark.parametrize(("texts", "processors", "processes"), [(10**6, 8, 3), (10**6, 2, 2), (10**6, 1, 0), (500, 8, 0)])
def test_processes_are_started_for_many_texts_on_several_processors(
    texts: int, processors: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers.os, "sched_getaffinity", lambda process: set(range(processors)), raising=False)
    assert workers.wanted(texts) == processes
