"""The whole chain on the practice web: what it finds, what it says, that a second run adds nothing, and that kill -9 at
random moments changes nothing. One file, so that the demo is run to its end once, whoever else is testing.
"""

from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.conftest import ROOT
from tests.e2e.conftest import Demo
from tests.e2e.rows import rows
from tests.ready import Nursery
from tests.reports.ledger import Ledger, unaccounted
from tests.test_docs import commands_in
from vocwatch.cli.app import run
from vocwatch.store import Store

pytestmark = pytest.mark.browser
Undisturbed = tuple[Demo, dict[str, Any]]
DATA = ROOT / "examples" / "practice" / "data"
CHAINS = 2
KILLS_EACH = 6


def posts() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / "posts.jsonl").read_text(encoding="utf-8").splitlines()]


def digest(demo: Demo) -> dict[str, Any]:
    return dict(json.loads((demo.digests / "digest-2026-11-15.json").read_text(encoding="utf-8")))


def test_every_source_ends_as_it_is(undisturbed: Undisturbed) -> None:
    _, summary = undisturbed
    statuses = {name: source["status"] for name, source in summary["sources"].items()}
    assert statuses == {
        "reviews": "ok", "notes": "ok", "forum": "ok", "complaints": "ok", "news": "ok", "video": "blocked",
    }


def test_every_post_that_is_visible_is_stored_once(undisturbed: Undisturbed) -> None:
    demo, _ = undisturbed
    stored = [json.loads(line) for line in rows(demo.database)["mentions"]]
    for site in ("reviews", "notes", "forum", "complaints", "news"):
        expected = sum(post["site"] == site for post in posts())
        found = [m["native_id"] for m in stored if m["source"] == site and m["kind"] not in ("comment", "append", "reply")]
        assert len(found) == len(set(found)) == expected, site


def test_comments_and_follow_ups_hang_on_their_posts(undisturbed: Undisturbed) -> None:
    demo, _ = undisturbed
    stored = [json.loads(line) for line in rows(demo.database)["mentions"]]
    ids = {(m["source"], m["native_id"]) for m in stored}
    below = [m for m in stored if m["kind"] in ("comment", "append")]
    assert below and all((m["source"], m["parent"]) in ids for m in below)
    wanted = sum(len(post["comments"]) for post in posts() if post["site"] in ("notes", "forum"))
    assert sum(m["kind"] == "comment" for m in below) == wanted


def test_no_author_and_no_planted_personal_data_is_stored(undisturbed: Undisturbed) -> None:
    demo, _ = undisturbed
    everything = "\n".join(line for table in rows(demo.database).values() for line in table)
    planted = json.loads((DATA / "labels.json").read_text(encoding="utf-8"))["pii"]
    values = {item["value"] for item in planted if item["kind"] != "nickname"}
    assert values and not [value for value in values if value in everything]


def test_both_incidents_lead_the_digest(undisturbed: Undisturbed) -> None:
    demo, _ = undisturbed
    found = digest(demo)
    assert found["level"] == "红"
    burns = [r for r in found["risks"] if r["product"] == "SG-N502"]
    leaks = [r for r in found["risks"] if r["product"] == "SG-C203" and r["topic"] == "产品质量/漏水"]
    assert burns and burns[0]["level"] == "红" and burns[0]["owner"] == "陆知夏"
    assert leaks and leaks[0]["owner"] == "贺一帆" and leaks[0]["lead_days"] == 2
    assert leaks[0]["session_ids"] and leaks[0]["mention_urls"]


def test_every_risk_names_its_own_rows_and_no_others(undisturbed: Undisturbed) -> None:
    """Sessions and mentions number their rows alike, so an id alone says nothing."""
    demo, _ = undisturbed
    connection = sqlite3.connect(demo.database)
    members = "SELECT {column} FROM incident_members m JOIN {table} t ON t.id = m.ref_id WHERE m.text_kind = ? AND m.incident_id = ?"
    for risk in digest(demo)["risks"]:
        urls = connection.execute(members.format(column="t.url", table="mentions"), ("mention", risk["incident"])).fetchall()
        ids = connection.execute(members.format(column="t.native_id", table="sessions"), ("session", risk["incident"])).fetchall()
        assert sorted(risk["mention_urls"]) == sorted(url for (url,) in urls)
        assert sorted(risk["session_ids"]) == sorted(key for (key,) in ids)
    connection.close()


def test_no_third_incident_is_invented(undisturbed: Undisturbed) -> None:
    demo, _ = undisturbed
    assert {risk["product"] for risk in digest(demo)["risks"]} <= {"SG-N502", "SG-C203"}


def test_blind_is_said(undisturbed: Undisturbed) -> None:
    demo, _ = undisturbed
    coverage = digest(demo)["coverage"]
    assert coverage["sources"]["video"]["status"] == "blocked" and coverage["sources"]["video"]["why"]
    assert coverage["percent"] < 100
    assert "受阻" in (demo.digests / "digest-2026-11-15.html").read_text(encoding="utf-8")


def test_pictures_were_taken(undisturbed: Undisturbed) -> None:
    _, summary = undisturbed
    assert len(summary["pictures"]) == 2
    assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in summary["pictures"])


