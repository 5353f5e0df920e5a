"""F01: kill -9 of the crawl worker wherever state changes hands, and at random moments; the next run loses nothing."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.faults.kills import (
    BATCH_PAGES,
    KILLED,
    ONCE,
    POINTS,
    Figures,
    Range,
    allowed_unfinished,
    forum,
    grow,
)

POSTS = 48
RANDOM = 4


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Range, Figures, Range]]:
    """One chain of kills over one database, and an undisturbed crawl of the same site."""
    site, chance = forum(POSTS), random.Random(20261122)
    homes = []
    for name in ("killed", "whole"):
        homes.append(tmp_path_factory.mktemp(name))
        shutil.copytree(ROOT / "config", homes[-1] / "config")
    killed, whole = (Range(home, site) for home in homes)
    figures = Figures()
    plans = [
        {"point": point, "when": chance.choice(("before", "after")), "at": 1 if point in ONCE else chance.randint(1, 2)}
        for point in POINTS
    ]
    chance.shuffle(plans)
    plans.sort(key=lambda plan: plan["point"] in ONCE)  # the first whole run leaves nothing to be cut
    for plan in plans:
        # However far the last one came, there is enough to come by every point twice.
        grow(site, max(0, 3 * BATCH_PAGES - killed.undone))
        figures.strikes.append(killed.strike(**plan))
    for _ in range(RANDOM):
        figures.strikes.append(killed.strike(after=chance.uniform(0.05, 0.5)))
    yield killed, figures, whole
    killed.close()
    whole.close()
    site.close()


def test_every_named_point_was_met(after: tuple[Range, Figures, Range]) -> None:
    _, figures, _ = after
    missed = [strike.plan for strike in figures.strikes if "point" in strike.plan and strike.code != KILLED]
    assert not missed


def test_nothing_is_lost_and_nothing_is_there_twice(after: tuple[Range, Figures, Range]) -> None:
    killed, _, whole = after
    posts = len(killed.site.posts)
    found, expected = killed.finish(), whole.finish()
    for rows in (found, expected):  # the list grew between the kills, so its pages may differ
        rows["pages"] = [row for row in rows["pages"] if "/list" not in row[0]]
    for table, wanted in expected.items():
        assert found[table] == wanted, table
    assert len(found["texts"]) == posts + sum(number % 4 for number in range(1, posts + 1))


def test_a_kill_costs_a_batch_and_what_was_under_way(after: tuple[Range, Figures, Range]) -> None:
    _, figures, _ = after
    assert figures.most_unfinished <= allowed_unfinished()
    assert figures.fetched_twice == 0, "a page that was done with was fetched again"
    assert sum(strike.fetched for strike in figures.strikes) > POSTS, "the kills came too early to cost anything"
