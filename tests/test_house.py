"""Rules of the house that no linter checks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("vocwatch", "crawlers", "sessions", "sentiment", "reports")


def tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", pattern], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def test_no_python_file_of_500_lines() -> None:
    long = [f"{p.relative_to(ROOT)} {n}" for p in tracked("*.py") if (n := len(p.read_text(encoding="utf-8").splitlines())) >= 500]
    assert not long


def test_config_holds_no_python() -> None:
    assert not [p for p in tracked("config") if p.suffix == ".py"]


def test_every_package_on_disk_is_named_in_pyproject() -> None:
    import tomllib

    named = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"])
    found = {
        str(path.parent.relative_to(ROOT)).replace("/", ".")
        for top in PACKAGES for path in (ROOT / top).rglob("__init__.py")
    }
    assert named == found


def test_nothing_asks_the_system_for_the_time_but_the_clock() -> None:
    calls = re.compile(r"\b(datetime\.now|datetime\.utcnow|date\.today|time\.time)\(")
    found = [
        str(path.relative_to(ROOT)) for top in PACKAGES for path in (ROOT / top).rglob("*.py")
        if calls.search(path.read_text(encoding="utf-8")) and path.name != "clock.py"
    ]
    assert not found


def test_the_environment_is_read_in_one_place() -> None:
    reads = re.compile(r"os\.environ|os\.getenv")
    found = {
        str(path.relative_to(ROOT)) for top in PACKAGES for path in (ROOT / top).rglob("*.py")
        if reads.search(path.read_text(encoding="utf-8"))
    }
    # The crawl runner hands its own environment, changed, to the worker it starts.
    assert found <= {"vocwatch/settings/env.py", "crawlers/runner.py", "crawlers/worker.py", "vocwatch/browser.py"}


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_come_from_this_checkout(name: str) -> None:
    place = subprocess.run([sys.executable, "-c", f"import {name}; print({name}.__file__)"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert Path(place.stdout.strip()).is_relative_to(ROOT)
