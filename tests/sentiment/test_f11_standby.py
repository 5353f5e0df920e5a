"""F11: a judge that is down, slow or talks nonsense is stood in for; what it missed is judged again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import sqlalchemy as sa

from sentiment import ready
from sentiment.engines.base import Probabilities
from sentiment.engines.linear import LinearEngine
from sentiment.modelfile import ModelError
from sentiment.run import analyse
from tests.sentiment.test_run import fill
from vocwatch.settings import Settings
from vocwatch.store import Store, assessments
from vocwatch.store.schema import assessments as table


def gone() -> LinearEngine:
    raise ModelError("polarity.bin: 读不到")


class Nonsense:
    """An engine that says no number of anything."""

    name, version = "nonsense", "1"

    def polarity(self, texts: Sequence[str]) -> Probabilities:
        return np.full((len(texts), 3), np.nan)


class Liar:
    """An engine that calls everything good."""

    name, version = "liar", "1"

    def polarity(self, texts: Sequence[str]) -> Probabilities:
        return np.tile([0.0001, 0.0001, 0.9998], (len(texts), 1))


class Exhausted:
    """An engine that reads two plain sentences well and then runs out of memory."""

    name, version = "exhausted", "1"

    def __init__(self) -> None:
        self.real, self.calls = LinearEngine(), 0

    def polarity(self, texts: Sequence[str]) -> Probabilities:
        self.calls += 1
        if self.calls > 1:
            raise MemoryError("no memory")
        return self.real.polarity(texts)


BROKEN: dict[str, Callable[[], object]] = {"down": gone, "nonsense": Nonsense, "liar": Liar, "out of memory": Exhausted}


@pytest.mark.parametrize("kind", list(BROKEN))
def test_f11_the_words_stand_in_are_marked_and_judged_again_by_the_model(
    settings: Settings, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    fill(sqlite_store)
    monkeypatch.setattr(ready, "LinearEngine", BROKEN[kind])
    report = analyse(settings, sqlite_store)
    assert report.assessed and report.problem and "词典" in report.problem
    with sqlite_store.read() as connection:
        rows = connection.execute(sa.select(table)).all()
        assert all(row.model_version.startswith("standby-") for row in rows)
        assert all(row.review for row in rows if row.refused is None)  # not one without its mark
        waiting = assessments.count_pending(connection, again=True)
    assert waiting == len(rows) == report.assessed
    if kind != "out of memory":  # which shows only at work
        assert analyse(settings, sqlite_store).assessed == 0  # still broken: nothing is judged twice in vain
    monkeypatch.undo()
    mended = analyse(settings, sqlite_store)
    assert mended.assessed == len(rows) and mended.problem is None
    with sqlite_store.read() as connection:
        assert not any(row.model_version.startswith("standby-") for row in connection.execute(sa.select(table)))
        assert assessments.count_pending(connection, again=True) == 0
