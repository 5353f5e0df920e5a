"""`vocwatch topics test` as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_watch import filled, here  # noqa: F401
from tests.conftest import ROOT
from vocwatch.cli.app import run
from vocwatch.exits import Exit

SHIPPED = (ROOT / "config" / "topics.yaml").read_text(encoding="utf-8")


def test_an_edited_taxonomy_is_compared_on_stored_texts(
    filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],  # noqa: F811
) -> None:
    changed = tmp_path / "new.yaml"
    changed.write_text(SHIPPED.replace("压扁", "压平"), encoding="utf-8")
    code = run(["topics", "test", "--file", str(changed), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["texts"] == 9 and code in (Exit.OK, Exit.CONFIGURATION)
    assert (code == Exit.CONFIGURATION) == bool(found["examples_failed"])
    assert all(row["gained"] or row["lost"] for row in found["leaves"])


def test_examples_that_fail_are_named(
    filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],  # noqa: F811
) -> None:
    small = tmp_path / "new.yaml"
    small.write_text(
        "version: '1'\ntopics:\n  - name: 产品质量\n    leaves:\n"
        "      - {name: 漏水, words: 渗水, examples: [杯子漏水]}\nred_lines: []\n", encoding="utf-8",
    )
    assert run(["topics", "test", "--file", str(small)]) == Exit.CONFIGURATION
    told = capsys.readouterr()
    assert "杯子漏水" in told.out + told.err and "产品质量/漏水" in told.out
    assert run(["topics", "test", "--file", str(small), "--json"]) == Exit.CONFIGURATION
    found = json.loads(capsys.readouterr().out)
    (leaf,) = [row for row in found["leaves"] if row["name"] == "产品质量/漏水"]
    assert (leaf["lost"], leaf["after"]) == (1, 0) and leaf["losses"] == ["松果匣的小胖壶漏水"]


def test_the_shipped_taxonomy_keeps_its_examples(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    assert run(["topics", "test", "--json"]) == Exit.OK
    found = json.loads(capsys.readouterr().out)
    assert found["examples_failed"] == [] and found["file"] is None
    assert "产品质量/漏水" in {row["name"] for row in found["leaves"]}
