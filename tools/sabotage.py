"""Takes guards out, one at a time, and sees whether a test notices:
`python tools/sabotage.py [--only F13] [--file day.yaml] [--jobs 2]`.

The rows stand in `tests/sabotage/*.yaml`, whose head explains them. The tree is copied into a temporary folder; there
each row's named tests must pass as things are, and fail when the guard is gone. The checkout itself is not touched.
Exit codes: 0 all rows went red, 1 one stayed green or could not be judged, 2 usage.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT / "tests" / "sabotage"
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "var", "__pycache__", "*.egg-info", ".hypothesis", ".mypy_cache", ".ruff_cache", "build"
)
PACKAGES = ("vocwatch", "crawlers", "sessions", "sentiment", "reports", "tests")
TEST_SECONDS = 600
PASSED, FAILED = 0, 1  # pytest's exit codes; all others say that it could not run
NONE_RAN = -1


class RowError(Exception):
    """A row that cannot be used; the message names file, fault and remedy."""


@dataclass(frozen=True)
class Edit:
    """One replacement: `old` stands exactly once in `file`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Row:
    """One guard, how it is taken out, and the tests that must notice."""

    fault: str
    guard: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]
    place: str = field(compare=False)


@dataclass(frozen=True)
class Verdict:
    """What the tests said; `red` is what we want."""

    row: Row
    word: str
    seconds: float
    detail: str = ""

    @property
    def good(self) -> bool:
        """Whether the guard is tested."""
        return self.word == "red"


