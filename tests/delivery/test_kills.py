"""F52: a sender killed at any step of the outbox loses nothing and doubles nothing but what SMTP itself can't know.

Two kills a step here; `python -m benchmarks.delivery` does fifty.
"""

from __future__ import annotations

from tests.delivery.kills import MAYBE, PEOPLE, STEPS, Senders, unsettled
from vocwatch.store import open_store


def test_f52_a_killed_sender_loses_nothing(mailing, facts, inbox, tmp_path, database_url):
    store = open_store(database_url)
    with Senders(tmp_path, mailing, facts, store.url, inbox) as senders:
        trials = [senders.trial(step, at) for step in STEPS for at in ((1, 3) if STEPS[step][1][0] == "_" and step[0] != "7" else (1,))]
    assert all(trial.killed for trial in trials), [trial for trial in trials if not trial.killed]
    assert [trial for trial in trials if trial.lost or trial.unmarked or trial.wrong_ids] == []
    assert [trial for trial in trials if trial.doubled > trial.allowed] == []
    assert {trial.step for trial in trials if trial.doubled} <= set(MAYBE) and unsettled(store) == []
    assert len(PEOPLE) == 3
    store.close()
