"""F12: a broken change of the configuration is told with file and line and never taken; the last good one goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.schedule.kit import MINUTE, Stepping, engine, until_idle
from vocwatch.schedule.reload import Reloader
from vocwatch.settings import Settings, load_settings
from vocwatch.store import Store, leases

SOURCE = """name: forum
title: 论坛
owner: 值班QA
access: {basis: 公开页面, robots: 允许, reviewer: 值班QA, date: 2026-11-01}
start: ["https://forum.example/"]
listing: {extract: html, records: [{kind: post, fields: {text: p}}]}
"""
COPY = SOURCE.replace("name: forum", "name: copy")
BROKEN = {
    "unknown key": ("config/vocwatch.yaml", lambda text: text.replace("digest_at:", "digest_att:"), "digest_at"),
    "bad time": ("config/vocwatch.yaml", lambda text: text.replace('"09:00"', '"9 o\'clock"'), "schedule.digest_at"),
    "broken regex": ("config/watches.yaml", lambda text: text + "\n  - {id: x, name: x, kind: keyword, patterns: ['(a+)+$']}\n", "watches.yaml"),
    "wrong selector": ("config/sources/copy.yaml", lambda text: COPY.replace("text: p", "text: 'p..x['"), "copy.yaml:6: CSS"),
    "wrong path": ("config/sources/copy.yaml", lambda text: COPY.replace("extract: html", "extract: json").replace("text: p", "text: 'a[['"), "copy.yaml:6:"),
    "typo in the domain": ("config/sources/copy.yaml", lambda text: COPY.replace("forum.example", "forum,example"), "copy.yaml:5"),
    "no scheme": ("config/sources/copy.yaml", lambda text: COPY.replace("https://", ""), "copy.yaml:5"),
    "duplicate id": ("config/sources/copy.yaml", lambda text: SOURCE, "copy"),
    "no yaml": ("config/topics.yaml", lambda text: text + "\n\t- : ]\n", "topics.yaml:"),
    "yaml bomb": ("config/topics.yaml", lambda text: text + "\nx: [" + "*a," * 60 + "]\n", "topics.yaml"),
    "half written": ("config/vocwatch.yaml", lambda text: text[:40], "vocwatch.yaml"),
    "gone": ("config/watches.yaml", lambda text: None, "watches.yaml"),
}


@pytest.fixture
def reloader(settings: Settings, home: Path) -> tuple[Reloader, Stepping, list[str]]:
    """A look-out over the configuration of a throw-away home."""
    (home / "config" / "sources" / "forum.yaml").write_text(SOURCE, encoding="utf-8")
    clock, said = Stepping(), []
    return Reloader(load_settings(settings.env), said.append, clock.seconds), clock, said


@pytest.mark.parametrize("kind", list(BROKEN))
def test_f12_a_bad_change_is_refused_and_a_mended_one_taken(
    reloader: tuple[Reloader, Stepping, list[str]], home: Path, kind: str
) -> None:
    look, clock, said = reloader
    good = look.settings
    name, change, named = BROKEN[kind]
    path = home / name
    before = path.read_text(encoding="utf-8") if path.exists() else None
    changed = change(before or "")
    if changed is None:
        path.unlink()
    else:
        path.write_text(changed, encoding="utf-8")
    for _ in range(3):
        clock.step(MINUTE)
        assert look.look() is None
    assert look.settings is good and look.problem and named in look.problem and str(home) in look.problem
    assert sum(named in line for line in said) == 1  # said once, not at every look
    # What a crawl process would read is the last good one too.
    assert set(load_settings(good.env).sources) == {"forum"} and load_settings(good.env).app == good.app
    if before is None:
        path.unlink()
    else:
        path.write_text(before.replace('"09:00"', '"08:30"'), encoding="utf-8")
    clock.step(MINUTE)
    fresh = look.look()
    assert fresh is not None and look.problem is None and fresh.env.config != home / "config"
    if "vocwatch" in name:
        assert fresh.app.schedule.digest_at == "08:30"


def test_f12_a_source_that_was_broken_from_the_start_keeps_no_change_back(settings: Settings, home: Path) -> None:
    (home / "config" / "sources" / "copy.yaml").write_text(COPY.replace("text: p", "text: 'p..x['"), encoding="utf-8")
    clock = Stepping()
    look = Reloader(load_settings(settings.env), seconds=clock.seconds)
    assert look.problem is None and look.look() is None
    path = home / "config" / "vocwatch.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace('"09:00"', '"08:30"'), encoding="utf-8")
    clock.step(MINUTE)
    fresh = look.look()
    assert fresh is not None and fresh.app.schedule.digest_at == "08:30"


def test_f12_the_schedule_runs_on_and_its_status_tells_of_the_problem(
    reloader: tuple[Reloader, Stepping, list[str]], home: Path, sqlite_store: Store
) -> None:
    look, clock, _ = reloader
    scheduler = engine(look.settings, sqlite_store, clock, tasks=lambda _: {}, reload=look.look, problem=lambda: look.problem)
    until_idle(scheduler)
    path = home / "config" / "vocwatch.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("digest_at:", "digest_att:"), encoding="utf-8")
    for _ in range(2):
        clock.step(MINUTE)
        until_idle(scheduler)
    assert scheduler.settings.app.schedule.digest_at == "09:00"
    with sqlite_store.read() as connection:
        [me] = leases.all_schedulers(connection, clock.now() - MINUTE)
    assert me.state == "running" and me.problem is not None and "digest_att" in me.problem
