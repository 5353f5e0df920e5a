"""A browser that crashes, hangs, is killed or is asked for too much: its place is free again, and nothing is left over."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.crawl.browser_soak import living, plan, soak
from crawlers.browser import concurrency
from tests.conftest import ROOT
from tests.crawlers.kit import Lab
from tests.crawlers.site import Answer, Site
from vocwatch.browser import candidates, find_browser
from vocwatch.settings import read_environment

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def chromium() -> None:
    if find_browser(read_environment()) is None:
        pytest.skip("这台机器没有能启动的浏览器")


@pytest.fixture(scope="module")
def soaked() -> dict[str, Any]:
    """Thirty pages, every kind of trouble among them, and a browser that is killed once and frozen once."""
    return soak(30, concurrency=4, each=3, kill_each=13)


def test_every_page_ends_and_says_how(soaked: dict[str, Any]) -> None:
    outcomes = soaked["outcomes"]
    assert sum(sum(seen.values()) for seen in outcomes.values()) == 30
    assert outcomes["fine"] == {"ok": plan(30, 3).count("fine")}, "those beside the bad ones are read all the same"
    assert (outcomes["memory"], outcomes["loop"], outcomes["download"]) == ({"browser": 2}, {"browser": 1}, {"browser": 1})
    # The browser may be frozen just then.
    assert outcomes["silent"] in ({"timeout": 1}, {"browser": 1})
    assert outcomes["leaving"] == {"ok": 1}
    # Some browsers stop a storm of pop-ups by themselves; in the others we do.
    assert set(outcomes["popups"]) <= {"ok", "browser"}


def test_no_process_and_no_place_is_lost(soaked: dict[str, Any]) -> None:
    assert soaked["left_over"] == []
    assert soaked["free_places"] == soaked["places"] == 4
    counts = soaked["counts"]
    assert counts["crashes"] == 1 and counts["browsers"] == 3, "a new browser for each that was lost, and no more"
    assert counts["second_tries"] >= 2
    # Given up by the watch on each step, long before the two total deadlines of a page (60 s each).
    assert soaked["seconds"] < 100


def test_a_worker_that_is_killed_takes_its_browser_along(lab: Lab, make_site: Any, tmp_path: Path) -> None:
    site: Site = make_site(posts=1)
    site.rule = lambda path: Answer(hang=60) if path.startswith("/list") else None
    lab.timeout = 60
    lab.forum("video", site.url, transport="browser")
    settings = lab.settings(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    said, scratch = tmp_path / "said", tmp_path / ("x" * 90)  # too long for the name of a socket in it
    scratch.mkdir()
    with said.open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "crawlers.worker", "--source", "video", "--dry-run", str(tmp_path / "out")],
            cwd=ROOT, stderr=log, stdin=subprocess.DEVNULL,
            env={**settings.env.variables, "TMPDIR": str(scratch), "VOCWATCH_DATABASE_URL": settings.env.database_url},
        )
    try:
        _wait_for(lambda: site.content_log or worker.poll() is not None)
        assert worker.poll() is None, said.read_text(encoding="utf-8")
        browsers = _browsers_of(worker.pid)
        assert browsers
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    _wait_for(lambda: not living(browsers))


def test_no_more_tabs_than_allowed(lab: Lab) -> None:
    lab.forum("video", "http://127.0.0.1:9", transport="browser", concurrency=16)
    lab.forum("plain", "http://127.0.0.1:9", concurrency=16)
    settings = lab.settings()
    assert concurrency(settings.sources["video"]) == 4 and concurrency(settings.sources["plain"]) == 16


def test_headless_shells_come_first(tmp_path: Path) -> None:
    cache = tmp_path / ".cache" / "ms-playwright"
    for name in ("chromium-1200/chrome-linux/chrome", "chromium_headless_shell-1190/chrome-linux/headless_shell",
                 "chromium_headless_shell-1255/chrome-linux/headless_shell"):
        (cache / name).parent.mkdir(parents=True)
        (cache / name).touch(0o755)
    (tmp_path / "bin").mkdir()
    for name in ("chromium", "chromium-headless-shell"):
        (tmp_path / "bin" / name).touch(0o755)
    variables = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}
    found = [path for path in candidates(read_environment(variables)) if path.startswith(str(tmp_path))]
    assert [path.removeprefix(str(tmp_path)) for path in found] == [
        "/.cache/ms-playwright/chromium_headless_shell-1255/chrome-linux/headless_shell",
        "/.cache/ms-playwright/chromium_headless_shell-1190/chrome-linux/headless_shell",
        "/.cache/ms-playwright/chromium-1200/chrome-linux/chrome", "/bin/chromium-headless-shell", "/bin/chromium",
    ]
    assert candidates(read_environment({**variables, "VOCWATCH_CHROMIUM": "/my/own"})) == ["/my/own"]


def _wait_for(there: Any, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def _leaders() -> Iterator[int]:
    """Process ids of all session leaders."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "stat").read_text(encoding="latin-1").rpartition(")")[2].split()[3] == entry.name:
                yield int(entry.name)
        except OSError:
            continue


def _browsers_of(parent: int) -> set[int]:
    found = set()
    for pid in _leaders():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat[1]) == parent:
            found.add(pid)
    return found