def load_rows(folder: Path = ROWS) -> list[Row]:
    """Read all rows. Raises RowError for one that is malformed."""
    rows = []
    for path in sorted(folder.glob("*.yaml")):
        for number, entry in enumerate(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")) or [], 1):
            place = f"{path.name} row {number}"
            try:
                edits = tuple(
                    Edit(edit["file"], edit["old"].rstrip("\n"), str(edit["new"]).rstrip("\n"))
                    for edit in (entry, *entry.get("also", ()))
                )
                rows.append(Row(entry["fault"], entry["guard"], edits, tuple(entry["tests"]), place))
            except (KeyError, TypeError, AttributeError) as error:
                raise RowError(f"{place}: fault, guard, file, old, new and tests are needed ({error!r})") from error
    return rows


def sabotaged(row: Row, root: Path = ROOT) -> dict[str, str]:
    """Return the changed files of a row. Raises RowError where a text does not stand in its file exactly once."""
    texts: dict[str, str] = {}
    for edit in row.edits:
        path = root / edit.file
        if not path.is_file():
            raise RowError(f"{row.place} ({row.fault} {row.guard}): there is no {edit.file}")
        text = texts.get(edit.file) or path.read_text(encoding="utf-8")
        count = text.count(edit.old)
        if count != 1 or edit.old == edit.new:
            raise RowError(f"{row.place} ({row.fault} {row.guard}): `old` stands {count} times in {edit.file}, not once")
        texts[edit.file] = text.replace(edit.old, edit.new)
    return texts


class Bench:
    """A copy of the tree in which things may be broken."""

    def __init__(self, folder: Path, root: Path = ROOT):
        self.root = folder / "tree"
        shutil.copytree(root, self.root, ignore=LEFT_OUT, symlinks=True)
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("VOCWATCH_", "PYTEST_"))},
            "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder),
        }

    def check(self) -> None:
        """Make sure that it is the copy that is tested. Raises RowError."""
        there = [name for name in PACKAGES if (self.root / name).is_dir()]
        code = f"import {', '.join(there)}\nprint(*[m.__path__[0] for m in ({', '.join(there)},)], sep='\\n')"
        told = subprocess.run(
            [sys.executable, "-c", code], cwd=self.root, env=self._environment, capture_output=True, text=True, check=True
        ).stdout.split("\n")
        strays = [place for place in told if place and not Path(place).is_relative_to(self.root)]
        if strays:
            raise RowError(f"these packages do not come from the copy: {strays}")

    def test(self, tests: Sequence[str]) -> tuple[int, str]:
        """Run tests in the copy; returns pytest's exit code (-1: all were skipped) and the end of what it wrote."""
        report = self.root.parent / "report.xml"
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=line", f"--junitxml={report}", *tests]
        try:
            done = subprocess.run(
                command, cwd=self.root, env=self._environment, capture_output=True, text=True, timeout=TEST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return FAILED, "timeout"
        lines = (done.stdout + done.stderr).strip().splitlines()
        if done.returncode == PASSED and not _any_ran(report):
            return NONE_RAN, "\n".join(lines[-6:])
        return done.returncode, "\n".join(lines[-6:])

    def judge(self, row: Row) -> Verdict:
        """Take a row's guard out, run its tests, and put it back."""
        began = time.monotonic()
        changed = sabotaged(row, self.root)
        before = {name: (self.root / name).read_text(encoding="utf-8") for name in changed}
        try:
            for name, text in changed.items():
                (self.root / name).write_text(text, encoding="utf-8")
            code, detail = self.test(row.tests)
        finally:
            for name, text in before.items():
                (self.root / name).write_text(text, encoding="utf-8")
        word = {FAILED: "red", PASSED: "GREEN(!)"}.get(code, "BROKEN(!)")
        return Verdict(row, word, time.monotonic() - began, detail)


def _any_ran(report: Path) -> bool:
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314 - written a moment ago by pytest
    return any(int(suite.get("tests", 0)) > int(suite.get("skipped", 0)) for suite in suites)


def run(rows: Sequence[Row], jobs: int, root: Path = ROOT) -> list[Verdict]:
    """Judge all rows in `jobs` copies of the tree. Raises RowError where tests fail before anything is broken."""
    with tempfile.TemporaryDirectory(prefix="sabotage-", ignore_cleanup_errors=True) as scratch:
        benches: queue.SimpleQueue[Bench] = queue.SimpleQueue()
        for number in range(jobs):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            benches.put(Bench(folder, root))
        first = benches.get()
        first.check()
        code, detail = first.test(sorted({test for row in rows for test in row.tests}))
        benches.put(first)
        if code != PASSED:
            raise RowError(f"the named tests do not pass as things are:\n{detail}")

        def one(row: Row) -> Verdict:
            bench = benches.get()
            try:
                verdict = bench.judge(row)
            finally:
                benches.put(bench)
            sys.stderr.write(f"{verdict.word:9} {row.fault} {row.guard}\n")
            return verdict

        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(one, rows))


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as Markdown."""
    lines = ["| fault | guard | without it | seconds |", "|---|---|---|---:|"]
    lines += [f"| {v.row.fault} | {v.row.guard} | {v.word} | {v.seconds:.1f} |" for v in verdicts]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python tools/sabotage.py", description=__doc__)
    parser.add_argument("--only", help="rows of this fault, such as F13")
    parser.add_argument("--file", help="rows of this file, such as day.yaml")
    parser.add_argument("--jobs", type=int, default=1, help="copies that are tested at the same time")
    given = parser.parse_args(arguments)
    try:
        rows = [
            row for row in load_rows()
            if given.only in (None, row.fault) and given.file in (None, row.place.partition(" ")[0])
        ]
        if not rows:
            print(f"no such rows in {ROWS.relative_to(ROOT)}")
            return 2
        for row in rows:
            sabotaged(row)
        verdicts = run(rows, max(1, given.jobs))
    except RowError as error:
        print(error)
        return 1
    print(table(verdicts))
    bad = [verdict for verdict in verdicts if not verdict.good]
    for verdict in bad:
        print(f"\n{verdict.word} {verdict.row.fault} {verdict.row.guard} ({verdict.row.place})\n{verdict.detail}")
    print(f"\n{len(verdicts) - len(bad)} of {len(verdicts)} guards are missed when they are gone")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
