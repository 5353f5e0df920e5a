"""`topics emerging` and `alerts` as a user runs them between two digests."""

from __future__ import annotations

import json

import pytest
from ruamel.yaml import YAML

from reports.run import build_incidents
from tests.cli.test_explain import database as database
from tests.reports.conftest import cups as cups
from tests.reports.conftest import shipped as shipped
from tests.reports.conftest import story as story
from tests.reports.conftest import story_file as story_file
from tests.reports.factory import PLANTED, Text, World, day
from tests.reports.test_emerging import SAID
from tests.reports.test_hourly import moment
from vocwatch.cli.app import run
from vocwatch.models import OTHER_TOPIC
from vocwatch.settings import Settings
from vocwatch.settings.topics import Topics
from vocwatch.store import Store

DATE = day(33)
NEW = "暗格机关"  # no word of the shipped taxonomy


def test_emerging_prints_a_snippet_and_its_rows(database: Store, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(database, 5)
    world.mentions = 50_000
    for clause in SAID:
        world.mention(DATE, Text(world.dress(clause.replace("轮轴卡死", NEW)), (OTHER_TOPIC,)))
    world.save()
    assert run(["topics", "emerging", "--date", DATE.isoformat()]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# 暗格机关：6 人 6 条，前 28 天 0 条") and shown.count("https://") == 5
    [group] = YAML(typ="safe").load(shown)
    assert Topics.model_validate({"version": "1", "topics": [group], "red_lines": []}).topics[0].leaves[0].name == NEW
    assert run(["topics", "emerging", "--date", DATE.isoformat(), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [len(p["rows"]) for p in told["phrases"]] == [6] and all(NEW in r["clause"] for r in told["phrases"][0]["rows"])
    assert run(["--lang", "en", "topics", "emerging", "--date", day(25).isoformat()]) == 0
    assert "No new phrase" in capsys.readouterr().err


def test_alerts_tell_red_lines_and_what_rises_fast(
    database: Store, cups: Settings, capsys: pytest.CaptureFixture[str],
) -> None:
    now = moment(16, date=DATE)
    world = World(database, 5)
    world.mentions = 50_000
    for number in range(6):
        world.mention(DATE, world.complaint("产品质量/掉漆", f"第{number}天杯盖掉漆", 2), sku="PC-K3", hour=15.1 + number / 10)
    world.save()
    build_incidents(cups, database, DATE, now=now)
    assert run(["--now", now.isoformat(), "alerts"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "快速升温" in line]
    assert "产品质量/掉漆" in line and "6 人" in line
    assert run(["--lang", "en", "--now", now.isoformat(), "alerts", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    fast = [row for row in rows if row["kind"] == "fast"]
    assert [row["seen"] for row in fast] == [6] and len(fast[0]["mention_urls"]) == 6 and "6 voices" in fast[0]["title"]
    assert any(row["kind"] == "red_line" for row in rows)
    assert run(["--now", now.isoformat(), "alerts", "--since", PLANTED["rumour"].isoformat(), "--json"]) == 0
    assert not [row for row in json.loads(capsys.readouterr().out) if row["kind"] == "fast"]
