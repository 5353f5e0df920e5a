"""Real pages and payloads kept outside the repository: what the catalogue reads of them, by counts alone.

Skipped where the folder does not exist. The counts come from the raw structure (benchmarks/payload_cases.py), never
from texts, so other captures of the same platforms fit the same table.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.payload_cases import CASES
from benchmarks.payloads import FOLDER, Case, Outcome, main, run_case, run_unknown, table

there = pytest.mark.skipif(not FOLDER.is_dir(), reason="没有仓库外的样本目录 shared/payloads")
NEGATIVE = ("removed", "blocked", "captcha", "login")


def outcome_of(case: Case) -> Outcome:
    if not (FOLDER / case.file).exists():
        pytest.skip(f"没有 {case.file}")
    return run_case(case)


@pytest.mark.shared
@there
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


@pytest.mark.shared
@there
def test_negative_samples_are_never_quiet() -> None:
    negatives = [case for case in CASES if case.state in NEGATIVE and (FOLDER / case.file).exists()]
    assert len(negatives) >= 2
    for case in negatives:
        assert outcome_of(case).result.state in NEGATIVE


@pytest.mark.shared
@there
def test_no_record_carries_what_the_store_refuses() -> None:
    for case in CASES[::7]:
        for record in outcome_of(case).result.records:
            assert record.native_id and record.text and record.url.startswith("http")
            assert not set(record.text) & set("\x00\x08\x1b\ufeff")


@pytest.mark.shared
@there
def test_the_table_has_a_row_for_each_case() -> None:
    outcomes = [outcome_of(case) for case in CASES[:3]]
    lines = table(outcomes).splitlines()
    assert len(lines) == 2 + len(outcomes) + 2  # head, rule, rows, blank, totals
    assert all(row.count("|") == lines[0].count("|") for row in lines[1:-2])


# -- captures that no case names ----------------------------------------------------------------------------------


def other_captures(folder: Path) -> Path:
    """Invented captures under names that no case has: a page of posts, one of comments, a wall."""
    user = {"id": 1, "screen_name": "青柠"}
    posts = [
        {"mid": str(5000 + n), "id": str(5000 + n), "text": f"第{n}条", "user": user, "created_at": "11-12", "reposts_count": 0,
         "comments_count": 0, "attitudes_count": n} for n in range(4)
    ]
    comments = [{"id": str(n), "text": f"评论{n}", "user": user, "created_at": "11-13", "floor_number": n, "like_count": 1} for n in (1, 2, 3)]
    (folder / "weibo").mkdir(parents=True)
    (folder / "weibo" / "search.json").write_text(json.dumps({"ok": 1, "data": {"cards": [{"mblog": post} for post in posts]}}))
    (folder / "weibo" / "comments.json").write_text(json.dumps({"ok": 1, "data": {"data": comments, "max_id": 0}}))
    (folder / "weibo" / "wall.html").write_text("<html><head><title>Sina Visitor System</title></head><body></body></html>")
    return folder


@pytest.mark.parametrize(
    ("name", "state", "expected", "extracted"),
    [("search.json", "ok", 4, 4), ("comments.json", "ok", 3, 3), ("wall.html", "blocked", -1, 0)],
)
def test_another_capture_is_read_by_the_source_that_fits(
    tmp_path: Path, name: str, state: str, expected: int, extracted: int
) -> None:
    outcome = run_unknown(f"weibo/{name}", CASES, other_captures(tmp_path))
    assert outcome is not None and outcome.case.source.startswith("weibo")
    assert (outcome.result.state, outcome.expected, outcome.extracted) == (state, expected, extracted)


def test_the_command_lists_other_captures_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["payloads", str(other_captures(tmp_path))])
    main()
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("search.json", "comments.json", "wall.html")) and "读出 7/7 条" in shown