def test_a_bad_row_is_reported_and_the_good_ones_stand(undisturbed: Undisturbed) -> None:
    _, summary = undisturbed
    assert summary["imports"]["流失会话.csv"] == {"rows": 59, "added": 58, "problems": 1}


def test_evidence_is_kept_under_its_own_hash(undisturbed: Undisturbed) -> None:
    import gzip
    import hashlib

    demo, _ = undisturbed
    pages = [json.loads(line) for line in rows(demo.database)["pages"]]
    kept = {file.name: file for file in (demo.data / "demo" / "evidence").rglob("*.gz")}
    assert pages
    for page in pages:
        matching = [file for name, file in kept.items() if page["sha256"].endswith(re.sub(r"\.gz$", "", name)[-60:])]
        assert matching and hashlib.sha256(gzip.decompress(matching[0].read_bytes())).hexdigest() == page["sha256"]


def test_a_second_run_adds_nothing(undisturbed: Undisturbed) -> None:
    demo, _ = undisturbed
    before = rows(demo.database)
    again = demo.run()
    assert all(source.get("new", 0) == 0 for source in again["sources"].values())
    assert all(report["added"] == 0 for report in again["imports"].values())
    assert rows(demo.database) == before


def test_what_the_demo_stored_can_be_looked_at_and_agrees_with_its_digest(
    undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    demo, _ = undisturbed
    monkeypatch.setenv("VOCWATCH_DATA", str(demo.data))
    monkeypatch.setenv("VOCWATCH_SECRET", "demo")
    for risk in digest(demo)["risks"]:
        assert run(["--demo", "explain", risk["incident"], "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["score"], told["level"]) == (risk["score"], risk["level"])
        assert (told["now"]["score"], told["now"]["level"]) == (risk["score"], risk["level"])
    shown = [words for words in commands_in(ROOT / "README.md") if words[:1] == ["--demo"] and "serve" not in words]
    assert shown
    for words in shown:
        assert run(words) == 0
        assert "漏水" in capsys.readouterr().out


def test_there_is_nothing_to_look_at_before_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VOCWATCH_DATA", str(tmp_path))
    assert run(["--demo", "query", "topics"]) == 2
    assert "vocwatch demo" in "".join(capsys.readouterr())


def test_every_number_of_the_practice_digest_is_a_count_of_its_rows(undisturbed: Undisturbed) -> None:
    demo, _ = undisturbed
    store = Store(f"sqlite:///{demo.database}")
    try:
        assert unaccounted(Ledger(store, digest(demo), ZoneInfo("Asia/Shanghai"))) == []
    finally:
        store.close()


def test_a_dozen_kills_at_random_moments_leave_the_same_rows(
    undisturbed: Undisturbed, nursery: Nursery, tmp_path: Path
) -> None:
    whole, summary = undisturbed
    length = 0.45 * summary["seconds"]  # a run over known ground is shorter than the first
    moments = random.Random(20261115)

    def chain(number: int, strikes: list[float]) -> tuple[Demo, int]:
        demo = Demo(tmp_path / f"chain{number}", whole.web)
        return demo, sum(demo.strike(nursery, moment) for moment in strikes)

    plans = [[moments.uniform(0.3, length) for _ in range(KILLS_EACH)] for _ in range(CHAINS)]
    with ThreadPoolExecutor(2) as pool:  # two at a time: a crash must not depend on having the machine alone
        ended = list(pool.map(chain, range(CHAINS), plans))
    assert sum(killed for _, killed in ended) >= CHAINS * KILLS_EACH / 2, "most strikes must hit a running demo"
    expected = rows(whole.database)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: pair[0].run(), ended))
    for demo, _ in ended:
        found = rows(demo.database)
        for table in expected:
            assert found[table] == expected[table], table


def test_its_console_lets_in_whoever_started_it_and_edits_a_copy_of_the_configuration(undisturbed: Undisturbed) -> None:
    demo, _ = undisturbed
    before = {path: path.read_bytes() for path in (ROOT / "examples" / "practice" / "config").rglob("*.yaml")}
    process = subprocess.Popen(
        [sys.executable, "-c", "from vocwatch.cli import main; main()", "--demo", "serve", "--port", "0"], cwd=ROOT, text=True,
        env={**os.environ, "VOCWATCH_DATA": str(demo.data), "VOCWATCH_SECRET": "demo"}, stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        told, address = "", None
        while address is None and (line := process.stderr.readline()):
            told += line
            address = re.search(r"http://127\.0\.0\.1:\d+", line)
        password = re.search(r"密码：(\S+?)（", told)
        assert address and password, told
        with httpx.Client(base_url=address[0], follow_redirects=True, trust_env=False) as browser:
            token = re.search(r'name="_csrf" value="([^"]+)"', browser.get("/login").text)
            assert token
            page = browser.post("/login", data={"_csrf": token[1], "name": "demo", "password": password[1], "next": "/"})
            assert page.status_code == 200 and digest(demo)["risks"][0]["title"] in page.text
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert (demo.database.parent / "config" / "watches.yaml").exists()
    assert before == {path: path.read_bytes() for path in before}
