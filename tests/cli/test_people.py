"""`feedback object|settle|disputes`, `case` and `serve` as people use them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT
from tests.delivery.plant import alarm
from vocwatch.cli import context
from vocwatch.cli.app import run
from vocwatch.exits import Exit
from vocwatch.lang import set_language
from vocwatch.settings import load_settings, read_environment
from vocwatch.store import Store, open_store

FORMULA = "=HYPERLINK(\"https://evil.example\")"


@pytest.fixture(autouse=True)
def _read_once(at_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration is not what these tests are about: it is read once for all commands of a test."""
    settings = load_settings(read_environment())
    monkeypatch.setattr(context, "load_settings", lambda _env: settings)


@pytest.fixture
def database(home: Path) -> Store:
    """One incident, listed on the day of the clock."""
    store = open_store(f"sqlite:///{home / 'var' / 'vocwatch.sqlite3'}")
    alarm(store)
    store.close()
    return store


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == Exit.OK, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_a_dispute_goes_from_word_to_ruling_and_onto_the_meetings_list(
    database: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["feedback", "inc-burn", "误报", "--by", "张", "--note", "电话13800138000"]) == Exit.OK  # `say` may be left out
    assert run(["feedback", "say", "inc-burn", "handed", "--by", "张"]) == Exit.OK
    rows = told(capsys, "feedback", "list")
    assert {row["verdict"] for row in rows} == {"误报", "已转派"} and "13800138000" not in json.dumps(rows)
    word = str(next(row["id"] for row in rows if row["verdict"] == "误报"))
    assert run(["feedback", "object", word, "--by", "张", "--reason", "x"]) == Exit.USAGE
    made = told(capsys, "feedback", "object", word, "--by", "李", "--reason", FORMULA)
    number = str(made["objection"])
    for party in ("张", "李"):
        assert run(["feedback", "settle", number, "准", "--by", party]) == Exit.USAGE
    [matter] = told(capsys, "feedback", "disputes", "--to", "today")
    assert matter["state"] == "open" and matter["title"] == "暖手宝外壳发烫把手烫伤" and matter["judged"]["level"] == "橙"
    assert [entry["who"] for entry in matter["words"]] == ["张"] and matter["objection"]["who"] == "李"
    assert run(["feedback", "disputes", "--to", "today", "--csv"]) == Exit.OK
    text = capsys.readouterr().out
    table = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    assert text.startswith("\ufeff") and table[0][0] == "状态" and len(table[1]) == len(table[0])
    assert table[1][8] == f"'{FORMULA}" and table[1][5] == "张=误报"
    assert told(capsys, "feedback", "settle", number, "准", "--level", "红", "--by", "王")["state"] == "upheld"
    assert run(["feedback", "disputes", "--to", "today"]) == Exit.OK
    lines = capsys.readouterr().out
    assert "校准会清单 11-10–11-16：1 条" in lines and "[异议成立]" in lines and "裁定 王" in lines and "准（红）" in lines
    assert told(capsys, "feedback", "disputes", "--to", "2026-11-01") == []
    assert run(["feedback", "settle", "99", "准", "--by", "王"]) == run(["feedback", "settle", number, "不知道"]) == Exit.USAGE


def test_an_objection_is_taken_back_by_who_raised_it(database: Store, capsys: pytest.CaptureFixture[str]) -> None:
    run(["feedback", "say", "inc-burn", "wrong", "--by", "张"])
    word = str(told(capsys, "feedback", "list")[0]["id"])
    number = str(told(capsys, "feedback", "object", word, "--by", "李", "--reason", "再看看")["objection"])
    assert run(["feedback", "settle", number, "--withdraw", "--by", "王"]) == Exit.USAGE
    assert told(capsys, "feedback", "settle", number, "--withdraw", "--by", "李")["state"] == "withdrawn"


def test_a_case_from_open_to_closed(database: Store, capsys: pytest.CaptureFixture[str]) -> None:
    made = told(capsys, "case", "open", "inc-burn", "--to", "周楠", "--due", "2d", "--by", "何雨", "--note", "顾客13800138000")
    number = str(made["id"])
    assert (made["owner"], made["due_on"], made["state"]) == ("周楠", "2026-11-18", "open")
    assert told(capsys, "case", "open", "inc-burn", "--by", "李")["id"] == made["id"]
    assert told(capsys, "case", "due", number, "2026-11-15", "--by", "何雨")["due_on"] == "2026-11-15"
    assert told(capsys, "case", "assign", number, "赵敏", "--by", "何雨")["owner"] == "赵敏"
    told(capsys, "case", "comment", number, "已退款", "--by", "赵敏")
    [late] = told(capsys, "case", "list", "--overdue")
    assert late["overdue"] and told(capsys, "case", "list", "--to", "周楠") == []
    assert run(["case", "close", number, "不了了之"]) == Exit.USAGE
    assert told(capsys, "case", "close", number, "补偿", "--by", "赵敏")["outcome"] == "补偿"
    assert run(["case", "assign", number, "李"]) == Exit.USAGE and run(["case", "show", "99"]) == Exit.USAGE
    assert run(["case", "open", "没有这个"]) == run(["case", "due", number, "下周"]) == Exit.USAGE
    shown = told(capsys, "case", "show", number)
    assert [step["what"] for step in shown["history"]] == ["opened", "assigned", "due", "due", "assigned", "comment", "closed"]
    assert {step["who"] for step in shown["history"]} == {"何雨", "赵敏"} and "13800138000" not in json.dumps(shown)
    assert told(capsys, "case", "list") == [] and len(told(capsys, "case", "list", "--all")) == 1
    assert run(["case", "show", number]) == Exit.OK
    assert "赵敏　结案 补偿" in capsys.readouterr().out


def test_without_chinese_letters_it_can_be_used_too(database: Store, capsys: pytest.CaptureFixture[str]) -> None:
    set_language("en")
    assert run(["--lang", "en", "feedback", "inc-burn", "right", "--by", "Ann"]) == Exit.OK
    assert run(["--lang", "en", "feedback", "inc-burn", "good"]) == Exit.USAGE
    assert "right, wrong, false" in capsys.readouterr().err
    made = told(capsys, "--lang", "en", "case", "open", "inc-burn", "--by", "Ann")
    assert told(capsys, "--lang", "en", "case", "close", str(made["id"]), "compensated")["outcome"] == "补偿"


def test_serve_answers_on_loopback_and_ends_on_a_signal(database: Store, home: Path) -> None:
    env = {**os.environ, "VOCWATCH_HOME": str(home), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", "from vocwatch.cli import main; main()", "serve", "--port", "0"], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr
        lines = []
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                break
        assert found and any("VOCWATCH_CONSOLE_URL" in line for line in lines)
        with httpx.Client(trust_env=False, timeout=60) as client:
            assert client.get(f"{found[0]}/healthz").json() == {"ok": True}
            assert client.get(f"{found[0]}/f/x.y").status_code == 403
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        assert process.wait(60) in (0, -signal.SIGTERM) and "Traceback" not in rest
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_is_taken_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from reports.web.serve import listen

    with listen("127.0.0.1", 0) as held:
        held.listen()
        assert run(["serve", "--port", str(held.getsockname()[1])]) == Exit.USAGE
    assert "听不了" in capsys.readouterr().err


