"""F52: a sender killed at any step of the outbox loses nothing and doubles nothing but what SMTP itself can't know.

A few kills here; `python -m benchmarks.delivery` does fifty at each step.
"""

from __future__ import annotations

from tests.delivery.kills import MAYBE, STEPS, Senders, unsettled
from vocwatch.store import open_store

LATER = 3  # the last of the three recipients


def test_f52_a_killed_sender_loses_nothing(mailing, facts, inbox, tmp_path, database_url):
    store = open_store(database_url)
    plans = [(step, 1) for step in STEPS] + [(step, LATER) for step in MAYBE]
    if store.dialect != "sqlite":
        plans = plans[-2:]
    with Senders(tmp_path, mailing, facts, store.url, inbox) as senders:
        trials = [senders.trial(step, at) for step, at in plans]
    assert [trial for trial in trials if not trial.killed or trial.lost or trial.unmarked or trial.wrong_ids] == []
    assert [trial for trial in trials if trial.doubled > trial.allowed] == []
    assert unsettled(store) == []
    store.close()
