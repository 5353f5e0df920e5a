"""`measures`, `compare`, `share` and `cases` as a user runs them."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.reports.conftest import quiet_file as quiet_file
from tests.reports.conftest import shipped as shipped
from tests.reports.conftest import small as small
from tests.reports.factory import World, day
from tests.reports.test_measures import given
from tests.reports.test_voice_share import LEAK, RIVAL, speak
from vocwatch.cli.app import run
from vocwatch.exits import Exit
from vocwatch.settings import Settings
from vocwatch.settings.watches import Watch, Watches

SPAN = ["--from", day(1).isoformat(), "--to", day(4).isoformat()]


@pytest.fixture(autouse=True)
def database(small: World, shipped: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The invented quiet days, and a competitor among the watches; the configuration is read once for all tests."""
    rival = Watch.model_validate({"id": "rival", "kind": "competitor", "name": "暖山家居"})
    settings = dataclasses.replace(shipped, watches=Watches(watches=(*shipped.watches.watches, rival)))
    use(monkeypatch, settings, tmp_path)
    return small


def use(monkeypatch: pytest.MonkeyPatch, settings: Settings, folder: Path) -> None:
    monkeypatch.setenv("VOCWATCH_HOME", str(ROOT))
    monkeypatch.setenv("VOCWATCH_DATA", str(folder / "data"))
    monkeypatch.setenv("VOCWATCH_DATABASE_URL", f"sqlite:///{folder / 'copy.sqlite3'}")
    monkeypatch.setattr("vocwatch.cli.context.load_settings", lambda env: dataclasses.replace(settings, env=env))


def test_rates_with_counts_rows_and_missing_days(database: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["measures", *SPAN]) == 0
    shown = capsys.readouterr()
    assert "没有分母" in shown.out and "daily-totals.yaml" in shown.err
    given(database, (1, "", "orders", 200), (2, "", "orders", 300))
    assert run(["measures", *SPAN, "--rows"]) == 0
    shown = capsys.readouterr()
    assert "2 天缺数未计" in shown.out and "orders 200 (given)" in shown.out and "品退率 = 品质退货数 ÷ 订单数" in shown.out
    assert run(["measures", *SPAN, "--csv", "--by", "day"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["group"] for row in rows} == {day(n).isoformat() for n in range(1, 5)}
    assert run(["measures", *SPAN, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"][0]["measures"]
    assert run(["measures", *SPAN, "--by", "colour"]) == Exit.USAGE
    assert run(["measures", *SPAN, "--product", "PC-B2"]) == Exit.USAGE


def test_the_feedback_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["measures", *SPAN, "--table", "--rows"]) == 0
    shown = capsys.readouterr().out
    assert "产品质量" in shown and "典型原话" in shown and "KF" in shown
    assert run(["--lang", "en", "measures", *SPAN, "--table", "--csv"]) == 0
    assert capsys.readouterr().out.startswith("category,content,voices")


def test_before_and_after(database: World, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["compare", "--topic", LEAK, "--on", day(15).isoformat()]
    assert run([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["before"][1] == day(14).isoformat() and told["verdict"] in ("unclear", "same", "too-little")
    assert run([*asked, "--product", "PC-B2", "--rows"]) == 0
    assert "证据不足" in capsys.readouterr().out
    for number in range(1, 15):
        for _ in range(4):
            database.session(day(number), database.complaint(LEAK, "杯盖漏水"), "品退")
    database.mention(day(3), database.complaint(LEAK, "杯盖漏水"), "elsewhere")
    database.save()
    assert run(["--lang", "en", *asked]) == 0
    shown = capsys.readouterr().out
    assert "Fell: by" in shown and "elsewhere" in shown  # of no configured source: said, not counted
    assert run(["compare", "--topic", "没有的", "--on", day(15).isoformat()]) == Exit.USAGE
    assert run(["compare", "--topic", LEAK, "--on", "2030-01-01"]) == Exit.USAGE


def test_share_and_cases(database: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(5):
        speak(database, [RIVAL], LEAK)
    database.save()
    span = ["--from", day(20).isoformat(), "--to", day(24).isoformat()]
    assert run(["share", *span]) == 0
    shown = capsys.readouterr().out
    assert "暖山家居" in shown and "声量占比" in shown and LEAK in shown
    assert run(["share", *span, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["subjects"]) == 2
    file = tmp_path / "cases.md"
    assert run(["cases", "--to", day(20).isoformat(), "--out", str(file)]) == 0
    assert file.read_text(encoding="utf-8").startswith(f"# 客服案例 {day(14)}")
    assert run(["cases", *span, "--json"]) == 0
    capsys.readouterr()
    assert run(["--lang", "en", "cases", *span]) == 0
    assert "# Service cases" in capsys.readouterr().out
    assert run(["cases", "--from", day(9).isoformat(), "--to", day(2).isoformat()]) == Exit.USAGE


def test_without_competitors_there_is_nothing_to_share(
    shipped: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, shipped, tmp_path)
    assert run(["share", *SPAN]) == Exit.USAGE
    assert "kind: competitor" in capsys.readouterr().err
