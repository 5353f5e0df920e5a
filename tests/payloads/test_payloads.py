"""Real pages and payloads kept outside the repository: what the catalogue reads of them, by counts alone.

Skipped where the folder does not exist. The counts come from the raw structure (benchmarks/payload_cases.py), never
from texts, so other captures of the same platforms fit the same table.
"""

from __future__ import annotations

import pytest

from benchmarks.payload_cases import CASES
from benchmarks.payloads import FOLDER, Case, Outcome, run_case, table

pytestmark = [
    pytest.mark.shared, pytest.mark.skipif(not FOLDER.is_dir(), reason="没有仓库外的样本目录 shared/payloads"),
]
NEGATIVE = ("removed", "blocked", "captcha", "login")


def outcome_of(case: Case) -> Outcome:
    if not (FOLDER / case.file).exists():
        pytest.skip(f"没有 {case.file}")
    return run_case(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file}:{case.source}")
def test_payload(case: Case) -> None:
    outcome = outcome_of(case)
    got = outcome.result
    assert got.state == case.state, f"{got.state}：{got.reason}"
    if case.state != "ok":
        assert not got.records and got.reason
        return
    assert outcome.expected > 0
    assert outcome.extracted >= 0.99 * outcome.expected, got.problems[:5]
    assert outcome.extracted <= outcome.expected
    short = {
        name: (outcome.filled[name], held)
        for name, held in outcome.held.items() if outcome.filled[name] < 0.95 * held
    }
    assert not short


def test_negative_samples_are_never_quiet() -> None:
    negatives = [case for case in CASES if case.state in NEGATIVE and (FOLDER / case.file).exists()]
    assert len(negatives) >= 2
    for case in negatives:
        assert outcome_of(case).result.state in NEGATIVE


def test_no_record_carries_what_the_store_refuses() -> None:
    for case in CASES[::7]:
        for record in outcome_of(case).result.records:
            assert record.native_id and record.text and record.url.startswith("http")
            assert not set(record.text) & set("\x00\x08\x1b\ufeff")


def test_the_table_has_a_row_for_each_case() -> None:
    outcomes = [outcome_of(case) for case in CASES[:3]]
    assert len(table(outcomes).splitlines()) == 2 + len(outcomes)
